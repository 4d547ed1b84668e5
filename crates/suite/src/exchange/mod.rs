//! An exchange: one request with its intent, and what came back.
//!
//! Plain data, raw bytes on both sides. It must not know how anything is sent or judged. A transport
//! failure is data here, never an error.

mod outline;
mod redact;
mod request;
mod trace;

pub use outline::{Outline, Outliner, parsed_size};
pub use redact::{REDACTED, Redactor, TOKEN_MARK, rotated};
pub use request::{Request, Situation, key_read, situation_of};
pub use trace::{TRACE_HEADER, TraceParent};

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::contract::validity::{BodyValidity, Validity};
use crate::generate::AppliedMutation;

/// One request with its intent, and what came back.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Position among the trial's exchanges, from 0.
    pub index: usize,
    /// The step's name, for people.
    pub step: String,
    /// Set for requests that a barrier released together: the group's number.
    pub group: Option<usize>,
    /// What was sent.
    pub request: Request,
    /// What it was meant to be.
    pub intent: Intent,
    /// What came back.
    pub answer: Answer,
    /// Whether the target called itself busy (503) in every try, while it accepted plain batches in between.
    pub always_busy: bool,
}

/// What a request was meant to be.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Which statuses are in place.
    pub situation: Situation,
    /// What the contract says of the body.
    pub body: BodyIntent,
}

/// What the contract says of a body.
#[derive(Debug, Clone)]
pub enum BodyIntent {
    /// A batch.
    Batch {
        /// The items, in order.
        items: Vec<ItemIntent>,
        /// Set where text follows the document.
        trailing: Option<crate::contract::validity::InvalidReason>,
    },
    /// To be answered 400.
    Broken(crate::contract::validity::InvalidReason),
    /// Any answer but a 5xx, a dropped connection or a hang.
    Open(crate::contract::validity::Exemption),
    /// There is none.
    None,
}

/// One item as it was sent.
#[derive(Debug, Clone)]
pub struct ItemIntent {
    /// The item.
    pub value: Value,
    /// Its unique number, where it has one that is a string.
    pub number: Option<String>,
    /// The number is written in a file of the user's, so that an earlier run may have used it.
    pub literal: bool,
    /// What the contract says of it.
    pub validity: Validity,
    /// How it was broken or bent on purpose.
    pub mutations: Vec<AppliedMutation>,
}

impl Intent {
    /// The items, where the body is a batch.
    #[must_use]
    pub fn items(&self) -> &[ItemIntent] {
        self.body.items()
    }

    /// Whether the body is a batch.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        matches!(self.body, BodyIntent::Batch { .. })
    }
}

/// The unique key of an item, where it has one that is a string.
#[must_use]
pub fn key_of(item: &Value, unique: &str) -> Option<String> {
    let unique = Some(unique).filter(|unique| !unique.is_empty())?;
    item.get(unique).and_then(Value::as_str).map(str::to_owned)
}

impl BodyIntent {
    /// The items, where the body is a batch.
    #[must_use]
    pub fn items(&self) -> &[ItemIntent] {
        match self {
            BodyIntent::Batch { items, .. } => items,
            _ => &[],
        }
    }

