//! An exchange as a record keeps it: text where it is text, large bodies as hash and excerpt, no secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::contract::hex;
use crate::exchange::Redactor;
use crate::exchange::{Answer, Exchange, LossKind, Response};

const EXCERPT: usize = 4 * 1024;
/// Bytes of a header that are kept, and bytes of all headers of an answer.
const HEADER: (usize, usize) = (8 * 1024, 64 * 1024);
/// Broken items that are named.
const BROKEN: usize = 64;

/// One request and its answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExchangeRecord {
    /// The step's name.
    pub step: String,
    /// Which item of the batch the first in the body is, where the body is an excerpt of a batch that was
    /// never whole in memory.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: usize,
    /// Requests with the same number were sent simultaneously.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<usize>,
    /// Which items were mutated, and how; of a large batch the first few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenItem>,
    /// What was sent.
    pub request: RequestRecord,
    /// What came back.
    pub answer: AnswerRecord,
}

/// Where exactly a finding is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct FindingPosition {
    /// Position in `evidence` of the exchange that shows it.
    pub exchange: usize,
    /// The item, from 0.
    pub item: Option<usize>,
    /// JSON pointer.
    pub pointer: String,
}

/// An item that was mutated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenItem {
    /// Its position, from 0.
    pub item: usize,
    /// The mutation that did it; none where the case wrote the item out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutation: Option<String>,
    /// JSON pointer inside the item.
    pub pointer: String,
    /// The keyword that is broken or tried.
    pub keyword: String,
    /// The class of the value.
    pub class: String,
}

/// What was sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestRecord {
    /// Method.
    pub method: String,
    /// URL.
    pub url: String,
    /// Headers, without credentials.
    pub headers: Vec<(String, String)>,
    /// Which credentials it carried, such as `good` or `none`.
    pub credential: String,
    /// `sized`, `chunked`, `tiny-chunks` or `raw`.
    pub framing: String,
    /// Where the client hung up on purpose, such as `half-body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<String>,
    /// Whether it got a connection of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub new_connection: bool,
    /// Its `traceparent` (W3C Trace Context): the run's trace, and the request's span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The body.
    pub body: BodyRecord,
}

/// What came back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerRecord {
    /// An answer.
    Received {
        /// Status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: BodyRecord,
        /// Milliseconds until it had come.
        millis: f64,
    },
    /// None.
    Lost {
        /// In which way.
        kind: String,
        /// The transport's words.
        message: String,
        /// Milliseconds until it was known.
        millis: f64,
    },
}

/// A body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyRecord {
    /// There is none.
    None,
    /// All of it, as text.
    Text(String),
    /// All of it, as hexadecimal bytes, if it is not UTF-8.
    Hex(String),
    /// The beginning of a large one.
    Excerpt {
        /// Its length in bytes.
        bytes: usize,
        /// SHA-256 of the whole, in hexadecimal.
        sha256: String,
        /// How it begins.
        begins: String,
    },
}

impl BodyRecord {
    /// Bodies above this many bytes are kept as hash and excerpt.
    pub const WHOLE: usize = 64 * 1024;

    /// Records `bytes`, secrets taken out.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], redactor: &Redactor) -> BodyRecord {
        BodyRecord::up_to(BodyRecord::WHOLE, bytes, redactor)
    }

    /// The same, whole up to a number of bytes.
    fn up_to(whole: usize, bytes: &[u8], redactor: &Redactor) -> BodyRecord {
        if bytes.is_empty() {
            return BodyRecord::None;
        }
        // No more is cleaned than may be kept.
        let clean = redactor.clean_bytes(&bytes[..bytes.len().min(4 * whole)]);
        if clean.len() > whole || bytes.len() > 4 * whole {
            return BodyRecord::excerpt(bytes.len(), hex(&Sha256::digest(bytes)), &clean);
        }
        match String::from_utf8(clean) {
            Ok(text) => BodyRecord::Text(text),
            Err(error) => BodyRecord::Hex(hex(error.as_bytes())),
        }
    }

    /// The body of an answer; of one that was too large to be held, its beginning.
    fn of_answer(whole: usize, response: &Response, redactor: &Redactor) -> BodyRecord {
        match &response.outline {
            None => BodyRecord::up_to(whole, &response.body, redactor),
            Some(outline) => BodyRecord::excerpt(
                usize::try_from(outline.bytes).unwrap_or(usize::MAX),
                outline.sha256.clone(),
                &redactor.clean_bytes(&response.body),
            ),
        }
    }

    fn excerpt(bytes: usize, sha256: String, clean: &[u8]) -> BodyRecord {
        let begins = &clean[..clean.len().min(EXCERPT)];
        let begins = String::from_utf8_lossy(begins).into_owned();
        BodyRecord::Excerpt { bytes, sha256, begins }
    }

    fn size(&self) -> usize {
        match self {
            BodyRecord::None => 0,
            BodyRecord::Text(text) | BodyRecord::Hex(text) => text.len(),
            BodyRecord::Excerpt { begins, .. } => begins.len(),
        }
    }

    /// The text, where all of it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            BodyRecord::Text(text) => Some(text),
            BodyRecord::None => Some(""),
            _ => None,
        }
    }
}

