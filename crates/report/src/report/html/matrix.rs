//! `matrix.html`: rules by implementations on one page that loads nothing and needs no JavaScript.

use maud::{DOCTYPE, Markup, html};

use super::STYLE;
use super::parts::{class, level};
use super::rules::about;
use crate::compare::{Matrix, MatrixCell, MatrixColumn, MatrixRow};
use crate::record::{Conclusion, RuleOutcome};
use crate::report::page;
use crate::report::text::{number, visible};
use crate::report::wording::{family, outcome_word, totals_line};
use crate::triage::{ProblemTotals, problems};

const OWN: &str = include_str!("matrix.css");

/// The page; `links` lead from it to the report of each run.
#[must_use]
pub fn matrix(matrix: &Matrix<'_>, links: &[String]) -> String {
    let style = format!("{STYLE}{OWN}");
    let title = format!("{} implementations · batchproof", matrix.columns.len());
    let differing = matrix.rows.iter().filter(|r| differs(r)).count();
    html! {
        (DOCTYPE)
        html lang="en" {
            (page::head(&title, &style, None))
            body {
                header.top {
                    span.brand { "batchproof" }
                    span.muted { (specification(matrix)) }
                }
                main {
                    h1.page { "Implementations" }
                    p.lede {
                        (matrix.columns.len()) " runs, " (matrix.rows.len()) " rules; "
                        (differing) " with different outcomes. Each cell links to the rule in the report of that run."
                    }
                    @if !matrix.caveats.is_empty() {
                        div.notes { ul { @for caveat in &matrix.caveats { li { (caveat) } } } }
                    }
                    p.choice {
                        label { input #only type="checkbox"; " only rules with different outcomes" }
                    }
                    div.grid tabindex="0" role="region" aria-label="Rules by implementations" {
                        table {
                            thead { (implementations(matrix, links)) }
                            @for (name, rows) in families(matrix) { (section(name, &rows, matrix, links)) }
                        }
                    }
                    (legend(matrix))
                }
                footer {
                    p { "What a target stores is invisible through its endpoint: only the keys that it calls used reveal it. "
                        "A rule that was not tested says nothing about the target." }
                    p { "Made by batchproof " (env!("CARGO_PKG_VERSION")) " from records. The page loads nothing." }
                }
            }
        }
    }
    .into_string()
}

fn specification(matrix: &Matrix<'_>) -> String {
    matrix.columns.first().map_or(String::new(), |c| visible(&c.summary.head.specification.title))
}

/// Whether something else became of the rule in one run than in another.
fn differs(row: &MatrixRow<'_>) -> bool {
    let mut outcomes = row.cells.iter().map(|c| c.map(|c| c.outcome));
    outcomes.next().is_some_and(|first| outcomes.any(|other| other != first))
}

fn families<'a, 'b>(matrix: &'b Matrix<'a>) -> Vec<(&'a str, Vec<&'b MatrixRow<'a>>)> {
    let mut out: Vec<(&str, Vec<&MatrixRow<'_>>)> = Vec::new();
    for row in &matrix.rows {
        let name = family(&row.rule.id);
        match out.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(row),
            None => out.push((name, vec![row])),
        }
    }
    out
}

/// The heads of the columns: target, conclusion, figures.
fn implementations(matrix: &Matrix<'_>, links: &[String]) -> Markup {
    html! {
        tr {
            th.corner scope="col" { "Rule" }
            @for (at, column) in matrix.columns.iter().enumerate() {
                (implementation(column, links.get(at).map_or("", String::as_str)))
            }
        }
    }
}

fn implementation(column: &MatrixColumn<'_>, link: &str) -> Markup {
    let summary = column.summary;
    let totals = ProblemTotals::from_problems(&problems(summary));
    let (tone, word) = match summary.conclusion {
        Conclusion::Conformant => ("passed", "conformant"),
        Conclusion::NonConformant => ("failed", "nonconformant"),
        Conclusion::Inconclusive => ("unconfirmed", "inconclusive"),
    };
    html! {
        th.implementation scope="col" {
            a href=(link) { (visible(&summary.head.target)) }
            span class=(format!("tag {tone}")) { (word) }
            span.under { (totals_line(totals)) }
            span.under { (summary.head.depth) ", " (visible(column.name)) }
            span.under { code { (visible(&summary.head.run_id)) } }
        }
    }
}

/// One family: how many of its rules each run passes, then its rules.
fn section(name: &str, rows: &[&MatrixRow<'_>], matrix: &Matrix<'_>, links: &[String]) -> Markup {
    html! {
        tbody {
            tr.family {
                th scope="rowgroup" { (visible(name)) " " span.muted { (about(name)) } }
                @for at in 0..matrix.columns.len() {
                    @let of = |wanted: fn(RuleOutcome) -> bool| rows.iter()
                        .filter(|r| r.cells.get(at).copied().flatten().is_some_and(|c| wanted(c.outcome))).count();
                    @let failed = of(|o| matches!(o, RuleOutcome::Failed | RuleOutcome::Errored));
                    td {
                        @if failed > 0 { b.bad { (failed) " failed" } ", " }
                        (of(|o| o == RuleOutcome::Passed)) " of " (rows.len()) " passed"
                    }
                }
            }
            @for row in rows {
                tr class=(if differs(row) { "differs" } else { "same" }) {
                    th scope="row" {
                        (level(row.rule.level)) " " b { (visible(&row.rule.id)) } " " span.what { (visible(&row.rule.title)) }
                    }
                    @for (at, cell) in row.cells.iter().enumerate() {
                        td { (outcome(*cell, &row.rule.id, links.get(at).map_or("", String::as_str))) }
                    }
                }
            }
        }
    }
}

fn outcome(cell: Option<MatrixCell>, rule: &str, link: &str) -> Markup {
    let Some(cell) = cell else { return html! { span.muted { "unknown" } } };
    let judged = cell.counts.judged();
    let title = format!("{} checks, {} failed", number(judged), number(cell.counts.failed));
    html! {
        a class=(format!("outcome {}", class(cell.outcome))) href=(format!("{link}#rule-{}", visible(rule))) title=(title) {
            (outcome_word(cell.outcome))
            @if cell.counts.failed > 0 { " " span.times { (number(cell.counts.failed)) "×" } }
        }
    }
}

fn legend(matrix: &Matrix<'_>) -> Markup {
    let explained = [
        (RuleOutcome::Failed, "the target broke it"),
        (RuleOutcome::Waived, "the target broke it; waivers cover each finding"),
        (RuleOutcome::Unconfirmed, "failed once; repeats did not show it again"),
        (RuleOutcome::Passed, "tested, no failure"),
        (RuleOutcome::Masked, "not tested: a rule that it needs failed"),
        (RuleOutcome::Unanswered, "not tested: no answer came that could be judged"),
        (
            RuleOutcome::NotApplicable,
            "not tested: nothing in the run is about it, or the profile skips it",
        ),
        (RuleOutcome::Errored, "not tested: a defect of batchproof"),
    ];
    html! {
        ul.legend {
            @for (which, what) in explained {
                @if matrix.rows.iter().flat_map(|r| r.cells.iter().flatten()).any(|c| c.outcome == which) {
                    li { span class=(format!("outcome {}", class(which))) { (outcome_word(which)) } " " (what) }
                }
            }
        }
    }
}
