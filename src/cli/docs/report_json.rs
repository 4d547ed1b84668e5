//! The fields of report.json, from its schema.

use std::fmt::Write as _;

use serde_json::Value;

use super::Page;
use crate::cli::CommandError;

pub(super) fn page() -> Result<Page, CommandError> {
    let schema: Value = serde_json::from_str(&crate::report::schema())?;
    let mut text = "# report.json\n\nThe schema is `schemas/report.schema.json`. `format` is the version of the format: fields are added \
                    under the same one, and none is renamed or removed.\n"
        .to_owned();
    fields(&schema, &mut text);
    if let Some(types) = schema.get("$defs").and_then(Value::as_object) {
        for (name, kind) in types {
            let about = described(kind);
            let _ = writeln!(text, "\n## {name}\n\n{about}");
            fields(kind, &mut text);
            choices(kind, &mut text);
        }
    }
    Ok(Page { path: "reference/report-json.md".to_owned(), text })
}

fn fields(schema: &Value, text: &mut String) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    text.push_str("\n| field | type | meaning |\n|---|---|---|\n");
    for (name, field) in properties {
        let about = described(field).replace('|', "\\|");
        let _ = writeln!(text, "| `{name}` | {} | {about} |", kind(field));
    }
}

fn choices(schema: &Value, text: &mut String) {
    let Some(list) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let named = list.iter().filter_map(|choice| Some((choice.get("const")?.as_str()?, choice)));
    let rows: Vec<String> =
        named.map(|(word, choice)| format!("| `{word}` | {} |", described(choice))).collect();
    if !rows.is_empty() {
        let _ = writeln!(text, "\n| value | meaning |\n|---|---|\n{}", rows.join("\n"));
    }
}

fn described(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('<', "&lt;")
}

/// The type of a field, in words; a type of its own as a link.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = name.rsplit('/').next().unwrap_or(name);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(list) = schema.get("anyOf").and_then(Value::as_array) {
        return list.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => return "any".to_owned(),
    };
    let word = |name: &&str| match *name {
        "array" => match schema.get("items") {
            Some(items) => format!("list of {}", kind(items)),
            None => "list".to_owned(),
        },
        "object" => match schema.get("additionalProperties").filter(|other| other.is_object()) {
            Some(values) => format!("object of {}", kind(values)),
            None => "object".to_owned(),
        },
        other => other.to_owned(),
    };
    types.iter().map(word).collect::<Vec<_>>().join(" or ")
}
