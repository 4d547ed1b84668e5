//! Findings about a whole run, sent again as the run did: what got lost one by one, and the cases whose tallies
//! a rule adds up.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::causes::{MISS, would_do};
use super::{
    AT_ONCE, ReplaySource, ReplayVerdict, ReplayedFinding, SelectedCases, case_record,
    send_answered,
};
use crate::check::{ProbeResult, Rule, RunTally, evaluate_run, rules};
use crate::collect::{RUN, finding_id};
use crate::execution::credentials_are_refused;
use crate::execution::probe_one_by_one;
use crate::record::{FindingRecord, Summary};
use crate::session::Environment;
use crate::triage::{Cause, Occurrences};

/// Plain batches that are sent one by one at most.
const MOST_ALONE: u64 = 1_000;
/// Executions that are sent at most for what is added up.
const MOST_EXECUTIONS: u64 = 2_000;

/// Cases whose runs brought what the findings of the run's scope at these positions were judged on.
#[must_use]
pub fn cases_of_whole_runs(summary: &Summary, wanted: &[usize]) -> Vec<String> {
    let found = wanted.iter().filter_map(|i| summary.findings.get(*i)).map(|(f, _)| f);
    let mut cases: Vec<String> =
        found.filter(|f| f.case == RUN).flat_map(|f| contributing(summary, f)).collect();
    cases.sort();
    cases.dedup();
    cases
}

/// Whether what was added up in `tally` shows a finding.
fn shows(tally: &RunTally, finding: &FindingRecord) -> bool {
    evaluate_run(tally, |rule| rule != finding.rule).iter().any(|verdict| {
        verdict
            .findings
            .iter()
            .any(|f| finding_id(verdict.rule.id, RUN, &f.place(), &f.kind) == finding.id)
    })
}

/// Cases that brought what the finding is about.
fn contributing(summary: &Summary, finding: &FindingRecord) -> Vec<String> {
    let records = summary.cases.iter().filter_map(|c| c.record.as_ref());
    let about = |tally: &RunTally| Opposed::counted(tally, finding).seen() > 0;
    records.filter(|r| about(&r.tally)).map(|r| r.case.clone()).collect()
}

/// What a finding sets against each other, and how often either came.
#[derive(Clone, Copy)]
enum Opposed {
    /// A kind of fault: refused by a 400, item by item in a 200.
    Refusals(u64, u64),
    /// Valid batches in chunks: read, refused.
    Chunked(u64, u64),
}

impl Opposed {
    fn counted(tally: &RunTally, finding: &FindingRecord) -> Opposed {
        // Both sides, so that the rule tells of it.
        let chunked = RunTally { chunked: (1, 1), ..RunTally::default() };
        if shows(&chunked, finding) {
            return Opposed::Chunked(tally.chunked.0, tally.chunked.1);
        }
        let mut sum = (0, 0);
        for (key, (request, item)) in &tally.refusals {
            let mut alone = RunTally::default();
            alone.refusals.insert(key.clone(), (1, 1));
            if shows(&alone, finding) {
                sum = (sum.0 + request, sum.1 + item);
            }
        }
        Opposed::Refusals(sum.0, sum.1)
    }

    fn sides(self) -> (u64, u64) {
        match self {
            Opposed::Refusals(one, other) | Opposed::Chunked(one, other) => (one, other),
        }
    }

    fn seen(self) -> u64 {
        self.sides().0 + self.sides().1
    }

    /// That both sides came within so many trials.
    fn failing(self, of: u64) -> String {
        match self {
            Opposed::Refusals(..) => format!("refused in both refusal modes within {of} trials"),
            Opposed::Chunked(read, refused) => {
                format!("batches in chunks: {read} read, {refused} refused, within {of} trials")
            }
        }
    }

    /// That only one of them came.
    fn alike(self) -> String {
        let seen = self.seen();
        match self {
            Opposed::Refusals(..) => format!("refused {seen} times, in one refusal mode"),
            Opposed::Chunked(_, 0) => format!("all {seen} batches in chunks were read"),
            Opposed::Chunked(..) => format!("all {seen} batches in chunks were refused"),
        }
    }
}

/// Sends what findings about a whole run were judged on again.
pub async fn whole_run(
    environment: &Arc<Environment>,
    summary: &Summary,
    cases: &SelectedCases,
    wanted: &[usize],
) -> Vec<ReplayedFinding> {
    let mut replayed = Vec::new();
    let mut added = Vec::new();
    for index in wanted {
        let Some((finding, _)) = summary.findings.get(*index) else { continue };
        let rule = rules::find(&finding.rule);
        if environment.profile.skip_reason(&finding.rule).is_some() {
            replayed.push(cant_tell(*index, "the profile skips the rule"));
        } else if rule.is_some_and(Rule::is_judged_by_probe) {
            replayed.push(replay_lost(environment, summary.tally.probe, *index).await);
        } else {
            added.push((*index, finding));
        }
    }
    if !added.is_empty() {
        replayed.extend(added_up(environment, summary, cases, &added).await);
    }
    replayed
}

fn cant_tell(index: usize, why: &str) -> ReplayedFinding {
    ReplayedFinding {
        index,
        verdict: ReplayVerdict::CantTell,
        why: why.to_owned(),
        shown: 0,
        of: 0,
    }
}

