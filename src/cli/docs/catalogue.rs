//! Cases, faults and mutations, each as a page of tables.

use std::fmt::Write as _;

use super::{Page, links};
use crate::case::{Case, Depth};
use crate::generate::Generator;
use crate::server::faults;

const UP: &str = "../";

pub(super) fn cases(cases: &[Case]) -> Page {
    let mut text = "# Cases\n\nThe shipped cases, by their group. A name, or a group's name, runs them: `batchproof run order`. The last \
                    column says how often a case runs at the depths quick, standard and deep.\n"
        .to_owned();
    let mut group = "";
    for case in cases {
        if case.group() != group {
            group = case.group();
            let _ = writeln!(
                text,
                "\n## {group}\n\n| case | what holds | asserts | runs |\n|---|---|---|---|"
            );
        }
        let about = case.spec.about.as_deref().unwrap_or_default();
        let asserts = case.spec.asserts.as_ref();
        let asserts = asserts.map_or(String::new(), |rule| links::rule(&rule.name, UP));
        let runs = [Depth::Quick, Depth::Standard, Depth::Deep].map(|depth| case.runs(depth));
        let runs = if case.spec.only_when_named {
            "when named".to_owned()
        } else {
            format!("{} / {} / {}", runs[0], runs[1], runs[2])
        };
        let what = links::capital(&links::cell(&format!("{}. {about}", case.spec.title), UP));
        let _ = writeln!(text, "| `{}` | {what} | {asserts} | {runs} |", case.id);
    }
    Page { path: "reference/cases.md".to_owned(), text }
}

pub(super) fn faults() -> Page {
    let mut text = "# Faults\n\nWhat `batchproof serve --fault NAME` does wrong, by the family that it breaks first. `batchproof prove` runs \
                    the suite against each: the rules of the third column must all find it, and no others than those and the ones of \
                    the last may.\n"
        .to_owned();
    let mut family = "";
    for fault in faults::all() {
        if fault.family != family {
            family = fault.family;
            let _ = writeln!(
                text,
                "\n## {family}\n\n| fault | what it does | must be found by | may be found by |\n|---|---|---|---|"
            );
        }
        let about = links::capital(&links::cell(fault.about, UP));
        let must = links::rule_list(fault.must.iter().copied(), UP);
        let may = links::rule_list(fault.may.iter().copied(), UP);
        let _ = writeln!(text, "| `{}` | {about} | {must} | {may} |", fault.name);
    }
    Page { path: "reference/faults.md".to_owned(), text }
}

pub(super) fn mutations() -> Page {
    let mut text = "# Mutations\n\nWhat `mutate` in a [case file](case-files.md) can name. A mutation changes one value of a valid item, and \
                    records pointer, keyword, old and new value, and what it must provoke.\n\n| mutation | what it does |\n|---|---|\n"
        .to_owned();
    for (name, about) in Generator::names() {
        let _ = writeln!(text, "| `{name}` | {} |", links::cell(about, UP));
    }
    Page { path: "reference/mutations.md".to_owned(), text }
}
