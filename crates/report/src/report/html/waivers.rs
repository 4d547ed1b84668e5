//! The waivers that hold, and what became of each.

use maud::{Markup, html};

use crate::record::{Fate, Summary};
use crate::report::text::visible;
use crate::report::waiver::{fate, fate_word};

pub(super) fn section(summary: &Summary) -> Markup {
    html! {
        @if !summary.waivers.is_empty() {
            h2 #waivers { "Waivers" }
            p.lede { "Findings that are known: why, who answers for them, and until when." }
            table {
                thead { tr {
                    @for name in ["Covers", "Reason", "Owner", "Until", "In this run"] { th scope="col" { (name) } }
                } }
                tbody {
                    @for waiver in &summary.waivers {
                        @let entry = &waiver.waiver;
                        @let known = waiver.findings.iter().filter(|id| {
                            summary.findings.iter().any(|(f, _)| f.id == **id)
                        });
                        tr {
                            td { code { (visible(&entry.scope())) } }
                            td { (visible(&entry.reason)) }
                            td { (visible(&entry.owner)) }
                            td { (entry.expires) }
                            td {
                                span class=(format!("tag {}", class(waiver.fate))) { (fate_word(waiver.fate)) }
                                " " (fate(waiver))
                                @for id in known.take(20) {
                                    " " a href=(format!("#finding-{}", visible(id))) { code { (visible(id)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The colour of a fate.
fn class(fate: Fate) -> &'static str {
    match fate {
        Fate::Used => "waived",
        Fate::Expired | Fate::Stale => "should",
        Fate::Quiet | Fate::NotRun => "quiet",
    }
}
