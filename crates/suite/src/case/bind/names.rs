//! Which earlier items and steps a step needs, and which it names for later ones.
//!
//! It must not know contracts or profiles.

use std::collections::HashSet;

use serde_json::Value;

use crate::case::template::Template;
use crate::case::{BatchSpec, ItemSpec, Step};

/// Names that a step gives to itself and its items.
pub(super) fn given(step: &Step, into: &mut HashSet<String>) {
    into.extend(step.name.clone());
    into.extend(items(step).filter_map(|item| item.name.clone()));
    step.simultaneously.iter().flatten().for_each(|inner| given(inner, into));
}

/// Whether a step needs one of these names.
pub(super) fn needs(step: &Step, names: &HashSet<String>) -> bool {
    let text = |text: &str| {
        Template::parse(text).is_ok_and(|template| template.names().any(|n| names.contains(n)))
    };
    let named = |named: &Option<crate::case::Named>| {
        named.as_ref().is_some_and(|named| names.contains(&named.name))
    };
    let item = |item: &ItemSpec| {
        named(&item.like)
            || item.set.values().any(|v| value(v, &text))
            || item.set_raw.values().chain(&item.raw).any(|t| text(t))
    };
    named(&step.resend)
        || items(step).any(item)
        || [&step.body, &step.raw, &step.path].into_iter().flatten().any(|t| text(t))
        || step.headers.values().flatten().any(|t| text(t))
        || step
            .expect
            .iter()
            .flat_map(|e| e.body.values())
            .flat_map(crate::case::BodyPin::values)
            .any(|v| value(v, &text))
        || step
            .expect
            .iter()
            .flat_map(|e| e.headers.values())
            .flat_map(crate::case::HeaderPin::values)
            .any(|v| value(v, &text))
        || step.simultaneously.iter().flatten().any(|inner| needs(inner, names))
}

pub(super) fn items(step: &Step) -> impl Iterator<Item = &ItemSpec> {
    let batch = match &step.batch {
        Some(BatchSpec::Items(items)) => items.as_slice(),
        _ => &[],
    };
    batch.iter().chain(step.items.iter().flatten())
}

fn value(value_: &Value, text: &impl Fn(&str) -> bool) -> bool {
    match value_ {
        Value::String(t) => text(t),
        Value::Array(list) => list.iter().any(|v| value(v, text)),
        Value::Object(map) => map.values().any(|v| value(v, text)),
        _ => false,
    }
}