/// Asks one by one, as the run did.
async fn replay_lost(
    environment: &Arc<Environment>,
    before: ProbeResult,
    index: usize,
) -> ReplayedFinding {
    let needed = Occurrences { shown: before.lost, of: before.sent }.tries_needed(MISS);
    let most = needed.min(MOST_ALONE);
    let ProbeResult { sent: mut of, lost: mut shown } =
        probe_one_by_one(environment, most, ProbeResult::ENOUGH).await.result;
    if shown + 1 == ProbeResult::ENOUGH {
        // It is there, or was an accident: a second time would tell.
        let further = probe_one_by_one(environment, MOST_ALONE.max(most) - of, 1).await.result;
        (of, shown) = (of + further.sent, shown + further.lost);
    }
    let words = format!("{shown} of {of} plain batches, sent one by one, got no answer");
    let (verdict, why) = if shown >= ProbeResult::ENOUGH && shown == of {
        (ReplayVerdict::CantTell, format!("the target answers nothing: {words}"))
    } else if shown >= ProbeResult::ENOUGH {
        (ReplayVerdict::StillFailing, words)
    } else if shown > 0 {
        (ReplayVerdict::CantTell, format!("{words}: once may be an accident"))
    } else if credentials_are_refused(environment).await {
        (ReplayVerdict::CantTell, "the target refuses the credentials".to_owned())
    } else if of < needed {
        (ReplayVerdict::CantTell, format!("{words}: too few to tell{}", would_do(needed)))
    } else {
        (ReplayVerdict::Fixed, words)
    };
    ReplayedFinding { index, verdict, why, shown, of }
}

/// A finding that is not decided yet.
struct OpenFinding<'a> {
    index: usize,
    finding: &'a FindingRecord,
    /// Cases that it was judged on.
    cases: Vec<String>,
}

impl OpenFinding<'_> {
    /// What is to be said of it, once something is; `needed` sightings tell that it is gone.
    fn decided(&self, tally: &RunTally, needed: u64, of: u64) -> Option<ReplayedFinding> {
        let opposed = Opposed::counted(tally, self.finding);
        let (verdict, why) = if shows(tally, self.finding) {
            (ReplayVerdict::StillFailing, opposed.failing(of))
        } else if opposed.seen() >= needed {
            (ReplayVerdict::Fixed, opposed.alike())
        } else {
            return None;
        };
        let shown = u64::from(verdict == ReplayVerdict::StillFailing);
        Some(ReplayedFinding { index: self.index, verdict, why, shown, of })
    }
}

/// Sends the runs of the cases that findings were judged on, then runs of them that the run did not have, until
/// each finding is decided.
async fn added_up(
    environment: &Arc<Environment>,
    summary: &Summary,
    cases: &SelectedCases,
    wanted: &[(usize, &FindingRecord)],
) -> Vec<ReplayedFinding> {
    let mut replayed = Vec::new();
    let mut open = Vec::new();
    // Of one cause, so what is known of it is known of all; each may be missed, and they are listed one by one.
    let known = wanted.iter().fold(Occurrences::default(), |known, (_, finding)| {
        let opposed = Opposed::counted(&summary.tally, finding);
        let (one, other) = opposed.sides();
        Occurrences { shown: known.shown + one.min(other), of: known.of + opposed.seen() }
    });
    let needed = known.tries_needed(MISS / wanted.len() as f64);
    for (index, finding) in wanted {
        let ids = contributing(summary, finding);
        let gone = ids.iter().find_map(|id| match cases.get(id) {
            Some(Ok(_)) => None,
            Some(Err(why)) => Some(why.clone()),
            None => Some(format!("it is about a whole run, and {id} is gone")),
        });
        if let Some(why) = gone {
            replayed.push(cant_tell(*index, &why));
            continue;
        }
        open.push(OpenFinding { index: *index, finding, cases: ids });
    }
    let (mut tally, mut of) = (RunTally::default(), 0);
    for round in 0.. {
        let sources: Vec<ReplaySource> = cases
            .iter()
            .filter(|(id, _)| open.iter().any(|o| o.cases.contains(id)))
            .filter_map(|(id, case)| {
                let runs = case_record(summary, id)?.runs;
                let selected = case.as_ref().ok()?;
                Some(
                    (round * runs..(round + 1) * runs)
                        .map(|n| ReplaySource::Case(Arc::clone(selected), n)),
                )
            })
            .flatten()
            .collect();
        if sources.is_empty() || of >= MOST_EXECUTIONS {
            break;
        }
        let mut outcomes = stream::iter(sources)
            .map(|source| async move {
                send_answered(environment, summary.head.seed, &source, false).await
            })
            .buffered(AT_ONCE);
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(execution) => tally.add(&execution.judge(environment).tally),
                Err(why) => {
                    replayed.extend(open.iter().map(|o| cant_tell(o.index, &why)));
                    return replayed;
                }
            }
            of += 1;
        }
        open.retain(|one| match one.decided(&tally, needed, of) {
            Some(told) => {
                replayed.push(told);
                false
            }
            None => true,
        });
    }
    replayed.extend(open.iter().map(|one| {
        let opposed = Opposed::counted(&tally, one.finding);
        let why =
            if opposed.seen() == 0 { "nothing of it came".to_owned() } else { opposed.alike() };
        cant_tell(one.index, &format!("{why}: too few to tell{}", would_do(needed)))
    }));
    let failing: Vec<Cause<'_>> = replayed
        .iter()
        .filter(|r| r.verdict == ReplayVerdict::StillFailing)
        .filter_map(|r| Some(summary.findings.get(r.index)?.0.cause()))
        .collect();
    for one in replayed.iter_mut().filter(|r| r.verdict == ReplayVerdict::Fixed) {
        let cause = summary.findings.get(one.index).map(|(f, _)| f.cause());
        if cause.is_some_and(|cause| failing.contains(&cause)) {
            one.verdict = ReplayVerdict::CantTell;
            one.why = format!("{}; other kinds still show it", one.why);
        }
    }
    replayed
}
