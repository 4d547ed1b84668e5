//! Replay: the failures of a run are sent again, and each is still failing, fixed, or can't be told.
//!
//! A trial is sent by its case, run and seed, all findings of one trial together; where the case is gone, by
//! what the record kept. It must not know where records or case files lie.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::collect::{Hindrance, RUN, finding_id, hindrance, message};
use super::environment::Environment;
use super::opening::credentials_are_refused;
use super::plan::held_back;
use super::script::{Script, send};
use super::select::{Selected, select};
use super::trial::{Trial, execute};
use crate::case::{self, Case};
use crate::check::{Check, Hit, Judgement, judge, rules};
use crate::exchange::{Answer, LossKind};
use crate::record::{FindingRecord, Summary, Update, looks, share};

/// Tries of a finding that showed in every repeat.
const STEADY: u64 = 2;
/// Tries of one that was never repeated.
const UNKNOWN: u64 = 3;
/// Most tries of a cause that comes and goes, in all cases together.
const MOST: u64 = 300;
/// Chance of taking one that shows now and then for fixed.
const MISS: f64 = 0.05;
/// Trials that are sent at once.
const AT_ONCE: usize = 4;
/// How often a trial is sent to a target under load.
const LOAD_ATTEMPTS: u32 = 3;

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It showed again.
    StillFailing,
    /// Its rule was kept, as often as it was tried.
    Fixed,
    /// Neither.
    CantTell,
}

impl Fate {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Fate::StillFailing => "still failing",
            Fate::Fixed => "fixed",
            Fate::CantTell => "can't tell",
        }
    }

    /// The exit status of `replay`.
    #[must_use]
    pub fn exit(fates: &[Fate]) -> u8 {
        if fates.contains(&Fate::StillFailing) {
            1
        } else if fates.contains(&Fate::CantTell) {
            3
        } else {
            0
        }
    }
}

/// A finding that was sent again.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// Its position in the summary.
    pub index: usize,
    /// What became of it.
    pub fate: Fate,
    /// In a sentence.
    pub why: String,
    /// Tries that showed it.
    pub shown: u64,
    /// Tries.
    pub of: u64,
}

/// Where a trial comes from.
enum Source {
    Case(Arc<Selected>, u64),
    /// What the record kept; what its case expected is not in it.
    Recorded(Box<Script>),
    /// It can't be sent; why.
    None(String),
}

/// Findings that the same trial showed.
struct Shared {
    case: String,
    run: u64,
    findings: Vec<usize>,
}

/// Sends the findings at these positions of `summary` again; `cases` are those of the run that still exist,
/// under the ids that they had. Tells each as soon as it is known.
pub async fn replay(
    environment: &Arc<Environment>,
    summary: &Summary,
    wanted: &[usize],
    cases: Vec<Case>,
    told: &mut dyn FnMut(&Replayed),
) -> Vec<Replayed> {
    let cases: HashMap<String, Result<Arc<Selected>, String>> = cases
        .into_iter()
        .map(|case| {
            let id = case.id.clone();
            let chosen = select(vec![case], &environment.generator)
                .map_err(|problem| problem.to_string())
                .and_then(|list| list.into_iter().next().ok_or_else(|| GONE.to_owned()));
            (id, chosen.map(Arc::new))
        })
        .collect();
    // Nothing else is under way that a case could wait for.
    environment.end();
    let (alone, together): (Vec<Shared>, Vec<Shared>) =
        trials(summary, wanted, &cases).into_iter().partition(|shared| {
            let case = cases.get(&shared.case).and_then(|c| c.as_ref().ok());
            case.is_some_and(|selected| selected.case.spec.alone)
        });
    let causes = Causes::of(summary, wanted);
    let mut replayed = Vec::new();
    // What comes and goes is told from all cases of its cause together.
    let mut held = Vec::new();
    for (trials, at_once) in [(together, AT_ONCE), (alone, 1)] {
        let mut outcomes = stream::iter(trials)
            .map(|shared| one(environment, summary, &causes, cases.get(&shared.case), shared))
            .buffered(at_once);
        while let Some(outcome) = outcomes.next().await {
            for one in outcome {
                if causes.needed(one.index).is_some() {
                    held.push(one);
                } else {
                    told(&one);
                    replayed.push(one);
                }
            }
        }
    }
    causes.settle(&mut held);
    for one in held {
        told(&one);
        replayed.push(one);
    }
    replayed
}

