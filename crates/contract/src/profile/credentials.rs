//! Credentials that a profile holds or names: in headers, in the environment, in files, of other tenants.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Profile, line_of};
use crate::auth::{AuthScheme, CredentialScheme, SecretPlace};
use crate::security::{DeclaredScheme, DeclaredSecurity};
use crate::{Contract, FileError, header};

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

impl Profile {
    /// Reads the credentials of other tenants.
    pub(super) fn read_tenants(&mut self, file: &str, text: &str) -> Result<(), FileError> {
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

    /// Takes the token out of `headers`, where the header that shows credentials stands there: bad credentials take
    /// its place, and do not stand beside it.
    pub(super) fn adopt_credentials(&mut self, contract: &Contract) {
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
                DeclaredSecurity::Scheme(scheme) | DeclaredSecurity::Optional(scheme) => {
                    match scheme {
                        DeclaredScheme::Basic => CredentialScheme::Basic,
                        DeclaredScheme::ApiKey(name) => CredentialScheme::ApiKey(name.clone()),
                        DeclaredScheme::Bearer => CredentialScheme::Bearer,
                    }
                }
                DeclaredSecurity::None | DeclaredSecurity::Elsewhere(_) => CredentialScheme::Bearer,
            },
            AuthScheme::Bearer | AuthScheme::OAuth2(_) => CredentialScheme::Bearer,
            AuthScheme::Basic => CredentialScheme::Basic,
            AuthScheme::ApiKey(name) => CredentialScheme::ApiKey(name.clone()),
            AuthScheme::Command(_) => CredentialScheme::Signed,
            AuthScheme::None => CredentialScheme::None,
        }
    }
}

/// Fills in what headers take from the environment, and looks whether they can be sent.
pub(super) fn read_headers(
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

/// Whether a header of that name carries a secret.
pub(super) fn is_secret(header: &str) -> bool {
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
