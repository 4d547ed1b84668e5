//! One attempt: an execution is sent, and sent again where load, a lost connection or an expired token hindered it.
//!
//! This is the only retry policy: a run, its repeats, the shrinker and a replay use it. It must not know what they
//! look for in the answers.

use std::sync::Arc;
use std::time::Duration;

use crate::contract::FileError;
use crate::execution::{
    CredentialCheck, Execution, RetryReason, SelectedCase, busy_step, check_credentials,
    exchange_plain_item, execute, has_keys_of_its_own, overloaded_group, retry_reason,
    unavailable_at, why_unreached,
};
use crate::scenario::{Scenario, send_scenario};
use crate::send::FRESH_CONNECTIONS;
use crate::session::{Amount, CancelReason, Environment};

/// Pauses before a target that could not be reached is tried again.
const UNREACHED: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(4)];
/// How often an execution is sent to a target that answers with load: long ones meet it more often than not.
const LOAD_TRIES: u32 = 4;
/// Pauses between the requests of a target that nothing else is sent to.
const APART: Duration = Duration::from_millis(250);
/// How often an execution is sent again to a target that takes few connections, and answers it on none.
const CROWDED_TRIES: u32 = 6;
/// How often an execution is sent to a target that refuses one token after the other.
const TOKENS: u32 = 6;

/// What is executed.
#[derive(Clone, Copy)]
pub enum ExecutionSource<'a> {
    /// A run of a case.
    Case {
        /// The case.
        selected: &'a SelectedCase,
        /// Its run, from 0.
        run: u64,
        /// The seed of all seeds.
        seed: u64,
    },
    /// A scenario, with fresh keys.
    Scenario(&'a Scenario),
}

impl ExecutionSource<'_> {
    /// The case's id; nothing of a scenario.
    fn case(&self) -> &str {
        match self {
            ExecutionSource::Case { selected, .. } => selected.case.id.as_str(),
            ExecutionSource::Scenario(_) => "",
        }
    }
}

/// How an attempt ended.
pub enum AttemptOutcome {
    /// It was answered, as far as it ever will be.
    Answered(Execution),
    /// Every try met load, or another token that was refused, or nothing more may be sent again; the last of them.
    Overloaded(Execution),
    /// No request could be sent, though it was tried for some seconds; why, in a sentence.
    Unreached(String),
    /// The target refuses the credentials, read again, with a plain batch too.
    CredentialsRefused,
    /// The run ended first; what was sent of the execution claims nothing of what it did not send.
    Cancelled(Execution),
}

/// An attempt, with what it took.
pub struct Attempted {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// Tries before the last one, each with what hindered it and what it sent.
    pub retried: Vec<(RetryReason, Amount)>,
}

impl Attempted {
    /// What all tries sent.
    #[must_use]
    pub fn spent(&self) -> Amount {
        let last = match &self.outcome {
            AttemptOutcome::Answered(execution)
            | AttemptOutcome::Overloaded(execution)
            | AttemptOutcome::Cancelled(execution) => execution.amount(),
            AttemptOutcome::Unreached(_) | AttemptOutcome::CredentialsRefused => Amount::default(),
        };
        self.retried_amount() + last
    }

    /// What the tries before the last one sent.
    #[must_use]
    pub fn retried_amount(&self) -> Amount {
        self.retried.iter().map(|(_, amount)| *amount).sum()
    }
}

