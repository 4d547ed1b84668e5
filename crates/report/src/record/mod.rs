//! The account of a run: `record.jsonl`, versioned, appended event by event.
//!
//! Reports, replay, diff, merge and certificates are made from records and nothing else, so whatever they
//! show is written here first, redacted. It must not know how anything was scheduled or how it is shown.

mod event;
mod exchange;
mod finding;
mod latency;
mod minimal;
mod odds;
mod read;
mod sightings;
mod summary;
mod waiving;
mod write;

pub use event::{
    CaseRecord, Event, FindingRecord, NotRun, Position, RuleInfo, RunHead, RunTail, SpecInfo,
    Update, VERSION,
};
pub use exchange::{AnswerRecord, BodyRecord, BrokenItem, ExchangeRecord, RequestRecord};
pub use finding::{Cause, RUN, finding_id, finding_message, masked};
pub use latency::Latencies;
pub use minimal::{Minimal, Size};
pub use odds::{Odds, one_in};
pub use read::read;
pub use sightings::{Sightings, comes_and_goes, looks};
pub use summary::{CaseSummary, Conclusion, Outcome, RuleSummary, Stats, Summary};
pub use waiving::{Fate, WaiverSummary};
pub use write::{Recorder, move_earlier};
