//! Faults of credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::fault::{Call, Fault, FaultFamily, RefusedBody};
use crate::reply::ReplyReason;
use crate::request_head::RequestHead;

const AUTH: FaultFamily = FaultFamily("AUTH");

pub(super) static FAULTS: &[Fault] = &[
    AUTH.fault("no-credentials-check", "credentials are not looked at")
        .must(&["AUTH-001", "AUTH-002"])
        .may(&["AUTH-003", "AUTH-005"])
        .head(|call, head, _| grant(call, head)),
    AUTH.fault("missing-credentials-accepted", "credentials are checked only where there are some")
        .must(&["AUTH-001"])
        .may(&["AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            if head.get(call.site.scheme.header()).is_none() {
                grant(call, head);
            }
        }),
    AUTH.fault("any-token-accepted", "any bearer token that is not empty is taken")
        .must(&["AUTH-002"])
        // A client that lost its token sends `null`.
        .may(&["AUTH-001", "AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            if token_in(call, head).is_some_and(|token| !token.is_empty()) {
                grant(call, head);
            }
        }),
    AUTH.fault("empty-bearer-accepted", "a bearer scheme without a token is taken")
        .must(&["AUTH-002"])
        .may(&["AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            if token_in(call, head).is_some_and(|token| token.is_empty()) {
                grant(call, head);
            }
        }),
    AUTH.fault("null-token-accepted", "a bearer token of `null` or `undefined` is taken")
        .must(&["AUTH-001"])
        .may(&["AUTH-002", "AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            if given(head, "bearer").is_some_and(|token| ["null", "undefined"].contains(&&*token)) {
                grant(call, head);
            }
        }),
    AUTH.fault("http-1-0-unchecked", "requests of HTTP/1.0 need no credentials")
        .must(&["AUTH-001"])
        .may(&["AUTH-002", "AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            if head.minor == 0 {
                grant(call, head);
            }
        }),
    AUTH.fault("basic-accepted", "any Basic credentials are taken")
        .must(&["AUTH-002"])
        .may(&["AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            if given(head, "basic").is_some() {
                grant(call, head);
            }
        }),
    AUTH.fault("scheme-unchecked", "the token is taken under any scheme, and under none")
        .must(&["AUTH-002"])
        .may(&["AUTH-003", "AUTH-005"])
        .head(|call, head, _| {
            let shown = head.get(call.site.scheme.header());
            let last = shown.and_then(|v| v.split(' ').next_back());
            if last.is_some() && last == call.site.token.as_deref() {
                grant(call, head);
            }
        }),
    AUTH.fault(
        "token-prefix-accepted",
        "a token is taken where it begins like the right one or goes on after it",
    )
    .must(&["AUTH-002"])
    .may(&["AUTH-003", "AUTH-005"])
    .head(|call, head, _| {
        if let (Some(token), Some(right)) = (token_in(call, head), &call.site.token)
            && !token.is_empty()
            && (right.starts_with(&token) || token.starts_with(right.as_str()))
        {
            grant(call, head);
        }
    }),
    AUTH.fault(
        "session-by-address",
        "after 20 good requests from an address it needs no credentials any more",
    )
    .must(&["AUTH-001"])
    .may(&["AUTH-002", "AUTH-003", "AUTH-005"])
    .head(|call, head, _| {
        if token_in(call, head) == call.site.token {
            let seen = call.serial.to_string();
            call.kept().set.insert(seen);
        } else if head.get(call.site.scheme.header()).is_none() && call.kept().set.len() > 20 {
            grant(call, head);
        }
    }),
    AUTH.fault(
        "credentials-remembered-by-connection",
        "a connection that showed good credentials once needs none any more",
    )
    .must(&["AUTH-001"])
    .may(&["AUTH-003", "AUTH-005"])
    .head(|call, head, _| {
        let connection = call.connection.to_string();
        if token_in(call, head) == call.site.token {
            call.kept().set.insert(connection);
        } else if head.get(call.site.scheme.header()).is_none()
            && call.kept().set.contains(&connection)
        {
            grant(call, head);
        }
    }),
    AUTH.fault(
        "unauthorized-as-ok",
        "a request without good credentials is answered 200 with an error in its body",
    )
    .must(&["AUTH-001", "AUTH-002"])
    .may(&["SCHEMA-003", "STATUS-001", "AUTH-005"])
    .answer(|_, answer| restate(answer, 200)),
    AUTH.fault("unauthorized-as-server-error", "a request without good credentials ends in a 500")
        .must(&["STATUS-002"])
        .may(&["ROBUST-001"])
        .answer(|_, answer| restate(answer, 500)),
    AUTH.fault(
        "unauthorized-as-redirect",
        "a request without good credentials is sent to a login page",
    )
    .must(&["AUTH-001", "AUTH-002"])
    .may(&["STATUS-001", "AUTH-005"])
    .answer(|_, answer| {
        if answer.why == ReplyReason::Credentials {
            answer.set("Location", "/login");
        }
        restate(answer, 302);
    }),
    AUTH.fault(
        "malformed-credentials-server-error",
        "credentials that are no known scheme end in a 500",
    )
    .must(&["STATUS-002"])
    .answer(|call, answer| {
        if token_in(call, call.head).is_none() && call.head.get(call.site.scheme.header()).is_some()
        {
            restate(answer, 500);
        }
    }),
    AUTH.fault(
        "stored-before-credentials",
        "a batch is processed before its credentials are refused",
    )
    .must(&["AUTH-003"])
    .head(|_, _, handling| {
        handling.refused = Some((ReplyReason::Credentials, RefusedBody::Processed));
    }),
    AUTH.fault("challenge-missing", "a 401 carries no WWW-Authenticate")
        .must(&["AUTH-004"])
        .answer(|_, answer| {
            if answer.status == 401 {
                answer.remove("WWW-Authenticate");
            }
        }),
    AUTH.fault(
        "body-before-credentials",
        "a broken body is reported before the credentials are looked at",
    )
    .must(&["AUTH-005"])
    .may(&["AUTH-001", "AUTH-002"])
    .head(|_, _, handling| {
        handling.refused = Some((ReplyReason::Credentials, RefusedBody::Judged));
    }),
    AUTH.fault(
        "further-key-unchecked",
        "an API key that the contract demands beside the token is not looked at",
    )
    .must(&["AUTH-001"])
    .needs_further_key()
    .head(|call, head, _| {
        for name in &call.site.further_keys {
            head.set(name, "unchecked");
        }
    }),
];

