//! ROBUST: odd, huge or broken input is answered within its class.

use super::common::{is_server_error, lost_answer, server_error};
use crate::contract::Level;
use crate::exchange_view::{ExchangeView, ExecutionView};
use crate::finding::{Finding, Verdict};
use crate::rule::{Check, Grouping, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ROBUST-001",
        level: Level::Must,
        title: "Unusual, broken or huge input is answered, and never with a 5xx",
        cite: "INTERPRETATION-15, INTERPRETATION-07",
        doc: "Whatever the bytes, the answer stays below 500, and it comes: no dropped connection, no hang. \
              A 5xx for input means that the input reached code that did not expect it, and leaves unknown \
              what was stored. Example: U+0000 in a string that the database refuses.",
        needs: &[],
        check: Check::Exchange(answered_in_class),
        grouping: Grouping::Shared("server failed"),
        ..Rule::BASE
    },
    Rule {
        id: "ROBUST-002",
        level: Level::Should,
        title: "Processing time grows no faster than the size of the batch",
        cite: "INTERPRETATION-22",
        doc: "A batch ten times the size may take ten times as long; a cliff well above that points at work \
              that is quadratic in the number of items. Measured within one run, on batches of three sizes.",
        needs: &["ROBUST-001", "STATUS-001"],
        check: Check::Execution(time_is_linear),
        ..Rule::BASE
    },
];

fn answered_in_class(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_odd() || view.exchange.group.is_some() {
        return Verdict::NotApplicable("not odd input");
    }
    if let Some(finding) = lost_answer(view) {
        return Verdict::fail(finding);
    }
    match view.status() {
        Some(status) if is_server_error(view, status) => Verdict::fail(server_error(view, status)),
        Some(_) => Verdict::Pass,
        None => Verdict::NotApplicable("the client hung up"),
    }
}

/// Compares the time an item takes in the largest batch with that in batches of about a tenth.
fn time_is_linear(trial: &ExecutionView<'_>) -> Verdict {
    let mut sizes: Vec<(usize, f64)> = trial
        .exchanges
        .iter()
        .filter(|e| e.status() == Some(200) && e.items().len() >= 10)
        .filter_map(|e| e.response().map(|r| (e.items().len(), r.elapsed.as_secs_f64())))
        .collect();
    sizes.sort_by_key(|(n, _)| *n);
    let (Some((small, _)), Some((large, _))) = (sizes.first().copied(), sizes.last().copied())
    else {
        return Verdict::NotApplicable("no batches of several sizes");
    };
    if large < small * 5 || sizes.len() < 3 {
        return Verdict::NotApplicable("no batches of several sizes");
    }
    // The fastest of each size: the target's own time, not its neighbours'.
    let fastest = |n: usize| {
        sizes.iter().filter(|(m, _)| *m == n).map(|(_, t)| *t).fold(f64::INFINITY, f64::min)
    };
    let (few, many) = (fastest(small), fastest(large));
    let growth = (large as f64) / (small as f64);
    let limit = few * growth * 4.0 + 0.25;
    if many <= limit {
        return Verdict::Pass;
    }
    Verdict::fail(
        Finding::new(
            "superlinear",
            "",
            format!("{large} items within {:.0} ms", limit * 1000.0),
            format!(
                "{small} items took {:.0} ms, {large} items {:.0} ms",
                few * 1000.0,
                many * 1000.0
            ),
        )
        .unproven(),
    )
}
