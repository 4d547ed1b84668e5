//! Credentials as a shell makes them from the one token: good ones, and each kind of bad ones that can be
//! imitated. Nothing here ever holds a token.

use super::{Scheme, TOKEN};

/// The `Authorization` header in double quotes; nothing where none is sent.
pub(super) fn authorization(how: Scheme, credential: &str) -> Option<String> {
    let token = TOKEN;
    let encoded = format!("$(printf %s \"{token}\" | base64 | tr -d '\\n')");
    let (scheme, value) = match how {
        Scheme::None => return None,
        Scheme::Bearer => ("Bearer", token.to_owned()),
        Scheme::Basic => ("Basic", encoded),
    };
    let plain = how == Scheme::Bearer;
    let through = |program: &str| {
        let source = if plain {
            format!("printf %s \"{token}\"")
        } else {
            format!("printf %s \"{token}\" | base64 | tr -d '\\n'")
        };
        format!("{scheme} $({source} | {program})")
    };
    let value = match credential {
        "none" | "in-query" => return None,
        "empty" => return Some("'Authorization;'".to_owned()),
        "scheme-only" => scheme.to_owned(),
        "wrong" => through("tr 'a-zA-Z0-9' 'b-zaB-ZA1-90'"),
        "longer" if plain => format!("{scheme} ${{BATCHPROOF_TOKEN}}x"),
        "longer" => format!("{scheme} {value}x"),
        "shorter" if plain => format!("{scheme} ${{BATCHPROOF_TOKEN%?}}"),
        "shorter" => through("sed 's/.$//'"),
        "other-case" => through("tr 'a-zA-Z' 'A-Za-z'"),
        "no-scheme" => value,
        "wrong-scheme" => format!("Token {value}"),
        "basic" => {
            format!("Basic $(printf 'user:%s' \"{token}\" | base64 | tr -d '\\n')")
        }
        _ => format!("{scheme} {value}"),
    };
    Some(format!("\"Authorization: {value}\""))
}
