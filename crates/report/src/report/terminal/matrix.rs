//! Several implementations on a terminal: a letter each, and the rules that not all of them pass.

use tabled::builder::Builder;
use tabled::settings::style::HorizontalLine;
use tabled::settings::{Padding, Style as Borders};

use super::paint::{Colour, Paint};
use super::{TerminalPage, TerminalStyle, columns};
use crate::compare::{Matrix, MatrixCell, MatrixColumn};
use crate::record::{Conclusion, RuleOutcome};
use crate::report::text::{counted, visible};
use crate::report::wording::totals_line;
use crate::triage::{ProblemTotals, problems};

/// What `report DIR...` prints of several targets.
#[must_use]
pub fn matrix(matrix: &Matrix<'_>, style: TerminalStyle) -> String {
    let mut page =
        TerminalPage { out: String::new(), columns: columns(style), paint: Paint(style.colour) };
    let conformant =
        matrix.columns.iter().filter(|c| c.summary.conclusion == Conclusion::Conformant).count();
    let rest = format!(
        "  {conformant} of {} conformant",
        counted(matrix.columns.len() as u64, "implementation")
    );
    super::concluded(&mut page, matrix.conclusion(), &rest);
    for (at, column) in matrix.columns.iter().enumerate() {
        implementation(&mut page, at, column);
    }
    for caveat in &matrix.caveats {
        page.text(2, Colour::Plain, &format!("note: {caveat}"));
    }
    page.blank();
    let (passed, not_tested) = grid(&mut page, matrix);
    page.blank();
    for (count, what) in [(passed, "passed everywhere"), (not_tested, "tested nowhere")] {
        if count > 0 {
            let rules = counted(count as u64, "rule");
            page.text(2, Colour::Dim, &format!("Not shown: {rules} {what}."));
        }
    }
    page.text(
        2,
        Colour::Dim,
        "✓ passed  ✗ failed  w waived  1 unconfirmed  m masked  ? no response  · not applicable  ! errored",
    );
    page.out
}

/// A, B, … Z, AA, AB, …
fn letter(at: usize) -> String {
    let low = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    if at < 26 { low.to_string() } else { format!("{}{low}", letter(at / 26 - 1)) }
}

fn implementation(page: &mut TerminalPage, at: usize, column: &MatrixColumn<'_>) {
    let summary = column.summary;
    let colour = match summary.conclusion {
        Conclusion::Conformant => Colour::Green,
        Conclusion::NonConformant => Colour::Red,
        Conclusion::Inconclusive => Colour::Yellow,
    };
    let line = format!(
        "{}: {}, {}; {}, {}",
        visible(&summary.head.target),
        summary.conclusion,
        totals_line(ProblemTotals::from_problems(&problems(summary))),
        visible(column.name),
        visible(&summary.head.run_id)
    );
    page.entry(2, &letter(at), colour, &line);
}

/// The rules that not all pass; how many passed everywhere, and how many were judged nowhere.
fn grid(page: &mut TerminalPage, matrix: &Matrix<'_>) -> (usize, usize) {
    let mut builder = Builder::default();
    let mut header = vec!["rule".to_owned(), "level".to_owned()];
    header.extend((0..matrix.columns.len()).map(letter));
    header.push("requirement".to_owned());
    builder.push_record(header);
    let (mut shown, mut passed, mut not_tested) = (0, 0, 0);
    // What is left of the line for the requirement.
    let room = page.columns.saturating_sub(26 + 4 * matrix.columns.len()).max(20);
    for row in &matrix.rows {
        let all = |wanted: RuleOutcome| row.cells.iter().flatten().all(|c| c.outcome == wanted);
        if row.cells.iter().all(Option::is_some) && all(RuleOutcome::Passed) {
            passed += 1;
            continue;
        }
        if all(RuleOutcome::NotApplicable) {
            not_tested += 1;
            continue;
        }
        shown += 1;
        let mut record = vec![visible(&row.rule.id), row.rule.level.to_string()];
        record.extend(row.cells.iter().map(|cell| mark(page.paint, *cell)));
        let title = visible(&row.rule.title);
        let cut = title.chars().count() > room;
        record.push(if cut {
            format!("{}…", title.chars().take(room - 1).collect::<String>())
        } else {
            title
        });
        builder.push_record(record);
    }
    if shown > 0 {
        let mut table = builder.build();
        table
            .with(Borders::empty().horizontals([(1, HorizontalLine::new('─'))]))
            .with(Padding::new(1, 1, 0, 0));
        for line in table.to_string().lines() {
            page.line(line.trim_end());
        }
    }
    (passed, not_tested)
}

fn mark(paint: Paint, cell: Option<MatrixCell>) -> String {
    let (colour, text) = match cell.map(|c| c.outcome) {
        Some(RuleOutcome::Passed) => (Colour::Green, "✓"),
        Some(RuleOutcome::Failed) => (Colour::Red, "✗"),
        Some(RuleOutcome::Waived) => (Colour::Yellow, "w"),
        Some(RuleOutcome::Unconfirmed) => (Colour::Yellow, "1"),
        Some(RuleOutcome::Masked) => (Colour::Plain, "m"),
        Some(RuleOutcome::Unanswered) => (Colour::Plain, "?"),
        Some(RuleOutcome::NotApplicable) | None => (Colour::Dim, "·"),
        Some(RuleOutcome::Errored) => (Colour::Red, "!"),
    };
    paint.of(colour, text)
}
