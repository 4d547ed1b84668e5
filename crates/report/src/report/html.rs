//! `report.html`: one offline page, readable without JavaScript and from the keyboard.
//!
//! The page may load nothing at all: its policy names the hashes of its own style and script. Whatever a
//! target answered is text, with control characters and turned reading directions spelled out.

mod against;
mod cells;
mod charts;
mod coverage;
mod diff;
mod evidence;
mod findings;
mod head;
mod matrix;
mod minimal;
mod parts;
mod rules;
mod timeline;
mod times;
mod waivers;

use std::path::Path;

use maud::{DOCTYPE, PreEscaped, html};

use super::curl::CommandContext;
use super::page;
use super::text::visible;
use crate::record::Summary;
use crate::triage::problems;

pub use matrix::matrix;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// `report.html` of a run whose reports lie in `dir`.
#[must_use]
pub fn html(summary: &Summary, dir: &Path) -> String {
    let how = CommandContext { dir: dir.to_owned(), ..CommandContext::from_summary(summary) };
    let groups = problems(summary);
    let specification = visible(&summary.head.specification.title);
    let (_, word) = head::headline(summary);
    let title = format!("{} · {specification} · batchproof", word.to_lowercase());
    html! {
        (DOCTYPE)
        html lang="en" {
            (page::head(&title, STYLE, Some(SCRIPT)))
            body {
                a.skip href="#findings" { "Skip to the problems" }
                header.top {
                    span.brand { "batchproof" }
                    span.muted { (specification) }
                    span.spacer {}
                    nav aria-label="Sections" {
                        @if summary.against.is_some() { a href="#differences" { "Differences" } }
                        @for (id, name) in [("findings", "Problems"), ("heat", "Rules"), ("run", "Run"), ("coverage", "Coverage"), ("rules", "Requirements")] {
                            a href=(format!("#{id}")) { (name) }
                        }
                    }
                    button #theme type="button" data-js hidden aria-label="Switch between light and dark" { "Dark" }
                }
                main {
                    (head::verdict(summary, &groups))
                    div.columns {
                        div.stack {
                            (against::section(summary))
                            (findings::section(summary, &groups, &how))
                            (waivers::section(summary))
                            (timeline::section(summary))
                            (times::section(summary))
                            (coverage::section(summary))
                            (rules::section(summary, groups.get(..findings::ENTRIES).unwrap_or(&groups)))
                        }
                        aside aria-label="Rules and run" {
                            (rules::heat(summary))
                            (head::facts(summary))
                        }
                    }
                }
                (head::footer(summary))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests;
