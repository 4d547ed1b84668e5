//! `report.html`: one offline page, readable without JavaScript and from the keyboard.
//!
//! The page may load nothing at all: its policy names the hashes of its own style and script. Whatever a
//! target answered is text, with control characters and turned reading directions spelled out. It must not
//! know where the page will lie.

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
mod waivers;

use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::curl::How;
use super::groups::groups;
use super::text::visible;
use crate::record::Summary;

pub use matrix::matrix;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// `report.html`.
#[must_use]
pub fn html(summary: &Summary) -> String {
    let how = How::of(summary);
    let groups = groups(summary);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (summary.conclusion) " · " (visible(&summary.head.specification.title)) " · batchproof" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#findings" { "Skip to the findings" }
                header.top {
                    span.brand { "batchproof" }
                    span.muted { (visible(&summary.head.specification.title)) }
                    span.spacer {}
                    nav aria-label="Sections" {
                        @for (id, name) in [("findings", "Findings"), ("heat", "Rules"), ("run", "Run"), ("coverage", "Coverage"), ("rules", "Requirements")] {
                            a href=(format!("#{id}")) { (name) }
                        }
                    }
                    button #theme type="button" data-js hidden aria-label="Switch between light and dark" { "Dark" }
                }
                main {
                    (head::verdict(summary, &groups))
                    div.columns {
                        div.stack {
                            (findings::section(summary, &groups, &how))
                            (waivers::section(summary))
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

/// SHA-256 as a content security policy names it: base64, RFC 4648 section 4.
fn digest(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in Sha256::digest(text.as_bytes()).chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |g, b| g << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = (group >> (18 - 6 * position)) & 63;
            let letter = ALPHABET.get(index as usize).copied().map_or('=', char::from);
            out.push(if position <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests;
