//! One attempt: a scenario is sent with fresh numbers, and counts where it shows the same finding at the target
//! and no failure of that rule at a correct implementation.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attempt::{AttemptOutcome, ExecutionSource, attempt};
use crate::check::{Evaluation, RuleViolation};
use crate::collect::finding_id;
use crate::execution::Execution;
use crate::scenario::{Scenario, send_scenario};
use crate::session::{Amount, Budget, Environment};
use crate::triage::Occurrences;

const CUT: &str = "the run was cut short";

/// What is looked for.
pub struct SoughtFinding {
    /// The case that it was found in.
    pub case: String,
    /// The finding.
    pub id: String,
    /// Its rule.
    pub rule: String,
    /// Where it is, with `*` for indexes.
    pub place: String,
    /// Its kind of difference.
    pub kind: String,
    /// What was unusual about its input.
    pub inputs: Vec<String>,
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
    budget: &'a Budget,
    /// How often a scenario is sent, and how often it must show the finding.
    pub tries: (u32, u32),
    seen: HashSet<u64>,
    requests_left: u64,
    until: Instant,
    /// What ended it, where something did.
    pub ended: Option<&'static str>,
    /// Requests and items sent to the target.
    pub sent: Amount,
    /// Numbers that were accepted there.
    pub accepted: u64,
}

impl<'a> Attempts<'a> {
    /// At most this number of requests, for at most this time.
    pub fn new(
        environment: &'a Arc<Environment>,
        sought: &'a SoughtFinding,
        budget: &'a Budget,
        requests: u64,
        time: Duration,
    ) -> Attempts<'a> {
        Attempts {
            environment,
            sought,
            budget,
            tries: (sought.tries, sought.needed),
            seen: HashSet::new(),
            requests_left: requests,
            until: Instant::now() + time,
            ended: None,
            sent: Amount::default(),
            accepted: 0,
        }
    }

    /// Whether `scenario` fails the rule at a correct implementation too.
    pub async fn fails_control(&self, scenario: &Scenario) -> bool {
        for control in &self.environment.control {
            let execution = send_scenario(control, scenario).await;
            if execution.judge(control).violations.iter().any(|h| h.rule.id == self.sought.rule) {
                return true;
            }
        }
        false
    }

    /// An execution that was sent before and showed the finding.
    pub fn showed(&self, execution: &Arc<Execution>) -> Option<Reproduction> {
        let violation =
            execution.judge(self.environment).violations.into_iter().find(|h| self.is_sought(h))?;
        Some(Reproduction { execution: Arc::clone(execution), violation, tries: (0, 0) })
    }

    /// Sends `scenario`, where it was not sent before; the execution where it showed the finding.
    pub async fn shows(&mut self, scenario: &Scenario) -> Option<Reproduction> {
        if !self.seen.insert(fingerprint(scenario)) {
            return None;
        }
        let mut shown = None;
        let mut count = 0;
        let (tries, needed) = self.tries;
        for done in 0..tries {
            // The rest can't make up for what is missing.
            if count + (tries - done) < needed {
                break;
            }
            if !self.may_send(scenario) {
                return None;
            }
            let (execution, evaluation) = self.try_once(scenario).await?;
            let same = evaluation.violations.into_iter().find(|h| self.is_sought(h));
            if let Some(violation) = same {
                count += 1;
                shown = Some(Reproduction {
                    execution: Arc::new(execution),
                    violation,
                    tries: (count, done + 1),
                });
                if count >= needed {
                    break;
                }
            }
        }
        let shown = shown.filter(|_| count >= needed)?;
        if self.fails_control(scenario).await { None } else { Some(shown) }
    }

    /// Sends `scenario` a number of times more, as far as the budget goes; how often it showed the finding.
    pub async fn repeat(&mut self, scenario: &Scenario, times: u64) -> Occurrences {
        let mut seen = Occurrences::default();
        // What a finding of its own may take is no matter here, what all may take is.
        while seen.of < times && self.budget.take(scenario.amount()) {
            let Some((_, evaluation)) = self.try_once(scenario).await else { break };
            seen.of += 1;
            seen.shown += u64::from(evaluation.violations.iter().any(|h| self.is_sought(h)));
        }
        seen
    }

    /// Sends `scenario` once; the execution where it was answered with a 200 and broke no rule.
    pub async fn answered_well(&mut self, scenario: &Scenario) -> Option<Execution> {
        if self.environment.cancellation.is_cancelled() || !self.budget.take(scenario.amount()) {
            return None;
        }
        let (execution, evaluation) = self.try_once(scenario).await?;
        let good = execution.exchanges.iter().all(|e| self.environment.accepts(&e.answer));
        (good && evaluation.violations.is_empty()).then_some(execution)
    }

    /// Sends `scenario` once; nothing where it was not answered.
    async fn try_once(&mut self, scenario: &Scenario) -> Option<(Execution, Evaluation)> {
        let source = ExecutionSource::Scenario(scenario);
        let fresh = self.sought.fresh_connections;
        let Ok(attempted) = attempt(self.environment, source, None, fresh).await else {
            return None;
        };
        self.sent += attempted.spent();
        let execution = match attempted.outcome {
            AttemptOutcome::Answered(execution) => execution,
            AttemptOutcome::Overloaded(_) => {
                self.ended = Some("the target was under load");
                return None;
            }
            AttemptOutcome::CredentialsRefused => {
                self.ended = Some("the target refused the credentials");
                return None;
            }
            // The target is gone: nothing more can be shown of it.
            AttemptOutcome::Unreached(_) => {
                self.ended = Some("the target could not be reached");
                return None;
            }
            AttemptOutcome::Cancelled(_) => {
                self.ended = Some(CUT);
                return None;
            }
        };
        let evaluation = execution.judge(self.environment);
        self.accepted += evaluation.tally.accepted;
        if self.environment.cancellation.is_cancelled() {
            self.ended = Some(CUT);
            return None;
        }
        Some((execution, evaluation))
    }

    fn is_sought(&self, violation: &RuleViolation) -> bool {
        let finding = &violation.finding;
        let id = finding_id(violation.rule.id, &self.sought.case, &finding.place(), &finding.kind);
        // A target that still fails on less of the input fails for what is left of it.
        let failed = |kind: &str| kind.split_once(" to ").map(|(failure, _)| failure.to_owned());
        let same_failure = !finding.inputs.is_empty()
            && finding.inputs.iter().all(|input| self.sought.inputs.contains(input))
            && violation.rule.id == self.sought.rule
            && finding.place() == self.sought.place
            && failed(&finding.kind).is_some()
            && failed(&finding.kind) == failed(&self.sought.kind);
        id == self.sought.id || same_failure
    }

    fn may_send(&mut self, scenario: &Scenario) -> bool {
        let amount = scenario.amount();
        if self.ended.is_none() {
            if self.environment.cancellation.is_cancelled() {
                self.ended = Some(CUT);
            } else if Instant::now() >= self.until {
                self.ended = Some("the time for it was over");
            } else if self.requests_left < amount.requests || !self.budget.take(amount) {
                self.ended = Some("the requests for it were used up");
            } else {
                self.requests_left -= amount.requests;
            }
        }
        self.ended.is_none()
    }
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
