//! Mutations of strings: unusual ones (INTERPRETATION-18), and those that are not judged (INTERPRETATION-15).

use serde_json::Value;

use super::site::SchemaSite;
use super::{Catalogue, Change, KEY_PLACEHOLDER, KeyShape};
use crate::generate::unusual::CLASSES;

/// Levels of nesting: above the limits of common parsers, and above what a small stack bears.
const DEPTHS: [usize; 4] = [200, 450, 2_000, 100_000];

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        if !site.top {
            continue;
        }
        if site.is_plain_text() {
            unusual(catalogue, &site);
            nul(catalogue, &site);
        }
        if site.is_plain_text() || site.is_instant() {
            blank(catalogue, &site);
        }
        if site.is_text() {
            surrogate(catalogue, &site);
            escaped(catalogue, &site);
        }
        repeated(catalogue, &site);
    }
    deep(catalogue);
}

fn unusual(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    for (class, sample) in CLASSES {
        if site.unique {
            decorate(catalogue, "unusual-string", site, class, sample);
        } else {
            catalogue.add("unusual-string", site, "type", class, Value::from(*sample));
        }
    }
}

/// A mark that belongs at one end stands there; any other goes to both.
fn decorate(
    catalogue: &mut Catalogue<'_>,
    name: &'static str,
    site: &SchemaSite,
    class: &str,
    sample: &str,
) {
    let (before, after) = match class {
        c if c.starts_with("leading") || c.ends_with("first") => (sample, ""),
        c if c.starts_with("trailing") => ("", sample),
        _ => (sample, sample),
    };
    let shape = KeyShape::Decorated { before: before.to_owned(), after: after.to_owned() };
    catalogue.add_change(name, site, "type", class, Change::Number(shape));
}

fn nul(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    for (class, before, after) in [("inside", "a", "\0b"), ("first", "\0", ""), ("last", "", "\0")]
    {
        let class = format!("U+0000 {class}");
        if site.unique {
            let shape = KeyShape::Decorated { before: before.to_owned(), after: after.to_owned() };
            catalogue.add_change("nul-string", site, "type", &class, Change::Number(shape));
        } else {
            catalogue.add(
                "nul-string",
                site,
                "type",
                &class,
                Value::String(format!("{before}x{after}")),
            );
        }
    }
}

fn blank(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    for (class, text) in [
        ("empty", ""),
        ("a space", " "),
        ("spaces", "   "),
        ("a tab", "\t"),
        ("a line feed", "\n"),
        ("a no-break space", "\u{a0}"),
        ("an ideographic space", "\u{3000}"),
    ] {
        catalogue.add("blank-string", site, "type", class, Value::from(text));
    }
}

fn surrogate(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let own = if site.unique { KEY_PLACEHOLDER } else { "x" };
    for (class, text) in [
        ("a high one", format!("\"\\ud800{own}\"")),
        ("a low one", format!("\"{own}\\udc00\"")),
        ("a pair the wrong way round", format!("\"\\udc00\\ud800{own}\"")),
        ("a high one at the end", format!("\"{own}\\ud83d\"")),
    ] {
        catalogue.add_change("lone-surrogate", site, "type", class, Change::Raw(text));
    }
}

/// The value stays what it is; only its notation changes.
fn escaped(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    if !site.unique {
        catalogue.add_change(
            "escape-characters",
            site,
            "type",
            "every character escaped",
            Change::Escape,
        );
    }
}

/// The raw text closes the first value and opens the second.
fn repeated(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    if site.unique {
        return;
    }
    let name = Value::String(site.name.clone()).to_string();
    for (class, first) in [("the same value", site.usual.clone()), ("null first", Value::Null)] {
        let text = format!("{first},{name}:{}", site.usual);
        catalogue.add_change("repeat-key", site, "type", class, Change::Raw(text));
    }
}

fn deep(catalogue: &mut Catalogue<'_>) {
    for depth in DEPTHS {
        let arrays = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let objects = format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        for (class, text) in [("arrays", arrays), ("objects", objects)] {
            let class = format!("{depth} {class}");
            catalogue.add_item(
                "deep-nesting",
                "/extension",
                "additionalProperties",
                &class,
                Change::Raw(text),
            );
        }
    }
    let text = catalogue.sites.iter().find(|s| s.top && !s.unique && s.is_plain_text()).cloned();
    if let Some(site) = text {
        let arrays = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
        catalogue.add_change(
            "deep-nesting",
            &site,
            "type",
            "2000 arrays for a string",
            Change::Raw(arrays),
        );
    }
}
