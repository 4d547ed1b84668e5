//! What is refused before a body is read: in Spring's order, credentials first.

use super::answer::Answer;
use super::choices::{Choice, Choices};
use super::http::{Framing, Head};
use super::server::{ENDPOINT, State};

/// The answer to a request whose body is not even looked at, if it is one.
pub fn refuse(head: &Head, framing: Framing, state: &State) -> Option<Answer> {
    let choices = state.choices;
    let expectations = head.list("expect");
    if !head.old
        && !expectations.is_empty()
        && (choices.has(Choice::Expect417) || expectations != ["100-continue"])
    {
        return Some(Answer::framework(417, path(&head.target)));
    }
    let credentials = || (!is_authorized(head, state)).then(|| unauthorized(head, choices));
    let place = || wrong_place(head, choices);
    if choices.has(Choice::PathFirst) {
        place().or_else(credentials)
    } else {
        credentials().or_else(place)
    }
    .or_else(|| wrong_kind(head, framing, state))
}

/// The path of a target: without scheme, host and query.
pub fn path(target: &str) -> &str {
    let scheme = target.split_once("://").filter(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    let local = match scheme {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    };
    local.split('?').next().unwrap_or(local)
}

fn is_authorized(head: &Head, state: &State) -> bool {
    let Some((scheme, token)) = head.only("authorization").and_then(|value| value.split_once(' '))
    else {
        return false;
    };
    let is_bearer = if state.choices.has(Choice::CaseSensitiveScheme) {
        scheme == "Bearer"
    } else {
        scheme.eq_ignore_ascii_case("bearer")
    };
    is_bearer && is_same(token.trim_start_matches(' ').as_bytes(), state.token.as_bytes())
}

/// Compares in a time that doesn't tell how much of it is right.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other));
    one.len() == other.len() && difference == 0
}

fn unauthorized(head: &Head, choices: Choices) -> Answer {
    if choices.has(Choice::Auth403) {
        return Answer::framework(403, path(&head.target));
    }
    if choices.has(Choice::InvalidRequest) && is_malformed(head) {
        let answer = Answer::framework(400, path(&head.target));
        return answer.with("WWW-Authenticate", "Bearer error=\"invalid_request\"");
    }
    let answer = Answer::unauthorized();
    if choices.has(Choice::NoChallenge) {
        answer
    } else {
        answer.with("WWW-Authenticate", "Bearer")
    }
}

/// Whether there are credentials, but none that a bearer scheme could have.
fn is_malformed(head: &Head) -> bool {
    let is_token = |text: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        !text.is_empty() && text.bytes().all(known)
    };
    match head.only("authorization") {
        None => false,
        Some(value) => !value.split_once(' ').is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && is_token(token.trim_start_matches(' '))
        }),
    }
}

/// 404 for another path, 405 for another method.
fn wrong_place(head: &Head, choices: Choices) -> Option<Answer> {
    let path = path(&head.target);
    let options = || {
        let status = if choices.has(Choice::Options204) { 204 } else { 200 };
        Answer::empty(status).with("Allow", "POST, OPTIONS")
    };
    let is_options = head.method == "OPTIONS" && !choices.has(Choice::Options405);
    if is_options && path == "*" {
        return Some(options());
    }
    let Some(decoded) = decode(path) else {
        return Some(Answer::framework(400, path));
    };
    let trimmed = if choices.has(Choice::TrailingSlash) {
        decoded.strip_suffix('/').unwrap_or(&decoded)
    } else {
        &decoded
    };
    let is_endpoint = trimmed == ENDPOINT
        || choices.has(Choice::AnyCasePath) && trimmed.eq_ignore_ascii_case(ENDPOINT);
    match head.method.as_str() {
        _ if !is_endpoint => Some(Answer::framework(404, path)),
        "POST" => None,
        "OPTIONS" if is_options => Some(options()),
        "HEAD" if choices.has(Choice::Head404) => Some(Answer::framework(404, path)),
        _ if choices.has(Choice::Method404) => Some(Answer::framework(404, path)),
        _ if choices.has(Choice::Method501) => Some(Answer::framework(501, path)),
        _ if choices.has(Choice::Method400) => Some(Answer::framework(400, path)),
        _ => Some(Answer::framework(405, path).with("Allow", "POST")),
    }
}