async fn one(
    environment: &Arc<Environment>,
    summary: &Summary,
    causes: &Causes,
    case: Option<&Result<Arc<Selected>, String>>,
    shared: Shared,
) -> Vec<Replayed> {
    let findings: Vec<(usize, &FindingRecord, &Update)> = shared
        .findings
        .iter()
        .filter_map(|i| summary.findings.get(*i).map(|(f, u)| (*i, f, u)))
        .collect();
    let Some((_, first, _)) = findings.first() else { return Vec::new() };
    let source = source(environment, summary, first, shared.run, case);
    let seen = findings.iter().map(|(i, f, u)| Seen::new(*i, f, causes.tries(*i, f, u))).collect();
    again(environment, summary.head.seed, &source, seen).await
}

const GONE: &str = "its case is gone";

/// Findings of one trial together, as far as their case still exists.
fn trials<T>(summary: &Summary, wanted: &[usize], cases: &HashMap<String, T>) -> Vec<Shared> {
    let mut trials: Vec<Shared> = Vec::new();
    for index in wanted {
        let Some((finding, _)) = summary.findings.get(*index) else { continue };
        let exists = cases.contains_key(&finding.case);
        let same = |t: &&mut Shared| exists && t.case == finding.case && t.run == finding.run;
        match trials.iter_mut().find(same) {
            Some(shared) => shared.findings.push(*index),
            None => trials.push(Shared {
                case: finding.case.clone(),
                run: finding.run,
                findings: vec![*index],
            }),
        }
    }
    trials
}

fn source(
    environment: &Environment,
    summary: &Summary,
    finding: &FindingRecord,
    run: u64,
    case: Option<&Result<Arc<Selected>, String>>,
) -> Source {
    if finding.case == RUN {
        return Source::None("it is about a whole run: run again".to_owned());
    }
    match case {
        Some(Ok(selected)) => match held_back(environment, selected) {
            Some(not_run) => Source::None(not_run.why),
            None => Source::Case(Arc::clone(selected), run),
        },
        Some(Err(why)) => Source::None(why.clone()),
        None => recorded(environment, summary, finding),
    }
}

/// What the record kept: the smallest trial as a case file, or the requests themselves.
fn recorded(environment: &Environment, summary: &Summary, finding: &FindingRecord) -> Source {
    let kept = summary.minimals.get(&finding.id).map_or("", |m| m.case_file.as_str());
    if !kept.is_empty()
        && let Ok(case) = case::load(&finding.case, "the record's case file", None, kept)
        && let Ok(list) = select(vec![case], &environment.generator)
        && let Some(selected) = list.into_iter().next()
    {
        return Source::Case(Arc::new(selected), 0);
    }
    let asserted = rules::find(&finding.rule).is_none_or(|r| matches!(r.check, Check::Asserted));
    if asserted {
        return Source::None(format!("{GONE}, which said what to expect"));
    }
    match Script::of_record(&environment.contract, &summary.head, summary.shortest(finding)) {
        Ok(script) => Source::Recorded(Box::new(script)),
        Err(why) => Source::None(format!("{GONE}, and {why}")),
    }
}

/// What was seen of a finding so far.
struct Seen<'a> {
    index: usize,
    finding: &'a FindingRecord,
    /// Tries that it gets.
    tries: u64,
    shown: u64,
    of: u64,
    judged: bool,
    masked: bool,
    errored: bool,
    skipped: bool,
    /// Another failure of the same rule in the same trial.
    otherwise: Option<String>,
}

