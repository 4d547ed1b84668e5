//! What the profile makes of the values that a case writes out: the target's own in their place, or none.
//!
//! It knows fields, values and the profile; it must not know steps, roles or rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::contract::profile::KnownValues;
use crate::contract::{Contract, Field, Profile};

/// What becomes of a value that the profile excludes.
pub(super) enum Replacement {
    /// One of the profile's values takes its place.
    By(Value),
    /// The field is left out.
    LeftOut,
}

/// Finds the profile's values for those of one case; equal values get equal ones, different values different ones as
/// far as there are enough.
#[derive(Default)]
pub(super) struct Replacements {
    seen: BTreeMap<String, Vec<Value>>,
    replaced: BTreeSet<String>,
    left_out: BTreeSet<String>,
    kept: BTreeSet<String>,
}

impl Replacements {
    /// What takes the place of `value`, which the profile excludes; nothing where none of its values fits the schema.
    pub(super) fn find(
        &mut self,
        contract: &Contract,
        profile: &Profile,
        field: &Field,
        value: &Value,
    ) -> Option<Replacement> {
        if profile.omit.contains(&field.name) {
            self.left_out.insert(field.name.clone());
            return Some(Replacement::LeftOut);
        }
        let validator = contract.operation.compile(&field.schema).ok()?;
        let known = match profile.values.get(&field.name)? {
            KnownValues::List(list) => list.clone(),
            KnownValues::Range { min, max } => {
                let near = value.as_f64().unwrap_or(*min).clamp(*min, *max);
                let whole = [near.ceil(), near.floor()].into_iter();
                let inside = whole.filter(|whole| (*min..=*max).contains(whole));
                inside.chain([near]).map(number).collect()
            }
        };
        let fitting: Vec<Value> = known.into_iter().filter(|v| validator.is_valid(v)).collect();
        let seen = self.seen.entry(field.name.clone()).or_default();
        let nth = seen.iter().position(|known| known == value).unwrap_or_else(|| {
            seen.push(value.clone());
            seen.len() - 1
        });
        let many = matches!(profile.values.get(&field.name), Some(KnownValues::List(_)));
        let nth = if many { nth % fitting.len().max(1) } else { 0 };
        let by = fitting.get(nth)?.clone();
        self.replaced.insert(field.name.clone());
        Some(Replacement::By(by))
    }

    /// A field stays that the case leaves out: the profile demands it.
    pub(super) fn keep(&mut self, field: &str) {
        self.kept.insert(field.to_owned());
    }

    /// What was changed, for the report.
    pub(super) fn notes(&self) -> Vec<String> {
        let list = |names: &BTreeSet<String>| {
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        [
            (&self.replaced, "the profile's values in place of the case's"),
            (&self.left_out, "left out, as the profile omits it"),
            (&self.kept, "sent, as the profile demands it"),
        ]
        .into_iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, what)| format!("{}: {what}", list(names)))
        .collect()
    }
}

/// A number as JSON, whole ones without a fraction.
fn number(value: f64) -> Value {
    let text = value.to_string();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
