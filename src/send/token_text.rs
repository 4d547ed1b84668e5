//! A token as people and programs hand it over: with a byte-order mark, a scheme before it, a line end behind it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::contract::CredentialScheme;

/// A token, and how long it is good for, where its source says so.
pub(super) struct Fetched {
    pub text: String,
    pub lifetime: Option<Duration>,
}

/// The token in the bytes of a file, a variable or a command's output.
///
/// # Errors
/// What is wrong with it; never the text itself.
pub fn token_text(bytes: &[u8], scheme: &CredentialScheme) -> Result<String, &'static str> {
    let text = decoded(bytes).ok_or("it is not text")?;
    let mut text = text.trim();
    if let Some(word) = scheme.word() {
        text = without_scheme(text, word);
    }
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.chars().any(char::is_control) {
        return Err("it holds a line break or another control character");
    }
    if !text.is_ascii() && *scheme != CredentialScheme::Basic {
        return Err("it holds characters that no header may have");
    }
    if *scheme != CredentialScheme::Basic || text.contains(':') {
        return Ok(text.to_owned());
    }
    // Encoded already, as a header has it.
    let plain = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    plain.filter(|p| p.contains(':')).ok_or("it has no `:` between user and password")
}

/// The text of a file in UTF-8 or, as some shells write it, UTF-16; without a byte-order mark.
fn decoded(bytes: &[u8]) -> Option<String> {
    let utf_16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// `text` without the scheme and the name of the header that people copy with it.
fn without_scheme<'a>(text: &'a str, word: &str) -> &'a str {
    let after = |text: &'a str, start: &str| {
        let head = text.get(..start.len()).filter(|head| head.eq_ignore_ascii_case(start))?;
        Some(text[head.len()..].trim_start())
    };
    let text = after(text, "Authorization:").unwrap_or(text);
    match after(text, word) {
        Some(rest) if rest.is_empty() || text[word.len()..].starts_with([' ', '\t']) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(bytes: &[u8]) -> Result<String, &'static str> {
        token_text(bytes, &CredentialScheme::Bearer)
    }

    #[test]
    fn a_token_is_read_in_whatever_it_was_saved_with() {
        let utf_16: Vec<u8> =
            "\u{feff}tok-1\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            b"tok-1".as_slice(),
            b"\xEF\xBB\xBFtok-1\r\n",
            b"Bearer tok-1\n",
            b"authorization: bearer  tok-1",
            b"\n tok-1 \n",
            &utf_16,
        ] {
            assert_eq!(bearer(bytes).as_deref(), Ok("tok-1"), "{bytes:?}");
        }
        assert_eq!(bearer(b"bearer-of-news").as_deref(), Ok("bearer-of-news"));
        for bytes in [b"".as_slice(), b" \r\n", b"\xEF\xBB\xBF", b"Bearer \n", b"a\nb", b"\xFF"] {
            assert!(bearer(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn basic_credentials_are_read_plain_and_encoded() {
        for bytes in [b"user:pass\n".as_slice(), b"dXNlcjpwYXNz", b"Basic dXNlcjpwYXNz\n"] {
            let read = token_text(bytes, &CredentialScheme::Basic);
            assert_eq!(read.as_deref(), Ok("user:pass"), "{bytes:?}");
        }
        assert!(token_text(b"user", &CredentialScheme::Basic).is_err());
    }
}
