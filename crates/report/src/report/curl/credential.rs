//! Credentials as a shell makes them from the one token: good ones, and each kind of bad ones that can be
//! imitated. Nothing here ever holds a token.

use super::{Scheme, TOKEN, literal};
use crate::exchange::TOKEN_MARK;

/// The header that shows credentials in double quotes; nothing where none is sent.
pub(super) fn header(how: &Scheme, credential: &str) -> Option<String> {
    let token = TOKEN;
    let (name, scheme) = match how {
        Scheme::None | Scheme::Signed => return None,
        Scheme::Bearer => ("Authorization", "Bearer "),
        Scheme::Basic => ("Authorization", "Basic "),
        Scheme::ApiKey(name) => (name.as_str(), ""),
    };
    let is_key = scheme.is_empty();
    let encode = if *how == Scheme::Basic { " | base64 | tr -d '\\n'" } else { "" };
    let through = |program: &str| format!("{scheme}$(printf %s \"{token}\" | {program}{encode})");
    let value = match how {
        Scheme::Basic => format!("$(printf %s \"{token}\"{encode})"),
        _ => token.to_owned(),
    };
    let plain = *how != Scheme::Basic;
    let value = match credential {
        "none" | "in-query" => return None,
        "empty" => return Some(literal(&format!("{name};"))),
        "scheme-only" if is_key => "Bearer".to_owned(),
        "scheme-only" => scheme.trim().to_owned(),
        "wrong" => through("tr 'a-zA-Z0-9' 'b-zaB-ZA1-90'"),
        "longer" if plain => format!("{scheme}${{BATCHPROOF_TOKEN}}x"),
        "longer" => format!("{scheme}$(printf %sx \"{token}\"{encode})"),
        "shorter" if plain => format!("{scheme}${{BATCHPROOF_TOKEN%?}}"),
        "shorter" => through("sed 's/.$//'"),
        "other-case" => through("tr 'a-zA-Z' 'A-Za-z'"),
        "no-scheme" if is_key => through("rev"),
        "no-scheme" => value,
        "wrong-scheme" => format!("Token {value}"),
        "basic" => {
            let word = if is_key { "" } else { "Basic " };
            format!("{word}$(printf 'user:%s' \"{token}\" | base64 | tr -d '\\n')")
        }
        "other-tenant" => format!("{scheme}${{BATCHPROOF_OTHER_TOKEN}}"),
        _ => format!("{scheme}{value}"),
    };
    Some(format!("\"{name}: {value}\""))
}

/// A raw request whose bearer credentials are the value of another header.
pub(super) fn with_key(bytes: &[u8], name: &str) -> Vec<u8> {
    let shown = format!("Bearer {TOKEN_MARK}");
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        match text.split_once(':') {
            Some((own, value))
                if own.eq_ignore_ascii_case("authorization") && value.trim() == shown =>
            {
                out.extend_from_slice(format!("{name}: {TOKEN_MARK}\r\n").as_bytes());
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}
