//! The account of a run: `record.jsonl`, versioned, appended event by event.
//!
//! Reports, replay, diff, merge and certificates are made from records and nothing else, so whatever they
//! show is written here first, redacted. It must not know how anything was scheduled or how it is shown.

mod against;
mod detection_limit;
mod event;
mod exchange;
mod facts;
mod finding;
mod latency;
mod minimal_example;
mod read;
mod reason;
mod summary;
mod threshold;
mod timeline;
mod waiver_status;
mod write;

pub use against::{
    AgainstConclusion, AgainstHead, AgainstRecord, AgainstSummary, DifferenceKind,
    DifferenceRecord, DifferenceState, DifferenceVerdict, ExchangePair,
};
pub(crate) use against::{add_against, add_difference};
pub use detection_limit::{DetectionLimit, one_in};
pub use event::{
    CaseRecord, CleanedUp, Event, FindingRecord, FindingStatus, NotRun, RecordedFinding, RuleInfo,
    RunHead, RunTail, SpecInfo, VERSION,
};
pub use exchange::{
    AnswerRecord, BodyRecord, BrokenItem, ExchangeRecord, FindingPosition, RequestRecord,
};
pub use facts::{excluded_rules, now};
pub use finding::{RUN, finding_id, finding_message};
pub use latency::{Latencies, Latency, LatencyBar};
pub use minimal_example::{ExampleSize, MinimalExample};
pub use read::read;
pub use reason::{NotTested, Reason};
pub use summary::{
    CaseSummary, Conclusion, ExplainedFailures, RuleOutcome, RuleSummary, RunStats, Summary,
};
pub use threshold::{
    ErrorCount, MeasuredThreshold, findings as threshold_findings, is_of_threshold, is_of_time,
    measured, rule as threshold_rule,
};
pub use timeline::{Phase, RequestOutcomes, Timeline, TimelineSlice};
pub use waiver_status::{WaiverStatus, WaiverSummary};
pub use write::{KEYS_FILE, Recorder, move_earlier};
