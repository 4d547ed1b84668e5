//! A profile: what is known of one target (its values, credentials, limits, further codes).
//!
//! Read once; says nothing about what is sent when.

mod auth_file;
mod credentials;
mod limits;
mod recorded;

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Contract;
use super::auth::AuthScheme;
use super::batch::ErrorCode;
use super::file_error::{FileError, nearest, read_yaml};
use super::hook::Hook;
use super::published::published;
use super::security::DeclaredSecurity;
use credentials::read_headers;

pub use credentials::Tenant;
pub use limits::{Rate, TargetLimits};

/// Why rules about credentials are not judged where there are none.
const NO_CREDENTIALS: &str = "the profile says that the target demands no credentials";

/// What is known of one target.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[schemars(title = "batchproof profile")]
pub struct Profile {
    /// Known-good values by item field.
    pub values: BTreeMap<String, KnownValues>,
    /// Optional fields that are never sent.
    pub omit: Vec<String>,
    /// Optional fields that are always sent.
    pub required: Vec<String>,
    /// How credentials are sent.
    pub auth: AuthScheme,
    /// A command that prints the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_command: Option<String>,
    /// After what time the token is fetched again, such as `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_interval: Option<String>,
    /// Whether requests carry a `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<bool>,
    /// Headers sent with every request; `${env:NAME}` reads the environment.
    pub headers: BTreeMap<String, String>,
    /// Other tenants of the target, each with its credentials.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<String, Tenant>,
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
    /// Why rules about credentials are not judged, where the document is the reason.
    #[serde(skip)]
    pub undemanded: Option<String>,
    /// Headers with the API keys that the document demands beside the credentials, of those in `headers`.
    #[serde(skip)]
    pub further_keys: Vec<String>,
    /// The token that a header of the profile held.
    #[serde(skip)]
    pub token: Option<String>,
}

/// Values of a field that the target accepts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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

/// The JSON Schema of profiles, as text (`schemas/profile.schema.json`).
#[must_use]
pub fn schema() -> String {
    published(schemars::schema_for!(Profile))
}

/// Settings of `auth` are read from a value that has lost its lines: the key that a message names is looked up again.
fn at_named_key(problem: FileError, text: &str) -> FileError {
    let Some((from, _)) = problem.at.filter(|_| problem.found.starts_with("auth: ")) else {
        return problem;
    };
    let Some(key) = problem.found.split('`').nth(1).map(|key| format!("{key}:")) else {
        return problem;
    };
    let lines = text.lines().enumerate().skip(usize::try_from(from).unwrap_or(1).saturating_sub(1));
    let place =
        lines.filter_map(|(line, text)| Some((line as u64 + 1, text.find(&key)? as u64 + 1)));
    match place.into_iter().next() {
        Some((line, column)) => problem.at(line, column),
        None => problem,
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
        let mut profile: Profile =
            read_yaml(&file, &text).map_err(|problem| at_named_key(problem, &text))?;
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
        profile.read_headers(&file, &text)?;
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
        profile.adopt_credentials(contract);
        profile.read_tenants(&file, &text)?;
        let sent =
            |name: &&String| profile.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        profile.further_keys =
            contract.operation.further_keys.iter().filter(sent).cloned().collect();
        Ok(profile)
    }

    /// Fills in what headers take from the environment, and looks whether they can be sent.
    fn read_headers(&mut self, file: &str, text: &str) -> Result<(), FileError> {
        read_headers(&mut self.headers, &mut self.secrets, file, text)
    }

    /// Adds a header that is not the file's, or replaces the file's: its value is a secret.
    pub fn add_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        self.headers.insert(name.to_owned(), value.to_owned());
        self.secrets.push(value.to_owned());
    }

    /// The same profile, knowing whether the document demands credentials.
    #[must_use]
    pub fn for_document(mut self, contract: &Contract) -> Profile {
        self.undemanded = match &contract.operation.security {
            DeclaredSecurity::Scheme(_) => None,
            // A profile that names a scheme says that there is one.
            _ if !matches!(self.auth, AuthScheme::Declared | AuthScheme::None) => None,
            DeclaredSecurity::None | DeclaredSecurity::Optional(_) => {
                Some("the document demands no credentials".to_owned())
            }
            DeclaredSecurity::Elsewhere(what) => Some(format!(
                "the document demands {what}, which batchproof does not vary (`auth` in a profile names a header)"
            )),
        };
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
        let mut skips = self.skip.clone();
        if let Some(reason) = self.no_credentials() {
            skips.insert("AUTH".to_owned(), reason.to_owned());
        }
        skips
    }

    /// Why rules about credentials are not judged, where they are not.
    fn no_credentials(&self) -> Option<&str> {
        if self.auth == AuthScheme::None {
            return Some(NO_CREDENTIALS);
        }
        self.undemanded.as_deref()
    }

    /// Why `rule` is not judged at this target, where the profile says so.
    #[must_use]
    pub fn skip_reason(&self, rule: &str) -> Option<&str> {
        let family = rule.split('-').next().unwrap_or(rule);
        if let Some(reason) = self.no_credentials().filter(|_| family == "AUTH") {
            return Some(reason);
        }
        self.skip.get(rule).or_else(|| self.skip.get(family)).map(String::as_str)
    }
}

fn line_of(text: &str, word: &str) -> u64 {
    text.lines().position(|l| l.contains(word)).and_then(|i| u64::try_from(i + 1).ok()).unwrap_or(1)
}
