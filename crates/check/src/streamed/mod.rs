//! Judges a batch that is never whole in memory, while its answer comes: item by item, in windows of a few
//! hundred, each checked by the same rules as any other exchange.
//!
//! What concerns the exchange as a whole (its head, what stands beside its results) is judged on its first
//! items; how many results there are and in which order they stand, on all of them. It never sends.

mod evaluation;
mod split;
#[cfg(test)]
mod tests;
mod window;

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

pub use self::evaluation::{Excerpt, StreamEvaluation};
use self::split::{NextResult, Splitter};
use self::window::{Window, answer, exchange, with_body};
use super::evaluation::{Evaluation, RuleCounts, RuleViolation};
use super::expectation::Expectation;
use super::fast_path::FastPath;
use super::model::StreamedOrder;
use super::outlined::evaluate;
use super::rule::{Check, Rule};
use super::rules;
use super::text::shown;
use crate::contract::{Contract, Profile};
use crate::exchange::{Answer, Loss, LossKind, Request, Response, parsed_size};
use crate::generate::{KeyBlock, Stream};

/// The first items, on which the exchange as a whole is judged: more than a target must take, as there are.
const FIRST: usize = 1_001;
/// Items that are judged together after that.
const WINDOW: usize = 512;
/// Bytes of an answer without results that are judged.
const BODY: usize = 1024 * 1024;
/// What the results of a window may take, parsed.
const WINDOW_SIZE: u64 = 32 * 1024 * 1024;
/// Longer than any answer takes: no window is an answer by itself, whose time could be judged.
const NO_TIME: Duration = Duration::from_hours(24 * 365);

/// What is to be judged, and by what.
pub struct StreamContext<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// What is known of the target.
    pub profile: &'a Profile,
    /// Finds plainly right results right.
    pub quick: Option<&'a FastPath>,
    /// The request, without its body.
    pub request: Request,
    /// What the case expects.
    pub expectations: Vec<Expectation>,
    /// The rule that the case is about.
    pub rule: &'static Rule,
}

/// Judges an answer while it comes.
pub struct StreamEvaluator<'a> {
    about: StreamContext<'a>,
    /// The items once more, as they were sent.
    stream: Stream<'a>,
    numbers: KeyBlock,
    items: usize,
    head: Option<Response>,
    splitter: Splitter,
    /// The body of an answer without results.
    body: Vec<u8>,
    first: Option<Window>,
    window: Window,
    order: StreamedOrder,
    /// The slowest item: its time, and itself with its result.
    slowest: Option<(i64, Window)>,
    /// The items and results around the one with which the order was lost.
    astray: Option<Window>,
    /// Whether a result is no JSON, and so all of the answer.
    malformed: bool,
    /// What the rules about items say of one that is plainly answered right.
    plain: Option<Vec<RuleCounts>>,
    judged: StreamEvaluation,
}

