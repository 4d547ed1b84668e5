//! Which header fields and parameters show credentials, and which say nothing of a request.

use super::ImportedRequest;

/// Parts of names of header fields and parameters that hold secrets.
const SECRET: &[&str] = &[
    "authorization",
    "authentication",
    "cookie",
    "token",
    "secret",
    "api-key",
    "apikey",
    "api_key",
    "password",
    "credential",
    "session",
    "signature",
    "csrf",
    "xsrf",
    "x-amz-",
    "jwt",
    "subscription-key",
    "x-auth",
    "sig",
];
/// Header fields that every request has, or that a connection, a browser or a proxy adds.
const USUAL: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "user-agent",
    "origin",
    "referer",
    "dnt",
    "pragma",
    "cache-control",
    "priority",
    "te",
    "trailer",
    "upgrade",
    "upgrade-insecure-requests",
    "expect",
    "via",
    "forwarded",
    "traceparent",
    "tracestate",
    "postman-token",
    "keep-alive",
    "accept-language",
];

/// Whether a header field or parameter of that name shows credentials.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| match *part {
        "sig" => name == "sig" || name == "key" || name == "code",
        part => name.contains(part),
    })
}

/// Whether a header field says nothing of the request.
pub fn is_usual(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(':')
        || name.starts_with("sec-")
        || name.starts_with("x-forwarded-")
        || name.starts_with("x-b3-")
        || USUAL.contains(&name.as_str())
}

/// What credentials a request shows: nothing of it may be written anywhere.
pub fn secrets(request: &ImportedRequest) -> Vec<String> {
    const SHORTEST: usize = 6;
    let mut found: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        if text.len() >= SHORTEST && !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    };
    for (name, value) in &request.headers {
        if !is_secret(name) {
            continue;
        }
        add(value.trim());
        if let Some((_, token)) = value.trim().split_once(' ') {
            add(token.trim());
        }
        for (_, value) in value.split(';').filter_map(|pair| pair.split_once('=')) {
            add(value.trim());
        }
    }
    for pair in super::path_of(&request.url).1.unwrap_or_default().split('&') {
        if let Some((name, value)) = pair.split_once('=').filter(|(name, _)| is_secret(name)) {
            let _ = name;
            add(value);
        }
    }
    // The longest first: a part of it is then no longer found.
    found.sort_by_key(|text| std::cmp::Reverse(text.len()));
    found
}
