//! The conclusion of a run: what fails it, and what keeps it from being conclusive.

use super::{Conclusion, Summary};
use crate::contract::Level;
use crate::record::reason::{NotTested, Reason};
use crate::record::waiver_status::WaiverStatus;

impl Summary {
    /// That the target stopped answering, where it did.
    fn stopped(&self) -> Option<Reason> {
        let (after, since) = self.tail.as_ref()?.stopped?;
        Some(Reason::Stopped { after, since })
    }

    /// Sets conclusion and reasons; the exit code follows from them.
    pub(super) fn conclude(&mut self) {
        let mut reasons = Vec::new();
        let musts = self.confirmed(Level::Must).count();
        let shoulds = self.confirmed(Level::Should).count();
        if musts > 0 {
            reasons.push(Reason::Findings { level: Level::Must, count: musts });
        }
        if shoulds > 0 && self.head.strict {
            reasons.push(Reason::Findings { level: Level::Should, count: shoulds });
        }
        let stale = self.waivers_with(WaiverStatus::Stale).count();
        if stale > 0 && self.head.strict {
            reasons.push(Reason::StaleWaivers(stale));
        }
        if !reasons.is_empty() {
            match &self.tail {
                None => reasons.push(Reason::Killed),
                Some(tail) if tail.cut_short => {
                    let why = tail.trouble.iter().cloned();
                    reasons.extend(why.map(|why| Reason::CutShort(Some(why))));
                }
                Some(_) => {}
            }
            reasons.extend(self.stopped());
            self.conclusion = Conclusion::NonConformant;
            self.reasons = reasons;
            return;
        }
        match &self.tail {
            None => reasons.push(Reason::Killed),
            Some(tail) => {
                reasons.extend(tail.trouble.iter().cloned().map(Reason::Trouble));
                if tail.trouble.is_empty() {
                    reasons.extend(self.stopped());
                }
                if tail.cut_short {
                    reasons.push(Reason::CutShort(None));
                }
            }
        }
        let records = || self.cases.iter().filter_map(|c| c.record.as_ref());
        let runs: u64 = records().map(|r| r.runs).sum();
        let unanswered: u64 = records().map(|r| r.unanswered).sum();
        if runs == 0 && reasons.is_empty() {
            reasons.push(Reason::NoCaseRan);
        }
        if unanswered * 100 > runs {
            reasons.push(Reason::Unanswered { executions: unanswered, of: runs });
        }
        for rule in &self.rules {
            let Some(why) = rule.not_tested() else { continue };
            let counts = match why {
                NotTested::Panicked => true,
                NotTested::Masked | NotTested::Unanswered => rule.rule.level == Level::Must,
                NotTested::Skipped(_)
                | NotTested::Excluded(_)
                | NotTested::NotTriggered
                | NotTested::NeverApplied
                | NotTested::NoCase
                // One reason stands for all of them.
                | NotTested::Stopped => false,
            };
            if counts {
                reasons.push(Reason::RuleNotTested { rule: rule.rule.id.clone(), why });
            }
        }
        self.conclusion =
            if reasons.is_empty() { Conclusion::Conformant } else { Conclusion::Inconclusive };
        self.reasons = reasons;
    }
}
