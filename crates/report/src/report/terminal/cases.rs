//! A line for each case, and which of them took longest.

use super::paint::{Colour, Paint};
use super::{TerminalPage, TerminalStyle, columns};
use crate::record::{CaseSummary, Summary};
use crate::report::text::{counted, seconds, visible, width};
use crate::triage::ProblemState;

/// Slow cases that are named.
const SLOWEST: usize = 10;

/// All cases of a run, in its order, then the slowest.
#[must_use]
pub fn cases(summary: &Summary, style: TerminalStyle) -> String {
    let columns = columns(style);
    let mut page = TerminalPage { out: String::new(), columns, paint: Paint(style.colour) };
    page.heading(&counted(summary.cases.len() as u64, "case"));
    let wide =
        summary.cases.iter().map(|case| width(&visible(&case.id))).max().unwrap_or(0).min(48);
    for case in &summary.cases {
        let (word, colour) = outcome(summary, case);
        let word = page.paint.of(colour, &format!("{word:<11}"));
        let figures = figures(summary, case);
        let line = format!("  {word} {:wide$}  {figures}", visible(&case.id));
        page.line(line.trim_end());
    }
    let mut slow: Vec<(&CaseSummary, u64)> =
        summary.cases.iter().filter_map(|c| Some((c, c.record.as_ref()?.millis))).collect();
    slow.sort_by_key(|(_, millis)| std::cmp::Reverse(*millis));
    slow.truncate(SLOWEST);
    if slow.is_empty() {
        return page.out;
    }
    page.heading("Slowest cases");
    for (case, _) in slow {
        let line = format!("  {:wide$}  {}", visible(&case.id), figures(summary, case));
        page.line(&line);
    }
    page.out
}

fn figures(summary: &Summary, case: &CaseSummary) -> String {
    match (&case.record, summary.head.not_run.get(&case.id)) {
        (_, Some(not)) => visible(&not.why),
        (None, None) if summary.head.deeper.contains(&case.id) => {
            "runs at a greater depth".to_owned()
        }
        (None, None) => String::new(),
        (Some(record), None) => format!(
            "{}, {}, {}",
            counted(record.runs, "execution"),
            counted(record.requests, "request"),
            duration(record.millis)
        ),
    }
}

/// A time of whole milliseconds, as people say it.
fn duration(millis: u64) -> String {
    if millis < 1000 {
        format!("{millis} ms")
    } else {
        seconds(std::time::Duration::from_millis(millis).as_secs_f64())
    }
}

/// What became of a case, in a word.
fn outcome(summary: &Summary, case: &CaseSummary) -> (&'static str, Colour) {
    let findings = case.findings.iter().filter_map(|at| summary.findings.get(*at));
    let states: Vec<ProblemState> = findings.map(|(_, u)| ProblemState::from_status(u)).collect();
    if states.contains(&ProblemState::Confirmed) {
        return ("failed", Colour::Red);
    }
    if states.contains(&ProblemState::Unconfirmed) {
        return ("unconfirmed", Colour::Yellow);
    }
    if states.contains(&ProblemState::Waived) {
        return ("waived", Colour::Yellow);
    }
    match &case.record {
        Some(record) if record.runs > record.unanswered => ("passed", Colour::Green),
        Some(record) if record.runs > 0 => ("unanswered", Colour::Yellow),
        _ => ("not run", Colour::Dim),
    }
}
