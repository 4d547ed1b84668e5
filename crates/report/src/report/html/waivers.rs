//! The waivers of the run with their status.

use maud::{Markup, html};

use crate::record::{Summary, WaiverStatus};
use crate::report::text::visible;
use crate::report::waiver::{status, status_word};

pub(super) fn section(summary: &Summary) -> Markup {
    html! {
        @if !summary.waivers.is_empty() {
            h2 #waivers { "Waivers" }
            p.lede { "Known findings: the reason, the owner, and the expiry date." }
            table.stacks {
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
                            td data-name="Covers" { code { (visible(&entry.scope())) } }
                            td data-name="Reason" { (visible(&entry.reason)) }
                            td data-name="Owner" { (visible(&entry.owner)) }
                            td data-name="Until" { (entry.expires) }
                            td data-name="In this run" {
                                span class=(format!("tag {}", class(waiver.status))) { (status_word(waiver.status)) }
                                " " (status(waiver))
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

/// The colour of a status.
fn class(status: WaiverStatus) -> &'static str {
    match status {
        WaiverStatus::Used => "waived",
        WaiverStatus::Expired | WaiverStatus::Stale => "should",
        WaiverStatus::UnmatchedFlaky | WaiverStatus::NotRun => "quiet",
    }
}
