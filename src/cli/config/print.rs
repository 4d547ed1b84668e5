//! `run --print-config`: each value with its origin.

use std::collections::BTreeMap;

use clap::{ArgMatches, Command};

use super::{Origin, is_flag, is_option, key};

/// Options whose values may be secrets: only their names are shown.
const WITHHELD: [&str; 2] = ["header", "token_command"];

/// All values of a command, one a line, each with its origin.
pub fn shown(
    command: &Command,
    matches: &ArgMatches,
    origins: &BTreeMap<String, Origin>,
) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for arg in command.get_arguments().filter(|arg| is_option(arg) && !arg.is_hide_set()) {
        let id = arg.get_id().as_str();
        let origin = match origins.get(id) {
            None => "default".to_owned(),
            Some(Origin::CommandLine) => "command line".to_owned(),
            Some(Origin::Variable(name)) => name.clone(),
            Some(Origin::File(place)) => place.clone(),
        };
        let raw = matches.get_raw(id).map(Iterator::collect::<Vec<_>>).unwrap_or_default();
        let values: Vec<String> = raw
            .iter()
            .map(|value| match (value.to_string_lossy(), WITHHELD.contains(&id)) {
                (value, true) => withheld(&value),
                (value, false) => toml(&value),
            })
            .collect();
        let value = match values.as_slice() {
            _ if is_flag(arg) => matches.get_flag(id).to_string(),
            [] => "(not set)".to_owned(),
            [value] if !super::takes_several(arg) => value.clone(),
            values => format!("[{}]", values.join(", ")),
        };
        lines.push((format!("{} = {value}", key(arg)), origin));
    }
    let wide = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).min(60);
    let text = lines.iter().map(|(line, origin)| format!("{line:wide$}  # {origin}"));
    text.collect::<Vec<_>>().join("\n")
}

/// A header by its name alone; of a command nothing.
fn withheld(value: &str) -> String {
    match value.split_once(':') {
        Some((name, _)) if crate::contract::header::is_name(name.trim()) => {
            toml(&format!("{}: …", name.trim()))
        }
        _ => "\"…\"".to_owned(),
    }
}

fn toml(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
