//! TIME: elapsed fields, against each other and the client's clock (INTERPRETATION-23).

use serde_json::Value;

use crate::contract::{Level, member};
use crate::exchange_view::ExchangeView;
use crate::finding::{Finding, Verdict};
use crate::rule::{Check, Rule};
use crate::text::shown;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "TIME-001",
        level: Level::Must,
        title: "Elapsed times are whole and not negative",
        cite: "OpenAPI: result schema, int64; INTERPRETATION-23",
        doc: "A duration below zero comes from two clocks, or from one that was set back.",
        example: include_str!("examples/TIME-001.txt"),
        needs: &["SCHEMA-001"],
        check: Check::Exchange(not_negative),
        fails_once_per_answer: true,
        ..Rule::BASE
    },
    Rule {
        id: "TIME-002",
        level: Level::Should,
        title: "The elapsed time of an item is not above the total",
        cite: "INTERPRETATION-23",
        doc: "The part is not longer than the whole (1 ms of slack for rounding).",
        example: include_str!("examples/TIME-002.txt"),
        needs: &["SCHEMA-001", "TIME-001", "RACE-002"],
        check: Check::Exchange(part_within_whole),
        fails_once_per_answer: true,
        ..Rule::BASE
    },
    Rule {
        id: "TIME-003",
        level: Level::Should,
        title: "The total elapsed time is not above what the client measured",
        cite: "INTERPRETATION-23",
        doc: "The server can't have worked longer than the client waited (1 ms of slack). Another unit, such \
              as microseconds, shows here. Counts only where repeats show it too.",
        example: include_str!("examples/TIME-003.txt"),
        needs: &["SCHEMA-001", "TIME-001"],
        check: Check::Exchange(within_clients_clock),
        fails_once_per_answer: true,
        ..Rule::BASE
    },
];

fn totals(view: &ExchangeView<'_>) -> Option<i64> {
    let field = view.contract.batch.elapsed.total.as_ref()?;
    whole(view.body()?.get(field)?)
}

/// A whole number, also one that is written `3.0`.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15)?;
        format!("{number:.0}").parse().ok()
    })
}

fn parts<'a>(view: &'a ExchangeView<'_>) -> impl Iterator<Item = (usize, i64, &'a str)> {
    let field = view.contract.batch.elapsed.item.as_deref();
    let results = view.results().unwrap_or(&[]);
    results.iter().enumerate().filter_map(move |(index, result)| {
        let field = field?;
        Some((index, whole(member(result, field)?)?, field))
    })
}

fn not_negative(view: &ExchangeView<'_>) -> Verdict {
    if view.results().is_none() {
        return Verdict::NotApplicable("no results");
    }
    let results = &view.contract.batch.results;
    let mut findings: Vec<Finding> = parts(view)
        .filter(|(_, ms, _)| *ms < 0)
        .take(1)
        .map(|(index, ms, field)| {
            let pointer = format!("/{results}/{index}/{field}");
            Finding::new("negative", pointer, "0 or more", ms.to_string()).item(index)
        })
        .collect();
    if let (Some(total), Some(field)) = (totals(view), &view.contract.batch.elapsed.total)
        && total < 0
    {
        findings.push(Finding::new(
            "negative",
            format!("/{field}"),
            "0 or more",
            total.to_string(),
        ));
    }
    Verdict::of(findings)
}

fn part_within_whole(view: &ExchangeView<'_>) -> Verdict {
    let Some(total) = totals(view) else { return Verdict::NotApplicable("no total") };
    let above = parts(view).find(|(_, ms, _)| *ms > total.saturating_add(1));
    match above {
        None => Verdict::Pass,
        Some((index, ms, field)) => {
            let pointer = format!("/{}/{index}/{field}", view.contract.batch.results);
            Verdict::fail(
                Finding::new(
                    "above the total",
                    pointer,
                    format!("at most {total} ms, the total"),
                    format!("{ms} ms"),
                )
                .item(index),
            )
        }
    }
}

/// Milliseconds above what the client measured that need no second look.
const ABSURD: i64 = 1_000;

fn within_clients_clock(view: &ExchangeView<'_>) -> Verdict {
    let (Some(total), Some(response)) = (totals(view), view.response()) else {
        return Verdict::NotApplicable("no total");
    };
    let field = view.contract.batch.elapsed.total.as_deref().unwrap_or("");
    let measured = i64::try_from(response.elapsed.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
    if total <= measured.saturating_add(1) {
        return Verdict::Pass;
    }
    let finding = Finding::new(
        "above the client's clock",
        format!("/{field}"),
        format!("at most {measured} ms, as the client measured"),
        shown(&Value::from(total)),
    );
    // A clock that was set meanwhile jumps by less, and not now and then.
    let absurd = total > measured.saturating_mul(10).saturating_add(ABSURD);
    Verdict::fail(if absurd { finding } else { finding.unproven() })
}
