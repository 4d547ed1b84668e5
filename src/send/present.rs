//! How credentials look in a header: good ones, and every kind of bad ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::case::Credential;
use crate::contract::CredentialScheme;
use crate::exchange::rotated;

/// The header's value for `credential`, where it has one. Without a token, wrong credentials are made up whole.
pub(super) fn header(
    scheme: &CredentialScheme,
    token: Option<&str>,
    credential: Credential,
) -> Option<String> {
    if matches!(credential, Credential::None | Credential::InQuery)
        || matches!(scheme, CredentialScheme::None | CredentialScheme::Signed)
        || (token.is_none() && credential == Credential::Good)
    {
        return None;
    }
    let made_up = match scheme {
        CredentialScheme::Basic => "made-up:by-batchproof",
        _ => "made-up-by-batchproof",
    };
    let token = token.unwrap_or(made_up);
    Some(match scheme {
        CredentialScheme::ApiKey(_) => key(token, credential),
        CredentialScheme::Basic => with_scheme("Basic", token, basic, credential),
        _ => with_scheme("Bearer", token, str::to_owned, credential),
    })
}

/// A value that begins with the name of a scheme.
fn with_scheme(
    scheme: &str,
    token: &str,
    encode: fn(&str) -> String,
    credential: Credential,
) -> String {
    let value = encode(token);
    match credential {
        Credential::Good
        | Credential::None
        | Credential::InQuery
        | Credential::OtherTenant
        | Credential::NoFurtherKey => format!("{scheme} {value}"),
        Credential::Empty => String::new(),
        Credential::SchemeOnly => scheme.to_owned(),
        Credential::Wrong => format!("{scheme} {}", encode(&unlike(rotated(token), token))),
        Credential::Longer => format!("{scheme} {}", encode(&format!("{token}x"))),
        Credential::Shorter => format!("{scheme} {}", encode(shorter(token))),
        Credential::OtherCase => {
            format!("{scheme} {}", encode(&unlike(swapped_case(token), token)))
        }
        Credential::Quoted => format!("{scheme} \"{value}\""),
        Credential::NoScheme => value,
        Credential::WrongScheme => format!("Token {value}"),
        Credential::Basic => format!("Basic {}", basic(&format!("user:{token}"))),
    }
}

/// An API key has no scheme: what takes the place of one makes another key of it.
fn key(token: &str, credential: Credential) -> String {
    match credential {
        Credential::Good
        | Credential::None
        | Credential::InQuery
        | Credential::OtherTenant
        | Credential::NoFurtherKey => token.to_owned(),
        Credential::Empty => String::new(),
        Credential::SchemeOnly => "Bearer".to_owned(),
        Credential::Wrong => unlike(rotated(token), token),
        Credential::Longer => format!("{token}x"),
        Credential::Shorter => shorter(token).to_owned(),
        Credential::OtherCase => unlike(swapped_case(token), token),
        Credential::Quoted => format!("\"{token}\""),
        Credential::NoScheme => unlike(reversed(token), token),
        Credential::WrongScheme => format!("Token {token}"),
        Credential::Basic => basic(&format!("user:{token}")),
    }
}

/// As RFC 7617 encodes user and password.
pub(super) fn basic(pair: &str) -> String {
    BASE64.encode(pair)
}

/// A key backwards.
pub(super) fn reversed(token: &str) -> String {
    token.chars().rev().collect()
}

fn shorter(token: &str) -> &str {
    let cut = token.char_indices().next_back().map_or(0, |(at, _)| at);
    &token[..cut]
}

/// Another letter case must not leave a token of digits as it is.
fn unlike(changed: String, token: &str) -> String {
    if changed == token { format!("{changed}x") } else { changed }
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

    const ALL: [Credential; 13] = [
        Credential::Good,
        Credential::None,
        Credential::Empty,
        Credential::SchemeOnly,
        Credential::Wrong,
        Credential::Longer,
        Credential::Shorter,
        Credential::OtherCase,
        Credential::Quoted,
        Credential::NoScheme,
        Credential::WrongScheme,
        Credential::Basic,
        Credential::InQuery,
    ];

    #[test]
    fn bad_credentials_are_never_the_good_ones() {
        let key = CredentialScheme::ApiKey("X-Api-Key".to_owned());
        for scheme in [CredentialScheme::Bearer, CredentialScheme::Basic, key] {
            for token in ["secret-1", "1234", "abba", "--", "u:pa=", "a"] {
                let good = header(&scheme, Some(token), Credential::Good);
                for credential in ALL.into_iter().filter(|c| *c != Credential::Good) {
                    let bad = header(&scheme, Some(token), credential);
                    assert_ne!(bad, good, "{scheme:?}, {token}, {credential:?}");
                }
            }
        }
    }
}
