//! A run in lockstep with an older target: every execution goes to both, with the same bytes, and the answers are
//! compared request by request.
//!
//! It must not know how a run is scheduled, nor how differences are shown.

mod answers;
mod compare;
mod decide;
mod difference;
mod input;
mod probe;
mod rename;
mod repeat;
mod smaller;
mod tally;
mod tree;

use std::sync::{Arc, Mutex};

pub(crate) use self::answers::HEADERS;
use self::compare::Comparison;
use self::repeat::OF_A_KIND;
pub(crate) use self::repeat::RepeatSource;
use self::tally::{DifferenceTally, ExecutionPair, ShownTargets};
use crate::attempt::{AttemptOutcome, Attempted, ExecutionSource, attempt};
use crate::check::Evaluation;
use crate::contract::FileError;
use crate::exchange::Redactor;
use crate::execution::{Execution, SelectedCase, is_streamed, why_not_run};
use crate::generate::KeyPrefixes;
use crate::record::{AgainstHead, DifferenceState, Event};
use crate::send::Sender;
use crate::session::{Environment, SameKeys, locked};

/// What a run is compared with, and how.
#[derive(Clone)]
pub struct Against {
    /// The older target.
    pub sender: Arc<Sender>,
    /// Pointers and header names that are left out.
    pub ignored: Vec<String>,
    /// Whether both targets are known to share what they store.
    pub shared_database: bool,
}

impl std::fmt::Debug for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Against").field("target", &self.sender.target.base).finish_non_exhaustive()
    }
}

impl Against {
    /// How a record begins.
    #[must_use]
    pub fn head(&self) -> AgainstHead {
        AgainstHead { target: self.sender.target.base.clone(), ignored: self.ignored.clone() }
    }
}

/// Both targets of a run, and what they did differently so far.
pub(crate) struct Lockstep {
    new: Arc<Environment>,
    old: Arc<Environment>,
    ignored: Vec<String>,
    prefixes: KeyPrefixes,
    redactors: (Redactor, Redactor),
    tally: Mutex<DifferenceTally>,
}

impl Lockstep {
    /// The older target beside that of `new`.
    pub(crate) fn new(new: &Arc<Environment>, against: &Against, distinct_keys: bool) -> Lockstep {
        let old = Arc::new(new.against(Arc::clone(&against.sender), distinct_keys));
        let mut prefixes = KeyPrefixes::of_generator(new.keys.prefix());
        if distinct_keys {
            prefixes.add(&[old.keys.prefix().to_owned()]);
        }
        let redactor = |environment: &Environment| {
            environment.sender.token().redactor(&environment.profile.secrets)
        };
        let redactors = (redactor(&old), redactor(new));
        let mut tally = DifferenceTally::default();
        tally.record.distinct_keys = distinct_keys;
        Lockstep {
            new: Arc::clone(new),
            old,
            ignored: against.ignored.clone(),
            prefixes,
            redactors,
            tally: Mutex::new(tally),
        }
    }

    /// The environment of the older target.
    pub(crate) fn old(&self) -> &Arc<Environment> {
        &self.old
    }

    /// Why a case can't be compared, where that is so.
    pub(crate) fn excludes(&self, selected: &SelectedCase) -> Option<String> {
        if selected.case.spec.generate.as_ref().is_some_and(|g| is_streamed(&self.new, g)) {
            return Some("its batches are never whole in memory".to_owned());
        }
        why_not_run(&self.old, selected).map(|not| format!("the older target: {}", not.why))
    }

    /// Sends an execution to both targets at the same time, with the same keys. Gives the newer target's attempt first.
    pub(crate) async fn both(
        &self,
        source: ExecutionSource<'_>,
        fresh_connections: bool,
    ) -> (Result<Attempted, FileError>, Result<Attempted, FileError>) {
        let keys = SameKeys::new(&self.new.keys);
        let new = keys.scope(attempt(&self.new, source, None, fresh_connections));
        let old = keys.scope(attempt(&self.old, source, None, fresh_connections));
        let (new, old) = (Box::pin(new), Box::pin(old));
        tokio::join!(new, old)
    }

    /// Takes note of an execution that was not compared.
    pub(crate) fn not_compared(&self, why: &str) {
        *locked(&self.tally).record.not_compared.entry(why.to_owned()).or_default() += 1;
    }

    /// Takes note of why nothing more can be compared.
    pub(crate) fn fails(&self, why: &str) {
        locked(&self.tally).record.trouble.get_or_insert_with(|| why.to_owned());
    }

    /// Why nothing more can be compared, where that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        locked(&self.tally).record.trouble.clone()
    }

    /// Whether nothing more can be compared.
    pub(crate) fn has_failed(&self) -> bool {
        self.trouble().is_some()
    }

    /// Compares an execution on the newer target with the attempt of the same on the older one. Gives an event for each
    /// kind of difference that was not seen before.
    pub(crate) fn compare(
        &self,
        (index, selected, run): (usize, &SelectedCase, u64),
        (new, judged): (&Execution, &Evaluation),
        old: &AttemptOutcome,
    ) -> Vec<Event> {
        let old = match old {
            AttemptOutcome::Answered(execution) => execution,
            AttemptOutcome::Overloaded(_) => {
                self.not_compared("the older target answered with load");
                return Vec::new();
            }
            AttemptOutcome::Cancelled(_) => return Vec::new(),
            AttemptOutcome::CredentialsRefused => {
                self.fails("the older target refuses the credentials");
                return Vec::new();
            }
            AttemptOutcome::Unreached(why) => {
                self.fails(why);
                return Vec::new();
            }
        };
        let judged_old = old.judge(&self.old);
        let volatile = locked(&self.tally).record.volatile.clone();
        let comparison = self.comparison(&volatile);
        let (seen, compared) = comparison.executions((old, &judged_old), (new, judged));
        let pair = ExecutionPair { case: (index, &selected.case.id), run, old, new };
        let mut tally = locked(&self.tally);
        tally.record.executions += 1;
        tally.record.requests += compared;
        let news = tally.add(&pair, &seen, &self.shown());
        let found = news.iter().filter_map(|id| tally.get(id));
        found.map(|found| Event::Difference(Box::new(found.record.clone()))).collect()
    }

    /// How much was compared, and each difference with what repeats said.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut tally = locked(&self.tally);
        tally.record.sent = self.old.sender.sent();
        let mut events = vec![Event::Compared(Box::new(tally.record.clone()))];
        let records = tally.records(OF_A_KIND).into_iter();
        events.extend(records.map(|record| Event::Difference(Box::new(record))));
        events
    }

    /// How many differences there are.
    pub(crate) fn found(&self) -> usize {
        locked(&self.tally)
            .all()
            .filter(|found| found.record.state != DifferenceState::Unsteady)
            .count()
    }

    fn comparison<'a>(&'a self, volatile: &'a [String]) -> Comparison<'a> {
        Comparison {
            contract: &self.new.contract,
            prefixes: &self.prefixes,
            ignored: &self.ignored,
            volatile,
        }
    }

    fn shown(&self) -> ShownTargets<'_> {
        ShownTargets {
            old: (&self.old.sender.target.base, &self.redactors.0),
            new: (&self.new.sender.target.base, &self.redactors.1),
        }
    }
}
