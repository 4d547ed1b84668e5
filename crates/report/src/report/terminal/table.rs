//! The table of rules: families by level and outcome.

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Alignment, Padding, Style};

use super::paint::{Colour, Paint};
use crate::check::rules::FAMILIES;
use crate::contract::Level;
use crate::record::{RuleOutcome, Summary};
use crate::report::text::number;
use crate::report::wording::family;

/// Columns that the table with its descriptions takes.
const WITH_ABOUT: usize = 120;
/// Columns below which the table abbreviates.
const NARROW: usize = 66;
/// Columns that the table with both levels side by side takes.
const WIDE: usize = 86;

/// Rules of one family and level by their outcome.
#[derive(Default, Clone, Copy)]
struct OutcomeCounts {
    passed: u64,
    failed: u64,
    unconfirmed: u64,
    waived: u64,
    not_tested: u64,
}

impl OutcomeCounts {
    fn add(&mut self, outcome: RuleOutcome) {
        match outcome {
            RuleOutcome::Passed => self.passed += 1,
            RuleOutcome::Failed => self.failed += 1,
            RuleOutcome::Unconfirmed => self.unconfirmed += 1,
            RuleOutcome::Waived => self.waived += 1,
            RuleOutcome::NotApplicable
            | RuleOutcome::Masked
            | RuleOutcome::Unanswered
            | RuleOutcome::Errored => {
                self.not_tested += 1;
            }
        }
    }

    fn is_empty(self) -> bool {
        self.passed + self.failed + self.unconfirmed + self.waived + self.not_tested == 0
    }

    fn columns(self, paint: Paint, unconfirmed: bool) -> Vec<String> {
        let cell = |n: u64, colour| match n {
            0 => paint.of(Colour::Dim, "·"),
            n => paint.of(colour, &n.to_string()),
        };
        let mut columns = vec![cell(self.passed, Colour::Green), cell(self.failed, Colour::Red)];
        if unconfirmed {
            columns.push(cell(self.unconfirmed, Colour::Yellow));
        }
        columns.push(cell(self.waived, Colour::Yellow));
        columns.push(cell(self.not_tested, Colour::Plain));
        columns
    }
}

/// The table.
pub(super) fn rules(summary: &Summary, columns: usize, paint: Paint) -> String {
    let mut families: Vec<&str> = Vec::new();
    for rule in summary.rules_shown() {
        let name = family(&rule.rule.id);
        // Of a few cases named by hand, only the families that they concern.
        let concerned = summary.head.whole_suite || rule.outcome != RuleOutcome::NotApplicable;
        if concerned && !families.contains(&name) {
            families.push(name);
        }
    }
    let unconfirmed = summary.rules.iter().any(|r| r.outcome == RuleOutcome::Unconfirmed);
    let narrow = columns < NARROW;
    let mut names = if narrow { vec!["pass", "fail"] } else { vec!["passed", "failed"] };
    if unconfirmed {
        names.push(if narrow || columns >= WIDE { "unc." } else { "unconfirmed" });
    }
    names.extend(["waived", if narrow { "untested" } else { "not tested" }]);
    let wide = columns >= WIDE;
    let about = columns >= WITH_ABOUT + if unconfirmed { 16 } else { 0 };
    let mut builder = Builder::default();
    builder.push_record(header(&names, wide, about));
    for name in &families {
        let mut levels = [OutcomeCounts::default(); 2];
        let mut checks = [0; 2];
        for rule in summary.rules_shown().filter(|r| family(&r.rule.id) == *name) {
            let at = usize::from(rule.rule.level == Level::Should);
            levels[at].add(rule.outcome);
            checks[at] += rule.counts.judged();
        }
        let mut shown = super::visible(name);
        if wide {
            let mut row = vec![shown];
            if about {
                let words = FAMILIES.iter().find(|(f, _)| f == name).map_or("", |(_, w)| w);
                row.push(paint.of(Colour::Dim, words));
            }
            for cell in levels {
                if cell.is_empty() {
                    row.extend(std::iter::repeat_n(String::new(), names.len()));
                } else {
                    row.extend(cell.columns(paint, unconfirmed));
                }
            }
            row.push(number(checks[0] + checks[1]));
            builder.push_record(row);
        } else {
            for (at, level) in [Level::Must, Level::Should].into_iter().enumerate() {
                if levels[at].is_empty() {
                    continue;
                }
                let mut row = vec![std::mem::take(&mut shown), level.to_string()];
                row.extend(levels[at].columns(paint, unconfirmed));
                row.push(number(checks[at]));
                builder.push_record(row);
            }
        }
    }
    let mut table = builder.build();
    let texts = if about || !wide { 2 } else { 1 };
    table
        .with(Style::empty().horizontals([(1, HorizontalLine::new('─'))]))
        .with(Padding::new(1, 1, 0, 0))
        .modify(Columns::new(texts..).intersect(Rows::new(0..)), Alignment::right());
    let mut out = String::new();
    for line in table.to_string().lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The names of the columns, those of a level under it.
fn header(names: &[&str], wide: bool, about: bool) -> Vec<String> {
    if !wide {
        let names = names.iter().map(|name| (*name).to_owned());
        let first = ["family".to_owned(), "level".to_owned()];
        return first.into_iter().chain(names).chain(["checks".to_owned()]).collect();
    }
    // Two lines of names under the level: `not` over `tested`.
    let below = |level: &str, name: &str| match name.split_once(' ') {
        Some((above, below)) => format!("{level}\n{above}\n{below}"),
        None => format!("{level}\n\n{name}"),
    };
    let mut header = vec![below("", "family")];
    if about {
        header.push("\n\nwhat it is about".to_owned());
    }
    for level in ["MUST", "SHOULD"] {
        let first = |at: usize| if at == 0 { level } else { "" };
        header.extend(names.iter().enumerate().map(|(at, name)| below(first(at), name)));
    }
    header.push(below("", "checks"));
    header
}
