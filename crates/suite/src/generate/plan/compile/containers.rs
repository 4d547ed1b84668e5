//! Plans of arrays and objects.
//!
//! What is optional and can't be drawn is left out.

use serde_json::{Value, json};

use super::{CompileStop, Compiler, MOST_CONTAINED, Place, draws};
use crate::contract::schema::FlatSchema;
use crate::generate::plan::open::OpenPlan;
use crate::generate::plan::pattern::Pattern;
use crate::generate::plan::{ListPlan, PlanKind, PropertyPlan, ValuePlan};

impl Compiler<'_> {
    pub(super) fn list(
        &self,
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<(PlanKind, bool), CompileStop> {
        let min = flat.count("minItems").unwrap_or(0);
        let max = flat.count("maxItems").unwrap_or(min.max(8));
        let anything = json!({});
        let mut first = Vec::new();
        for (index, schema) in flat.list("prefixItems").unwrap_or_default().iter().enumerate() {
            let at = place.inside(&format!("prefixItems/{index}"), flat);
            match self.compile(schema, &at) {
                Ok(plan) => first.push(plan),
                Err(_) if index >= min => break,
                Err(stop) => return Err(stop),
            }
        }
        let items = flat.keywords.get("items").unwrap_or(&anything);
        let closed = flat.keywords.get("unevaluatedItems") == Some(&Value::Bool(false))
            && !flat.keywords.contains_key("items");
        let rest = match self.compile(items, &place.inside("items", flat)) {
            Ok(_) if closed && min <= first.len() => None,
            Ok(plan) => Some(plan),
            Err(_) if min <= first.len() => None,
            Err(stop) => return Err(stop),
        };
        let max = if rest.is_none() { max.min(first.len()) } else { max };
        let distinct = flat.keywords.get("uniqueItems") == Some(&Value::Bool(true));
        let exact = !distinct && min <= max;
        let needed = self.contained(items, flat, place)?;
        let plan = ListPlan { first, rest, needed, min, max, distinct };
        Ok((PlanKind::List(Box::new(plan)), exact))
    }

    /// The elements that `contains` asks for.
    fn contained(
        &self,
        items: &Value,
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<Vec<ValuePlan>, CompileStop> {
        let Some(contains) = flat.keywords.get("contains") else { return Ok(Vec::new()) };
        let least = flat.count("minContains").unwrap_or(1);
        if least == 0 {
            return Ok(Vec::new());
        }
        let both = json!({ "allOf": [items, contains] });
        let plan = self.compile(&both, &place.inside("contains", flat))?;
        if plan.held.as_deref().is_some_and(|judge| !draws(&plan, judge)) {
            return Ok(Vec::new());
        }
        Ok(vec![plan; least.min(MOST_CONTAINED)])
    }

    pub(super) fn object(
        &self,
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<(PlanKind, bool), CompileStop> {
        let mut properties = Vec::new();
        let named = flat.keywords.get("properties").and_then(Value::as_object);
        for (name, schema) in named.into_iter().flatten() {
            let required = flat.requires(name);
            if !required && place.depth >= self.extent.get().optional {
                continue;
            }
            let at = place.inside(&format!("properties/{name}"), flat);
            match self.compile(schema, &at) {
                Ok(plan) => properties.push(PropertyPlan { name: name.clone(), required, plan }),
                Err(stop) if required => return Err(stop),
                Err(_) => {}
            }
        }
        // Required, but described nowhere: anything will do.
        let undescribed =
            flat.list("required").unwrap_or_default().iter().filter_map(Value::as_str);
        for name in undescribed {
            if named.is_none_or(|n| !n.contains_key(name)) {
                let at = place.inside(&format!("properties/{name}"), flat);
                let plan = self.compile(&undescribed_schema(flat, name), &at)?;
                properties.push(PropertyPlan { name: name.to_owned(), required: true, plan });
            }
        }
        let kind = match self.open(flat, place, &properties)? {
            Some(mut open) => {
                open.properties = properties;
                PlanKind::Open(Box::new(open))
            }
            None => PlanKind::Object(properties),
        };
        Ok((kind, true))
    }

    /// What an object has beyond the properties that its schema names; none where that is nothing.
    fn open(
        &self,
        flat: &FlatSchema,
        place: &Place,
        named: &[PropertyPlan],
    ) -> Result<Option<OpenPlan>, CompileStop> {
        let mut patterns = Vec::new();
        let by_pattern = flat.keywords.get("patternProperties").and_then(Value::as_object);
        for (text, schema) in by_pattern.into_iter().flatten() {
            let at = place.inside(&format!("patternProperties/{text}"), flat);
            // What can't be drawn, or not here, is optional.
            if let (Some(pattern), Ok(plan)) = (Pattern::compile(text), self.compile(schema, &at)) {
                patterns.push((pattern, plan));
            }
        }
        let additional = flat.keywords.get("additionalProperties");
        let closed = additional == Some(&Value::Bool(false))
            || flat.keywords.get("unevaluatedProperties") == Some(&Value::Bool(false));
        let min = flat.count("minProperties").unwrap_or(0);
        let max = flat.count("maxProperties").unwrap_or(usize::MAX);
        let dependent = dependent(flat);
        let typed = additional.is_some_and(Value::is_object);
        let wanted = typed || min > named.len() || flat.keywords.contains_key("propertyNames");
        if patterns.is_empty() && dependent.is_empty() && min == 0 && max == usize::MAX && !wanted {
            return Ok(None);
        }
        let mut rest = None;
        if !closed && wanted {
            let schema = additional.cloned().unwrap_or(json!({}));
            let names = flat.keywords.get("propertyNames").cloned().unwrap_or(json!({}));
            let names = json!({ "allOf": [{ "type": "string" }, names] });
            let names = self.compile(&names, &place.inside("propertyNames", flat));
            let values = self.compile(&schema, &place.inside("additionalProperties", flat));
            match (names, values) {
                (Ok(names), Ok(values)) => rest = Some((names, values)),
                (Err(stop), _) | (_, Err(stop)) if min > named.len() => return Err(stop),
                _ => {}
            }
        }
        let eager = typed || !patterns.is_empty();
        let properties = Vec::new();
        Ok(Some(OpenPlan { properties, patterns, rest, dependent, min, max, eager }))
    }
}

/// What `dependentRequired` asks for, by the name that asks.
fn dependent(flat: &FlatSchema) -> Vec<(String, Vec<String>)> {
    let all = flat.keywords.get("dependentRequired").and_then(Value::as_object);
    let names = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    all.into_iter().flatten().map(|(name, list)| (name.clone(), names(list))).collect()
}

/// The schema of a property that `properties` does not name.
fn undescribed_schema(flat: &FlatSchema, name: &str) -> Value {
    let by_pattern = flat.keywords.get("patternProperties").and_then(Value::as_object);
    let matches = |pattern: &str| {
        let test = jsonschema::validator_for(&json!({ "pattern": pattern }));
        test.is_ok_and(|test| test.is_valid(&Value::from(name)))
    };
    let fitting: Vec<&Value> =
        by_pattern.into_iter().flatten().filter(|(p, _)| matches(p)).map(|(_, s)| s).collect();
    if fitting.is_empty() {
        flat.keywords.get("additionalProperties").cloned().unwrap_or(json!({}))
    } else {
        json!({ "allOf": fitting })
    }
}
