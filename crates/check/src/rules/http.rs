//! HTTP: media types, methods, headers and framing.

mod caching;
mod disclosure;
mod heads;

use crate::contract::Level;
use crate::contract::media_type::MediaType;
use crate::contract::validity::escape;
use crate::exchange::Situation;
use crate::exchange_view::{ExchangeView, ItemVerdict, ItemView, RequestFeature};
use crate::finding::{Finding, Symptom, Verdict};
use crate::message::Message;
use crate::prediction::{Prediction, UnusedReason};
use crate::rule::{Check, Explains, Rule};
use heads::{chunks_read, chunks_read_alike, featured, framing};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "HTTP-001",
        level: Level::Must,
        title: "JSON responses are labelled application/json",
        cite: "OpenAPI: responses, content; RFC 9110 section 8.3",
        doc: "Judged on a 200, and on a 400 or 404 that carries JSON. Clients choose their parser by the label. \
              A charset that the body is not in is a wrong label too.",
        example: include_str!("examples/HTTP-001.txt"),
        needs: &[],
        check: Check::Exchange(labelled_json),
        headers: &["content-type"],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-002",
        level: Level::Must,
        title: "A request with another method than the documented one is not processed",
        cite: "INTERPRETATION-07; RFC 9110 section 15.5.6",
        doc: "405, 404, 400 or 501. A 2xx for GET or PUT processes what was never documented.",
        example: include_str!("examples/HTTP-002.txt"),
        needs: &["STATUS-002"],
        check: Check::Exchange(other_method),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-003",
        level: Level::Should,
        title: "A 405 names the allowed methods",
        cite: "RFC 9110 section 15.5.6",
        doc: "A 405 carries Allow with the documented method: a client that guessed wrong learns from it what to use.",
        example: include_str!("examples/HTTP-003.txt"),
        needs: &[],
        check: Check::Exchange(allow_header),
        headers: &["allow"],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-004",
        level: Level::Must,
        title: "A body of another media type is refused with 415 or 400, or read as JSON",
        cite: "OpenAPI: requestBody, content; INTERPRETATION-07, INTERPRETATION-10",
        doc: "A body that is labelled text/plain or application/xml is answered 415 or 400. Whether a server looks \
              at the label at all is not judged; any other status is.",
        example: include_str!("examples/HTTP-004.txt"),
        needs: &["STATUS-002"],
        check: Check::Exchange(other_media_type),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-005",
        level: Level::Must,
        title: "A charset parameter of application/json is accepted",
        cite: "RFC 8259 section 11; INTERPRETATION-10",
        doc: "The media type has no such parameter, so one that is sent changes nothing; many clients send it.",
        example: include_str!("examples/HTTP-005.txt"),
        needs: &[],
        check: Check::Exchange(|view| featured(view, RequestFeature::Charset)),
        explains: &[
            Explains::any(Symptom::UnusualHeadBroke),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-006",
        level: Level::Must,
        title: "Header names are accepted in any letter case",
        cite: "RFC 9110 section 5.1",
        doc: "Field names are case-insensitive, and proxies do change their case on the way.",
        example: include_str!("examples/HTTP-006.txt"),
        needs: &[],
        check: Check::Exchange(|view| featured(view, RequestFeature::HeaderCase)),
        explains: &[
            Explains::any(Symptom::UnusualHeadBroke),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-007",
        level: Level::Must,
        title: "A chunked body is read whole",
        cite: "RFC 9112 section 7.1; INTERPRETATION-07",
        doc: "HTTP/1.1 recipients parse the chunked coding. A server that reads none may refuse it (HTTP-016); one that \
              reads a part of it, or breaks, loses items.",
        example: include_str!("examples/HTTP-007.txt"),
        needs: &[],
        check: Check::Exchange(|view| featured(view, RequestFeature::Chunked)),
        explains: &[
            Explains::any(Symptom::UnusualHeadBroke),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-008",
        level: Level::Must,
        title: "The framing of a response fits its content",
        cite: "RFC 9112 section 6",
        doc: "Content-Length is the number of bytes that come, chunks are as long as they say, nothing follows. \
              Read by an independent reader on a raw connection. A wrong length makes the next answer garbage.",
        example: include_str!("examples/HTTP-008.txt"),
        needs: &[],
        check: Check::Exchange(framing),
        explains: &[Explains::any(Symptom::CutOff)],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-009",
        level: Level::Must,
        title: "A response has no content coding that was not requested",
        cite: "RFC 9110 section 12.5.3",
        doc: "Requests say `Accept-Encoding: identity`. A client that asked for no compression can't read it.",
        example: include_str!("examples/HTTP-009.txt"),
        needs: &[],
        check: Check::Exchange(no_coding),
        headers: &["content-encoding"],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-010",
        level: Level::Should,
        title: "Errors show no stack trace and no internal name",
        cite: "RFC 9110 section 17 (security considerations)",
        doc: "A stack trace, a class or package name or an SQL state tells an attacker what to try next. In \
              Spring: `server.error.include-stacktrace=never`, `server.error.include-message=never`.",
        example: include_str!("examples/HTTP-010.txt"),
        needs: &[],
        check: Check::Exchange(disclosure::no_internals),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-011",
        level: Level::Should,
        title: "A response to the batch is not marked as cacheable",
        cite: "RFC 9110 section 9.3.3, RFC 9111 section 4.2.1",
        doc: "A cached answer to a POST shows one client's verdicts to another, or yesterday's.",
        example: include_str!("examples/HTTP-011.txt"),
        needs: &[],
        check: Check::Exchange(caching::not_cacheable),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-012",
        level: Level::Should,
        title: "A path beside or below the documented one is not processed",
        cite: "INTERPRETATION-10",
        doc: "A batch that is accepted at another path bypasses whatever guards the documented one.",
        example: include_str!("examples/HTTP-012.txt"),
        needs: &["STATUS-002"],
        check: Check::Exchange(other_path),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-013",
        level: Level::Should,
        title: "`Expect: 100-continue` is supported",
        cite: "RFC 9110 section 10.1.1",
        doc: "100 and then the answer, the answer at once, or 417. Few clients of such an API send it, and frameworks that \
              just read the body keep a client waiting until it gives up waiting.",
        example: include_str!("examples/HTTP-013.txt"),
        needs: &[],
        check: Check::Exchange(|view| featured(view, RequestFeature::Expect)),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-014",
        level: Level::Must,
        title: "An Accept header that excludes JSON gets 406, or JSON all the same",
        cite: "RFC 9110 section 12.5.1; INTERPRETATION-07",
        doc: "Either is legitimate; another status, or another kind of body under a 200, is not.",
        example: include_str!("examples/HTTP-014.txt"),
        needs: &["STATUS-002", "HTTP-009"],
        check: Check::Exchange(other_accept),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-015",
        level: Level::Must,
        title: "A request that is refused for its method, path, headers or size stores nothing",
        cite: "INTERPRETATION-07",
        doc: "If its keys are used afterwards, the batch was processed although the answer says that it was \
              not.",
        example: include_str!("examples/HTTP-015.txt"),
        needs: &["ORDER-001", "ORDER-002", "SCHEMA-001", "SCHEMA-004"],
        check: Check::Item(stores_nothing),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-016",
        level: Level::Should,
        title: "A chunked body is not refused",
        cite: "RFC 9112 section 7.1; INTERPRETATION-07",
        doc: "411 is fine. A server behind a gateway protocol that needs a length (WSGI, FastCGI) takes a chunked body for \
              an empty one and answers 400: nothing is stored, but a client that streams its batch can't use it.",
        example: include_str!("examples/HTTP-016.txt"),
        needs: &[],
        check: Check::Exchange(chunks_read),
        ..Rule::BASE
    },
    Rule {
        id: "HTTP-017",
        level: Level::Must,
        title: "Chunked bodies are all read, or none is",
        cite: "RFC 9112 section 7.1; INTERPRETATION-07",
        doc: "A server that takes no chunked bodies refuses each of them. One that reads some batches and refuses others, all \
              of them valid and far below any limit of size, reads only a part of a body: its clients lose batches by chance.",
        example: include_str!("examples/HTTP-017.txt"),
        needs: &[],
        check: Check::Run(chunks_read_alike),
        explains: &[Explains::any(Symptom::UnusualHeadRefused)],
        may_lack_occasion: true,
        ..Rule::BASE
    },
];

fn labelled_json(view: &ExchangeView<'_>) -> Verdict {
    let Some(response) = view.response() else { return Verdict::NotApplicable("no answer") };
    let judged = match view.status() {
        Some(200) => view.is_ordinary(),
        Some(400 | 404) => {
            view.is_ordinary() && view.body().is_some_and(serde_json::Value::is_object)
        }
        _ => false,
    };
    if !judged || view.exchange.request.method == "HEAD" {
        return Verdict::NotApplicable("no JSON is documented here");
    }
    let labels: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name == "content-type")
        .map(|(_, value)| &**value)
        .collect();
    if let [first, .., last] = labels.as_slice()
        && !first.eq_ignore_ascii_case(last)
    {
        return Verdict::fail(Finding::new(
            "several labels",
            "",
            "one Content-Type (RFC 9110 section 8.3)",
            format!("Content-Type: {}", labels.join(", and Content-Type: ")),
        ));
    }
    let label = response.header("content-type").unwrap_or("");
    let media = MediaType::parse(label);
    let problem_json = media.essence == "application/problem+json" && view.status() != Some(200);
    let documented = view.contract.answer_media(response.status);
    let wanted = MediaType::parse(documented);
    let is_documented = media.essence == wanted.essence || wanted.is_json() && media.is_json();
    if is_documented || problem_json {
        return match media.foreign_charset().filter(|_| !response.body.is_ascii()) {
            None => Verdict::Pass,
            Some(charset) => Verdict::fail(Finding::new(
                "another charset",
                "",
                "no charset, or the one that the body is in: UTF-8 (RFC 8259 section 8.1)",
                charset.to_owned(),
            )),
        };
    }
    Verdict::fail(Finding::new(
        if label.is_empty() { "missing" } else { "another label" },
        "",
        format!("Content-Type: {documented}"),
        if label.is_empty() {
            "no Content-Type".to_owned()
        } else {
            format!("Content-Type: {label}")
        },
    ))
}

