//! Credentials: where the token comes from, how each kind of header is made, what is redacted.

use std::path::PathBuf;
use std::sync::RwLock;

use secrecy::{ExposeSecret, SecretString};

use super::SendError;
use crate::case::Credential;
use crate::contract::profile::AuthScheme;

/// What stands in an output where a secret stood.
pub const REDACTED: &str = "[redacted]";

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
}

impl Token {
    /// Reads the token.
    ///
    /// # Errors
    /// [`SendError::Token`] where the file can't be read or holds nothing.
    pub fn read(source: TokenSource, scheme: AuthScheme) -> Result<Token, SendError> {
        let token =
            Token { current: RwLock::new(SecretString::from(String::new())), source, scheme };
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
            AuthScheme::Basic => ("Basic", base64(token.as_bytes())),
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
            Credential::NoScheme => value,
            Credential::WrongScheme => format!("Token {value}"),
            Credential::Basic => format!("Basic {}", base64(format!("user:{token}").as_bytes())),
        })
    }

    /// Replaces every form of the token by a placeholder.
    #[must_use]
    pub fn redactor(&self, further: &[String]) -> Redactor {
        let token = self.expose();
        let mut secrets: Vec<String> = Vec::new();
        for secret in std::iter::once(&token).chain(further) {
            if secret.chars().count() >= 4 {
                secrets.push(secret.clone());
                secrets.push(base64(secret.as_bytes()));
                secrets.push(base64(format!("user:{secret}").as_bytes()));
                let escaped = serde_json::Value::String(secret.clone()).to_string();
                secrets.push(escaped.trim_matches('"').to_owned());
                secrets.push(rotated(secret));
                secrets.push(swapped_case(secret));
                let encoded: String =
                    url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                secrets.push(encoded);
                let cut = secret.char_indices().next_back().map_or(0, |(at, _)| at);
                if secret.chars().count() > 8 {
                    secrets.push(secret[..cut].to_owned());
                }
            }
        }
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        secrets.dedup();
        Redactor { secrets }
    }
}

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// `text` without any secret.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in &self.secrets {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), REDACTED);
            }
        }
        if out.contains('\\') {
            let cleaned = self.clean_escaped(out.into_bytes());
            out = String::from_utf8_lossy(&cleaned).into_owned();
        }
        out
    }

    /// Takes out what JSON's escapes hide: `\/` and `\u002B` are read as plain text by whoever shows it.
    fn clean_escaped(&self, mut out: Vec<u8>) -> Vec<u8> {
        for secret in &self.secrets {
            let mut at = 0;
            while at < out.len() {
                match escaped_length(&out[at..], secret.as_bytes()) {
                    Some(length) => {
                        out.splice(at..at + length, REDACTED.bytes());
                        at += REDACTED.len();
                    }
                    None => at += 1,
                }
            }
        }
        out
    }

    /// `bytes` without any secret; unchanged where they hold none.
    #[must_use]
    pub fn clean_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for secret in &self.secrets {
            let needle = secret.as_bytes();
            let mut at = 0;
            while let Some(found) =
                out[at..].windows(needle.len()).position(|window| window == needle)
            {
                out.splice(at + found..at + found + needle.len(), REDACTED.bytes());
                at += found + REDACTED.len();
            }
        }
        if out.contains(&b'\\') { self.clean_escaped(out) } else { out }
    }
}

/// How long `secret` is where `text` begins with it, each of its characters escaped or not.
fn escaped_length(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut at = 0;
    for &byte in secret {
        let rest = &text[at..];
        let hexadecimal = || {
            let digits = std::str::from_utf8(rest.strip_prefix(b"\\u")?.get(..4)?).ok()?;
            u16::from_str_radix(digits, 16).ok()
        };
        at += match rest {
            [first, ..] if *first == byte => 1,
            [b'\\', second, ..] if *second == byte => 2,
            _ if hexadecimal() == Some(u16::from(byte)) => 6,
            _ => return None,
        };
    }
    (at > 0).then_some(at)
}

/// Another token of the same length and alphabet.
fn rotated(token: &str) -> String {
    token
        .chars()
        .map(|c| match c {
            'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(c as u32 + 1).unwrap_or(c),
            'z' => 'a',
            'Z' => 'A',
            '9' => '0',
            other => other,
        })
        .collect()
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

/// RFC 4648 section 4, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |g, b| g << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            if position <= chunk.len() {
                let index = (group >> (18 - 6 * position)) & 63;
                out.push(char::from(ALPHABET[index as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_the_token_survives() {
        let token = Token::read(
            TokenSource::Given(SecretString::from("canary-Token-9".to_owned())),
            AuthScheme::Bearer,
        )
        .unwrap();
        let redactor = token.redactor(&[]);
        assert_eq!(redactor.clean("a canary-Token-9 b"), "a [redacted] b");
        assert_eq!(redactor.clean_bytes(b"\xffcanary-Token-9"), b"\xff[redacted]");
        assert_eq!(base64(b"user:pw"), "dXNlcjpwdw==");
        assert!(!redactor.clean(&base64(b"canary-Token-9")).contains("Y2FuYXJ5"));
    }
}
