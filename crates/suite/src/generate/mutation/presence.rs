//! Mutations of what is there and what is not: fields taken away or set to null, items that are no objects,
//! properties that no schema names.

use serde_json::{Value, json};

use super::{Catalogue, Change, KeyShape, Subject};
use crate::contract::Contract;
use crate::contract::validity::{ValueKind, escape};

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    absent(catalogue);
    null(catalogue);
    replaced(catalogue);
    if let Subject::Items(core, _) = &catalogue.subject {
        added(catalogue, &core.contract.clone());
    }
    closed(catalogue);
    catalogue.add_item("reorder-fields", "", "properties", "the last field first", Change::Reverse);
}

/// The same for values that are no items.
pub(super) fn derive_nested(catalogue: &mut Catalogue<'_>) {
    absent(catalogue);
    null(catalogue);
    closed(catalogue);
}

fn absent(catalogue: &mut Catalogue<'_>) {
    let demanded = |name: &str| match &catalogue.subject {
        Subject::Items(core, _) => core.plan.fields.iter().any(|p| p.name == name && p.always),
        Subject::Values(..) => false,
    };
    let sites = catalogue.sites.clone();
    let optional: Vec<_> =
        sites.iter().filter(|s| !(s.required || s.top && demanded(&s.name))).collect();
    let required: Vec<_> = sites.iter().filter(|s| s.required && !s.element).collect();
    for site in &required {
        let change = if site.unique { Change::Number(KeyShape::Absent) } else { Change::Remove };
        catalogue.add_change("drop-required", site, "required", "missing", change);
    }
    let top: Vec<_> = required.iter().filter(|s| s.top).collect();
    for (index, first) in top.iter().enumerate() {
        for second in top.iter().skip(index + 1) {
            let class = format!("missing together with {}", second.pointer);
            let change = Change::RemoveBoth(second.name.clone());
            catalogue.add_change("drop-two-required", first, "required", &class, change);
        }
    }
    for site in &optional {
        catalogue.add_change("drop-optional", site, "required", "missing", Change::Remove);
    }
}

fn null(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        let types = site.flat.types();
        let name = if types.iter().any(|t| t == "null") {
            "null-allowed"
        } else if types.is_empty() {
            continue;
        } else if site.required {
            "null-required"
        } else if site.top {
            "null-optional"
        } else {
            // Nested fields are judged by the schema alone, which refuses it.
            "wrong-type"
        };
        catalogue.add(name, &site, "type", "null", Value::Null);
    }
}

fn replaced(catalogue: &mut Catalogue<'_>) {
    let values = [
        Value::Null,
        json!(true),
        json!(12),
        json!("x"),
        json!([]),
        json!([{}]),
        json!(1.5),
        json!(""),
    ];
    for value in values {
        let class = match &value {
            Value::Array(list) if !list.is_empty() => "array with an object".to_owned(),
            Value::String(text) if text.is_empty() => "empty string".to_owned(),
            Value::Number(n) if n.is_f64() => "fraction".to_owned(),
            other => ValueKind::of(other).name().to_owned(),
        };
        catalogue.add_item("not-an-object", "", "type", &class, Change::Item(value));
    }
    if let Some(first) = catalogue.sites.iter().find(|s| s.top && s.required) {
        let pointer = first.pointer.clone();
        catalogue.add_item(
            "empty-item",
            &pointer,
            "required",
            "no fields",
            Change::Item(json!({})),
        );
    }
}

/// Objects inside an item that allow no further property.
fn closed(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        if site.flat.keywords.get("additionalProperties") == Some(&Value::Bool(false))
            && let Value::Object(usual) = &site.usual
        {
            let mut object = usual.clone();
            object.insert("extension".to_owned(), json!("batchproof"));
            let name = "add-forbidden-property";
            catalogue.add(name, &site, "additionalProperties", "plain", Value::Object(object));
        }
    }
}

fn added(catalogue: &mut Catalogue<'_>, contract: &Contract) {
    let text = || json!("batchproof");
    let mut additions: Vec<(String, String, Value)> = [
        ("plain", "extension", text()),
        ("null", "extension", Value::Null),
        ("number", "extension", json!(12.5)),
        ("boolean", "extension", json!(false)),
        ("array", "extension", json!([1, "x", null, {}])),
        ("nested", "extension", json!({ "a": { "b": [{ "c": null }] } })),
        ("empty name", "", text()),
        ("class name", "@class", json!("java.lang.Object")),
        ("type name", "@type", text()),
        ("identity name", "id", json!(0)),
        ("reference name", "$ref", json!("#/nowhere")),
        ("name with a dot", "a.b", text()),
        ("name with a slash", "a/b~c", text()),
        ("name with brackets", "a[0]", text()),
        ("name with a space", " ", text()),
        ("name with quotes", "\"'\\", text()),
        ("name outside the BMP", "\u{1f600}", text()),
    ]
    .into_iter()
    .map(|(class, name, value)| (class.to_owned(), name.to_owned(), value))
    .collect();
    additions.push(("long name".to_owned(), "n".repeat(1000), text()));
    additions.push(("the items' own name".to_owned(), contract.batch.items.clone(), json!([])));
    additions.push(("verdict name".to_owned(), contract.batch.verdict.field.clone(), text()));
    additions.push(("error code name".to_owned(), contract.batch.error.code.clone(), text()));
    for field in contract.fields() {
        let snake: String = field
            .name
            .chars()
            .flat_map(|c| {
                let mark = c.is_uppercase().then_some('_');
                mark.into_iter().chain(c.to_lowercase())
            })
            .collect();
        for (class, name) in
            [("in snake case", snake), ("with a space", format!("{} ", field.name))]
        {
            additions.push((format!("{} {class}", field.name), name, text()));
        }
    }
    for (class, name, value) in additions {
        if contract.field(&name).is_some() {
            continue;
        }
        let pointer = format!("/{}", escape(&name));
        let keyword = "additionalProperties";
        catalogue.add_item(
            "add-property",
            &pointer,
            keyword,
            &class,
            Change::Add(name.clone(), value.clone()),
        );
        catalogue.add_item("add-forbidden-property", "", keyword, &class, Change::Add(name, value));
    }
}
