//! Charts as inline SVG: statuses, and latency by batch size.
//!
//! Positions are attributes, for the page's policy forbids inline styles.

use maud::{Markup, html};

use crate::record::MeasuredThreshold;
use crate::report::json::{HistogramBar, LatencyClass, StatusCount};
use crate::report::text::{counted, millis, number};

const WIDTH: f64 = 480.0;
const ROW: f64 = 26.0;
/// Where the plot begins; labels are left of it.
const LEFT: f64 = 70.0;
/// Where it ends; values are right of it.
const RIGHT: f64 = 300.0;

pub(super) fn statuses(list: &[StatusCount]) -> Markup {
    let most = list.iter().map(|s| s.count).max().unwrap_or(1).max(1);
    let total: u64 = list.iter().map(|s| s.count).sum();
    let height = ROW * rows(list.len()) + 6.0;
    html! {
        figure.chart {
            figcaption { "Statuses" }
            svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(label(list)) {
                @for (at, status) in list.iter().enumerate() {
                    @let y = ROW * rows(at);
                    @let class = match status.status { 200..=299 => "good", 500..=599 => "bad", _ => "fine" };
                    @let width = (share(status.count, most) * (RIGHT - LEFT)).max(2.0);
                    text.value x=(LEFT - 14.0) y=(y + 17.0) text-anchor="end" { (status.status) }
                    rect class=(class) x=(LEFT) y=(y + 5.0) width=(tenth(width)) height="16" rx="2" {}
                    text x=(tenth(LEFT + width + 8.0)) y=(y + 17.0) {
                        (number(status.count)) " · " (percent(status.count, total))
                    }
                }
            }
        }
    }
}

fn label(list: &[StatusCount]) -> String {
    list.iter()
        .map(|s| format!("{}: {}", s.status, counted(s.count, "answer")))
        .collect::<Vec<_>>()
        .join(", ")
}

/// On a logarithmic scale: from the fastest to the slowest, with the mean.
pub(super) fn latency(list: &[LatencyClass]) -> Markup {
    let smallest = list.iter().map(|l| l.min_ms).fold(f64::INFINITY, f64::min).max(0.01);
    let largest = list.iter().map(|l| l.max_ms).fold(smallest, f64::max).max(smallest * 1.01);
    // From the fastest answer to the slowest; powers of ten between them are marked.
    let (low, high) = (smallest.log10(), largest.log10());
    let span = high - low;
    let x = |ms: f64| tenth(LEFT + (ms.max(smallest).log10() - low) / span * (RIGHT - LEFT));
    let height = ROW * rows(list.len()) + 26.0;
    let bottom = ROW * rows(list.len());
    let mut ticks = Vec::new();
    let mut exponent = low.ceil();
    while exponent <= high {
        ticks.push(10_f64.powf(exponent));
        exponent += 1.0;
    }
    let text = list
        .iter()
        .map(|l| format!("{}: mean {}", counted(l.items as u64, "item"), millis(l.mean_ms)))
        .collect::<Vec<_>>()
        .join(", ");
    html! {
        figure.chart {
            figcaption { "Latency by batch size " span.muted { "fastest to slowest, with the mean; log scale" } }
            svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(text) {
                @for tick in ticks {
                    line.axis x1=(x(tick)) x2=(x(tick)) y1="0" y2=(bottom) {}
                    text x=(x(tick)) y=(bottom + 18.0) text-anchor="middle" { (tick_text(tick)) }
                }
                @for (at, class) in list.iter().enumerate() {
                    @let y = ROW * rows(at) + 13.0;
                    text.value x=(LEFT - 14.0) y=(y + 4.0) text-anchor="end" { (number(class.items as u64)) }
                    line.range x1=(x(class.min_ms)) x2=(x(class.max_ms)) y1=(y) y2=(y) {}
                    circle.mean cx=(x(class.mean_ms)) cy=(y) r="4.5" {}
                    text x=(RIGHT + 16.0) y=(y + 4.0) { (millis(class.mean_ms)) " · " (number(class.count)) "×" }
                }
            }
        }
    }
}

/// How many answers took how long, on a logarithmic scale of time, with the limits that a case states.
pub(super) fn histogram(bars: &[HistogramBar], thresholds: &[MeasuredThreshold]) -> Markup {
    const HIGH: f64 = 120.0;
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let total: u64 = bars.iter().map(|bar| bar.count).sum();
    let width = WIDTH / rows(bars.len().max(1));
    let start = bars.first().map_or(0.001, |bar| bar.from_ms.max(0.001));
    let end = bars.last().map_or(start * 2.0, |bar| bar.to_ms.max(start * 1.01));
    let x = |ms: f64| tenth((ms.max(0.001) / start).ln() / (end / start).ln() * WIDTH);
    let limits = thresholds.iter().filter_map(|threshold| {
        let limit = threshold.limit_ms?;
        (start..=end).contains(&limit).then_some((threshold, x(limit)))
    });
    let label = format!(
        "{} between {} and {}, most of them between {} and {}",
        counted(total, "response"),
        millis(start),
        millis(end),
        bars.iter().max_by_key(|bar| bar.count).map_or_else(String::new, |bar| millis(bar.from_ms)),
        bars.iter().max_by_key(|bar| bar.count).map_or_else(String::new, |bar| millis(bar.to_ms)),
    );
    html! {
        figure.chart.timeline {
            figcaption { "Responses by time " span.muted { (counted(total, "response")) "; log scale; highest bar: " (number(most)) } }
            svg viewBox=(format!("0 0 {WIDTH} {HIGH}")) preserveAspectRatio="none" role="img" aria-label=(label) {
                @for (at, bar) in bars.iter().enumerate().filter(|(_, bar)| bar.count > 0) {
                    @let high = (share(bar.count, most) * HIGH).max(1.5);
                    rect.fine x=(tenth(width * rows(at) + 0.5)) y=(tenth(HIGH - high)) width=(tenth((width - 1.0).max(0.5))) height=(tenth(high)) {
                        title { (millis(bar.from_ms)) " to " (millis(bar.to_ms)) ": " (number(bar.count)) }
                    }
                }
                @for (threshold, at) in limits {
                    line.limit x1=(at) x2=(at) y1="0" y2=(HIGH) { title { (threshold.name) " at most " (threshold.limit) } }
                }
            }
            div.ticks aria-hidden="true" { span { (millis(start)) } span { (millis((start * end).sqrt())) } span { (millis(end)) } }
        }
    }
}

fn tick_text(ms: f64) -> String {
    if ms >= 1000.0 { format!("{} s", ms / 1000.0) } else { format!("{ms} ms") }
}

#[allow(clippy::cast_precision_loss)] // a few rows
fn rows(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss)] // a picture
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn percent(part: u64, of: u64) -> String {
    let value = share(part * 100, of.max(1));
    if value >= 10.0 || part == 0 { format!("{value:.0} %") } else { format!("{value:.1} %") }
}
