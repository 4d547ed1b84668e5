//! Why a run is not conformant, and why a rule was not tested: as data. `Display` makes the only sentence of each.
//!
//! It must not know which report shows it.

use std::fmt;

use crate::contract::Level;
use crate::contract::text::counted;

/// Why a run is not conformant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Confirmed findings that no waiver covers.
    Findings {
        /// Their level.
        level: Level,
        /// How many.
        count: usize,
    },
    /// Waivers that match nothing, in a strict run.
    StaleWaivers(usize),
    /// The record has no end.
    Killed,
    /// The run ended early; why, where that is known.
    CutShort(Option<String>),
    /// What kept the run from a verdict, in a sentence.
    Trouble(String),
    /// The target stopped answering.
    Stopped {
        /// The last request that got a response, counted from 1.
        after: u64,
        /// Requests since.
        since: u64,
    },
    /// Nothing was run.
    NoCaseRan,
    /// Executions of cases without a response, of all.
    Unanswered {
        /// How many.
        executions: u64,
        /// Of how many.
        of: u64,
    },
    /// A rule that should have been tested was not.
    RuleNotTested {
        /// Its id.
        rule: String,
        /// Why.
        why: NotTested,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Findings { level, count } => {
                let strict = if *level == Level::Should { " (strict)" } else { "" };
                let findings = counted(*count as u64, &format!("confirmed {level} finding"));
                write!(f, "{findings}{strict}")
            }
            Reason::StaleWaivers(count) => {
                write!(f, "{} (strict)", counted(*count as u64, "stale waiver"))
            }
            Reason::Killed => f.write_str("the run was killed before its end"),
            Reason::CutShort(None) => f.write_str("the run was cut short"),
            Reason::CutShort(Some(why)) => write!(f, "cut short: {why}"),
            Reason::Trouble(text) => f.write_str(text),
            Reason::Stopped { after, since } => {
                let since = counted(*since, "later request");
                write!(
                    f,
                    "the target stopped answering after request {after}: {since} got no response"
                )
            }
            Reason::NoCaseRan => f.write_str("no case ran"),
            Reason::Unanswered { executions, of } => {
                write!(
                    f,
                    "{executions} of {} got no answer that could be judged",
                    counted(*of, "execution")
                )
            }
            Reason::RuleNotTested { rule, why } => write!(f, "{rule} was not tested: {why}"),
        }
    }
}

/// Why a rule was not tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTested {
    /// The profile skips it, or the contract excludes it, for this reason.
    Skipped(String),
    /// Its case could not be run against this target, for this reason.
    Excluded(String),
    /// What the whole run would have to show did not happen.
    NotTriggered,
    /// Its cases ran, and it applied to none of their responses.
    NeverApplied,
    /// No case in the run leads to it.
    NoCase,
    /// A rule that it needs failed wherever it applied.
    Masked,
    /// No answer came that could be judged: it was lost, or asked to come again later.
    Unanswered,
    /// The target had stopped answering before.
    Stopped,
    /// It panicked.
    Panicked,
}

impl fmt::Display for NotTested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotTested::Skipped(reason) => write!(f, "skipped: {reason}"),
            NotTested::Excluded(reason) => f.write_str(reason),
            NotTested::NotTriggered => f.write_str("not triggered in this run"),
            NotTested::NeverApplied => f.write_str("it applied to no response in this run"),
            NotTested::NoCase => f.write_str("no case in this run leads to it"),
            NotTested::Masked => f.write_str("masked by the failure of another rule"),
            NotTested::Unanswered => f.write_str("no answer came that could be judged"),
            NotTested::Stopped => f.write_str("the target had stopped answering"),
            NotTested::Panicked => f.write_str(
                "a response was too large or nested too deeply to be judged, or the rule panicked (a defect of batchproof)",
            ),
        }
    }
}
