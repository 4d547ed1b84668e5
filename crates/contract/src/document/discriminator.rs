//! Alternatives that a discriminator tells apart: each gets the values of the property that name it, so that an object
//! fits one alternative and no other (OpenAPI 3.1.1, section 4.8.25).

use serde_json::{Map, Value, json};

/// Adds to every alternative of a `oneOf` or `anyOf` with a discriminator what the property may say there.
pub fn tell_apart(schema: &mut Map<String, Value>) {
    let Some(discriminator) = schema.get("discriminator") else { return };
    let Some(property) =
        discriminator.get("propertyName").and_then(Value::as_str).map(str::to_owned)
    else {
        return;
    };
    let mapping: Vec<(String, String)> = discriminator
        .get("mapping")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(value, target)| Some((value.clone(), target.as_str()?.to_owned())))
        .collect();
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(branches)) = schema.get_mut(keyword) else { continue };
        for branch in branches {
            // What has been told apart has no reference of its own any more.
            let Some(reference) = branch.get("$ref").and_then(Value::as_str) else { continue };
            let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
            let named = |target: &str| {
                target == reference
                    || target.rsplit('/').next() == Some(&name)
                    || target == reference.replace("#/components/schemas/", "#/definitions/")
            };
            let mut values: Vec<&str> = mapping
                .iter()
                .filter(|(_, target)| named(target))
                .map(|(value, _)| value.as_str())
                .collect();
            if values.is_empty() {
                values.push(&name);
            }
            let says = json!({ "properties": { &property: { "enum": values } } });
            *branch = json!({ "allOf": [branch, says] });
        }
    }
}
