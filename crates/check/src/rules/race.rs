//! RACE: simultaneous requests, released by a barrier.

use serde_json::Value;

use super::common::{REFUSED_EARLY, is_server_error, lost_answer, server_error};
use crate::contract::{Level, member};
use crate::exchange_view::{ExchangeView, ExecutionView, ItemVerdict};
use crate::finding::{Finding, Symptom, Verdict};
use crate::prediction::Prediction;
use crate::rule::{Check, Explains, Rule};
use crate::text::shown;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "RACE-001",
        level: Level::Must,
        title: "Exactly one of several simultaneous requests with the same key is accepted",
        cite: "OpenAPI: example of the 200 (a used key is rejected); INTERPRETATION-05",
        doc: "A check for the key and its use that are two separate steps leave a window in which a second \
              request gets through. A unique constraint closes it; a retry by a client that lost the answer \
              opens it.",
        example: include_str!("examples/RACE-001.txt"),
        needs: &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001"],
        check: Check::Execution(exactly_one),
        ..Rule::BASE
    },
    Rule {
        id: "RACE-002",
        level: Level::Must,
        title: "Each request gets its own response",
        cite: "INTERPRETATION-06",
        doc: "State that is shared between requests mixes their results: a client reads another's verdicts. \
              Judged wherever several are under way, whether released together or not.",
        example: include_str!("examples/RACE-002.txt"),
        needs: &[],
        check: Check::Exchange(own_answer),
        explains: &[Explains::DEPENDENTS],
        concerns_whole_answer: true,
        ..Rule::BASE
    },
    Rule {
        id: "RACE-003",
        level: Level::Must,
        title: "Simultaneous requests never cause a 5xx or a lost response",
        cite: "INTERPRETATION-07",
        doc: "A conflict between simultaneous requests is the server's to resolve: a deadlock or a violated \
              constraint must not reach the client as a 500.",
        example: include_str!("examples/RACE-003.txt"),
        needs: &[],
        check: Check::Exchange(overlap_is_answered),
        ..Rule::BASE
    },
];

fn exactly_one(trial: &ExecutionView<'_>) -> Verdict {
    let mut judged = false;
    let mut findings = Vec::new();
    for view in &trial.exchanges {
        for (i, expected) in view.predicted.iter().enumerate() {
            let Prediction::ConcurrentDuplicate(places) = expected else { continue };
            if places.first() != Some(&(view.exchange.index, i)) {
                continue;
            }
            let verdicts: Vec<(usize, usize, Option<ItemVerdict>)> = places
                .iter()
                .filter_map(|(e, i)| {
                    let view = trial.exchanges.iter().find(|v| v.exchange.index == *e)?;
                    Some((*e, *i, view.verdicts.get(*i).copied().flatten()))
                })
                .collect();
            let accepted: Vec<&(usize, usize, Option<ItemVerdict>)> =
                verdicts.iter().filter(|v| v.2 == Some(ItemVerdict::Accepted)).collect();
            // A request that was refused as a whole used no key; it says nothing by itself.
            let refused = |exchange: usize| {
                let view = trial.exchanges.iter().find(|v| v.exchange.index == exchange);
                view.is_some_and(|view| view.status() == Some(400))
            };
            let all_known = verdicts.iter().any(|v| v.2.is_some())
                && verdicts.iter().all(|v| v.2.is_some() || refused(v.0));
            let number = shown(&Value::from(view.items()[i].number.as_deref().unwrap_or("")));
            let accepted: Vec<(usize, usize)> = accepted.iter().map(|v| (v.0, v.1)).collect();
            let race = SharedKey { of: places.len(), name: &number, kind: "" };
            if let Some(found) = race.findings((view, i), &accepted, all_known) {
                judged = true;
                findings.extend(found);
            }
        }
    }
    if judged {
        Verdict::of(findings)
    } else {
        Verdict::NotApplicable("no key in several requests at once")
    }
}

/// A key of several simultaneous requests, of which exactly one is to be accepted.
pub(super) struct SharedKey<'a> {
    /// How many requests have it.
    pub of: usize,
    /// What it is called in findings.
    pub name: &'a str,
    /// What the kinds of its findings begin with.
    pub kind: &'a str,
}

