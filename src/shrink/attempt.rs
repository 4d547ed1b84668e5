//! One attempt: a scenario is sent with fresh numbers, and counts where it shows the same finding at the target
//! and no failure of that rule at a correct implementation.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use crate::check::{Evaluation, RuleViolation, evaluate};
use crate::collect::finding_id;
use crate::execution::Execution;
use crate::execution::{RetryReason, retry_reason};
use crate::scenario::{Scenario, send_scenario};
use crate::send::FRESH_CONNECTIONS;
use crate::session::Environment;
use crate::triage::Occurrences;

const CUT: &str = "the run was cut short";
/// Longest pause that a target under load gets.
const LONGEST_PAUSE: u64 = 10;

/// Requests and items that all findings of a run share.
pub struct ShrinkReserve {
    requests: AtomicI64,
    items: AtomicI64,
}

impl ShrinkReserve {
    /// So many of each.
    #[must_use]
    pub fn new(requests: u64, items: u64) -> ShrinkReserve {
        let signed = |n: u64| AtomicI64::new(i64::try_from(n).unwrap_or(i64::MAX));
        ShrinkReserve { requests: signed(requests), items: signed(items) }
    }

    /// Takes what an execution of that size costs; says whether there was as much.
    fn take(&self, requests: usize, items: usize) -> bool {
        let signed = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let requests = self.requests.fetch_sub(signed(requests), Ordering::SeqCst);
        let items = self.items.fetch_sub(signed(items), Ordering::SeqCst);
        requests > 0 && items > 0
    }
}

/// What is looked for.
pub struct SoughtFinding {
    /// The case that it was found in.
    pub case: String,
    /// The finding.
    pub id: String,
    /// Its rule.
    pub rule: String,
    /// How often a scenario is sent before it counts as one that does not show it.
    pub tries: u32,
    /// How often it must show it.
    pub needed: u32,
    /// Whether each try gets connections of its own: one that was lost may have been idle.
    pub fresh_connections: bool,
}

/// An execution that showed the finding.
pub struct Reproduction {
    /// What was sent and answered.
    pub execution: Arc<Execution>,
    /// The finding in it.
    pub violation: RuleViolation,
    /// How many tries showed it, of how many.
    pub tries: (u32, u32),
}

/// Sends scripts until something is used up.
pub struct Attempts<'a> {
    environment: &'a Arc<Environment>,
    sought: &'a SoughtFinding,
    reserve: &'a ShrinkReserve,
    seen: HashSet<u64>,
    requests_left: usize,
    until: Instant,
    /// What ended it, where something did.
    pub ended: Option<&'static str>,
    /// Requests and items sent to the target.
    pub sent: (u64, u64),
    /// Numbers that were accepted there.
    pub accepted: u64,
}

