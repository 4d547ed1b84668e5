//! The table of rules: families by level and outcome.

use std::fmt::Write as _;
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Alignment, Padding, Style};

use super::paint::{Colour, Paint};
use crate::check::rules::FAMILIES;
use crate::contract::Level;
use crate::record::{Outcome, Summary};
use crate::report::groups::family;
use crate::report::text::number;

/// Columns that the table with its descriptions takes.
const WITH_ABOUT: usize = 110;
/// Columns that the table with both levels side by side takes.
const WIDE: usize = 76;

/// Rules of one family and level, by what became of them.
#[derive(Default, Clone, Copy)]
struct Cell {
    passed: u64,
    failed: u64,
    seen: u64,
    waived: u64,
    silent: u64,
}

impl Cell {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::SeenOnce => self.seen += 1,
            Outcome::Waived => self.waived += 1,
            Outcome::NotApplicable | Outcome::Masked | Outcome::Unanswered | Outcome::Errored => {
                self.silent += 1;
            }
        }
    }

    fn is_empty(self) -> bool {
        self.passed + self.failed + self.seen + self.waived + self.silent == 0
    }

    fn shown(self, paint: Paint) -> [String; 4] {
        let cell = |n: u64, colour| match n {
            0 => paint.of(Colour::Dim, "·"),
            n => paint.of(colour, &n.to_string()),
        };
        let failed = match self.seen {
            0 => cell(self.failed, Colour::Red),
            seen if self.failed == 0 => paint.of(Colour::Yellow, &format!("{seen}?")),
            seen => paint.of(Colour::Red, &format!("{}+{seen}?", self.failed)),
        };
        [
            cell(self.passed, Colour::Green),
            failed,
            cell(self.waived, Colour::Yellow),
            cell(self.silent, Colour::Plain),
        ]
    }
}

/// The table, with a line that explains it.
pub(super) fn rules(summary: &Summary, columns: usize, paint: Paint) -> String {
    let mut families: Vec<&str> = Vec::new();
    for rule in &summary.rules {
        let name = family(&rule.rule.id);
        // Of a few cases named by hand, only what they speak of.
        let told = summary.head.whole_suite || rule.outcome != Outcome::NotApplicable;
        if told && !families.contains(&name) {
            families.push(name);
        }
    }
    let wide = columns >= WIDE;
    let about = columns >= WITH_ABOUT;
    let mut builder = Builder::default();
    let above = if wide { "\n" } else { "" };
    let mut header = vec![format!("{above}family")];
    if about {
        header.push(format!("{above}what it is about"));
    }
    let four = ["passed", "failed", "waived", "silent"];
    if wide {
        for level in ["MUST", "SHOULD"] {
            header.push(format!("{level}\n{}", four[0]));
            header.extend(four[1..].iter().map(|s| format!("\n{s}")));
        }
    } else {
        header.push("level".to_owned());
        header.extend(four.map(str::to_owned));
    }
    header.push(format!("{above}judged"));
    builder.push_record(header);
    for name in &families {
        let mut levels = [Cell::default(); 2];
        let mut judged = [0; 2];
        for rule in summary.rules.iter().filter(|r| family(&r.rule.id) == *name) {
            let at = usize::from(rule.rule.level == Level::Should);
            levels[at].add(rule.outcome);
            judged[at] += rule.counts.judged();
        }
        let shown = super::visible(name);
        if wide {
            let mut row = vec![shown];
            if about {
                let words = FAMILIES.iter().find(|(f, _)| f == name).map_or("", |(_, w)| w);
                row.push(paint.of(Colour::Dim, words));
            }
            for cell in levels {
                if cell.is_empty() {
                    row.extend(std::iter::repeat_n(String::new(), 4));
                } else {
                    row.extend(cell.shown(paint));
                }
            }
            row.push(number(judged[0] + judged[1]));
            builder.push_record(row);
        } else {
            let mut shown = shown;
            for (at, level) in [Level::Must, Level::Should].into_iter().enumerate() {
                if levels[at].is_empty() {
                    continue;
                }
                let mut row = vec![std::mem::take(&mut shown), level.to_string()];
                row.extend(levels[at].shown(paint));
                row.push(number(judged[at]));
                builder.push_record(row);
            }
        }
    }
    let mut table = builder.build();
    let figures = if about || !wide { 2 } else { 1 };
    table
        .with(Style::empty().horizontals([(1, HorizontalLine::new('─'))]))
        .with(Padding::new(1, 1, 0, 0))
        .modify(Columns::new(figures..).intersect(Rows::new(0..)), Alignment::right());
    let mut out = String::new();
    for line in table.to_string().lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let mut legend =
        "Figures are rules; silent: never judged; judged: how often answers were held against them"
            .to_owned();
    if summary.rules.iter().any(|r| r.outcome == Outcome::SeenOnce) {
        legend.push_str("; 1?: seen once, not confirmed");
    }
    for line in super::wrap(&format!("{legend}."), columns.saturating_sub(2)) {
        let _ = writeln!(out, "  {}", paint.of(Colour::Dim, &line));
    }
    out
}
