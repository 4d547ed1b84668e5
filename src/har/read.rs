//! Reads archives: those of browsers, of mitmproxy, and our own.
//!
//! What a writer leaves out or cuts is unknown, and never taken for empty.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{OWN, OwnRequest, TimeSpan, TrafficAnswer, TrafficBody, TrafficEntry};
use crate::contract::FileError;
use crate::exchange::LossKind;

#[derive(Deserialize)]
struct Archive<'a> {
    #[serde(borrow)]
    log: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ArchiveLog<'a> {
    #[serde(borrow)]
    entries: Option<&'a RawValue>,
    #[serde(rename = "_batchproof")]
    own: Option<OwnLog>,
}

/// What an archive of ours says of its run.
#[derive(Deserialize, Clone)]
struct OwnLog {
    keys: String,
    base: String,
}

/// The exchanges of an archive, in its order. `file` is its name, and `number` tells it from others.
///
/// # Errors
/// Where it is broken, as a JSON pointer.
pub fn read(file: &str, number: u64, text: &[u8]) -> Result<Vec<TrafficEntry>, FileError> {
    let expected = "a HAR (HTTP archive 1.2), as browsers, mitmproxy and `run --har` write it";
    let wrong = |found: String| FileError::new(file, found).expected(expected);
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let archive: Archive<'_> = serde_json::from_slice(text).map_err(|error| {
        let place = (error.line() as u64, error.column() as u64);
        wrong(format!("it is not JSON: {error}")).at(place.0.max(1), place.1.max(1))
    })?;
    let log = archive.log.ok_or_else(|| wrong("/log is missing".to_owned()))?;
    let log: ArchiveLog<'_> =
        serde_json::from_str(log.get()).map_err(|e| wrong(format!("/log: {}", why(&e))))?;
    let entries = log.entries.ok_or_else(|| wrong("/log/entries is missing".to_owned()))?;
    let entries: Vec<&RawValue> = serde_json::from_str(entries.get())
        .map_err(|_| wrong("/log/entries is not an array".to_owned()))?;
    let own = log.own.as_ref();
    let read = entries.iter().enumerate().map(|(at, raw)| {
        let place = format!("/log/entries/{at}");
        entry(&place, raw.get(), own, number).map_err(wrong)
    });
    read.filter_map(Result::transpose).collect()
}

/// What is wrong, without the place inside a part of the file.
fn why(error: &serde_json::Error) -> String {
    error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}

fn entry(
    place: &str,
    text: &str,
    own: Option<&OwnLog>,
    file: u64,
) -> Result<Option<TrafficEntry>, String> {
    let entry: Value = parsed(text).map_err(|error| format!("{place}: {}", why(&error)))?;
    // Chrome lists what a service worker fetches a second time.
    if entry.get("_fetchedViaServiceWorker").and_then(Value::as_bool) == Some(true) {
        return Ok(None);
    }
    let part = |name: &str| {
        entry.get(name).filter(|v| v.is_object()).ok_or(format!("{place}/{name} is missing"))
    };
    let (request, response) = (part("request")?, part("response")?);
    let text = |name: &str| {
        let value = request.get(name).and_then(Value::as_str);
        value.map(str::to_owned).ok_or(format!("{place}/request/{name} is not a text"))
    };
    let status = response.get("status").and_then(Value::as_i64);
    let status = status.ok_or(format!("{place}/response/status is not a number"))?;
    let mark = entry.get(OWN).filter(|_| own.is_some());
    let own_request = own.zip(mark).and_then(|(log, mark)| {
        Some(OwnRequest {
            number: mark.get("number")?.as_u64()?,
            log: file,
            keys: log.keys.clone(),
            base: log.base.clone(),
            credential: serde_json::from_value(mark.get("credential")?.clone()).ok()?,
            framing: mark.get("framing")?.as_str()?.to_owned(),
            hang_up: mark.get("hang_up").and_then(|v| serde_json::from_value(v.clone()).ok()),
            raw: mark.get("raw").and_then(|raw| BASE64.decode(raw.as_str()?).ok()).map(Bytes::from),
        })
    });
    let lost = mark.and_then(|mark| serde_json::from_value(mark.get("lost")?.clone()).ok());
    let mut headers = fields(request, place, "request")?;
    if own_request.is_none() {
        label(&mut headers, request.get("postData"));
    }
    let body = request_body(request, own_request.is_some());
    let answer = match u16::try_from(status).ok().filter(|status| *status >= 100) {
        // Whether the target or the client gave up, a browser does not say.
        None => TrafficAnswer::Lost(lost.unwrap_or(LossKind::Ended)),
        Some(status) => {
            let mut headers = fields(response, place, "response")?;
            if own_request.is_none() {
                label(&mut headers, response.get("content"));
            }
            TrafficAnswer::Received {
                status,
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (name.to_ascii_lowercase(), value))
                    .collect(),
                body: response_body(response, own_request.is_some()),
                is_coded: own_request.is_some(),
            }
        }
    };
    Ok(Some(TrafficEntry {
        place: place.to_owned(),
        span: span(&entry),
        method: text("method")?,
        url: text("url")?,
        headers,
        body,
        answer,
        own: own_request,
    }))
}

/// Adds the media type of a body where a writer left out the header field that says it.
fn label(headers: &mut Vec<(String, String)>, body: Option<&Value>) {
    let media = body.and_then(|body| body.get("mimeType")).and_then(Value::as_str).unwrap_or("");
    let is_labelled = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !is_labelled && media.contains('/') && !media.starts_with("x-unknown") {
        headers.push(("content-type".to_owned(), media.to_owned()));
    }
}

