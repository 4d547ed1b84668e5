//! How long answers took, case by case: thresholds beside what was measured, and the distribution.

use maud::{Markup, html};

use super::charts;
use crate::record::{MeasuredThreshold, Summary};
use crate::report::json::{histogram, thresholds};
use crate::report::text::{excerpt, visible};

/// Cases that are shown.
const CASES: usize = 40;

pub(super) fn section(summary: &Summary) -> Markup {
    let timed = summary.cases.iter().filter_map(|case| {
        let record = case.record.as_ref()?;
        let bars = histogram(summary, &case.id, record);
        let thresholds = thresholds(summary, &case.id, record);
        (!bars.is_empty() || !thresholds.is_empty()).then_some((case, thresholds, bars))
    });
    let timed: Vec<_> = timed.take(CASES).collect();
    html! {
        @if !timed.is_empty() {
            h2 #times { "Response times" }
            p.lede { "From sending a request to the last byte of its response, measured by batchproof over all executions of a case." }
            @for (case, thresholds, bars) in &timed {
                h3 { code { (visible(&case.id)) } " " span.muted { (visible(&excerpt(&case.title, 160))) } }
                @if !thresholds.is_empty() { (table(thresholds)) }
                @if !bars.is_empty() {
                    div.charts { (charts::histogram(bars, thresholds)) }
                }
            }
        }
    }
}

fn table(thresholds: &[MeasuredThreshold]) -> Markup {
    html! {
        table.stacks {
            thead { tr {
                th scope="col" { "Threshold" } th.n scope="col" { "At most" } th.n scope="col" { "Measured" } th scope="col" { "Result" }
            } }
            tbody {
                @for threshold in thresholds {
                    tr {
                        td data-name="Threshold" { (threshold.name) }
                        td.n data-name="At most" { (threshold.limit) }
                        td.n data-name="Measured" { (threshold.shown) }
                        td data-name="Result" { @if threshold.crossed { b { "crossed" } } @else { "held" } }
                    }
                }
            }
        }
    }
}