/// Makes a request's credentials good.
fn grant(call: &Call<'_>, head: &mut RequestHead) {
    let Some(token) = &call.site.token else { return };
    let scheme = &call.site.scheme;
    let value = match scheme.word() {
        None => token.clone(),
        Some("Basic") => format!("Basic {}", BASE64.encode(token)),
        Some(word) => format!("{word} {token}"),
    };
    head.set(scheme.header(), &value);
}

/// The token that a request shows, in the way that the contract says.
fn token_in(call: &Call<'_>, head: &RequestHead) -> Option<String> {
    let scheme = &call.site.scheme;
    match scheme.word() {
        None => head.get(scheme.header()).map(|value| value.trim().to_owned()),
        Some("Basic") => {
            let decoded = BASE64.decode(given(head, "basic")?).ok();
            Some(decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default())
        }
        Some(word) => given(head, word),
    }
}

/// What stands behind a scheme.
fn given(head: &RequestHead, scheme: &str) -> Option<String> {
    let value = head.get("authorization")?;
    let (name, rest) = value.split_once(' ').unwrap_or((value, ""));
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim().to_owned())
}

fn restate(answer: &mut crate::reply::Reply, status: u16) {
    if answer.why == ReplyReason::Credentials {
        answer.status = status;
        if status != 401 {
            answer.remove("WWW-Authenticate");
        }
    }
}
