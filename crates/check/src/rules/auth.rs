//! AUTH: credentials (INTERPRETATION-09).

use crate::case::Credential;
use crate::contract::media_type::MediaType;
use crate::contract::{DeclaredScheme, DeclaredSecurity, Level};
use crate::exchange::{BodyIntent, Situation};
use crate::exchange_view::{ExchangeView, ItemView};
use crate::finding::{Finding, Verdict};
use crate::prediction::{Prediction, UnusedReason};
use crate::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "AUTH-001",
        level: Level::Must,
        title: "A request without credentials is refused",
        cite: "OpenAPI: security; INTERPRETATION-09",
        doc: "The document demands credentials for the operation: a token, a password or an API key. A 2xx without \
              them lets anybody import.",
        example: include_str!("examples/AUTH-001.txt"),
        needs: &["STATUS-002"],
        check: Check::Exchange(without_credentials),
        ..Rule::BASE
    },
    Rule {
        id: "AUTH-002",
        level: Level::Must,
        title: "A request with wrong or malformed credentials is refused",
        cite: "OpenAPI: security; INTERPRETATION-09",
        doc: "Another token, part of the token, the token in another letter case, under another scheme or \
              without one: none of them is the token.",
        example: include_str!("examples/AUTH-002.txt"),
        needs: &["STATUS-002"],
        check: Check::Exchange(wrong_credentials),
        ..Rule::BASE
    },
    Rule {
        id: "AUTH-003",
        level: Level::Must,
        title: "A request that is refused for its credentials stores nothing",
        cite: "INTERPRETATION-09",
        doc: "If its keys are used afterwards, the batch was processed before the credentials were looked \
              at.",
        example: include_str!("examples/AUTH-003.txt"),
        needs: &["ORDER-001", "ORDER-002", "SCHEMA-001", "SCHEMA-004"],
        check: Check::Item(stores_nothing),
        ..Rule::BASE
    },
    Rule {
        id: "AUTH-004",
        level: Level::Should,
        title: "A 401 says how to authenticate",
        cite: "RFC 9110 section 11.6.1; INTERPRETATION-09",
        doc: "A server that answers 401 sends WWW-Authenticate with at least one challenge. For API keys no challenge is \
              registered, so it is not judged there.",
        example: include_str!("examples/AUTH-004.txt"),
        needs: &[],
        check: Check::Exchange(challenge),
        headers: &["www-authenticate"],
        ..Rule::BASE
    },
    Rule {
        id: "AUTH-005",
        level: Level::Should,
        title: "Credentials are checked before the body",
        cite: "INTERPRETATION-09",
        doc: "A broken body without credentials is answered 401 or 403. A 400 shows that anybody can make the \
              server parse bodies, and learn from its errors.",
        example: include_str!("examples/AUTH-005.txt"),
        needs: &["STATUS-002"],
        check: Check::Exchange(before_the_body),
        ..Rule::BASE
    },
];

fn refused(view: &ExchangeView<'_>, mine: bool) -> Verdict {
    if view.exchange.intent.situation != Situation::Credentials || !mine {
        return Verdict::NotApplicable("another kind of credentials");
    }
    match view.status() {
        Some(401 | 403) => Verdict::Pass,
        // RFC 6750 section 3.1: a request whose credentials can't be read may be answered 400.
        Some(400) if is_malformed(view.exchange.request.credential) => Verdict::Pass,
        // Another scheme or quotes make a request that it calls invalid, in the words of the same section.
        Some(400) if says_invalid_request(view) => Verdict::Pass,
        // What else is wrong with it may be looked at first (INTERPRETATION-07).
        Some(400 | 404 | 405 | 501) if is_another_method(view) => Verdict::Pass,
        Some(411) if view.exchange.request.framing.is_chunked() => Verdict::Pass,
        Some(413) if view.may_be_refused_for_size() => Verdict::Pass,
        Some(417) if view.exchange.request.header("expect").is_some() => Verdict::Pass,
        Some(400 | 415) if is_another_media_type(view) => Verdict::Pass,
        Some(400..=499) if !is_sound(view) => Verdict::NotApplicable("another rule judges it"),
        Some(408 | 429 | 500..) => Verdict::NotApplicable("another rule judges it"),
        Some(status) => Verdict::fail(Finding::new(
            format!("status {status}"),
            "",
            "401 or 403",
            status.to_string(),
        )),
        None => Verdict::NotApplicable("no answer"),
    }
}

