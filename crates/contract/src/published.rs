//! JSON Schemas as they are published for editors.

use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform};

/// A schema as the text of its file.
///
/// `null` as a default says nothing, and the completion of the YAML language server stops at it.
#[must_use]
pub fn published(mut schema: Schema) -> String {
    let without_null_default = |schema: &mut Schema| {
        if schema.get("default").is_some_and(serde_json::Value::is_null) {
            schema.remove("default");
        }
    };
    RecursiveTransform(without_null_default).transform(&mut schema);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
