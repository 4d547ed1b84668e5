//! The page of interpretations.

use std::fmt::Write as _;

use super::{Page, links};
use crate::check::rules;
use crate::contract::Contract;

const UP: &str = "../";

pub(super) fn page(contract: &Contract) -> Page {
    let mut text = "# Interpretations of the specification\n\nThe specification leaves much open. Each open question has a numbered \
                    interpretation with a level and a reason, in `schemas/interpretations.yaml`; `batchproof explain INTERPRETATION-01` \
                    prints one. A legitimate choice never fails an implementation. Where an interpretation has a limit, what lies beyond \
                    it is *not judged*; that never excuses a 5xx, a dropped connection or a hang.\n"
        .to_owned();
    for interpretation in &contract.interpretations {
        let _ = writeln!(
            text,
            "\n## {}\n\n**Question:** {}\n\n**Interpretation ({}):** {}\n\n**Why:** {}",
            interpretation.id,
            links::prose(&interpretation.question, UP),
            interpretation.level,
            links::prose(interpretation.interpretation.trim(), UP),
            links::prose(interpretation.reason.trim(), UP)
        );
        let citing = rules::all().iter().filter(|rule| rule.cite.contains(&interpretation.id));
        let citing = links::rule_list(citing.map(|rule| rule.id), UP);
        if !citing.is_empty() {
            let _ = writeln!(text, "\n**Rules:** {citing}");
        }
    }
    Page { path: "concepts/interpretations.md".to_owned(), text }
}
