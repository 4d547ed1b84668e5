//! Credentials: where the token comes from, how each kind of header is made, what is redacted.

use std::path::PathBuf;
use std::sync::RwLock;

use secrecy::{ExposeSecret, SecretString};

use super::SendError;
use crate::case::Credential;
use crate::contract::profile::AuthScheme;
use crate::exchange::{Redactor, rotated};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Where the token comes from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// A file, read again where the token is refused.
    File(PathBuf),
    /// The environment, read once.
    Given(SecretString),
    /// None: rules about credentials are not judged.
    None,
}

/// The target's token.
pub struct Token {
    source: TokenSource,
    scheme: AuthScheme,
    current: RwLock<SecretString>,
    redactor: Redactor,
}

impl Token {
    /// Reads the token.
    ///
    /// # Errors
    /// [`SendError::Token`] where the file can't be read or holds nothing.
    pub fn read(source: TokenSource, scheme: AuthScheme) -> Result<Token, SendError> {
        let token = Token {
            current: RwLock::new(SecretString::from(String::new())),
            source,
            scheme,
            redactor: Redactor::default(),
        };
        token.renew()?;
        Ok(token)
    }

    /// Reads the token again; says whether it changed.
    ///
    /// # Errors
    /// [`SendError::Token`] where the file can't be read or holds nothing.
    pub fn renew(&self) -> Result<bool, SendError> {
        let text = match &self.source {
            TokenSource::None => return Ok(false),
            TokenSource::Given(secret) => secret.expose_secret().trim().to_owned(),
            TokenSource::File(path) => std::fs::read_to_string(path)
                .map_err(|e| SendError::Token {
                    what: format!("--token-file {}: {e}", path.display()),
                    expected: "a readable file that holds the token and nothing else".to_owned(),
                })?
                .trim()
                .to_owned(),
        };
        if text.is_empty() || text.chars().any(char::is_control) {
            let place = match &self.source {
                TokenSource::File(path) => format!("--token-file {}", path.display()),
                _ => "BATCHPROOF_TOKEN".to_owned(),
            };
            return Err(SendError::Token {
                what: format!("{place}: the token is empty or holds control characters"),
                expected: "one line with the token, without `Bearer`".to_owned(),
            });
        }
        self.redactor.add(&text);
        let mut current = match self.current.write() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        let changed = current.expose_secret() != text;
        *current = SecretString::from(text);
        Ok(changed)
    }

    /// Whether there is a token at all.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self.source, TokenSource::None) && self.scheme != AuthScheme::None
    }

    pub(super) fn expose(&self) -> String {
        match self.current.read() {
            Ok(guard) => guard.expose_secret().to_owned(),
            Err(poisoned) => poisoned.into_inner().expose_secret().to_owned(),
        }
    }

    /// The `Authorization` value for `credential`, where it has one.
    pub(super) fn header(&self, credential: Credential) -> Option<String> {
        let given = self.is_given();
        if matches!(credential, Credential::None | Credential::InQuery)
            || (!given && (credential == Credential::Good || self.scheme == AuthScheme::None))
        {
            return None;
        }
        // Without a token, wrong credentials are made up whole.
        let token = if given { self.expose() } else { "made-up-by-batchproof".to_owned() };
        let (scheme, value) = match self.scheme {
            AuthScheme::Basic => ("Basic", BASE64.encode(token.as_bytes())),
            AuthScheme::Bearer | AuthScheme::None => ("Bearer", token.clone()),
        };
        Some(match credential {
            Credential::Good => format!("{scheme} {value}"),
            Credential::None | Credential::InQuery => return None,
            Credential::Empty => String::new(),
            Credential::SchemeOnly => scheme.to_owned(),
            Credential::Wrong => format!("{scheme} {}", rotated(&value)),
            Credential::Longer => format!("{scheme} {value}x"),
            Credential::Shorter => {
                let cut = value.char_indices().next_back().map_or(0, |(at, _)| at);
                format!("{scheme} {}", &value[..cut])
            }
            Credential::OtherCase => format!("{scheme} {}", swapped_case(&value)),
            Credential::Quoted => format!("{scheme} \"{value}\""),
            Credential::NoScheme => value,
            Credential::WrongScheme => format!("Token {value}"),
            Credential::Basic => format!("Basic {}", BASE64.encode(format!("user:{token}"))),
        })
    }

    /// Takes every token that was ever read out of texts, and the `further` secrets.
    #[must_use]
    pub fn redactor(&self, further: &[String]) -> Redactor {
        for secret in further {
            self.redactor.add(secret);
        }
        self.redactor.clone()
    }
}

fn swapped_case(token: &str) -> String {
    token
        .chars()
        .map(
            |c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_read_anew_is_redacted_beside_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first-token").unwrap();
        let token = Token::read(TokenSource::File(path.clone()), AuthScheme::Bearer).unwrap();
        let redactor = token.redactor(&["tenant-7".to_owned()]);
        std::fs::write(&path, "second-token").unwrap();
        assert!(token.renew().unwrap());
        assert_eq!(
            redactor.clean("first-token second-token tenant-7"),
            "[redacted] [redacted] [redacted]"
        );
    }
}
