//! Where the token comes from: a file, the environment, a command, a token endpoint.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::oauth::TokenEndpoint;
use super::token_text::{Fetched, token_text};
use super::{SendError, command};
use crate::contract::CredentialScheme;
use crate::exchange::Redactor;

/// Where the token comes from.
pub enum TokenSource {
    /// A file, read again where the token is refused.
    File(PathBuf),
    /// The environment, read once.
    Given(SecretString),
    /// A command that prints it, run again where the token is refused.
    Command(String),
    /// An OAuth 2 token endpoint, asked again where the token is refused, and before it expires.
    Endpoint(Box<TokenEndpoint>),
    /// None: wrong credentials are made up.
    None,
}

impl TokenSource {
    /// Whether fetching again can give another token.
    pub(super) fn can_change(&self) -> bool {
        !matches!(self, TokenSource::None | TokenSource::Given(_))
    }

    /// Reads what can be read at once; none where a command or an endpoint has to be asked.
    ///
    /// # Errors
    /// [`SendError::Token`] where a file or variable holds no token.
    pub(super) fn read(&self, scheme: &CredentialScheme) -> Result<Option<Fetched>, SendError> {
        let checked = |bytes: &[u8], place: &str| {
            token_text(bytes, scheme).map_err(|why| SendError::Token {
                what: format!("{place}: {why}"),
                expected: expected(scheme).to_owned(),
            })
        };
        let text = match self {
            TokenSource::File(path) => {
                let place = format!("--token-file {}", path.display());
                let bytes = std::fs::read(path).map_err(|e| SendError::Token {
                    what: format!("{place}: {e}"),
                    expected: "a readable file that holds the token and nothing else".to_owned(),
                })?;
                checked(&bytes, &place)?
            }
            TokenSource::Given(secret) => {
                checked(secret.expose_secret().as_bytes(), "BATCHPROOF_TOKEN")?
            }
            _ => return Ok(None),
        };
        Ok(Some(Fetched { text, lifetime: None }))
    }

    /// Fetches the token.
    ///
    /// # Errors
    /// [`SendError::Token`] where there is none, with what the command printed on standard error or the endpoint
    /// answered; `redactor` has taken secrets out.
    pub(super) async fn fetch(
        &self,
        scheme: &CredentialScheme,
        redactor: &Redactor,
    ) -> Result<Option<Fetched>, SendError> {
        match self {
            TokenSource::Command(text) => {
                let failed = |what: String, expected: &str| SendError::Token {
                    what: format!("--token-command: {}", redactor.clean(&what)),
                    expected: expected.to_owned(),
                };
                let printed = command::output(command::shell(text), None).await.map_err(|why| {
                    failed(why, "a command that prints the token and ends with exit code 0")
                })?;
                let text = token_text(&printed, scheme).map_err(|why| {
                    let hint = if printed.trim_ascii_start().starts_with(b"{") {
                        "the token alone; jq takes it out of JSON: COMMAND | jq -r .access_token"
                    } else {
                        expected(scheme)
                    };
                    failed(format!("what it printed is no token: {why}"), hint)
                })?;
                Ok(Some(Fetched { text, lifetime: None }))
            }
            TokenSource::Endpoint(endpoint) => endpoint.ask(redactor).await.map(Some),
            _ => self.read(scheme),
        }
    }
}

fn expected(scheme: &CredentialScheme) -> &'static str {
    match scheme {
        CredentialScheme::Basic => "one line with user:password",
        CredentialScheme::ApiKey(_) => "one line with the API key",
        _ => "one line with the token",
    }
}