impl<'a> StreamEvaluator<'a> {
    /// For a batch whose items are drawn from `stream` with `numbers`.
    #[must_use]
    pub fn new(
        about: StreamContext<'a>,
        mut stream: Stream<'a>,
        numbers: &KeyBlock,
    ) -> StreamEvaluator<'a> {
        let items = stream.left();
        let mut minted = numbers.clone();
        let window = Window::default().fill(0, FIRST, about.contract, &mut stream, &mut minted);
        StreamEvaluator {
            splitter: Splitter::new(&about.contract.batch.results),
            order: StreamedOrder::new(numbers.clone(), items),
            stream,
            numbers: minted,
            items,
            head: None,
            body: Vec::new(),
            first: None,
            window,
            slowest: None,
            astray: None,
            malformed: false,
            plain: None,
            judged: StreamEvaluation::default(),
            about,
        }
    }

    /// Takes the head of the answer.
    pub fn begin(&mut self, status: u16, headers: Vec<(String, String)>) {
        self.head = Some(Response {
            status,
            headers,
            body: Bytes::new(),
            elapsed: NO_TIME,
            framing: None,
            outline: None,
        });
    }

    /// Takes what has come of the body.
    pub fn take(&mut self, body: &[u8]) {
        if self.head.as_ref().is_some_and(|h| h.status == 200) {
            self.splitter.push(body);
            self.results();
        } else {
            let room = (BODY + 1).saturating_sub(self.body.len()).min(body.len());
            self.body.extend_from_slice(&body[..room]);
        }
    }

    fn results(&mut self) {
        let mut at = 0;
        loop {
            if self.window.answered() == self.window.len() && !self.order.is_over() {
                self.next_window();
            }
            let index = self.window.answered();
            let mut read = None;
            let known = !self.order.is_over() && index < self.window.len();
            let (quick, window) = (self.about.quick.filter(|_| known), &self.window);
            let next = self.splitter.next(at, |text| {
                let (length, elapsed) = quick?.one(window.sent(index), text)?;
                read = Some((length, elapsed));
                Some(length)
            });
            let NextResult::Found(from, to) = next else { break };
            let text = self.splitter.pending()[from..to].trim_ascii_end();
            at = to;
            // What was read may be the beginning of something else.
            let plainly = read.filter(|(length, _)| *length == to - from).map(|(_, time)| time);
            if !known {
                self.order.further(&self.about.contract.batch.unique, text);
                continue;
            }
            self.window.push(text);
            self.window.plain &= plainly.is_some();
            if plainly.is_none() {
                self.window.size += parsed_size(text);
                if self.window.size > WINDOW_SIZE {
                    self.splitter.give_up();
                    break;
                }
            }
            match plainly {
                Some(time) => {
                    self.order.right();
                    self.note_time(time, index);
                }
                None => self.odd(index),
            }
        }
        let at = at.min(self.splitter.pending().len());
        self.splitter.drop_until(at);
    }

    /// Looks at a result that is not plainly right.
    fn odd(&mut self, index: usize) {
        let batch = &self.about.contract.batch;
        let value: Option<Value> = serde_json::from_slice(self.window.result(index)).ok();
        self.malformed |= value.is_none();
        let own: Option<Value> = serde_json::from_str(self.window.item(index)).ok();
        let number = |of: &Option<Value>| -> Option<String> {
            of.as_ref()?.get(&batch.unique)?.as_str().map(str::to_owned)
        };
        let elapsed = batch.elapsed.item.as_ref();
        let time = elapsed.and_then(|field| value.as_ref()?.get(field)?.as_i64());
        if let Some(time) = time {
            self.note_time(time, index);
        }
        self.order.next(number(&own).as_deref(), number(&value).as_deref());
        if self.order.is_lost() {
            let from = index.saturating_sub(1);
            self.astray = Some(self.window.part(from, index + 2));
        }
    }

    fn note_time(&mut self, time: i64, index: usize) {
        if self.slowest.as_ref().is_none_or(|(most, _)| time > *most) {
            self.slowest = Some((time, self.window.part(index, index + 1)));
        }
    }

    /// Judges the window, and goes on to the next.
    fn next_window(&mut self) {
        self.judge_window();
        let base = self.window.base + self.window.len();
        let window = std::mem::take(&mut self.window);
        let reused = if self.first.is_none() {
            self.first = Some(window);
            Window::default()
        } else {
            window
        };
        let StreamContext { contract, .. } = self.about;
        self.window = reused.fill(base, WINDOW, contract, &mut self.stream, &mut self.numbers);
        if self.window.len() == 0 {
            self.order.end();
        }
    }

    /// Holds the items that were answered against the rules.
    fn judge_window(&mut self) {
        let window = &self.window;
        let count = window.answered();
        // Where the order is lost, results say nothing of the items beside them.
        if count == 0 || self.order.is_lost() {
            return;
        }
        if window.plain
            && let Some(plain) = &self.plain
        {
            for (all, one) in self.judged.evaluation.counts.iter_mut().zip(plain) {
                all.add(&one.times(count as u64));
            }
            self.judged.evaluation.tally.accepted += count as u64;
            return;
        }
        let StreamContext { contract, profile, .. } = self.about;
        let Some(head) = &self.head else { return };
        let total = self.slowest.as_ref().map_or(0, |(time, _)| *time).max(0);
        let body = answer(contract, &window.answer(0, count), Some(total));
        let step = format!("{count} items from item {} on", window.base);
        let request = window.body(contract, 0, count);
        let exchange =
            exchange(contract, &self.about.request, &step, request, with_body(head, body));
        let evaluation = evaluate(contract, profile, &[exchange], &self.about.expectations, None);
        if window.plain && evaluation.violations.is_empty() {
            self.plain = each(&evaluation, count as u64);
        }
        let all = &mut self.judged.evaluation;
        for ((sum, counts), rule) in all.counts.iter_mut().zip(&evaluation.counts).zip(rules::all())
        {
            if matches!(rule.check, Check::Item(_)) {
                sum.add(counts);
            }
        }
        let mut tally = evaluation.tally;
        tally.statuses.clear();
        all.tally.add(&tally);
        // What belongs to an item outside the window is reported of the whole.
        for violation in evaluation
            .violations
            .into_iter()
            .filter(|violation| !violation.rule.concerns_whole_answer)
        {
            self.judged.keep(&self.about, head, &self.window, self.items, violation);
        }
    }

    /// What came of it, once the answer has ended, or was lost.
    #[must_use]
    pub fn finish(mut self, ended: Result<Duration, Loss>) -> StreamEvaluation {
        let head = self.head.take();
        let plain_head = head.clone().filter(|h| h.status == 200);
        if ended.is_ok() && plain_head.is_some() {
            self.head.clone_from(&plain_head);
            self.judge_window();
        }
        let StreamEvaluator { about, splitter, order, items, slowest, mut judged, window, .. } =
            self;
        let first = self.first.unwrap_or(window);
        let StreamContext { contract, profile, .. } = about;
        let answered = match (ended, head) {
            (Ok(elapsed), Some(head)) => {
                let head = Response { elapsed, ..head };
                if head.status == 200 {
                    with_body(&head, splitter.with(&first.answer(0, first.answered())))
                } else {
                    with_body(&head, self.body)
                }
            }
            (Err(loss), _) => Answer::Lost(loss),
            (Ok(elapsed), None) => Answer::Lost(Loss {
                kind: LossKind::Reset,
                message: "no head came".to_owned(),
                elapsed,
            }),
        };
        let step = format!("the first {} of {items} items", first.len());
        let body = first.body(contract, 0, first.len());
        let whole = exchange(contract, &about.request, &step, body, answered);
        let too_large = splitter.is_too_large()
            || whole.answer.response().is_some_and(|r| r.status != 200 && r.body.len() > BODY);
        if too_large {
            // Nothing can be said of what was not read.
            if let Some(index) = rules::index(about.rule.id) {
                judged.evaluation.counts[index].errored += 1;
            }
            judged.exchange = Some(whole);
            return judged;
        }
        let miscounted = splitter.has_ended() && order.seen() != items;
        let astray = miscounted || order.is_lost() || self.malformed;
        let evaluation =
            evaluate(contract, profile, std::slice::from_ref(&whole), &about.expectations, None);
        adopt_counts(&mut judged, &evaluation.counts, astray);
        judged.evaluation.tally.statuses.clone_from(&evaluation.tally.statuses);
        if evaluation.tally.accepted == 0 {
            judged.evaluation.tally.codes.clone_from(&evaluation.tally.codes);
        }
        let head = whole.answer.response().cloned();
        let found = evaluation.violations.into_iter().filter(|violation| {
            !(matches!(violation.rule.check, Check::Item(_))
                || astray && rules::needs_order(violation.rule))
        });
        for violation in found {
            match &head {
                Some(head) if violation.finding.item.is_some() => {
                    judged.keep_new(&about, head, &first, items, violation);
                }
                _ => judged.keep_whole(violation),
            }
        }
        if let (Some((_, alone)), Some(head), false) = (&slowest, &plain_head, astray) {
            // The slowest item beside the answer's own total.
            let answer = with_body(head, splitter.with(&alone.answer(0, 1)));
            let request = alone.body(contract, 0, 1);
            let slow = exchange(contract, &about.request, "the slowest item", request, answer);
            let violations = evaluate(contract, profile, &[slow], &[], None).violations;
            for violation in
                violations.into_iter().filter(|h| !matches!(h.rule.check, Check::Item(_)))
            {
                judged.keep_new(&about, head, alone, items, violation);
            }
        }
        let explained = |violation: &RuleViolation| {
            let whole = |other: &&RuleViolation| other.finding.item.is_none();
            let violations = &judged.evaluation.violations;
            violations
                .iter()
                .filter(whole)
                .any(|other| rules::relies_on(violation.rule, other.rule.id))
        };
        let violation = order_hit(contract, &order, miscounted, items)
            .filter(|violation| !self.malformed && !explained(violation));
        if let Some(violation) = violation {
            match (&self.astray, &head) {
                (Some(part), Some(head)) => {
                    judged.add_excerpt(&about, head, part, (0, part.len()), items);
                    judged.push(RuleViolation { exchange: judged.excerpts.len(), ..violation });
                }
                _ => judged.keep_whole(violation),
            }
        }
        judged.exchange = Some(whole);
        judged.settle();
        judged
    }
}