fn status_in(view: &ExchangeView<'_>, situation: bool, allowed: &[u16], expected: &str) -> Verdict {
    if !situation {
        return Verdict::NotApplicable("another situation");
    }
    match view.status() {
        None => Verdict::NotApplicable("no answer"),
        Some(408 | 429 | 500..) => Verdict::Pass,
        // Not processed; whether good credentials are taken is no matter of this rule.
        Some(401 | 403) => Verdict::Pass,
        Some(status) if allowed.contains(&status) => Verdict::Pass,
        Some(status) => Verdict::fail(Finding::new(
            format!("status {status}"),
            "",
            expected,
            status.to_string(),
        )),
    }
}

/// Whether the document has the method of a request for the same path: then it is another operation.
fn is_another_operation(view: &ExchangeView<'_>) -> bool {
    let contract = view.contract;
    let path = format!("/paths/{}", escape(&contract.batch.operation.path));
    let of_path = contract.operation.document.value().pointer(&path);
    let method = view.exchange.request.method.to_lowercase();
    of_path
        .is_some_and(|of_path| contract.operation.document.resolve(of_path).get(method).is_some())
}

fn other_method(view: &ExchangeView<'_>) -> Verdict {
    if is_another_operation(view) {
        return Verdict::NotApplicable("the document has the method for the path");
    }
    match view.exchange.intent.situation {
        Situation::Options => {
            status_in(view, true, &[200, 204, 400, 404, 405, 501], "2xx, 405, 404, 400 or 501")
        }
        situation => status_in(
            view,
            situation == Situation::Method,
            &[400, 404, 405, 411, 413, 501],
            "405, 404, 400, 411 or 501",
        ),
    }
}

