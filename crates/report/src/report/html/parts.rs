//! Small pieces that several sections share.

use maud::{Markup, html};

use crate::contract::Level;
use crate::record::RuleOutcome;
use crate::report::text::visible;
use crate::report::wording::outcome_word;

pub(super) fn level(level: Level) -> Markup {
    let class = match level {
        Level::Must => "tag must",
        Level::Should => "tag should",
    };
    html! { span class=(class) { (level) } }
}

/// The name of an outcome as a class.
pub(super) fn class(outcome: RuleOutcome) -> &'static str {
    match outcome {
        RuleOutcome::Passed => "passed",
        RuleOutcome::Failed => "failed",
        RuleOutcome::Waived => "waived",
        RuleOutcome::Unconfirmed => "unconfirmed",
        RuleOutcome::NotApplicable => "not-applicable",
        RuleOutcome::Masked => "masked",
        RuleOutcome::Unanswered => "unanswered",
        RuleOutcome::Errored => "errored",
    }
}

pub(super) fn outcome(outcome: RuleOutcome) -> Markup {
    let class = format!("tag {}", class(outcome));
    html! { span class=(class) { (outcome_word(outcome)) } }
}

/// A rule's doc: `code` and *stress*, else text.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (visible(part)) } }
            @else {
                @for (at, part) in part.split('*').enumerate() {
                    @if at % 2 == 1 { em { (visible(part)) } } @else { (visible(part)) }
                }
            }
        }
    }
}

/// Text to copy; the button needs JavaScript.
pub(super) fn paste(label: &str, text: &str) -> Markup {
    html! {
        h3 { (label) }
        div.paste {
            pre { (text) }
            button.copy type="button" data-js hidden { "Copy" }
        }
    }
}
