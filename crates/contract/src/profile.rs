//! A profile: what is known of one target (its values, credentials, limits, further codes).
//!
//! Read once; says nothing about what is sent when.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth::{AuthScheme, CredentialScheme, SecretPlace};
use super::batch::ErrorCode;
use super::file_error::{FileError, nearest, read_yaml};
use super::hook::Hook;
use super::published::published;
use super::security::{DeclaredScheme, DeclaredSecurity};
use super::{Contract, header};

/// What a record has in place of what it does not keep.
const WITHHELD: &str = "[redacted]";
/// What a record keeps of a profile, commands taken out: whatever is not named here may hold one.
const RECORDED: [&str; 13] = [
    "values",
    "omit",
    "required",
    "auth",
    "token-command",
    "token-interval",
    "traceparent",
    "headers",
    "error-codes",
    "skip",
    "limits",
    "setup",
    "cleanup",
];
/// What prepares a target, and cleans it up.
const HOOKS: [&str; 2] = ["setup", "cleanup"];
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

/// Another tenant of the target.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Tenant {
    /// Where its token is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretPlace>,
    /// Headers in the place of the profile's of the same names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The token.
    #[serde(skip)]
    pub secret: Option<String>,
}

/// What the target can bear.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
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

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "requests in a second, such as 20/s",
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "pattern": r"^\s*[0-9.]+\s*(/s)?$" }
            ]
        })
    }
}

/// The JSON Schema of profiles, as text (`schemas/profile.schema.json`).
#[must_use]
pub fn schema() -> String {
    published(schemars::schema_for!(Profile))
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let number = text.strip_suffix("/s").unwrap_or(text).trim();
        match number.parse::<f64>() {
            Ok(n) if n > 0.0 && n.is_finite() => Ok(Rate(n)),
            _ => Err(format!("`{text}` is not a rate; {}", right_rate(text))),
        }
    }
}

