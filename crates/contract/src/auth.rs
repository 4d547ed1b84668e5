//! How the profile of a target says that credentials are sent, and what is left of it once the document was asked.
//!
//! Secrets are named here, never held.

use std::borrow::Cow;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::header;

/// How credentials are sent, as a profile says.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum AuthScheme {
    /// As the OpenAPI document says.
    #[default]
    Declared,
    /// `Authorization: Bearer TOKEN`.
    Bearer,
    /// `Authorization: Basic`, the token being `user:password`.
    Basic,
    /// None; rules about credentials are not judged.
    None,
    /// The token as the value of a header with this name.
    ApiKey(String),
    /// A bearer token, fetched from a token endpoint.
    OAuth2(Box<OAuth2>),
    /// A command signs each request.
    Command(SigningCommand),
}

/// OAuth 2 client credentials (RFC 6749, section 4.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OAuth2 {
    /// URL of the token endpoint.
    pub token_url: String,
    /// Client identifier; `${env:NAME}` reads the environment.
    pub client_id: String,
    /// Where the client secret is.
    pub client_secret: SecretPlace,
    /// Scopes, with spaces between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Audience, which some servers demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// How the client authenticates itself.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
}

/// How a client authenticates itself at a token endpoint (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// By Basic credentials.
    #[default]
    Basic,
    /// In the body.
    Post,
}

/// Where a secret is: a profile never holds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// An environment variable, written `${env:NAME}`.
    Environment(String),
    /// A file, written `{ file: PATH }`.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretPlace {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(name) =
            value.as_str().and_then(|text| text.trim().strip_prefix("${env:")?.strip_suffix('}'))
        {
            return Ok(SecretPlace::Environment(name.to_owned()));
        }
        match value.as_object().and_then(|map| map.get("file")?.as_str()) {
            Some(path) => Ok(SecretPlace::File(path.into())),
            None => Err(serde::de::Error::custom(
                "`client-secret`: a profile holds no secret itself; write \"${env:NAME}\" or { file: PATH }",
            )),
        }
    }
}

impl JsonSchema for SecretPlace {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "${env:NAME} or { file: PATH }: a profile holds no secret itself",
            "anyOf": [
                { "type": "string", "pattern": r"^\s*\$\{env:[^}]+\}\s*$" },
                {
                    "type": "object",
                    "properties": { "file": { "type": "string" } },
                    "required": ["file"]
                }
            ]
        })
    }
}

impl Serialize for SecretPlace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            SecretPlace::Environment(name) => format!("${{env:{name}}}").serialize(serializer),
            SecretPlace::File(path) => json!({ "file": path }).serialize(serializer),
        }
    }
}

/// A command that gives the headers which sign a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SigningCommand {
    /// The command, for a shell.
    pub command: String,
    /// Whether it runs once for each request, or all the time.
    #[serde(default)]
    pub mode: SigningMode,
    /// Whether it gets the body too, and not its hash alone.
    #[serde(default)]
    pub body: bool,
    /// The header that bad credentials are made of; the one with the longest value where it is not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_header: Option<String>,
}

/// How a signing command is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SigningMode {
    /// A process for each request.
    #[default]
    Once,
    /// One process for all: a line in, a line out.
    Lines,
}

impl JsonSchema for AuthScheme {
    fn schema_name() -> Cow<'static, str> {
        "Auth".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let oauth2 = generator.subschema_for::<OAuth2>();
        let command = generator.subschema_for::<SigningCommand>();
        json_schema!({
            "description": "how credentials are sent; as the OpenAPI document says where this is left out",
            "anyOf": [
                { "type": "string", "enum": ["bearer", "basic", "none", "declared"] },
                {
                    "type": "object",
                    "properties": { "api-key": { "type": "string", "description": "name of the header" } },
                    "required": ["api-key"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": { "oauth2": oauth2 },
                    "required": ["oauth2"],
                    "additionalProperties": false
                },
                command
            ]
        })
    }
}

impl<'de> Deserialize<'de> for AuthScheme {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        const EXPECTED: &str =
            "expected bearer, basic, none, { api-key: HEADER }, { oauth2: … } or { command: … }";
        let value = Value::deserialize(deserializer)?;
        if let Some(word) = value.as_str() {
            return match word {
                "bearer" => Ok(AuthScheme::Bearer),
                "basic" => Ok(AuthScheme::Basic),
                "none" => Ok(AuthScheme::None),
                "declared" => Ok(AuthScheme::Declared),
                other => Err(D::Error::custom(format!("`{other}`: {EXPECTED}"))),
            };
        }
        let map = value.as_object().ok_or_else(|| D::Error::custom(EXPECTED))?;
        if let Some(name) = map.get("api-key") {
            let name = name.as_str().filter(|name| map.len() == 1 && header::is_name(name));
            return name.map(|name| AuthScheme::ApiKey(name.to_owned())).ok_or_else(|| {
                D::Error::custom("expected the name of a header: auth: { api-key: X-Api-Key }")
            });
        }
        if let Some(inner) = map.get("oauth2").filter(|_| map.len() == 1) {
            let read: OAuth2 = serde_json::from_value(inner.clone())
                .map_err(|error| D::Error::custom(format!("auth: oauth2: {error}")))?;
            return Ok(AuthScheme::OAuth2(Box::new(read)));
        }
        if map.contains_key("command") {
            let read: SigningCommand = serde_json::from_value(value)
                .map_err(|error| D::Error::custom(format!("auth: command: {error}")))?;
            if read.command.trim().is_empty() {
                return Err(D::Error::custom("auth: command: it is empty"));
            }
            return Ok(AuthScheme::Command(read));
        }
        Err(D::Error::custom(EXPECTED))
    }
}

impl Serialize for AuthScheme {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            AuthScheme::Declared => "declared".serialize(serializer),
            AuthScheme::Bearer => "bearer".serialize(serializer),
            AuthScheme::Basic => "basic".serialize(serializer),
            AuthScheme::None => "none".serialize(serializer),
            AuthScheme::ApiKey(name) => json!({ "api-key": name }).serialize(serializer),
            AuthScheme::OAuth2(oauth) => json!({ "oauth2": oauth }).serialize(serializer),
            AuthScheme::Command(command) => command.serialize(serializer),
        }
    }
}

/// How a request shows its credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CredentialScheme {
    /// `Authorization: Bearer TOKEN`.
    #[default]
    Bearer,
    /// `Authorization: Basic`, the token being `user:password`.
    Basic,
    /// The token as the value of a header with this name.
    ApiKey(String),
    /// Headers that a command gives.
    Signed,
    /// Not at all.
    None,
}

impl CredentialScheme {
    /// The header that shows a token.
    #[must_use]
    pub fn header(&self) -> &str {
        match self {
            CredentialScheme::ApiKey(name) => name,
            _ => "Authorization",
        }
    }

    /// The word before the token; none for an API key.
    #[must_use]
    pub fn word(&self) -> Option<&'static str> {
        match self {
            CredentialScheme::Basic => Some("Basic"),
            CredentialScheme::ApiKey(_) | CredentialScheme::Signed => None,
            CredentialScheme::Bearer | CredentialScheme::None => Some("Bearer"),
        }
    }
}