impl ExchangeRecord {
    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let answer = match &self.answer {
            AnswerRecord::Received { body, headers, .. } => {
                body.size() + headers.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>()
            }
            AnswerRecord::Lost { .. } => 0,
        };
        1024 + self.request.body.size() + answer
    }

    /// Records an exchange with the target at `base`.
    #[must_use]
    pub fn from_exchange(exchange: &Exchange, base: &str, redactor: &Redactor) -> ExchangeRecord {
        ExchangeRecord::up_to(BodyRecord::WHOLE, exchange, base, redactor)
    }

    /// The same with bodies that are whole up to a number of bytes.
    #[must_use]
    pub fn up_to(
        whole: usize,
        exchange: &Exchange,
        base: &str,
        redactor: &Redactor,
    ) -> ExchangeRecord {
        let request = &exchange.request;
        let clean = |list: &[(String, String)]| -> Vec<(String, String)> {
            list.iter()
                .map(|(name, value)| {
                    let secret = ["authorization", "proxy-authorization", "cookie", "set-cookie"]
                        .iter()
                        .any(|secret| name.eq_ignore_ascii_case(secret));
                    let value = if secret {
                        crate::exchange::REDACTED.to_owned()
                    } else {
                        redactor.clean(value)
                    };
                    (bounded(redactor.clean(name)), bounded(value))
                })
                .scan(HEADER.1, |left, (name, value): (String, String)| {
                    *left = left.checked_sub(name.len() + value.len())?;
                    Some((name, value))
                })
                .collect()
        };
        // The longest time is that of an exchange which nobody timed.
        let timed = |d: &std::time::Duration| *d < std::time::Duration::MAX;
        let millis = |d: std::time::Duration| {
            Some(d).filter(timed).map_or(0.0, |d| (d.as_secs_f64() * 1e6).round() / 1e3)
        };
        ExchangeRecord {
            step: exchange.step.clone(),
            first: 0,
            group: exchange.group,
            broken: broken(exchange, redactor),
            request: RequestRecord {
                method: request.method.clone(),
                url: redactor.clean(&format!("{base}{}", request.path)),
                headers: clean(&request.headers),
                credential: name(request.credential),
                framing: if request.raw.is_some() {
                    "raw".to_owned()
                } else {
                    request.framing.word().to_owned()
                },
                hang_up: request.hang_up.map(name),
                new_connection: request.new_connection && request.raw.is_none(),
                trace: request.trace.map(|trace| trace.to_string()),
                body: match (&request.raw, &request.body) {
                    (Some(raw), _) => BodyRecord::up_to(whole, raw, redactor),
                    (None, Some(body)) => BodyRecord::up_to(whole, body, redactor),
                    (None, None) => BodyRecord::None,
                },
            },
            answer: match &exchange.answer {
                Answer::Received(r) => AnswerRecord::Received {
                    status: r.status,
                    headers: clean(&r.headers),
                    body: BodyRecord::of_answer(whole, r, redactor),
                    millis: millis(r.elapsed),
                },
                Answer::Lost(l) => AnswerRecord::Lost {
                    kind: kind_name(l.kind).to_owned(),
                    message: redactor.clean(&l.message),
                    millis: millis(l.elapsed),
                },
            },
        }
    }
}

/// A name or value of a header, cut where it is longer than anybody reads.
fn bounded(text: String) -> String {
    if text.len() <= HEADER.0 {
        return text;
    }
    let end = text.floor_char_boundary(HEADER.0);
    format!("{}… ({} bytes)", &text[..end], text.len())
}

/// As case files call it.
fn name(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The items that mutations changed, and those that the contract wants refused.
fn broken(exchange: &Exchange, redactor: &Redactor) -> Vec<BrokenItem> {
    let mut list = Vec::new();
    for (index, item) in exchange.intent.items().iter().enumerate() {
        if list.len() >= BROKEN {
            break;
        }
        let one = |mutation: Option<&str>, pointer: &str, keyword: &str, class: &str| BrokenItem {
            item: index,
            mutation: mutation.map(str::to_owned),
            pointer: redactor.clean(pointer),
            keyword: redactor.clean(keyword),
            class: redactor.clean(class),
        };
        for m in &item.mutations {
            list.push(one(Some(&m.name), &m.pointer, &m.keyword, &m.class));
        }
        if item.mutations.is_empty() {
            for c in &item.validity.invalid {
                list.push(one(None, &c.pointer, &c.keyword, &c.class.to_string()));
            }
        }
    }
    list
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn kind_name(kind: LossKind) -> &'static str {
    match kind {
        LossKind::Resolve => "resolve",
        LossKind::Connect => "connect",
        LossKind::Proxy => "proxy",
        LossKind::Tls => "tls",
        LossKind::Credentials => "credentials",
        LossKind::Reset => "reset",
        LossKind::Timeout => "timeout",
        LossKind::CutShort => "cut-short",
        LossKind::NoHttp => "no-http",
        LossKind::TooLarge => "too-large",
        LossKind::HungUp => "hung-up",
        LossKind::Crowded => "crowded",
        LossKind::Ended => "ended",
    }
}
