//! Texts: bytes that are no text, escape sequences, markup, the token itself.

use std::io::Result;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::TOKEN;
use super::behaviours::Behaviour;
use super::server::{HEAD, Talk};

pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour::later("invalid_utf_8_everywhere", invalid_everywhere).exits(&[0, 1, 3]),
    Behaviour::later("invalid_utf_8_in_the_body", |talk| {
        talk.answer("", b"{\"results\":[\"\xff\xfe\"]}")
    }),
    Behaviour::always("random_bytes", |talk| talk.answer("", &noise())).plain_only(),
    Behaviour::later("utf_16", |talk| talk.answer("", b"\xff\xfe{\0}\0")).plain_only(),
    Behaviour::later("nothing_but_null", |talk| talk.answer("", b"null")).plain_only(),
    Behaviour::later("results_of_null", |talk| talk.answer("", b"{\"results\":[null,null,null]}"))
        .plain_only(),
    Behaviour::always("escape_sequences", |talk| fields(talk, ESCAPES)),
    Behaviour::later("escape_sequences_later", |talk| fields(talk, ESCAPES)),
    Behaviour::later("escape_sequences_in_errors", |talk| errors(talk, ESCAPES)),
    Behaviour::later("escape_sequences_in_headers", escapes_in_headers),
    Behaviour::later("right_to_left", |talk| {
        fields(talk, "\u{202e}\u{2066}txt.exe\u{feff}\u{2028}")
    })
    .plain_only(),
    Behaviour::later("markup", |talk| fields(talk, MARKUP)),
    Behaviour::later("markup_in_errors", |talk| errors(talk, MARKUP)),
    Behaviour::always("markup_from_the_start", |talk| {
        talk.say(format!(
            "HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{MARKUP}",
            MARKUP.len()
        ))
    })
    .plain_only(),
    Behaviour::later("the_token_in_the_body", |talk| fields(talk, TOKEN)),
    Behaviour::later("the_token_in_errors", |talk| errors(talk, TOKEN)),
    Behaviour::always("the_token_from_the_start", |talk| errors(talk, TOKEN)).plain_only(),
    Behaviour::later("the_token_in_forms", token_in_forms),
    Behaviour::later("the_token_in_headers", token_in_headers).exits(&[0, 1, 3]),
    Behaviour::later("the_token_as_the_reason", |talk| {
        talk.say(format!("HTTP/1.1 500 {TOKEN}\r\nX-{TOKEN}: {TOKEN}\r\nContent-Length: 0\r\n\r\n"))
    }),
    Behaviour::later("the_token_as_no_http", |talk| {
        talk.say(format!("{TOKEN}\r\n{TOKEN}: {TOKEN}\r\n\r\n"))?;
        Err(std::io::ErrorKind::ConnectionAborted.into())
    }),
    Behaviour::later("the_token_in_the_framing", |talk| {
        talk.say(format!(
            "{HEAD}Content-Length: {TOKEN}\r\nTransfer-Encoding: {TOKEN}\r\n\r\n{TOKEN}"
        ))
    })
    .plain_only(),
    Behaviour::later("the_token_a_thousand_times", |talk| fields(talk, &TOKEN.repeat(1000)))
        .plain_only(),
    Behaviour::later("the_token_in_a_large_body", |talk| fields(talk, &TOKEN.repeat(100_000)))
        .plain_only(),
    Behaviour::always("the_token_in_a_redirect", |talk| {
        let line = format!("Location: http://{}/{TOKEN}?t={TOKEN}", talk.elsewhere);
        talk.say(format!("HTTP/1.1 301 {TOKEN}\r\n{line}\r\nContent-Length: 0\r\n\r\n"))
    }),
];

const ESCAPES: &str =
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred\u{9b}1m\x08\x08\r\x7f\x1b]8;;http://x/\x1b\\link";
const MARKUP: &str =
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'></td>]]>--><!-- `| | a\n# b\n";

/// A right answer but for this text in every field.
fn fields(talk: &mut Talk<'_>, text: &str) -> Result<()> {
    let results: Vec<_> = talk
        .heard
        .items()
        .iter()
        .map(|_| {
            json!({ "resultType": text, "communicationNumber": text, "accountExtId": text, "businessUnit": text,
                    "errorCode": text, "errorDescription": text, text: text, "timeElapsedMs": text })
        })
        .collect();
    let body = json!({ "results": results, "timeElapsedMs": text, text: text }).to_string();
    talk.answer("", body.as_bytes())
}

/// An error with this text in every field.
fn errors(talk: &mut Talk<'_>, text: &str) -> Result<()> {
    let body = json!({ "resultType": text, "errorCode": text, "errorDescription": text, "status": text, text: text });
    let body = body.to_string();
    talk.say(format!(
        "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

fn invalid_everywhere(talk: &mut Talk<'_>) -> Result<()> {
    talk.say(b"HTTP/1.1 200 \xff\xfe\r\nContent-Type: application/\xff\r\nX-\xc3: \xc3\x28\r\nContent-Length: 9\r\n\r\n{\"\xc3\x28\":1}".as_slice())
}

fn escapes_in_headers(talk: &mut Talk<'_>) -> Result<()> {
    let lines = "X-Escape: \x1b[2Jhidden\r\nServer: \x1b]0;owned\x07\r\n";
    talk.say(format!(
        "HTTP/1.1 500 \x1b[31m\r\nContent-Type: \x1b[2J\r\n{lines}Content-Length: 0\r\n\r\n"
    ))
}

fn token_in_forms(talk: &mut Talk<'_>) -> Result<()> {
    let percent: String = TOKEN.bytes().map(|b| format!("%{b:02X}")).collect();
    let escaped: String = TOKEN.bytes().map(|b| format!("\\u{:04x}", u32::from(b))).collect();
    let hex: String = TOKEN.bytes().map(|b| format!("{b:02x}")).collect();
    let entities: String = TOKEN.bytes().map(|b| format!("&#{b};")).collect();
    let encoded = BASE64.encode(format!("user:{TOKEN}"));
    let body = format!(
        "{{\"results\":[{{\"resultType\":\"{escaped}\",\"errorCode\":\"{percent}\",\"errorDescription\":\"{hex} {entities} \
         {encoded} {}\"}}]}}",
        TOKEN.to_uppercase()
    );
    talk.answer("", body.as_bytes())
}

fn token_in_headers(talk: &mut Talk<'_>) -> Result<()> {
    let encoded = BASE64.encode(TOKEN);
    let right = talk.right();
    let lines = format!(
        "X-Echo: Bearer {TOKEN}\r\nETag: \"{encoded}\"\r\nSet-Cookie: t={TOKEN}\r\n{TOKEN}: x\r\n"
    );
    talk.answer(&lines.replace(&format!("{TOKEN}: x"), "X-Last: x"), right.as_bytes())
}

/// Bytes without a pattern, the same in every run.
fn noise() -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..4096).map(|_| next()).collect()
}