    /// From what the contract says of the bytes.
    #[must_use]
    pub fn of(validity: BodyValidity, unique: &str) -> BodyIntent {
        match validity {
            BodyValidity::Invalid(cause) => BodyIntent::Broken(cause),
            BodyValidity::Exempt(edge) => BodyIntent::Open(edge),
            BodyValidity::Batch { items, trailing } => BodyIntent::Batch {
                items: items
                    .into_iter()
                    .map(|(value, validity)| ItemIntent {
                        number: key_of(&value, unique),
                        value,
                        literal: false,
                        validity,
                        mutations: Vec::new(),
                    })
                    .collect(),
                trailing,
            },
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub enum Answer {
    /// An answer.
    Received(Response),
    /// None.
    Lost(Loss),
}

impl Answer {
    /// The answer, where there is one.
    #[must_use]
    pub fn response(&self) -> Option<&Response> {
        match self {
            Answer::Received(response) => Some(response),
            Answer::Lost(_) => None,
        }
    }

    /// Its status, where there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response().map(|r| r.status)
    }
}

/// An answer as it was received.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header names in lower case, values as text.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, framing removed.
    pub body: Bytes,
    /// From the first byte sent to the last byte received.
    pub elapsed: Duration,
    /// What an independent reader saw of the framing, where one read it.
    pub framing: Option<FramingSeen>,
    /// Set where the body was too large to be held: then `body` is only how it begins.
    pub outline: Option<Arc<Outline>>,
}

impl Response {
    /// The first header of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// What an independent reader saw of an answer's framing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FramingSeen {
    /// What contradicts RFC 9112 section 6, where anything does.
    pub fault: Option<FramingFault>,
    /// Whether `100 Continue` came before the answer.
    pub continued: bool,
    /// Whether neither `100 Continue` nor an answer came while the client waited with its body.
    pub kept_waiting: bool,
}

/// What is wrong with the framing of an answer (RFC 9112, section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FramingFault {
    /// Bytes follow the answer, though nothing more was asked.
    Following {
        /// How many.
        count: usize,
        /// The first of them.
        first: Vec<u8>,
    },
    /// Something else, in a few words.
    Other(String),
}

impl std::fmt::Display for FramingFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FramingFault::Following { count, first } => {
                let more = if first.len() < *count { "…" } else { "" };
                let bytes = first.escape_ascii();
                write!(f, "{count} bytes follow the answer: {bytes}{more}")
            }
            FramingFault::Other(words) => f.write_str(words),
        }
    }
}

/// No answer.
#[derive(Debug, Clone)]
pub struct Loss {
    /// In which way.
    pub kind: LossKind,
    /// The transport's own words.
    pub message: String,
    /// Until it was known.
    pub elapsed: Duration,
}

impl Loss {
    /// The run ended so long after the request began.
    #[must_use]
    pub fn ended(elapsed: Duration) -> Loss {
        Loss { kind: LossKind::Ended, message: "the run ended".to_owned(), elapsed }
    }
}

/// In which way an answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// The host name has no address.
    Resolve,
    /// No connection.
    Connect,
    /// The proxy gave no connection, or answered itself.
    Proxy,
    /// No encrypted connection.
    Tls,
    /// The credentials could not be made; nothing was sent.
    Credentials,
    /// The connection ended without a (whole) answer.
    Reset,
    /// No answer in time.
    Timeout,
    /// No answer within a limit that was cut, because requests before it got none in time.
    CutShort,
    /// The bytes that came are not HTTP.
    NoHttp,
    /// More came than an answer may have.
    TooLarge,
    /// We disconnected on purpose.
    HungUp,
    /// The target took no more connections: it answered others meanwhile.
    Crowded,
    /// The run ended while the request was under way.
    Ended,
}

impl LossKind {
    /// Whether the client itself let go, or never reached the target: that says nothing of its answers.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, LossKind::HungUp | LossKind::Crowded | LossKind::Ended | LossKind::CutShort)
            || self.is_unreached()
    }

    /// Whether no request reached the target.
    #[must_use]
    pub fn is_unreached(self) -> bool {
        matches!(
            self,
            LossKind::Resolve
                | LossKind::Connect
                | LossKind::Proxy
                | LossKind::Tls
                | LossKind::Credentials
        )
    }
}

impl LossKind {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            LossKind::Resolve => "the host name has no address",
            LossKind::Connect => "no connection",
            LossKind::Proxy => "no connection through the proxy",
            LossKind::Tls => "no encrypted connection",
            LossKind::Credentials => "no credentials",
            LossKind::Reset => "the connection ended without an answer",
            LossKind::Timeout => "no whole answer in time",
            LossKind::CutShort => "no answer within a limit that was cut",
            LossKind::NoHttp => "the answer is not HTTP",
            LossKind::TooLarge => "the answer is larger than it may be",
            LossKind::HungUp => "the client disconnected on purpose",
            LossKind::Crowded => "the target took no more connections",
            LossKind::Ended => "the run ended before the answer came",
        }
    }
}
