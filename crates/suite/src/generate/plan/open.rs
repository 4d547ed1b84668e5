//! Objects with more than the properties that their schema names, and properties that ask for each other.
//!
//! It must not know schemas.

use serde_json::{Map, Value};

use super::pattern::Pattern;
use super::{PropertyPlan, ValuePlan};
use crate::generate::random::Random;

/// Names that are drawn before an object is taken as it is.
const TRIES: usize = 50;

/// Such an object.
#[derive(Debug, Clone)]
pub(in crate::generate) struct OpenPlan {
    /// What the schema names.
    pub properties: Vec<PropertyPlan>,
    /// Properties whose names match a pattern.
    pub patterns: Vec<(Pattern, ValuePlan)>,
    /// Any others: their names and their values.
    pub rest: Option<(ValuePlan, ValuePlan)>,
    /// Names that a property asks for.
    pub dependent: Vec<(String, Vec<String>)>,
    /// Fewest properties.
    pub min: usize,
    /// Most properties.
    pub max: usize,
    /// Whether further properties are drawn where none need be.
    pub eager: bool,
}

impl OpenPlan {
    pub fn draw(&self, random: &mut Random, edges: bool) -> Map<String, Value> {
        let mut object = Map::new();
        for property in &self.properties {
            if property.required || random.chance(1, 2) {
                object.insert(property.name.clone(), property.plan.draw(random, edges));
            }
        }
        let further = if self.eager { random.between(0, 2) } else { 0 };
        self.complete(object, further, random, edges)
    }

    /// The simplest object, or one with every property and one more.
    pub fn build(&self, full: bool) -> Map<String, Value> {
        let named = self.properties.iter().filter(|p| p.required || full);
        let object = named.map(|p| (p.name.clone(), p.plan.build(full))).collect();
        let further = usize::from(full && self.eager);
        self.complete(object, further, &mut Random::new(0), false)
    }

    fn complete(
        &self,
        mut object: Map<String, Value>,
        further: usize,
        random: &mut Random,
        edges: bool,
    ) -> Map<String, Value> {
        self.add_dependent(&mut object, random, edges);
        let wanted = (object.len() + further).max(self.min).min(self.max.max(self.min));
        for _ in 0..TRIES + wanted {
            if object.len() >= wanted {
                break;
            }
            if let Some((name, value)) = self.further(&object, random, edges) {
                object.entry(name).or_insert(value);
            }
        }
        let is_required =
            |name: &String| self.properties.iter().any(|p| p.required && &p.name == name);
        while object.len() > self.max {
            let Some(surplus) = object.keys().rev().find(|name| !is_required(name)).cloned() else {
                break;
            };
            object.shift_remove(&surplus);
        }
        object
    }

    fn add_dependent(&self, object: &mut Map<String, Value>, random: &mut Random, edges: bool) {
        for _ in 0..=self.dependent.len() {
            let before = object.len();
            for (name, asked) in &self.dependent {
                if !object.contains_key(name) {
                    continue;
                }
                for missing in asked {
                    if !object.contains_key(missing) {
                        let known =
                            self.properties.iter().find(|p| &p.name == missing).map(|p| &p.plan);
                        let plan = known.or(self.rest.as_ref().map(|(_, values)| values));
                        let value = plan.map_or(Value::from("x"), |plan| plan.draw(random, edges));
                        object.insert(missing.clone(), value);
                    }
                }
            }
            if object.len() == before {
                break;
            }
        }
    }

    /// One more property.
    fn further(
        &self,
        object: &Map<String, Value>,
        random: &mut Random,
        edges: bool,
    ) -> Option<(String, Value)> {
        let ways = self.patterns.len() + usize::from(self.rest.is_some());
        let optional = || self.properties.iter().find(|p| !object.contains_key(&p.name));
        let way = if ways > 0 { random.index(ways) } else { 0 };
        if let Some((pattern, plan)) = self.patterns.get(way) {
            let mut name = String::new();
            pattern.push(random, &mut name);
            return Some((name, plan.draw(random, edges)));
        }
        match &self.rest {
            Some((names, values)) => {
                let name = names.draw(random, false);
                Some((name.as_str()?.to_owned(), values.draw(random, edges)))
            }
            None => optional().map(|p| (p.name.clone(), p.plan.draw(random, edges))),
        }
    }
}