impl SharedKey<'_> {
    /// What is wrong where these items were `accepted`; nothing where it can't be judged. Whether it can where none was,
    /// `is_decided` says.
    pub fn findings(
        &self,
        (view, item): (&ExchangeView<'_>, usize),
        accepted: &[(usize, usize)],
        is_decided: bool,
    ) -> Option<Vec<Finding>> {
        let batch = &view.contract.batch;
        let finding = |kind: &str, (exchange, item): (usize, usize), actual: String| {
            let at = format!("/{}/{item}/{}", batch.results, batch.verdict.field);
            let expected = format!("one of {} requests accepted with {}", self.of, self.name);
            Finding::new(format!("{}{kind}", self.kind), at, expected, actual)
                .item(item)
                .exchange(exchange)
        };
        match accepted {
            [_] => Some(Vec::new()),
            [] if is_decided => {
                let first = (view.exchange.index, item);
                let found = finding("none accepted", first, "none".to_owned());
                Some(vec![found.shows(Symptom::NoConcurrentAccepted)])
            }
            [] => None,
            [_, second, ..] => {
                let actual = format!("{} accepted", accepted.len());
                let found = finding("accepted more than once", *second, actual);
                Some(vec![found.shows(Symptom::AcceptedConcurrently)])
            }
        }
    }
}

fn own_answer(view: &ExchangeView<'_>) -> Verdict {
    if view.results().is_none() {
        return Verdict::NotApplicable("no results");
    }
    let unique = &view.contract.batch.unique;
    if let Some((index, number)) =
        view.crosstalk.and_then(|at| Some((at, view.results()?.get(at)?.get(unique)?)))
    {
        return Verdict::fail(another(view, index, unique, number, "of another request"));
    }
    if view.in_flight.is_empty() {
        return Verdict::NotApplicable("no other request under way");
    }
    let crosstalk = view.results().unwrap_or(&[]).iter().enumerate().find_map(|(index, result)| {
        view.contract.batch.echo.iter().find_map(|field| {
            let echoed = member(result, field)?;
            let own = view.items().iter().any(|i| member(&i.value, field) == Some(echoed));
            // What several items said is no sign that one of them was answered here, and one with the same
            // number may be the one that used it.
            let mut others =
                view.in_flight.iter().filter(|item| member(item, field) == Some(echoed));
            let sole = others.next().filter(|_| others.next().is_none())?;
            let shared = view.items().iter().any(|i| i.value.get(unique) == sole.get(unique));
            (!own && !shared).then_some((index, field, echoed))
        })
    });
    match crosstalk {
        None => Verdict::Pass,
        Some((index, field, echoed)) => {
            Verdict::fail(another(view, index, field, echoed, "of another request under way"))
        }
    }
}

fn another(
    view: &ExchangeView<'_>,
    index: usize,
    field: &str,
    echoed: &Value,
    whose: &str,
) -> Finding {
    let said = view.items().get(index).and_then(|i| i.value.get(field));
    let expected = said.map_or("what an item of this request says".to_owned(), shown);
    let pointer = format!("/{}/{index}/{field}", view.contract.batch.results);
    Finding::new("another's answer", pointer, expected, format!("{}, {whose}", shown(echoed)))
        .item(index)
}

fn overlap_is_answered(view: &ExchangeView<'_>) -> Verdict {
    if view.exchange.group.is_none() {
        return Verdict::NotApplicable("nothing overlapped");
    }
    if view.is_lost_to_early_refusal() {
        return Verdict::NotApplicable(REFUSED_EARLY);
    }
    if let Some(finding) = lost_answer(view) {
        return Verdict::fail(finding);
    }
    match view.status() {
        Some(status) if is_server_error(view, status) => {
            Verdict::fail(server_error(view, status).shows(Symptom::OverlapBroke))
        }
        Some(_) => Verdict::Pass,
        None => Verdict::NotApplicable("the client hung up"),
    }
}
