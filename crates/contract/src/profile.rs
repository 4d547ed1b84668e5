//! A profile: what is known of one target (its values, credentials, limits, further codes).
//!
//! Read once; says nothing about what is sent when.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Contract;
use super::batch::ErrorCode;
use super::file_error::{FileError, nearest, read_yaml};
use super::hook::Hook;

/// Why rules about credentials are not judged where there are none.
const NO_CREDENTIALS: &str = "the profile says that the target demands no credentials";
/// Why they are not judged where the document demands none.
const UNDOCUMENTED: &str = "the document demands no credentials";

/// What is known of one target.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Profile {
    /// Known-good values by item field.
    pub values: BTreeMap<String, KnownValues>,
    /// Optional fields that are never sent.
    pub omit: Vec<String>,
    /// Optional fields that are always sent.
    pub required: Vec<String>,
    /// How credentials are sent.
    pub auth: AuthScheme,
    /// Headers sent with every request; `${env:NAME}` reads the environment.
    pub headers: BTreeMap<String, String>,
    /// Error codes that the target uses beyond the documented ones.
    pub error_codes: BTreeMap<String, ErrorCode>,
    /// Families or rules that are not to be judged here, each with its reason.
    pub skip: BTreeMap<String, String>,
    /// What the target can bear.
    pub limits: TargetLimits,
    /// Prepares the target before a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<Hook>,
    /// Removes after a run what it left there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Hook>,
    /// What `headers` took from the environment, and values of headers that carry secrets by their name.
    #[serde(skip)]
    pub secrets: Vec<String>,
    /// Families that the contract excludes, each with its reason.
    #[serde(skip)]
    pub excluded: BTreeMap<String, String>,
}

/// Values of a field that the target accepts.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum KnownValues {
    /// One of these.
    List(Vec<Value>),
    /// A number between these, both included.
    Range {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
}

impl<'de> Deserialize<'de> for KnownValues {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::Array(list) if !list.is_empty() => Ok(KnownValues::List(list.clone())),
            Value::Object(map) if map.len() == 2 => {
                match (
                    map.get("min").and_then(Value::as_f64),
                    map.get("max").and_then(Value::as_f64),
                ) {
                    (Some(min), Some(max)) if min <= max => Ok(KnownValues::Range { min, max }),
                    _ => Err(serde::de::Error::custom("expected { min: NUMBER, max: NUMBER }")),
                }
            }
            _ => Err(serde::de::Error::custom(
                "expected a list of values, or { min: NUMBER, max: NUMBER }",
            )),
        }
    }
}

/// How credentials are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthScheme {
    /// `Authorization: Bearer TOKEN`.
    #[default]
    Bearer,
    /// `Authorization: Basic`, the token being `user:password`.
    Basic,
    /// None; rules about credentials are not judged.
    None,
}

/// What the target can bear.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetLimits {
    /// Requests under way at once.
    pub jobs: Option<usize>,
    /// Requests in a second, written `20/s`.
    pub rate: Option<Rate>,
    /// Items in a batch.
    pub batch_items: Option<usize>,
    /// Items in a run.
    pub items: Option<u64>,
}

