//! ROBUST: odd, huge or broken input is answered within its class.

mod inputs;

pub use inputs::exempt_words;

use super::common::{REFUSED_EARLY, is_server_error, lost_answer, must_be_processed, server_error};
use crate::contract::Level;
use crate::exchange_view::{ExchangeView, ExecutionView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::rule::{Check, Explains, Grouping, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ROBUST-001",
        level: Level::Must,
        title: "Unusual, broken or huge input is answered, and never with a 5xx",
        cite: "INTERPRETATION-15, INTERPRETATION-07",
        doc: "Whatever the bytes, the answer stays below 500, and it comes: no dropped connection, no hang. \
              A 5xx for input means that the input reached code that did not expect it, and leaves unknown \
              what was stored. Example: U+0000 in a string that the database refuses.",
        example: include_str!("examples/ROBUST-001.txt"),
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
        example: include_str!("examples/ROBUST-002.txt"),
        needs: &["ROBUST-001", "STATUS-001"],
        check: Check::Execution(time_is_linear),
        ..Rule::BASE
    },
    Rule {
        id: "ROBUST-003",
        level: Level::Must,
        title: "After unusual input a plain batch is still answered",
        cite: "INTERPRETATION-15, INTERPRETATION-07",
        doc: "What a request breaks must end with it. A lock that stays held, a transaction that stays open on its \
              connection, a worker that does not come back: the next client pays for them. Judged on the plain batch \
              that follows unusual input in one case.",
        example: include_str!("examples/ROBUST-003.txt"),
        needs: &[],
        check: Check::Execution(plain_is_still_answered),
        grouping: Grouping::Shared("server failed"),
        ..Rule::BASE
    },
    Rule {
        id: "ROBUST-004",
        level: Level::Should,
        title: "Nesting of more than 500 levels is answered, and not with a 5xx",
        cite: "INTERPRETATION-15",
        doc: "Recursive parsers of several stock frameworks run out of stack between 1,000 and 2,000 levels and answer 500. \
              Nothing is stored and no client sends it, but anybody can fill the error log. A limit of depth in the \
              parser, or a handler for its error, ends that.",
        example: include_str!("examples/ROBUST-004.txt"),
        needs: &[],
        check: Check::Exchange(deep_nesting_answered),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        grouping: Grouping::Shared("server failed"),
        ..Rule::BASE
    },
];

/// From here on stock frameworks run out of stack.
const DEEP: usize = 500;

/// Whether arrays and objects of the body are nested more deeply than stock parsers can read.
fn is_nested_deeply(view: &ExchangeView<'_>) -> bool {
    let body = view.exchange.request.body.as_deref().unwrap_or_default();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                if depth > DEEP {
                    return true;
                }
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

fn deep_nesting_answered(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_odd() || view.exchange.group.is_some() || !is_nested_deeply(view) {
        return Verdict::NotApplicable("no deep nesting");
    }
    in_class(view)
}

fn answered_in_class(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_odd() || view.exchange.group.is_some() {
        return Verdict::NotApplicable("not unusual input");
    }
    match in_class(view) {
        Verdict::Fail(_) if is_nested_deeply(view) => {
            Verdict::NotApplicable("deep nesting has a rule of its own")
        }
        verdict => verdict,
    }
}

fn in_class(view: &ExchangeView<'_>) -> Verdict {
    if view.is_lost_to_early_refusal() {
        return Verdict::NotApplicable(REFUSED_EARLY);
    }
    if let Some(finding) = lost_answer(view) {
        let inputs = inputs::inputs(view);
        let expected = match inputs.first() {
            Some(input) => format!("a response to {input}").into(),
            None => finding.expected,
        };
        return Verdict::fail(Finding { expected, inputs, ..finding });
    }
    match view.status() {
        Some(status) if is_server_error(view, status) => {
            let finding = server_error(view, status);
            let inputs = inputs::inputs(view);
            let (kind, expected) = match inputs.first() {
                // Each kind of input may break another part of the server.
                Some(input) => {
                    (format!("{} to {input}", finding.kind), format!("no 5xx for {input}").into())
                }
                None => (finding.kind, finding.expected),
            };
            Verdict::fail(Finding { expected, kind, inputs, ..finding })
        }
        Some(_) => Verdict::Pass,
        None => Verdict::NotApplicable("the client hung up"),
    }
}

/// Looks at plain batches right behind unusual input.
fn plain_is_still_answered(trial: &ExecutionView<'_>) -> Verdict {
    let mut judged = false;
    let mut findings = Vec::new();
    for pair in trial.exchanges.windows(2) {
        let [odd, plain] = pair else { continue };
        let follows = odd.is_odd() && !plain.is_odd() && must_be_processed(plain);
        if !follows || plain.exchange.group.is_some() || plain.feature().is_some() {
            continue;
        }
        let finding = match plain.status() {
            Some(status) if is_server_error(plain, status) => Some(server_error(plain, status)),
            Some(_) => None,
            None => lost_answer(plain),
        };
        judged |= plain.status().is_some() || finding.is_some();
        findings.extend(finding.map(|finding| {
            // What came before is what it is about, though the plain batch shows it.
            let mut inputs = inputs::inputs(odd);
            if inputs.is_empty() {
                inputs.push("unusual input".to_owned());
            }
            let expected = format!("a response below 500, behind {} too", inputs[0]).into();
            Finding { expected, inputs, ..finding }.exchange(plain.exchange.index)
        }));
    }
    if judged {
        Verdict::of(findings)
    } else {
        Verdict::NotApplicable("no plain batch behind unusual input")
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
