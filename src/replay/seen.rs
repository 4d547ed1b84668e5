//! What tries of one finding showed, and what that makes of it.

use super::{ReplayVerdict, ReplayedFinding};
use crate::check::{Evaluation, RuleViolation, rules};
use crate::collect::{finding_id, message};
use crate::record::FindingRecord;
use crate::session::Environment;

/// What was seen of a finding so far.
pub struct FindingTries<'a> {
    /// Its position in the summary.
    pub index: usize,
    /// As it was recorded.
    pub finding: &'a FindingRecord,
    /// Tries that showed it.
    pub shown: u64,
    /// Tries.
    pub of: u64,
    /// Executions that a try sends at the same time.
    together: usize,
    judged: bool,
    masked: bool,
    errored: bool,
    skipped: bool,
    /// Another failure of the same rule in the same execution.
    otherwise: Option<String>,
}

impl<'a> FindingTries<'a> {
    /// Nothing yet of the finding at that position, of which each try sends this number of executions at the same time.
    pub fn new(index: usize, finding: &'a FindingRecord, together: usize) -> FindingTries<'a> {
        FindingTries {
            index,
            finding,
            shown: 0,
            of: 0,
            together,
            judged: false,
            masked: false,
            errored: false,
            skipped: false,
            otherwise: None,
        }
    }

    /// How often `finding` must show to be there: twice, where no answer's bytes prove it.
    pub fn needs(finding: &FindingRecord) -> u64 {
        if finding.proven { 1 } else { 2 }
    }

    /// How often this one must.
    pub fn enough(&self) -> u64 {
        FindingTries::needs(self.finding)
    }

    /// Looks for it in what the rules said of an execution and of those that were sent at the same time; whether it is
    /// in one of them.
    pub fn count_try(&mut self, environment: &Environment, evaluations: &[Evaluation]) -> bool {
        self.of += 1;
        let finding = self.finding;
        let all = evaluations.iter().flat_map(|evaluation| &evaluation.violations);
        let mine = all.filter(|h| h.rule.id == finding.rule);
        let same = |h: &&RuleViolation| {
            finding_id(h.rule.id, &finding.case, &h.finding.place(), &h.finding.kind) == finding.id
        };
        let there = mine.clone().any(|h| same(&h));
        if there {
            self.shown += 1;
        } else if let Some(other) = mine.clone().next() {
            self.otherwise = Some(message(other));
        }
        let index = rules::index(&finding.rule);
        for counts in evaluations.iter().filter_map(|e| e.counts.get(index?)) {
            self.judged |= counts.judged() > 0;
            self.masked |= counts.masked > 0;
            self.errored |= counts.errored > 0;
        }
        self.skipped |= environment.profile.skip_reason(&finding.rule).is_some();
        there
    }

    /// What became of it, where something may have kept it from being sent.
    pub fn verdict(self, hindered: Option<String>) -> ReplayedFinding {
        let times = if self.together > 1 {
            format!("{} of {} tries, {} at once", self.shown, self.of, self.together)
        } else {
            format!("{} of {}", self.shown, self.of)
        };
        let (verdict, why) = if self.shown >= self.enough() {
            (ReplayVerdict::StillFailing, times)
        } else if let Some(other) = self.otherwise {
            (ReplayVerdict::StillFailing, format!("{times}, but the rule fails otherwise: {other}"))
        } else if self.shown > 0 {
            (ReplayVerdict::CantTell, format!("{times}, and no answer's bytes prove it"))
        } else if let Some(why) = hindered {
            (ReplayVerdict::CantTell, why)
        } else if self.errored {
            (ReplayVerdict::CantTell, "the rule panicked: a defect of batchproof".to_owned())
        } else if self.skipped {
            (ReplayVerdict::CantTell, "the profile skips the rule".to_owned())
        } else if self.masked && !self.judged {
            (ReplayVerdict::CantTell, "masked by the failure of a rule that it needs".to_owned())
        } else if self.of == 0 {
            (ReplayVerdict::CantTell, "it was not sent".to_owned())
        } else {
            (ReplayVerdict::Fixed, times)
        };
        ReplayedFinding { index: self.index, verdict, why, shown: self.shown, of: self.of }
    }
}
