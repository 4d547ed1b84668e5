//! STORE: what was accepted can be read back, and what was not can't. It applies where the contract has a `read`.

use serde_json::Value;

use crate::contract::Level;
use crate::contract::shape::{ItemRead, ReadAnswer};
use crate::exchange::key_read;
use crate::exchange_view::{ExchangeView, ExecutionView};
use crate::finding::{Finding, Verdict};
use crate::model::{FieldDifference, Stored, StoredAt, differences, is_same, stored};
use crate::rule::{Check, Rule};
use crate::text::{TextChange, shorten, shown};

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "STORE-001",
        level: Level::Must,
        title: "What was accepted can be read back",
        cite: "The contract: `read`",
        doc: "An accepted item is there when it is read by its key, with the values that the contract says are shown. \
              batchproof reads again for as long as the contract allows (`within`) before it reports a difference. A read \
              that is refused, answered for load or lost says nothing.",
        example: include_str!("examples/STORE-001.txt"),
        needs: NEEDS,
        check: Check::Execution(accepted_is_there),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "STORE-002",
        level: Level::Must,
        title: "What was refused or rejected can't be read back",
        cite: "The contract: `read`; INTERPRETATION-03",
        doc: "Neither a rejected item nor any item of a refused request was stored, so a read by its key finds nothing. \
              Keys that were accepted elsewhere, or may have been used by somebody else, are not judged. batchproof reads \
              again for as long as the contract allows (`within`) before it reports an item that is there.",
        example: include_str!("examples/STORE-002.txt"),
        needs: NEEDS,
        check: Check::Execution(refused_is_not_there),
        may_lack_occasion: true,
        ..Rule::BASE
    },
];

/// A read, what must be stored under its key, and what its answer says.
struct ReadBack<'v> {
    view: &'v ExchangeView<'v>,
    stored: Stored,
    says: ReadAnswer,
}

/// The reads of an execution that stand alone and were answered.
fn reads<'v>(trial: &'v ExecutionView<'v>) -> impl Iterator<Item = ReadBack<'v>> {
    trial.exchanges.iter().enumerate().filter_map(|(at, view)| {
        if !view.is_read() || view.exchange.group.is_some() {
            return None;
        }
        let read = view.contract.read.as_ref()?;
        let response = view.response()?;
        let key = key_read(view.contract, &view.exchange.request)?;
        let stored = stored(trial.exchanges.get(..at)?, &key);
        Some(ReadBack { view, stored, says: read.says(response.status, &response.body) })
    })
}

fn accepted_is_there(trial: &ExecutionView<'_>) -> Verdict {
    judge(trial, |read| match (&read.stored, &read.says) {
        (Stored::Kept(at, _), ReadAnswer::Gone) => {
            let expected =
                format!("found ({}): {} was accepted", found(read.view), item(trial, *at));
            Some(vec![Finding::new("not found", "", expected, answered(read.view, "not found"))])
        }
        (Stored::Kept(at, sent), ReadAnswer::Found(shown)) => {
            let all = match (sent, shown) {
                (Some(sent), Some(shown)) => differences(trial.contract, sent, shown),
                _ => Vec::new(),
            };
            Some(all.into_iter().map(|one| difference(trial, *at, &one)).collect())
        }
        _ => None,
    })
}

fn refused_is_not_there(trial: &ExecutionView<'_>) -> Verdict {
    judge(trial, |read| {
        let (kind, why) = match &read.stored {
            Stored::Rejected(at) => ("rejected", format!("{} was rejected", item(trial, *at))),
            Stored::Refused(at, status) => {
                ("refused", format!("the request with {} was answered {status}", item(trial, *at)))
            }
            _ => return None,
        };
        match &read.says {
            ReadAnswer::Gone => Some(Vec::new()),
            ReadAnswer::Found(_) => {
                let expected = format!("not found ({}): {why}", gone(read.view));
                let actual = answered(read.view, "found");
                Some(vec![Finding::new(format!("{kind} and there"), "", expected, actual)])
            }
            ReadAnswer::Unclear => None,
        }
    })
}

/// Judges every read: pass where any passed and none failed.
fn judge(
    trial: &ExecutionView<'_>,
    look: impl Fn(&ReadBack<'_>) -> Option<Vec<Finding>>,
) -> Verdict {
    let mut is_judged = false;
    let mut findings = Vec::new();
    for read in reads(trial) {
        let Some(found) = look(&read) else { continue };
        is_judged = true;
        let index = read.view.exchange.index;
        findings.extend(found.into_iter().map(|finding| finding.exchange(index)));
    }
    if is_judged { Verdict::of(findings) } else { Verdict::NotApplicable("nothing was read back") }
}

fn difference(trial: &ExecutionView<'_>, at: StoredAt, one: &FieldDifference) -> Finding {
    let expected = format!("{}, as {} was sent", shown(&one.sent), item(trial, at));
    let Some(value) = &one.shown else {
        return Finding::new("missing field", &one.at, expected, "nothing");
    };
    let is_of_another = trial
        .exchanges
        .iter()
        .flat_map(ExchangeView::items)
        .any(|other| other.value.get(&one.name).is_some_and(|other| is_same(other, value)));
    let kind = match (&one.sent, value) {
        (Value::String(sent), Value::String(shown)) => TextChange::between(sent, shown)
            .map(TextChange::word)
            .filter(|_| !is_of_another)
            .unwrap_or("another value"),
        _ => "another value",
    };
    Finding::new(kind, &one.at, expected, shown(value))
}

/// An item, for people.
fn item(trial: &ExecutionView<'_>, (exchange, at): StoredAt) -> String {
    let step = trial.exchanges.iter().find(|view| view.exchange.index == exchange);
    let step = step.map_or("", |view| view.exchange.step.as_str());
    format!("item {at} of {step}")
}

fn read_of<'v>(view: &ExchangeView<'v>) -> Option<&'v ItemRead> {
    view.contract.read.as_ref()
}

fn found(view: &ExchangeView<'_>) -> String {
    words(read_of(view).map_or(&[][..], |read| &read.found))
}

fn gone(view: &ExchangeView<'_>) -> String {
    words(read_of(view).map_or(&[][..], |read| &read.gone))
}

fn words(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
}

/// What a read was answered after the last try.
fn answered(view: &ExchangeView<'_>, what: &str) -> String {
    let status = view.wire_status().unwrap_or_default();
    let within = read_of(view).map_or(0.0, |read| read.within.as_secs_f64());
    let body = view.response().map(|r| String::from_utf8_lossy(&r.body).into_owned());
    let body = body
        .filter(|body| !body.is_empty())
        .map_or(String::new(), |body| format!(" with {}", shorten(&body)));
    format!("still {what} ({status}) after {within} s{body}")
}
