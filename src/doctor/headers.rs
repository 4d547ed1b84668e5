//! What the header fields of an answer tell: limits, clock, compression.

use chrono::{DateTime, Utc};

use super::ExaminedPoint;
use crate::exchange::Response;
use crate::send::advised_rate;

/// Seconds between two clocks that nobody minds, and from which tokens and date-times go wrong.
const CLOSE: i64 = 5;
const FAR: i64 = 120;
/// Requests of a run at depth quick.
const QUICK: u64 = 200;

/// The points of an answer that arrived at `now`.
pub fn of_headers(response: &Response, now: DateTime<Utc>) -> Vec<ExaminedPoint> {
    let mut points = vec![clock(response, now)];
    points.push(limits(response));
    if let Some(coding) = response.header("content-encoding").filter(|c| *c != "identity") {
        points.push(ExaminedPoint::wrong(
            "compression",
            format!("the response is `{coding}`, though the request accepts `identity` only"),
            "Let the gateway honour Accept-Encoding: compressed responses are not read.",
        ));
    }
    points
}

fn clock(response: &Response, now: DateTime<Utc>) -> ExaminedPoint {
    let Some(date) = response.header("date") else {
        return ExaminedPoint::look(
            "clock",
            "the response has no Date",
            "Compare the clocks by hand.",
        );
    };
    let Ok(theirs) = DateTime::parse_from_rfc2822(date) else {
        return ExaminedPoint::look("clock", format!("the response has an odd Date: {date}"), "");
    };
    // A Date has whole seconds, and was written before the response arrived.
    let ahead = theirs.timestamp() - now.timestamp();
    let words = match ahead {
        0 => "the same second as here".to_owned(),
        n if n > 0 => format!("{n} s ahead of this machine"),
        n => format!("{} s behind this machine", -n),
    };
    match ahead.abs() {
        n if n <= CLOSE => ExaminedPoint::ok("clock", words),
        n if n < FAR => ExaminedPoint::look(
            "clock",
            words,
            "Date-times of now may be refused as future ones: set one of the clocks.",
        ),
        _ => ExaminedPoint::wrong(
            "clock",
            words,
            "Tokens and date-times will be refused: set one of the clocks.",
        ),
    }
}

fn limits(response: &Response) -> ExaminedPoint {
    let shown: Vec<String> = response
        .headers
        .iter()
        .filter(|(name, _)| {
            name == "retry-after" || name.contains("ratelimit") || name.contains("rate-limit")
        })
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    if shown.is_empty() {
        return ExaminedPoint::ok("limits", "no header names any");
    }
    let shown = shown.join(", ");
    let advised = advised_rate(response.status, &|name| response.header(name).map(str::to_owned));
    match (advised.rate, advised.left) {
        (Some(rate), _) => ExaminedPoint::look(
            "limits",
            shown,
            format!(
                "The run keeps to them; in a profile: limits: {{ rate: {}/s }}",
                rate.floor().max(1.0)
            ),
        ),
        (None, Some(left)) if left < QUICK => ExaminedPoint::look(
            "limits",
            shown,
            format!(
                "A run at depth quick sends {QUICK} requests and would wait for the quota: ask for more, or --rate N/s."
            ),
        ),
        _ => ExaminedPoint::ok("limits", shown),
    }
}