/// Sends an execution until it is answered. `begun` is its first try, where that was made already;
/// `fresh_connections` gives each request a connection of its own.
///
/// # Errors
/// A [`FileError`] where a file that the case names can't be used.
pub async fn attempt(
    environment: &Arc<Environment>,
    source: ExecutionSource<'_>,
    mut begun: Option<Execution>,
    fresh_connections: bool,
) -> Result<Attempted, FileError> {
    let mut fresh = fresh_connections;
    let mut retried: Vec<(RetryReason, Amount)> = Vec::new();
    let mut loads = LoadTries::default();
    let mut asked = false;
    let mut tokens = 0;
    let mut crowded = 0;
    // Whether it is sent while nothing else is.
    let mut alone = false;
    let mut pauses = UNREACHED.iter();
    loop {
        let mut execution = if let Some(execution) = begun.take() {
            execution
        } else {
            send(environment, source, fresh, alone).await?
        };
        if execution.resent != Amount::default() {
            retried.push((RetryReason::Load, execution.resent));
        }
        if execution.cut || environment.cancellation.is_cancelled() && execution.was_left() {
            return Ok(Attempted { outcome: AttemptOutcome::Cancelled(execution), retried });
        }
        give_up_where_hopeless(environment).await;
        let mut reason = retry_reason(&execution);
        if reason == Some(RetryReason::Lost) && fresh && may_be_crowded(environment, crowded).await
        {
            crowded += 1;
            reason = Some(RetryReason::Crowded);
        }
        // Where no connection was made, nothing was spent; a token that grew old is not the target's load.
        let mut is_free = reason == Some(RetryReason::Unreached);
        match reason {
            Some(RetryReason::Load) => match loads.met(environment, source, &mut execution).await {
                AfterLoad::Again => {}
                AfterLoad::Refused => {
                    let outcome = AttemptOutcome::Answered(execution);
                    return Ok(Attempted { outcome, retried });
                }
                AfterLoad::Enough => {
                    let outcome = AttemptOutcome::Overloaded(execution);
                    return Ok(Attempted { outcome, retried });
                }
            },
            Some(RetryReason::Unreached) => {
                if let Some(pause) = pauses.next() {
                    environment.pause(*pause).await;
                } else {
                    let why = why_unreached(&execution, &environment.sender);
                    let outcome = AttemptOutcome::Unreached(why);
                    retried.push((RetryReason::Unreached, execution.amount()));
                    return Ok(Attempted { outcome, retried });
                }
            }
            // A connection that was idle may be closed at any time; a fresh one may not.
            Some(RetryReason::Lost) if !fresh => fresh = true,
            Some(RetryReason::Crowded) => fresh = true,
            Some(RetryReason::Credentials) => {
                let generation = environment.sender.token().generation();
                match check_credentials(environment, generation).await {
                    CredentialCheck::Refused => {
                        retried.push((RetryReason::Credentials, execution.amount()));
                        return Ok(Attempted {
                            outcome: AttemptOutcome::CredentialsRefused,
                            retried,
                        });
                    }
                    // Others may have used up each token that it was sent with.
                    CredentialCheck::Good
                        if asked && !alone && environment.sender.token().can_change() =>
                    {
                        alone = true;
                    }
                    // The target means the request, and not the credentials.
                    CredentialCheck::Good if asked => {
                        let outcome = AttemptOutcome::Answered(execution);
                        return Ok(Attempted { outcome, retried });
                    }
                    CredentialCheck::Good => asked = true,
                    CredentialCheck::Renewed => {
                        is_free = true;
                        tokens += 1;
                        if tokens == TOKENS {
                            let outcome = AttemptOutcome::Overloaded(execution);
                            return Ok(Attempted { outcome, retried });
                        }
                    }
                }
            }
            _ => {
                environment.note_not_busy(source.case());
                return Ok(Attempted { outcome: AttemptOutcome::Answered(execution), retried });
            }
        }
        if !is_free && !environment.reserve.take(execution.amount()) {
            return Ok(Attempted { outcome: AttemptOutcome::Overloaded(execution), retried });
        }
        retried.extend(reason.map(|reason| (reason, execution.amount())));
    }
}

/// Tries of an execution that met load.
#[derive(Default)]
struct LoadTries {
    count: u32,
    /// The step that was answered 503 in every one of them.
    busy: Option<String>,
    /// The request that was answered 503 with no word of when to come back in the last one.
    unavailable: Option<usize>,
}

/// What follows a try that met load.
enum AfterLoad {
    /// Another try.
    Again,
    /// It is no load: the target refuses the request so.
    Refused,
    /// It is left.
    Enough,
}

impl LoadTries {
    async fn met(
        &mut self,
        environment: &Arc<Environment>,
        source: ExecutionSource<'_>,
        execution: &mut Execution,
    ) -> AfterLoad {
        if let Some(released) = overloaded_group(execution) {
            environment.fewer_at_once(released);
        }
        self.count += 1;
        if let Some(at) = unavailable_at(execution) {
            let twice = self.unavailable.replace(at) == Some(at);
            if is_refused_alone(environment, source, (execution, at), twice).await {
                execution.exchanges[at].always_busy = true;
                return AfterLoad::Refused;
            }
        }
        let (step, case) = (busy_step(execution), source.case());
        let same = self.count == 1 || self.busy.as_deref() == step;
        self.busy = step.map(str::to_owned).filter(|_| same);
        if let Some(step) = self.busy.as_deref().filter(|_| self.count == LOAD_TRIES) {
            environment.note_always_busy(case, step);
        }
        let always = step.is_some_and(|step| environment.is_always_busy(case, step));
        if self.count == LOAD_TRIES || always { AfterLoad::Enough } else { AfterLoad::Again }
    }
}