impl<'a> Seen<'a> {
    fn new(index: usize, finding: &'a FindingRecord, tries: u64) -> Seen<'a> {
        Seen {
            index,
            finding,
            tries,
            shown: 0,
            of: 0,
            judged: false,
            masked: false,
            errored: false,
            skipped: false,
            otherwise: None,
        }
    }

    /// Whether more tries could change what is said of it.
    fn is_open(&self) -> bool {
        let enough = if self.finding.proven { 1 } else { 2 };
        self.shown < enough && self.of < self.tries
    }

    fn look(&mut self, environment: &Environment, judgement: &Judgement) {
        self.of += 1;
        let finding = self.finding;
        let mine = judgement.hits.iter().filter(|h| h.rule.id == finding.rule);
        let same = |h: &&Hit| {
            finding_id(h.rule.id, &finding.case, &h.finding.place(), &h.finding.kind) == finding.id
        };
        if mine.clone().any(|h| same(&h)) {
            self.shown += 1;
        } else if let Some(other) = mine.clone().next() {
            self.otherwise = Some(message(other));
        }
        let counts = rules::index(&finding.rule).and_then(|i| judgement.counts.get(i));
        if let Some(counts) = counts {
            self.judged |= counts.judged() > 0;
            self.masked |= counts.masked > 0;
            self.errored |= counts.errored > 0;
        }
        self.skipped |= environment.profile.skip_reason(&finding.rule).is_some();
    }

    fn told(self, hindered: Option<String>) -> Replayed {
        let times = format!("{} of {}", self.shown, self.of);
        let enough = if self.finding.proven { 1 } else { 2 };
        let (fate, why) = if self.shown >= enough {
            (Fate::StillFailing, times)
        } else if let Some(other) = self.otherwise {
            (Fate::StillFailing, format!("{times}, but the rule fails otherwise: {other}"))
        } else if self.shown > 0 {
            (Fate::CantTell, format!("{times}, and no answer's bytes prove it"))
        } else if let Some(why) = hindered {
            (Fate::CantTell, why)
        } else if self.errored {
            (Fate::CantTell, "the rule panicked: a defect of batchproof".to_owned())
        } else if self.skipped {
            (Fate::CantTell, "the profile skips the rule".to_owned())
        } else if self.masked && !self.judged {
            (Fate::CantTell, "masked by the failure of a rule that it needs".to_owned())
        } else if self.of == 0 {
            (Fate::CantTell, "it was not sent".to_owned())
        } else {
            (Fate::Fixed, times)
        };
        Replayed { index: self.index, fate, why, shown: self.shown, of: self.of }
    }
}

/// Findings by their causes: same rule, place and kind, in any case.
struct Causes {
    /// By finding.
    cause: HashMap<usize, usize>,
    /// By cause: how many tries tell that it is gone, where it comes and goes, and its findings.
    causes: Vec<(Option<u64>, u64)>,
}

impl Causes {
    fn of(summary: &Summary, wanted: &[usize]) -> Causes {
        let mut keys: Vec<(&str, &str, &str)> = Vec::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut cause = HashMap::new();
        for index in wanted {
            let Some((f, _)) = summary.findings.get(*index) else { continue };
            let key = (f.rule.as_str(), f.place.as_str(), f.kind.as_str());
            let at = keys.iter().position(|k| *k == key).unwrap_or_else(|| {
                keys.push(key);
                members.push(Vec::new());
                keys.len() - 1
            });
            members[at].push(*index);
            cause.insert(*index, at);
        }
        let causes = members
            .iter()
            .map(|list| {
                let found: Vec<_> = list.iter().filter_map(|i| summary.findings.get(*i)).collect();
                let comes_and_goes = found.iter().any(|(f, u)| f.proven && u.shown < u.of);
                let updates: Vec<&Update> = found.iter().map(|(_, u)| u).collect();
                let needed = comes_and_goes.then(|| looks(share(&updates), MISS));
                (needed, list.len() as u64)
            })
            .collect();
        Causes { cause, causes }
    }