fn is_another_method(view: &ExchangeView<'_>) -> bool {
    view.exchange.request.method != view.contract.operation.method
}

fn is_another_media_type(view: &ExchangeView<'_>) -> bool {
    let essence = |label: &str| MediaType::parse(label).essence;
    let documented = essence(view.contract.request_media());
    view.exchange.request.header("content-type").is_some_and(|label| essence(label) != documented)
}

fn is_malformed(credential: Credential) -> bool {
    matches!(credential, Credential::Empty | Credential::SchemeOnly | Credential::NoScheme)
}

fn says_invalid_request(view: &ExchangeView<'_>) -> bool {
    let reshaped = matches!(
        view.exchange.request.credential,
        Credential::Quoted | Credential::WrongScheme | Credential::Basic
    );
    let challenge = view.response().and_then(|r| r.header("www-authenticate")).unwrap_or("");
    reshaped && challenge.contains("invalid_request")
}

fn is_sound(view: &ExchangeView<'_>) -> bool {
    matches!(&view.exchange.intent.body, BodyIntent::Batch { items, trailing: None }
        if items.iter().all(|i| i.validity.invalid.is_empty()))
}

/// Whether none are shown, or not all that are demanded.
fn is_none(credential: Credential) -> bool {
    matches!(credential, Credential::None | Credential::Empty | Credential::NoFurtherKey)
}

fn without_credentials(view: &ExchangeView<'_>) -> Verdict {
    let credential = view.exchange.request.credential;
    refused(view, is_none(credential))
}

fn wrong_credentials(view: &ExchangeView<'_>) -> Verdict {
    let credential = view.exchange.request.credential;
    refused(view, !is_none(credential))
}

fn stores_nothing(view: &ItemView<'_>) -> Verdict {
    let Prediction::Accept { because: UnusedReason::Credentials, .. } = view.predicted else {
        return Verdict::NotApplicable("its key was in no such request");
    };
    if view.verdict.is_none() {
        return Verdict::NotApplicable("no verdict");
    }
    if !view.is_called_used() {
        return Verdict::Pass;
    }
    Verdict::fail(
        Finding::new(
            "stored",
            view.at(&view.within.contract.batch.error.code),
            "accepted: its key was only in a request that was refused for its credentials",
            view.said(),
        )
        .item(view.index),
    )
}

fn challenge(view: &ExchangeView<'_>) -> Verdict {
    let (Some(401), Some(response)) = (view.status(), view.response()) else {
        return Verdict::NotApplicable("no 401");
    };
    if let DeclaredSecurity::Scheme(DeclaredScheme::ApiKey(_)) = view.contract.operation.security {
        return Verdict::NotApplicable("no challenge is registered for API keys");
    }
    if response.header("www-authenticate").is_some_and(|v| !v.trim().is_empty()) {
        return Verdict::Pass;
    }
    Verdict::fail(Finding::new("missing", "", "a WWW-Authenticate header", "none"))
}

fn before_the_body(view: &ExchangeView<'_>) -> Verdict {
    if view.exchange.intent.situation != Situation::Credentials || is_sound(view) {
        return Verdict::NotApplicable("no broken body without credentials");
    }
    match view.status() {
        Some(401 | 403) => Verdict::Pass,
        Some(status @ (400..=499)) => Verdict::fail(Finding::new(
            format!("status {status}"),
            "",
            "401 or 403",
            format!("{status}, which speaks of the body"),
        )),
        _ => Verdict::NotApplicable("another status"),
    }
}
