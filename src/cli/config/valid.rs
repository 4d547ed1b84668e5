//! Whether the command line would take a value that stands elsewhere.
//!
//! It must not know where.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use super::{is_flag, key, takes_several};

/// Why a value can't be one of an option.
pub(super) struct Invalid {
    pub found: String,
    pub expected: Option<String>,
}

impl Invalid {
    fn new(found: String, expected: &str) -> Invalid {
        Invalid { found, expected: Some(expected.to_owned()).filter(|text| !text.is_empty()) }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.expected {
            Some(expected) => write!(f, "{}\n  expected: {expected}", self.found),
            None => f.write_str(&self.found),
        }
    }
}

/// Whether the command line would take these values.
pub(super) fn valid(arg: &Arg, values: &[String]) -> Result<(), Invalid> {
    let name = key(arg);
    if is_flag(arg) {
        return match values {
            [value] if value == "true" || value == "false" => Ok(()),
            _ => Err(Invalid::new(format!("`{name}` is neither true nor false"), "true or false")),
        };
    }
    if values.len() != 1 && !takes_several(arg) {
        return Err(Invalid::new(format!("`{name}` takes one value, not a list"), "one value"));
    }
    let alone = Arg::new("value").long("value").value_parser(arg.get_value_parser().clone());
    let command = Command::new("batchproof").arg(alone.action(ArgAction::Append));
    let words = values.iter().map(|value| format!("--value={value}"));
    match command.try_get_matches_from(std::iter::once("batchproof".to_owned()).chain(words)) {
        Ok(_) => Ok(()),
        Err(error) => {
            let found = match error.get(ContextKind::InvalidValue) {
                Some(ContextValue::String(value)) => format!("`{name}` is `{value}`"),
                _ => format!("`{name}` can't be used"),
            };
            let source = std::error::Error::source(&error);
            Err(match (error.get(ContextKind::ValidValue), source) {
                (Some(ContextValue::Strings(names)), None) => {
                    Invalid::new(found, &format!("one of {}", names.join(", ")))
                }
                (_, Some(why)) if why.is::<std::num::ParseIntError>() => {
                    Invalid::new(found, "a whole number")
                }
                (_, Some(why)) => Invalid::new(format!("{found}: {why}"), ""),
                (_, None) => Invalid::new(found, ""),
            })
        }
    }
}