    fn at(&self, index: usize) -> Option<(Option<u64>, u64)> {
        self.causes.get(*self.cause.get(&index)?).copied()
    }

    /// How many tries of all its cases tell that a cause is gone, where it comes and goes.
    fn needed(&self, index: usize) -> Option<u64> {
        self.at(index)?.0
    }

    /// How often a finding is tried before it counts as fixed.
    fn tries(&self, index: usize, finding: &FindingRecord, update: &Update) -> u64 {
        match self.at(index) {
            Some((Some(needed), count)) => needed.min(MOST).div_ceil(count).max(UNKNOWN),
            _ if finding.proven && update.of > 0 => STEADY,
            _ => UNKNOWN,
        }
    }

    /// Fixed is one that comes and goes only where its cause showed nowhere, often enough.
    fn settle(&self, held: &mut [Replayed]) {
        let mut sums: Vec<(u64, u64)> = vec![(0, 0); self.causes.len()];
        for one in held.iter() {
            if let Some(sum) = self.cause.get(&one.index).and_then(|at| sums.get_mut(*at)) {
                sum.0 += one.shown;
                sum.1 += one.of;
            }
        }
        for one in held.iter_mut().filter(|one| one.fate == Fate::Fixed) {
            let Some(at) = self.cause.get(&one.index) else { continue };
            let (Some((shown, of)), Some(needed)) = (sums.get(*at), self.needed(one.index)) else {
                continue;
            };
            if *shown > 0 {
                one.fate = Fate::CantTell;
                one.why = format!("{}; it comes and goes, and shows in another case", one.why);
            } else if *of < needed {
                one.fate = Fate::CantTell;
                one.why = format!(
                    "{}; it comes and goes: {of} tries of its cause are too few to tell, {needed} would do",
                    one.why
                );
            }
        }
    }
}

/// Sends a trial until each of its findings is decided.
async fn again(
    environment: &Arc<Environment>,
    seed: u64,
    source: &Source,
    mut seen: Vec<Seen<'_>>,
) -> Vec<Replayed> {
    let mut hindered = None;
    while seen.iter().any(Seen::is_open) {
        let trial = match sent(environment, seed, source).await {
            Ok(trial) => trial,
            Err(why) => {
                hindered = Some(why);
                break;
            }
        };
        let judgement = judge(
            &environment.contract,
            &environment.profile,
            &trial.exchanges,
            &trial.expectations,
            trial.relating.as_ref(),
        );
        for one in seen.iter_mut().filter(|s| s.is_open()) {
            one.look(environment, &judgement);
        }
    }
    seen.into_iter().map(|s| s.told(hindered.clone())).collect()
}

/// A trial that was answered, or why there is none.
async fn sent(environment: &Arc<Environment>, seed: u64, source: &Source) -> Result<Trial, String> {
    for _ in 0..LOAD_ATTEMPTS {
        let trial = match source {
            Source::Case(selected, run) => {
                execute(environment, selected, *run, seed).await.map_err(|p| p.to_string())?
            }
            Source::Recorded(script) => send(environment, script).await,
            Source::None(why) => return Err(why.clone()),
        };
        let unreachable = trial.exchanges.iter().find_map(|e| match &e.answer {
            Answer::Lost(loss) if loss.kind == LossKind::Connect => Some(loss.message.clone()),
            _ => None,
        });
        if let Some(why) = unreachable {
            return Err(format!("the target can't be reached: {why}"));
        }
        match hindrance(&trial) {
            Some(Hindrance::Load(seconds)) => {
                let pause = Duration::from_secs(seconds.min(60));
                environment.sender.pace.back_off(pause);
            }
            Some(Hindrance::Credentials) => {
                if credentials_are_refused(environment).await {
                    return Err("the target refuses the credentials".to_owned());
                }
                return Ok(trial);
            }
            Some(Hindrance::Lost) | None => return Ok(trial),
        }
    }
    Err("the target is under load: it answered 408, 429 or 503".to_owned())
}
