//! HTTP archives (HAR 1.2): written while a run goes on, and read as exchanges that took place.
//!
//! It must not know what an exchange means.

mod read;
mod template;
mod write;

pub use read::read;
pub use write::HarFile;

use std::time::Duration;

use bytes::Bytes;

use crate::case::{Credential, Disconnect};
use crate::exchange::LossKind;

/// The member of archives and their entries that is ours (HAR 1.2 leaves names with an underscore to applications).
const OWN: &str = "_batchproof";

/// One exchange that took place.
#[derive(Debug, Clone)]
pub struct TrafficEntry {
    /// Where it stands in its file, as a JSON pointer.
    pub place: String,
    /// When it was under way.
    pub span: TimeSpan,
    /// Method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Header fields of the request, without those of HTTP/2 that begin with a colon.
    pub headers: Vec<(String, String)>,
    /// Body of the request.
    pub body: TrafficBody,
    /// What came back.
    pub answer: TrafficAnswer,
    /// What a run of ours knows of its own request.
    pub own: Option<OwnRequest>,
}

/// When an exchange was under way, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// The first byte of the request was sent; the smallest number where that is unknown.
    pub begun: i64,
    /// The last byte of the response had come; the greatest number where that is unknown.
    pub ended: i64,
    /// By how much both may be wrong.
    pub slack: i64,
}

impl TimeSpan {
    /// Of an exchange whose time nobody took down.
    pub const UNKNOWN: TimeSpan = TimeSpan { begun: i64::MIN, ended: i64::MAX, slack: 0 };

    /// How long it took, where that is known.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        if self.begun == i64::MIN || self.ended == i64::MAX {
            return None;
        }
        u64::try_from(self.ended.saturating_sub(self.begun)).ok().map(Duration::from_micros)
    }
}

/// A body, as far as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrafficBody {
    /// There was none.
    None,
    /// All of it.
    Whole(Bytes),
    /// It was not recorded, or only a part of it.
    Unknown,
}

/// What came back.
#[derive(Debug, Clone)]
pub enum TrafficAnswer {
    /// A response.
    Received {
        /// Status code.
        status: u16,
        /// Header fields, names in lower case.
        headers: Vec<(String, String)>,
        /// Body.
        body: TrafficBody,
        /// Whether the body stands here as it came, its content coding with it.
        is_coded: bool,
    },
    /// None, as the client saw it.
    Lost(LossKind),
}

/// What a run of ours knows of a request that it sent.
#[derive(Debug, Clone)]
pub struct OwnRequest {
    /// Its number in the log of the run, from 1.
    pub number: u64,
    /// The log that it stands in.
    pub log: u64,
    /// What the keys of the run begin with.
    pub keys: String,
    /// Its target.
    pub base: String,
    /// Which credentials it carried.
    pub credential: Credential,
    /// How its body was framed: `sized`, `chunked`, `tiny-chunks`, or `raw` where its bytes were written out.
    pub framing: String,
    /// Where the client hung up, if it did.
    pub hang_up: Option<Disconnect>,
    /// The whole request, where its bytes were written out.
    pub raw: Option<Bytes>,
}
