//! The run over time, as inline SVG: requests per second, by what they came to, with the phases of the run.

use maud::{Markup, html};

use crate::record::{Phase, Summary, TimelineSlice};
use crate::report::text::{counted, number};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 0.0;
const RIGHT: f64 = WIDTH;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 150.0;
/// How each kind of outcome is drawn.
const CLASSES: [&str; 5] = ["good", "fine", "busy", "bad", "lost"];

pub(super) fn section(summary: &Summary) -> Markup {
    let slices = summary.tail.as_ref().map_or(&[][..], |tail| &tail.timeline);
    let total: u64 = slices.iter().map(|slice| slice.ended.total()).sum();
    let Some(end) = slices.last().map(|slice| slice.until_ms).filter(|_| total > 0) else {
        return html! {};
    };
    let x = |ms: u64| tenth(LEFT + ms as f64 / end.max(1) as f64 * (RIGHT - LEFT));
    let rates: Vec<f64> = slices
        .iter()
        .enumerate()
        .map(|(at, slice)| slice.ended.total() as f64 * 1000.0 / length(slices, at) as f64)
        .collect();
    let most = rates.iter().copied().fold(0.0, f64::max).max(1.0);
    let kinds: Vec<(&str, &str, u64)> = slices[0]
        .ended
        .list()
        .iter()
        .enumerate()
        .map(|(kind, (name, _))| {
            (CLASSES[kind], *name, slices.iter().map(|slice| slice.ended.list()[kind].1).sum())
        })
        .filter(|(_, _, count)| *count > 0)
        .collect();
    let label = kinds.iter().map(|(_, name, count)| format!("{name}: {count}")).collect::<Vec<_>>();
    let phases = phases(slices);
    html! {
        h2 #timeline { "Timeline" }
        figure.chart.timeline {
            figcaption {
                "Requests over time " span.muted { (counted(total, "request")) " in " (time(end)) ", at most " (format!("{most:.0}")) " per second" }
            }
            svg viewBox=(format!("0 0 {WIDTH} {BOTTOM}")) preserveAspectRatio="none" role="img" aria-label=(label.join(", ")) {
                @for (at, (_, from, to)) in phases.iter().enumerate() {
                    rect class=(if at % 2 == 0 { "phase" } else { "phase other" }) x=(x(*from)) y="0" width=(tenth((x(*to) - x(*from)).max(0.5))) height=(BOTTOM) {}
                }
                @for (at, slice) in slices.iter().enumerate().filter(|(_, slice)| slice.ended.total() > 0) {
                    (bar(slices, at, slice, rates[at] / most, &x))
                }
            }
            // Labels beside the picture keep their size where it is small.
            div.ticks aria-hidden="true" {
                @for tick in 0..=4_u64 { span { (time(end * tick / 4)) } }
            }
            p.small.muted {
                @for (at, (phase, from, to)) in phases.iter().enumerate() {
                    @if at > 0 { " · " }
                    (phase.word()) " from " (time(*from)) " to " (time(*to))
                }
            }
            ul.legend {
                @for (class, name, count) in &kinds {
                    li { span.swatch.(*class) aria-hidden="true" {} (name) ": " (number(*count)) }
                }
            }
        }
    }
}

/// A slice: its outcomes on top of each other.
fn bar(
    slices: &[TimelineSlice],
    at: usize,
    slice: &TimelineSlice,
    share: f64,
    x: &dyn Fn(u64) -> f64,
) -> Markup {
    let from = slice.until_ms - length(slices, at);
    let width = tenth((x(slice.until_ms) - x(from)).max(0.8));
    let high = share * (BOTTOM - TOP);
    let total = slice.ended.total() as f64;
    let mut bottom = BOTTOM;
    let parts: Vec<(&str, f64, f64)> = slice
        .ended
        .list()
        .iter()
        .enumerate()
        .filter(|(_, (_, count))| *count > 0)
        .map(|(kind, (_, count))| {
            // What is rare is seen all the same.
            let part = (high * *count as f64 / total).max(2.0);
            bottom -= part;
            (CLASSES[kind], bottom, part)
        })
        .collect();
    html! {
        @for (class, y, part) in parts {
            rect class=(class) x=(x(from)) y=(tenth(y)) width=(width) height=(tenth(part)) {}
        }
    }
}

/// Milliseconds of a slice, at least one.
fn length(slices: &[TimelineSlice], at: usize) -> u64 {
    let before = at.checked_sub(1).and_then(|before| slices.get(before));
    let from = before.map_or(0, |slice| slice.until_ms);
    slices.get(at).map_or(1, |slice| slice.until_ms.saturating_sub(from)).max(1)
}

/// The phases, with where each begins and ends.
fn phases(slices: &[TimelineSlice]) -> Vec<(Phase, u64, u64)> {
    let mut phases: Vec<(Phase, u64, u64)> = Vec::new();
    for slice in slices {
        match phases.last_mut() {
            Some((phase, _, to)) if *phase == slice.phase => *to = slice.until_ms,
            Some((_, _, to)) => {
                let from = *to;
                phases.push((slice.phase, from, slice.until_ms));
            }
            None => phases.push((slice.phase, 0, slice.until_ms)),
        }
    }
    phases
}

fn time(ms: u64) -> String {
    match ms {
        0 => "0".to_owned(),
        1..=999 => format!("{ms} ms"),
        1_000..=59_999 => format!("{:.1} s", ms as f64 / 1000.0),
        60_000..=3_599_999 => format!("{}:{:02} min", ms / 60_000, ms / 1000 % 60),
        _ => format!("{}:{:02} h", ms / 3_600_000, ms / 60_000 % 60),
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