/// How a rate is written; where it is one for another time, what it is in a second.
fn right_rate(text: &str) -> String {
    let other = text.split_once('/').and_then(|(count, time)| {
        let seconds = match time.trim() {
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3_600.0,
            _ => return None,
        };
        count.trim().parse::<f64>().ok().filter(|n| *n > 0.0).map(|n| n / seconds)
    });
    match other {
        Some(rate) => format!("a rate is for a second: write it as `{rate:.4}/s`"),
        None => "write requests in a second, such as `20/s` or `0.5/s`".to_owned(),
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

    /// Reads the credentials of other tenants.
    fn read_tenants(&mut self, file: &str, text: &str) -> Result<(), FileError> {
        for (name, tenant) in &mut self.tenants {
            let wrong = |what: String| {
                FileError::new(file, format!("tenant `{name}`: {what}"))
                    .at(line_of(text, &format!("{name}:")), 1)
                    .expected(
                        "a token, as \"${env:NAME}\" or { file: PATH }, or headers of its own",
                    )
            };
            read_headers(&mut tenant.headers, &mut self.secrets, file, text)?;
            let read = match &tenant.token {
                None if tenant.headers.is_empty() => {
                    return Err(wrong("it has no credentials of its own".to_owned()));
                }
                None => continue,
                Some(SecretPlace::Environment(variable)) => std::env::var(variable)
                    .map_err(|_| wrong(format!("the environment has no `{variable}`")))?,
                Some(SecretPlace::File(path)) => std::fs::read_to_string(path)
                    .map_err(|error| wrong(format!("{}: {error}", path.display())))?,
            };
            let token = read.trim_start_matches('\u{feff}').trim().to_owned();
            if token.is_empty() || !header::is_value(&token) {
                return Err(wrong("its token is empty, or not one line of text".to_owned()));
            }
            self.secrets.push(token.clone());
            tenant.secret = Some(token);
        }
        Ok(())
    }

    /// Adds a header that is not the file's, or replaces the file's: its value is a secret.
    pub fn add_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        self.headers.insert(name.to_owned(), value.to_owned());
        self.secrets.push(value.to_owned());
    }

    /// Takes the token out of `headers`, where the header that shows credentials stands there: bad credentials take
    /// its place, and do not stand beside it.
    fn adopt_credentials(&mut self, contract: &Contract) {
        let scheme = self.credential_scheme(contract);
        let shows = |name: &&String| name.eq_ignore_ascii_case(scheme.header());
        if matches!(
            self.auth,
            AuthScheme::Declared | AuthScheme::Bearer | AuthScheme::Basic | AuthScheme::ApiKey(_)
        ) && let Some(name) = self.headers.keys().find(shows).cloned()
            && let Some(value) = self.headers.remove(&name)
        {
            let word = value.split(' ').next().filter(|word| word.len() < value.len());
            let is_word = |expected: &str| word.is_some_and(|w| w.eq_ignore_ascii_case(expected));
            self.auth = match scheme {
                CredentialScheme::ApiKey(name) => AuthScheme::ApiKey(name),
                _ if is_word("bearer") => AuthScheme::Bearer,
                _ if is_word("basic") => AuthScheme::Basic,
                // Whatever it is, it is sent as it stands.
                _ => AuthScheme::ApiKey(name),
            };
            self.token = Some(value);
        }
    }

    /// How a request shows its credentials at this target.
    #[must_use]
    pub fn credential_scheme(&self, contract: &Contract) -> CredentialScheme {
        match &self.auth {
            AuthScheme::Declared => match &contract.operation.security {
                DeclaredSecurity::Scheme(DeclaredScheme::Basic) => CredentialScheme::Basic,
                DeclaredSecurity::Scheme(DeclaredScheme::ApiKey(name)) => {
                    CredentialScheme::ApiKey(name.clone())
                }
                DeclaredSecurity::Scheme(DeclaredScheme::Bearer)
                | DeclaredSecurity::None
                | DeclaredSecurity::Elsewhere(_) => CredentialScheme::Bearer,
            },
            AuthScheme::Bearer | AuthScheme::OAuth2(_) => CredentialScheme::Bearer,
            AuthScheme::Basic => CredentialScheme::Basic,
            AuthScheme::ApiKey(name) => CredentialScheme::ApiKey(name.clone()),
            AuthScheme::Command(_) => CredentialScheme::Signed,
            AuthScheme::None => CredentialScheme::None,
        }
    }

    /// The same profile, knowing whether the document demands credentials.
    #[must_use]
    pub fn for_document(mut self, contract: &Contract) -> Profile {
        self.undemanded = match &contract.operation.security {
            DeclaredSecurity::Scheme(_) => None,
            // A profile that names a scheme says that there is one.
            _ if !matches!(self.auth, AuthScheme::Declared | AuthScheme::None) => None,
            DeclaredSecurity::None => Some("the document demands no credentials".to_owned()),
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

    /// The profile as a record keeps it: how credentials are sent, but no header's value, no command and nothing of
    /// how a token is fetched. Nobody's record makes another machine run commands.
    #[must_use]
    pub fn recorded(&self, contract: &Contract) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        if let Some(headers) = shown.get_mut("headers").and_then(Value::as_object_mut) {
            headers.values_mut().for_each(|value| *value = WITHHELD.into());
        }
        let Some(all) = shown.as_object_mut() else { return shown };
        all.retain(|name, _| RECORDED.contains(&name.as_str()));
        if all.contains_key("token-command") {
            all.insert("token-command".to_owned(), WITHHELD.into());
        }
        for hook in HOOKS {
            if let Some(hook) = all.get_mut(hook) {
                withhold_from_hook(hook);
            }
        }
        let auth = match (&self.auth, self.credential_scheme(contract)) {
            (AuthScheme::OAuth2(_), _) => serde_json::json!({ "oauth2": WITHHELD }),
            (_, CredentialScheme::Signed) => serde_json::json!({ "command": WITHHELD }),
            (AuthScheme::Declared, CredentialScheme::Bearer)
                if !matches!(contract.operation.security, DeclaredSecurity::Scheme(_)) =>
            {
                "declared".into()
            }
            (_, CredentialScheme::Bearer) => "bearer".into(),
            (_, CredentialScheme::Basic) => "basic".into(),
            (_, CredentialScheme::None) => "none".into(),
            (_, CredentialScheme::ApiKey(name)) => serde_json::json!({ "api-key": name }),
        };
        all.insert("auth".to_owned(), auth);
        shown
    }

    /// A recorded profile for who runs no hook.
    #[must_use]
    pub fn without_hooks(mut recorded: Value) -> Value {
        if let Some(all) = recorded.as_object_mut() {
            all.retain(|name, _| !HOOKS.contains(&name.as_str()));
        }
        recorded
    }

    /// Whether a recorded profile can't be used again, because the record withholds what it needs.
    #[must_use]
    pub fn is_withheld(recorded: &Value) -> bool {
        match recorded {
            Value::String(text) => text.contains(WITHHELD),
            Value::Array(list) => list.iter().any(Profile::is_withheld),
            Value::Object(map) => map.values().any(Profile::is_withheld),
            _ => false,
        }
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

/// Fills in what headers take from the environment, and looks whether they can be sent.
fn read_headers(
    headers: &mut BTreeMap<String, String>,
    secrets: &mut Vec<String>,
    file: &str,
    text: &str,
) -> Result<(), FileError> {
    for (name, value) in headers {
        let wrong = |what: String| FileError::new(file, what).at(line_of(text, name), 1);
        if !header::is_name(name) {
            return Err(wrong(format!("`{}` cannot be the name of a header", name.escape_debug()))
                .expected("letters, digits and `-`, such as X-Tenant"));
        }
        if header::is_framing(name) {
            return Err(wrong(format!("`{name}` is set by batchproof itself"))
                .expected("a header that says nothing of where the message goes or ends"));
        }
        let read = from_environment(value, secrets).map_err(|variable| {
            FileError::new(file, format!("the environment has no `{variable}`"))
                .at(line_of(text, &variable), 1)
                .hint(format!("export {variable}=…"))
        })?;
        read.trim().clone_into(value);
        if !header::is_value(value) {
            // The value may be a secret.
            return Err(wrong(format!("the value of `{name}` holds control characters"))
                .expected("one line of text"));
        }
        if is_secret(name) {
            secrets.push(value.clone());
        }
    }
    Ok(())
}

/// Takes out of a hook what no record keeps: its command, and secrets in headers that do not stand in the environment.
fn withhold_from_hook(hook: &mut Value) {
    if let Some(command) = hook.get_mut("command") {
        *command = WITHHELD.into();
    }
    let requests = hook.get_mut("requests").and_then(Value::as_array_mut).into_iter().flatten();
    let headers = requests.filter_map(|request| request.get_mut("headers")?.as_object_mut());
    for (name, value) in headers.flatten() {
        let is_named = value.as_str().is_some_and(|text| text.contains("${env:"));
        if is_secret(name) && !is_named {
            *value = WITHHELD.into();
        }
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
        let value = value.trim_start_matches('\u{feff}').trim();
        out.push_str(value);
        read.push(value.to_owned());
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