/// Takes over the counts of rules about the whole answer; where results have lost their items, those that need the
/// order are masked.
fn adopt_counts(judged: &mut StreamEvaluation, counts: &[RuleCounts], astray: bool) {
    for (index, rule) in rules::all().iter().enumerate() {
        if matches!(rule.check, Check::Item(_)) {
            continue;
        }
        judged.evaluation.counts[index] = if astray && rules::needs_order(rule) {
            RuleCounts { masked: 1, ..RuleCounts::default() }
        } else {
            counts[index]
        };
    }
}

/// What is wrong with number and order of the results, and the rule that says so.
fn order_hit(
    contract: &Contract,
    order: &StreamedOrder,
    miscounted: bool,
    items: usize,
) -> Option<RuleViolation> {
    let shown = |item| shown(&Value::from(order.number(item)));
    let (rule, finding) = if miscounted {
        (rules::order::COUNT, rules::order::miscounted(contract, items, order.seen()))
    } else {
        let lost = order.lost()?;
        if let Some(item) = lost.twice {
            (rules::order::ONCE, rules::order::twice(contract, item, &order.number(item), None))
        } else {
            let (own, other) = (shown(lost.at), shown(lost.from));
            let misordered =
                rules::order::misordered(contract, (lost.at, &own), (lost.from, &other));
            (rules::order::ORDER, misordered)
        }
    };
    Some(RuleViolation { rule, exchange: 0, finding })
}

/// What each of `count` items brought to the counts of rules about items; nothing where they differ.
fn each(evaluation: &Evaluation, count: u64) -> Option<Vec<RuleCounts>> {
    let share = |all: u64| all.is_multiple_of(count).then_some(all / count);
    let mut counts = Vec::with_capacity(evaluation.counts.len());
    for (all, rule) in evaluation.counts.iter().zip(rules::all()) {
        counts.push(if matches!(rule.check, Check::Item(_)) {
            RuleCounts {
                passed: share(all.passed)?,
                not_applicable: share(all.not_applicable)?,
                failed: share(all.failed)?,
                masked: share(all.masked)?,
                unanswered: share(all.unanswered)?,
                errored: share(all.errored)?,
            }
        } else {
            RuleCounts::default()
        });
    }
    Some(counts)
}
