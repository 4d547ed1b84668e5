//! The head that every page shares: it lets a page load nothing and run nothing but its own.
//!
//! It must not know what a page shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// A page's `head`. The policy names the hashes of its style and script (Content Security Policy Level 3,
/// section 2.3.1), so that nothing which a target answered can ever be either.
#[must_use]
pub fn head(title: &str, style: &str, script: Option<&str>) -> Markup {
    let script = script.map_or(String::new(), |script| format!(" script-src {};", hash(script)));
    let policy = format!(
        "default-src 'none'; style-src {};{script} base-uri 'none'; form-action 'none'",
        hash(style)
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            title { (title) }
            style { (PreEscaped(style)) }
        }
    }
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