fn allow_header(view: &ExchangeView<'_>) -> Verdict {
    let (Some(405), Some(response)) = (view.status(), view.response()) else {
        return Verdict::NotApplicable("no 405");
    };
    let documented = &view.contract.operation.method;
    let allow = response.header("allow").unwrap_or("");
    if allow.split(',').any(|m| m.trim().eq_ignore_ascii_case(documented)) {
        return Verdict::Pass;
    }
    Verdict::fail(Finding::new(
        "missing",
        "",
        format!("Allow: {documented}"),
        if allow.is_empty() { "no Allow".to_owned() } else { format!("Allow: {allow}") },
    ))
}

fn other_media_type(view: &ExchangeView<'_>) -> Verdict {
    let situation = view.exchange.intent.situation == Situation::MediaType;
    status_in(view, situation, &[415, 400, 200], "415, 400 or 200")
}

fn other_accept(view: &ExchangeView<'_>) -> Verdict {
    let situation = view.exchange.intent.situation == Situation::Accept;
    // JSON that is broken, or that comes in a coding or with another 2xx, is what every answer is: other rules judge it.
    let is_json = view.body().is_some() || begins_as_json(view);
    match (situation, view.status()) {
        (true, Some(201..=299)) => Verdict::NotApplicable("other rules judge the status"),
        (true, Some(200)) if !is_json => Verdict::fail(Finding::new(
            "another body",
            "",
            "406, or JSON",
            Message::status(200).text(" with something else"),
        )),
        _ => status_in(view, situation, &[406, 200, 400], "406, or the ordinary answer"),
    }
}

/// Whether the body begins as a JSON object does, behind a byte-order mark or not.
fn begins_as_json(view: &ExchangeView<'_>) -> bool {
    let body = view.response().map_or(&[][..], |response| &response.body);
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    body.trim_ascii_start().starts_with(b"{")
}

fn other_path(view: &ExchangeView<'_>) -> Verdict {
    if view.exchange.intent.situation != Situation::Path {
        return Verdict::NotApplicable("the documented path");
    }
    let accepted = view.verdicts.contains(&Some(ItemVerdict::Accepted));
    match view.status() {
        None => Verdict::NotApplicable("no answer"),
        Some(200) if accepted => Verdict::fail(Finding::new(
            "processed",
            "",
            "404",
            Message::status(200).text(", and items were accepted"),
        )),
        Some(_) => Verdict::Pass,
    }
}

fn no_coding(view: &ExchangeView<'_>) -> Verdict {
    let Some(response) = view.response() else { return Verdict::NotApplicable("no answer") };
    match response.header("content-encoding") {
        Some(coding) if !coding.trim().eq_ignore_ascii_case("identity") => Verdict::fail(
            Finding::new("coded", "", "no Content-Encoding", format!("Content-Encoding: {coding}")),
        ),
        _ => Verdict::Pass,
    }
}

fn stores_nothing(view: &ItemView<'_>) -> Verdict {
    let Prediction::Accept { because: UnusedReason::NotProcessed(status), .. } = view.predicted
    else {
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
            format!("accepted: its key was only in a request that was answered {status}"),
            view.said(),
        )
        .item(view.index),
    )
}