/// An entry. Half a surrogate pair, as Python writes it for a byte that is not text, is taken for a character that
/// can't be read.
fn parsed(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| {
        let mended = without_lone_surrogates(text);
        serde_json::from_str(&mended).map_err(|_| error)
    })
}

fn without_lone_surrogates(text: &str) -> String {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while at < text.len() {
        let next = match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push_str("\\ufffd");
                at += 6;
                continue;
            }
            _ if text.as_bytes()[at] == b'\\' => 2,
            _ => text[at..].chars().next().map_or(1, char::len_utf8),
        };
        let end = text.floor_char_boundary((at + next).min(text.len())).max(at + 1);
        out.push_str(&text[at..end]);
        at = end;
    }
    out
}

fn fields(of: &Value, place: &str, part: &str) -> Result<Vec<(String, String)>, String> {
    let Some(list) = of.get("headers") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or(format!("{place}/{part}/headers is not an array"))?;
    let field = |field: &Value| {
        let name = field.get("name")?.as_str()?;
        let value = field.get("value").and_then(Value::as_str).unwrap_or_default();
        (!name.starts_with(':')).then(|| (name.to_owned(), value.to_owned()))
    };
    Ok(list.iter().filter_map(field).collect())
}

fn size(of: &Value, name: &str) -> Option<u64> {
    of.get(name).and_then(Value::as_u64)
}

/// The text of a body as bytes.
fn bytes(part: &Value) -> Option<Result<Vec<u8>, ()>> {
    let text = part.get("text").and_then(Value::as_str)?;
    let encoding = part.get("encoding").or_else(|| part.get("_encoding")).and_then(Value::as_str);
    Some(match encoding {
        None | Some("") => Ok(text.as_bytes().to_vec()),
        Some("base64") => BASE64.decode(text).map_err(drop),
        Some(_) => Err(()),
    })
}

fn request_body(request: &Value, is_own: bool) -> TrafficBody {
    let stated = size(request, "bodySize");
    let part = request.get("postData").filter(|part| part.is_object());
    let is_unknown = part.is_some_and(|part| part.get("_unknown").is_some());
    match part.and_then(bytes) {
        _ if is_unknown => TrafficBody::Unknown,
        Some(Ok(bytes)) if is_own => TrafficBody::Whole(Bytes::from(bytes)),
        // Cut, or changed on its way into the archive.
        Some(Ok(bytes)) if stated.is_some_and(|size| size > 0 && size != bytes.len() as u64) => {
            TrafficBody::Unknown
        }
        Some(Ok(bytes)) if stated.is_none() && holds_replacements(&bytes) => TrafficBody::Unknown,
        Some(Ok(bytes)) if bytes.is_empty() && stated != Some(0) => TrafficBody::Unknown,
        Some(Ok(bytes)) => TrafficBody::Whole(Bytes::from(bytes)),
        Some(Err(())) => TrafficBody::Unknown,
        None if stated == Some(0) => TrafficBody::None,
        None => TrafficBody::Unknown,
    }
}

fn response_body(response: &Value, is_own: bool) -> TrafficBody {
    let Some(content) = response.get("content").filter(|part| part.is_object()) else {
        return TrafficBody::Unknown;
    };
    let stated = size(content, "size");
    let is_unknown = content.get("_unknown").is_some();
    match bytes(content) {
        _ if is_unknown => TrafficBody::Unknown,
        Some(Ok(bytes)) if is_own => TrafficBody::Whole(Bytes::from(bytes)),
        Some(Ok(bytes)) if stated.is_some_and(|size| size != bytes.len() as u64) => {
            TrafficBody::Unknown
        }
        Some(Ok(bytes)) if stated.is_none() && holds_replacements(&bytes) => TrafficBody::Unknown,
        // Browsers leave out what they did not keep.
        Some(Ok(bytes)) if bytes.is_empty() => TrafficBody::Unknown,
        Some(Ok(bytes)) => TrafficBody::Whole(Bytes::from(bytes)),
        Some(Err(())) => TrafficBody::Unknown,
        None if is_own => TrafficBody::None,
        None => TrafficBody::Unknown,
    }
}

/// Whether a text holds the character that stands for bytes which could not be read.
fn holds_replacements(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|w| w == "\u{fffd}".as_bytes())
}

/// When an exchange was under way. A time of nothing is that of an entry which nobody timed.
fn span(entry: &Value) -> TimeSpan {
    let started = entry.get("startedDateTime").and_then(Value::as_str);
    let Some(begun) = started.and_then(|text| DateTime::parse_from_rfc3339(text).ok()) else {
        return TimeSpan::UNKNOWN;
    };
    // Milliseconds are rounded or cut.
    let digits = started
        .and_then(|text| text.split_once('.'))
        .map_or(0, |(_, fraction)| fraction.bytes().take_while(u8::is_ascii_digit).count());
    let slack = match digits {
        0..3 => 1_000_000,
        3..6 => 1_000,
        _ => 0,
    };
    let begun = begun.timestamp_micros();
    let millis = entry.get("time").and_then(Value::as_f64).filter(|time| *time > 0.0);
    let time = millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok());
    let ended = time.and_then(|time| begun.checked_add(i64::try_from(time.as_micros()).ok()?));
    TimeSpan { begun, ended: ended.unwrap_or(i64::MAX), slack }
}