/// Ends the run where the target has given no good answer for too long, and gives none to a plain batch either.
pub(crate) async fn give_up_where_hopeless(environment: &Arc<Environment>) {
    if environment.sender.out_of_patience().is_none() || environment.cancellation.is_cancelled() {
        return;
    }
    // One of all jobs asks for all.
    let Ok(_asking) = environment.last_try.try_lock() else { return };
    environment.sender.whole_limits();
    FRESH_CONNECTIONS.scope(true, exchange_plain_item(environment)).await;
    if let Some(why) = environment.sender.out_of_patience() {
        let base = &environment.sender.target.base;
        environment.cancellation.cancel(CancelReason::TargetUnusable(format!("{base} gave {why}")));
    }
}

/// Whether the request at `at` of an execution, which was answered 503, does not meet load: it is answered so again
/// when nothing else is under way, between two plain batches that are accepted. `twice`: it was refused in the try
/// before too.
async fn is_refused_alone(
    environment: &Arc<Environment>,
    source: ExecutionSource<'_>,
    (execution, at): (&Execution, usize),
    twice: bool,
) -> bool {
    let refused = &execution.exchanges[at];
    let (items, step) = (refused.intent.items().len(), refused.step.as_str());
    let case = source.case();
    if environment.is_refused_alone(items, case, step) {
        return accepts_another(environment).await;
    }
    if !twice && !environment.may_try_alone() {
        return false;
    }
    let mut scenario = Scenario::of(environment, execution);
    scenario.expectations.clear();
    scenario.relating = None;
    scenario.requests.truncate(at + 1);
    let sent = (&refused.request, &refused.intent);
    if has_keys_of_its_own(environment, sent, &execution.exchanges[..at]) {
        scenario.requests.drain(..at);
    }
    let trying = async {
        // Another execution may have found it out while this one waited for quiet.
        if environment.is_refused_alone(items, case, step) {
            return accepts_another(environment).await;
        }
        let Some(refused) = try_alone(environment, &scenario).await else { return false };
        environment.note_alone(refused, items, case, step);
        refused
    };
    environment.quietly(trying).await
}

/// Whether the last request of a scenario is answered 503 with no word of when to come back; nothing where that can't
/// be found out. Nothing else is under way, and a limit of a few requests a second is kept.
async fn try_alone(environment: &Arc<Environment>, scenario: &Scenario) -> Option<bool> {
    if !environment.reserve.take(scenario.amount()) {
        return None;
    }
    environment.pause(APART).await;
    if !accepts_another(environment).await {
        return None;
    }
    environment.pause(APART).await;
    let again = FRESH_CONNECTIONS.scope(true, send_scenario(environment, scenario)).await;
    let last = again.exchanges.len().checked_sub(1)?;
    if unavailable_at(&again) != Some(last) {
        return Some(false);
    }
    environment.pause(APART).await;
    accepts_another(environment).await.then_some(true)
}

/// Whether the target accepts a plain batch now, at the first try.
async fn accepts_another(environment: &Arc<Environment>) -> bool {
    environment.reserve.take(Amount::new(1, 1))
        && environment.accepts(&exchange_plain_item(environment).await.answer)
}

/// Whether an answer may have got lost on a connection of its own since there were too many of ours; `times` says how
/// often that was assumed before.
async fn may_be_crowded(environment: &Environment, times: u32) -> bool {
    let few =
        environment.closes_new_connections().await || environment.too_many_connections().is_some();
    if few && times < CROWDED_TRIES {
        environment.leave_more_room();
    }
    few && times < CROWDED_TRIES
}

/// Sends an execution once; each request on a connection of its own where it is `fresh`, and `alone` while nothing else
/// is sent.
async fn send(
    environment: &Arc<Environment>,
    source: ExecutionSource<'_>,
    fresh: bool,
    alone: bool,
) -> Result<Execution, FileError> {
    let sending = FRESH_CONNECTIONS.scope(fresh, send_now(environment, source));
    if alone { Box::pin(environment.quietly(sending)).await } else { sending.await }
}

async fn send_now(
    environment: &Arc<Environment>,
    source: ExecutionSource<'_>,
) -> Result<Execution, FileError> {
    match source {
        ExecutionSource::Case { selected, run, seed } => {
            execute(environment, selected, run, seed).await
        }
        ExecutionSource::Scenario(scenario) => Ok(send_scenario(environment, scenario).await),
    }
}