/// Requests in a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate(pub f64);

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let number = text.strip_suffix("/s").unwrap_or(text).trim();
        match number.parse::<f64>() {
            Ok(n) if n > 0.0 && n.is_finite() => Ok(Rate(n)),
            _ => Err(format!("`{text}` is not a rate; write it as `20/s`")),
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Profile {
    /// Reads a profile and holds it against the contract.
    ///
    /// # Errors
    /// A [`FileError`] with line and column; unknown fields, rules and environment variables too.
    pub fn load(path: &Path, contract: &Contract) -> Result<Profile, FileError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|e| FileError::new(&*file, e.to_string()).expected("a readable profile"))?;
        let mut profile: Profile = read_yaml(&file, &text)?;
        let fields: Vec<&str> = contract.fields().iter().map(|f| f.name.as_str()).collect();
        let named = profile.values.keys().chain(&profile.omit).chain(&profile.required);
        for name in named {
            if !fields.contains(&name.as_str()) {
                let line = line_of(&text, name);
                return Err(FileError::new(&*file, format!("the items have no field `{name}`"))
                    .at(line, 1)
                    .expected(format!("one of {}", fields.join(", ")))
                    .nearest(name, &fields));
            }
        }
        for name in &profile.omit {
            if contract.field(name).is_some_and(|f| f.required) {
                return Err(FileError::new(&*file, format!("`{name}` can't be omitted"))
                    .at(line_of(&text, "omit"), 1)
                    .expected("an optional field: the schema requires this one"));
            }
        }
        for (header, value) in &mut profile.headers {
            *value = from_environment(value, &mut profile.secrets).map_err(|name| {
                FileError::new(&*file, format!("the environment has no `{name}`"))
                    .at(line_of(&text, &name), 1)
                    .hint(format!("export {name}=…"))
            })?;
            if is_secret(header) {
                profile.secrets.push(value.clone());
            }
        }
        for (name, hook, has_keys) in
            [("setup", &profile.setup, false), ("cleanup", &profile.cleanup, true)]
        {
            let Some(hook) = hook else { continue };
            let variables = hook.check(has_keys).map_err(|(what, expected)| {
                FileError::new(&*file, format!("`{name}`: {what}"))
                    .at(line_of(&text, &format!("{name}:")), 1)
                    .expected(expected)
            })?;
            for variable in variables {
                profile.secrets.push(std::env::var(&variable).map_err(|_| {
                    FileError::new(&*file, format!("the environment has no `{variable}`"))
                        .at(line_of(&text, &variable), 1)
                        .hint(format!("export {variable}=…"))
                })?);
            }
        }
        Ok(profile)
    }

    /// The same profile for a target with this contract: what the contract does not demand is not judged.
    #[must_use]
    pub fn under(mut self, contract: &Contract) -> Profile {
        if !contract.operation.demands_credentials {
            self.excluded.insert("AUTH".to_owned(), UNDOCUMENTED.to_owned());
        }
        self
    }

    /// Whether the target accepts this value of a field, as far as the profile says.
    #[must_use]
    pub fn allows(&self, field: &str, value: &Value) -> bool {
        match self.values.get(field) {
            None => true,
            Some(KnownValues::List(list)) => list.contains(value),
            Some(KnownValues::Range { min, max }) => {
                value.as_f64().is_some_and(|number| (*min..=*max).contains(&number))
            }
        }
    }

    /// Fails for a `skip` key that names neither a family nor a rule.
    ///
    /// # Errors
    /// A [`FileError`] with a hint at the nearest known name.
    pub fn check_skips(&self, file: &str, known: &[String]) -> Result<(), FileError> {
        for (name, reason) in &self.skip {
            if !known.contains(name) {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                return Err(FileError::new(
                    file,
                    format!("`skip` names `{name}`, which is not a rule"),
                )
                .at(line_of(&text, name), 1)
                .expected("a family (RACE) or a rule (RACE-001)")
                .hint(match nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "batchproof list --rules".to_owned(),
                }));
            }
            if reason.trim().is_empty() {
                return Err(FileError::new(file, format!("`skip: {name}` has no reason"))
                    .expected("why it is not judged; the report shows it"));
            }
        }
        Ok(())
    }

    /// Families and rules that are not judged at this target, each with the reason.
    #[must_use]
    pub fn skips(&self) -> BTreeMap<String, String> {
        let mut skips = self.excluded.clone();
        skips.extend(self.skip.clone());
        if self.auth == AuthScheme::None {
            skips.insert("AUTH".to_owned(), NO_CREDENTIALS.to_owned());
        }
        skips
    }

    /// Why `rule` is not judged at this target, where the profile says so.
    #[must_use]
    pub fn skip_reason(&self, rule: &str) -> Option<&str> {
        let family = rule.split('-').next().unwrap_or(rule);
        if self.auth == AuthScheme::None && family == "AUTH" {
            return Some(NO_CREDENTIALS);
        }
        let own = self.skip.get(rule).or_else(|| self.skip.get(family));
        own.or_else(|| self.excluded.get(family)).map(String::as_str)
    }
}

fn line_of(text: &str, word: &str) -> u64 {
    text.lines().position(|l| l.contains(word)).and_then(|i| u64::try_from(i + 1).ok()).unwrap_or(1)
}

/// Whether a header of that name carries a secret.
fn is_secret(header: &str) -> bool {
    let name = header.to_ascii_lowercase();
    ["auth", "cookie", "key", "password", "secret", "token"].iter().any(|w| name.contains(w))
}

/// `text` with the environment's values in their places; `read` gathers them.
fn from_environment(text: &str, read: &mut Vec<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${env:") {
        let Some(end) = rest[start..].find('}') else { break };
        out.push_str(&rest[..start]);
        let name = &rest[start + 6..start + end];
        let value = std::env::var(name).map_err(|_| name.to_owned())?;
        out.push_str(&value);
        read.push(value);
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
