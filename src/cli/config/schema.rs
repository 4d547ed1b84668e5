//! The JSON Schema of `batchproof.toml`, for editors: made from the options of `run`.

use clap::CommandFactory;
use serde_json::{Map, json};

use super::{is_flag, key, options, takes_several};
use crate::cli::args::Cli;

/// `schemas/config.schema.json`, JSON Schema draft 2020-12.
#[must_use]
pub fn schema() -> String {
    let command = Cli::command();
    let mut properties = Map::new();
    for arg in options(&command).into_iter().filter(|arg| !arg.is_hide_set()) {
        let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let names: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|_| !is_flag(arg))
            .map(|value| value.get_name().to_owned())
            .collect();
        let one = if is_flag(arg) {
            json!({ "type": "boolean" })
        } else if names.is_empty() {
            json!({ "type": ["string", "number"] })
        } else {
            json!({ "enum": names })
        };
        let mut option = if takes_several(arg) {
            json!({ "anyOf": [one, { "type": "array", "items": one }] })
        } else {
            one
        };
        option["description"] = about.into();
        properties.insert(key(arg), option);
    }
    let section =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let mut all = properties;
    all.insert(
        "profiles".to_owned(),
        json!({
            "description": "Sections that --config-profile chooses from; they come before the rest of the file.",
            "type": "object",
            "additionalProperties": section,
        }),
    );
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "batchproof configuration file",
        "type": "object",
        "additionalProperties": false,
        "properties": all,
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