/// Decodes what may be written either way; anything else that is encoded means something else.
fn decode(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(code, 16).ok().filter(|_| !code.starts_with('+'))?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            decoded.push(char::from(byte));
        } else {
            decoded.push('%');
            decoded.push_str(code);
        }
        decoded.push_str(rest);
    }
    Some(decoded)
}

/// The right place, but too busy, or nothing that is taken there.
fn wrong_kind(head: &Head, framing: Framing, state: &State) -> Option<Answer> {
    let choices = state.choices;
    let answer = |status| Some(Answer::framework(status, path(&head.target)));
    if state.count_post().is_multiple_of(40) {
        if choices.has(Choice::Retry429) {
            return answer(429).map(|answer| answer.with("Retry-After", "0"));
        }
        if choices.has(Choice::Retry503) {
            return answer(503).map(|answer| answer.with("Retry-After", "1"));
        }
    }
    if framing == Framing::Chunked && choices.has(Choice::NoChunked) {
        return answer(411);
    }
    if framing == Framing::Chunked && choices.has(Choice::ChunkedAsEmpty) {
        return answer(400);
    }
    if matches!(framing, Framing::Length(length) if length > u64::try_from(state.body_limit).unwrap_or(u64::MAX))
    {
        return answer(413);
    }
    if !takes_content(head, choices) {
        return answer(if choices.has(Choice::Media400) { 400 } else { 415 });
    }
    if !choices.has(Choice::AcceptIgnored) && !accepts_json(head) {
        return answer(406);
    }
    None
}

fn takes_content(head: &Head, choices: Choices) -> bool {
    if head.list("content-encoding").iter().any(|coding| coding != "identity") {
        return false;
    }
    if head.all("content-type").next().is_none() {
        return choices.has(Choice::NoTypeProcessed);
    }
    // JSON has one encoding: a charset parameter changes nothing.
    let value = head.only("content-type").unwrap_or("").to_ascii_lowercase();
    let essence = value.split(';').next().unwrap_or("").trim_matches([' ', '\t']);
    let is_suffixed = essence.starts_with("application/")
        && essence.ends_with("+json")
        && essence.len() > "application/+json".len();
    essence == "application/json" || is_suffixed && !choices.has(Choice::PlusJsonRefused)
}

/// Whether an answer in JSON is welcome: the most specific range that fits decides.
fn accepts_json(head: &Head) -> bool {
    let ranges = head.list("accept");
    let weighed = ranges.iter().filter_map(|range| {
        let mut parts = range.split(';').map(|part| part.trim_matches([' ', '\t']));
        let specific = match parts.next()? {
            "application/json" => 3,
            "application/*" => 2,
            "*/*" | "*" => 1,
            _ => return None,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
        let is_zero = quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0);
        Some((specific, !is_zero))
    });
    // Two equally specific ranges may differ in parameters: one that welcomes is enough.
    ranges.is_empty() || weighed.max().is_some_and(|(_, is_welcome)| is_welcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_understood() {
        let accepts = |value: &str| {
            let mut head = Head::begin(b"POST / HTTP/1.1").unwrap();
            head.add(format!("Accept: {value}").as_bytes()).unwrap();
            accepts_json(&head)
        };
        for good in [
            "",
            "*/*",
            "application/*",
            "Application/JSON",
            "text/html, application/json;q=0.1",
            "text/html, */*;q=0.01",
            "application/json;charset=utf-8",
            "application/json;q=1, */*;q=0",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "text/html",
            "application/xml",
            "application/json;q=0",
            "application/json; q=0.000, */*",
            "image/*",
            "application/*;q=0, */*",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }

    #[test]
    fn paths() {
        assert_eq!(path("http://host:80/a/b?c=/d"), "/a/b");
        assert_eq!(path("http://host"), "/");
        assert_eq!(path("/a?b://c"), "/a");
        assert_eq!(decode("/batch%2Daccount%2fx").unwrap(), "/batch-account%2fx");
        assert!(decode("/%").is_none() && decode("/%g1").is_none() && decode("/%+1").is_none());
    }
}