impl<'a> Attempts<'a> {
    /// At most so many requests, for so long.
    pub fn new(
        environment: &'a Arc<Environment>,
        sought: &'a SoughtFinding,
        reserve: &'a ShrinkReserve,
        requests: usize,
        time: Duration,
    ) -> Attempts<'a> {
        Attempts {
            environment,
            sought,
            reserve,
            seen: HashSet::new(),
            requests_left: requests,
            until: Instant::now() + time,
            ended: None,
            sent: (0, 0),
            accepted: 0,
        }
    }

    /// Whether `scenario` fails the rule at a correct implementation too.
    pub async fn fails_control(&self, scenario: &Scenario) -> bool {
        for control in &self.environment.control {
            let execution = send_scenario(control, scenario).await;
            if evaluate_execution(control, &execution)
                .violations
                .iter()
                .any(|h| h.rule.id == self.sought.rule)
            {
                return true;
            }
        }
        false
    }

    /// An execution that was sent before and showed the finding.
    pub fn showed(&self, execution: &Arc<Execution>) -> Option<Reproduction> {
        let violation = evaluate_execution(self.environment, execution)
            .violations
            .into_iter()
            .find(|h| self.is_sought(h))?;
        Some(Reproduction { execution: Arc::clone(execution), violation, tries: (0, 0) })
    }

    /// Sends `scenario`, where it was not sent before; the execution where it showed the finding.
    pub async fn shows(&mut self, scenario: &Scenario) -> Option<Reproduction> {
        if !self.seen.insert(fingerprint(scenario)) {
            return None;
        }
        let mut shown = None;
        let mut count = 0;
        for done in 0..self.sought.tries {
            // The rest can't make up for what is missing.
            if count + (self.sought.tries - done) < self.sought.needed {
                break;
            }
            if !self.may_send(scenario) {
                return None;
            }
            let (execution, evaluation) = self.try_once(scenario).await?;
            match retry_reason(&execution) {
                Some(RetryReason::Load(seconds)) => {
                    let pause = Duration::from_secs(seconds.min(LONGEST_PAUSE));
                    self.environment.sender.pace.back_off(pause);
                    continue;
                }
                Some(RetryReason::Credentials) => {
                    self.ended = Some("the target refused the credentials");
                    return None;
                }
                // The target is gone: nothing more can be shown of it.
                Some(RetryReason::Unreached) => {
                    self.ended = Some("the target could not be reached");
                    return None;
                }
                Some(RetryReason::Lost) | None => {}
            }
            let same = evaluation.violations.into_iter().find(|h| self.is_sought(h));
            if let Some(violation) = same {
                count += 1;
                shown = Some(Reproduction {
                    execution: Arc::new(execution),
                    violation,
                    tries: (count, done + 1),
                });
                if count >= self.sought.needed {
                    break;
                }
            }
        }
        let shown = shown.filter(|_| count >= self.sought.needed)?;
        if self.fails_control(scenario).await { None } else { Some(shown) }
    }

    /// Sends `scenario` so many times more, the last `spared` of them only while there is a reserve; how often it
    /// showed the finding.
    pub async fn repeat(&mut self, scenario: &Scenario, times: u64, spared: u64) -> Occurrences {
        let mut seen = Occurrences::default();
        let (requests, items) = scenario.size();
        // What a finding of its own may take is no matter here, what all may take is.
        while seen.of < times
            && (self.reserve.take(requests, items) || seen.of < times.saturating_sub(spared))
        {
            let Some((_, evaluation)) = self.try_once(scenario).await else { break };
            seen.of += 1;
            seen.shown += u64::from(evaluation.violations.iter().any(|h| self.is_sought(h)));
        }
        seen
    }

    /// Sends `scenario` once; nothing where the run ended meanwhile.
    async fn try_once(&mut self, scenario: &Scenario) -> Option<(Execution, Evaluation)> {
        let sending = send_scenario(self.environment, scenario);
        let execution = FRESH_CONNECTIONS.scope(self.sought.fresh_connections, sending).await;
        let (requests, items) = execution.size();
        self.sent.0 += requests;
        self.sent.1 += items;
        let evaluation = evaluate_execution(self.environment, &execution);
        self.accepted += evaluation.tally.accepted;
        if self.environment.cancellation.is_cancelled() {
            self.ended = Some(CUT);
            return None;
        }
        Some((execution, evaluation))
    }

    fn is_sought(&self, violation: &RuleViolation) -> bool {
        let finding = &violation.finding;
        finding_id(violation.rule.id, &self.sought.case, &finding.place(), &finding.kind)
            == self.sought.id
    }

    fn may_send(&mut self, scenario: &Scenario) -> bool {
        let (requests, items) = scenario.size();
        if self.ended.is_none() {
            if self.environment.cancellation.is_cancelled() {
                self.ended = Some(CUT);
            } else if Instant::now() >= self.until {
                self.ended = Some("the time for it was over");
            } else if self.requests_left < requests || !self.reserve.take(requests, items) {
                self.ended = Some("the requests for it were used up");
            } else {
                self.requests_left -= requests;
            }
        }
        self.ended.is_none()
    }
}

fn evaluate_execution(environment: &Environment, execution: &Execution) -> Evaluation {
    evaluate(
        &environment.contract,
        &environment.profile,
        &execution.exchanges,
        &execution.expectations,
        execution.relating.as_ref(),
    )
}

/// Equal scripts have equal ones.
fn fingerprint(scenario: &Scenario) -> u64 {
    let mut hasher = DefaultHasher::new();
    for send in &scenario.requests {
        send.body().hash(&mut hasher);
        send.group.hash(&mut hasher);
        send.pause.hash(&mut hasher);
        let request = &send.request;
        request.raw.hash(&mut hasher);
        request.headers.hash(&mut hasher);
        (&request.method, &request.path, request.credential).hash(&mut hasher);
        (request.framing as u8, request.new_connection).hash(&mut hasher);
    }
    hasher.finish()
}
