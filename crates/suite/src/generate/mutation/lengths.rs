//! Mutations of lengths, counted in code points: those at a bound catch servers that count bytes or UTF-16 units.

use serde_json::Value;

use super::site::SchemaSite;
use super::{Catalogue, Change, KeyShape};

/// Characters by how they are counted: bytes in UTF-8, and units in UTF-16.
const WIDTHS: [(&str, char); 4] = [
    ("one byte", 'x'),
    ("two bytes", '\u{e9}'),
    ("three bytes", '\u{20ac}'),
    ("four bytes", '\u{1f600}'),
];

/// Characters that grow where they are written for another language before they are counted.
const GROWING: [(&str, &str); 3] = [
    ("markup", "<&\">'"),
    ("quotes and backslashes", "\"\\"),
    ("what percent-encoding spells out", " %+/"),
];
/// Texts of more code points than a server counts that folds them first.
const SHRINKING: [(&str, &str); 4] = [
    // Half as many graphemes as code points: a server that counts what people see takes it for short.
    ("half of them combining", "e\u{301}"),
    ("most of them entities", "&amp;"),
    ("half of them of no width", "x\u{200b}"),
    ("half of them controls", "x\u{1}"),
];

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    let plain = catalogue.limits().plain_string;
    for site in catalogue.sites.clone() {
        if !site.is_text() {
            continue;
        }
        let own = site.flat.count("maxLength");
        if let Some(max) = own {
            exceed(catalogue, &site, max);
        }
        if site.is_plain_text() {
            let bound = if site.unique { own.or(site.result_max) } else { own };
            at_max(
                catalogue,
                &site,
                bound.map_or(plain, |b| b.min(if own.is_some() { b } else { plain })),
            );
        }
        if let Some(min) = site.flat.count("minLength").filter(|m| *m > 0) {
            at_min(catalogue, &site, min);
        }
        if own.is_none() && !site.is_instant() {
            over_long(catalogue, &site, plain);
        }
    }
}

fn exceed(catalogue: &mut Catalogue<'_>, site: &SchemaSite, max: usize) {
    for (width, c) in WIDTHS {
        let class = format!("{} code points of {width}", max + 1);
        set(catalogue, "exceed-max-length", site, "maxLength", &class, max + 1, c);
    }
    for length in [max * 2, max + 1000] {
        let class = format!("{length} code points of one byte");
        set(catalogue, "exceed-max-length", site, "maxLength", &class, length, 'x');
    }
    if !site.unique {
        for (what, text) in SHRINKING {
            let class = format!("{} code points, {what}", max + 1);
            let text = text.chars().cycle().take(max + 1).collect();
            catalogue.add("exceed-max-length", site, "maxLength", &class, Value::String(text));
        }
        let spaces = format!("x{}x", " ".repeat(max.saturating_sub(1)));
        let class = format!("{} code points, most of them spaces", max + 1);
        catalogue.add("exceed-max-length", site, "maxLength", &class, Value::String(spaces));
        // A target that trims before counting takes these for short.
        for text in [format!("{}x", " ".repeat(max)), format!("x{}", " ".repeat(max))] {
            let class = format!("{} code points, spaces at an end", max + 1);
            catalogue.add("exceed-max-length", site, "maxLength", &class, Value::String(text));
        }
    }
}

fn at_max(catalogue: &mut Catalogue<'_>, site: &SchemaSite, bound: usize) {
    if bound == 0 {
        return;
    }
    for (width, c) in WIDTHS {
        for length in [bound, bound - 1] {
            if length > 0 {
                let class = format!("{length} code points of {width}");
                set(catalogue, "at-max-length", site, "maxLength", &class, length, c);
            }
        }
    }
    if site.unique {
        return;
    }
    for (what, text) in GROWING {
        // A letter at each end: what is trimmed is another matter.
        let inner = text.chars().cycle().take(bound.saturating_sub(2));
        let text: String = std::iter::once('x').chain(inner).chain(['x']).take(bound).collect();
        let class = format!("{bound} code points of {what}");
        catalogue.add("at-max-length", site, "maxLength", &class, Value::String(text));
    }
}

fn at_min(catalogue: &mut Catalogue<'_>, site: &SchemaSite, min: usize) {
    if site.unique {
        // A minted number is longer than any sensible bound; what is too short can't be fresh.
        let class = format!("{} code points", min - 1);
        catalogue.add(
            "below-min-length",
            site,
            "minLength",
            &class,
            Value::String("x".repeat(min - 1)),
        );
        return;
    }
    for (width, c) in WIDTHS {
        if site.is_plain_text() {
            let class = format!("{min} code points of {width}");
            set(catalogue, "at-min-length", site, "minLength", &class, min, c);
        }
        if min > 1 || c == 'x' {
            let class = format!("{} code points of {width}", min - 1);
            set(catalogue, "below-min-length", site, "minLength", &class, min - 1, c);
        }
    }
}

fn over_long(catalogue: &mut Catalogue<'_>, site: &SchemaSite, plain: usize) {
    if let Some(max) = site.result_max.filter(|_| site.unique) {
        let mut lengths = vec![max + 1, 300.max(max + 2), 1000.max(max * 2)];
        lengths.dedup();
        for length in lengths {
            let class = format!("{length} code points of one byte");
            set(catalogue, "unique-too-long", site, "maxLength", &class, length, 'x');
        }
        let class = format!("{} code points of four bytes", max + 1);
        set(catalogue, "unique-too-long", site, "maxLength", &class, max + 1, '\u{1f600}');
    } else if site.top && site.is_plain_text() {
        for length in [plain + 1, 1000, 10_000] {
            let class = format!("{length} code points of one byte");
            set(catalogue, "long-string", site, "maxLength", &class, length, 'x');
        }
        let class = format!("{} code points of four bytes", plain + 1);
        set(catalogue, "long-string", site, "maxLength", &class, plain + 1, '\u{1f600}');
    }
}

fn set(
    catalogue: &mut Catalogue<'_>,
    name: &'static str,
    site: &SchemaSite,
    keyword: &str,
    class: &str,
    length: usize,
    with: char,
) {
    let change = if site.unique {
        Change::Number(KeyShape::Padded { length, with })
    } else {
        Change::Set(Value::String(std::iter::repeat_n(with, length).collect()))
    };
    catalogue.add_change(name, site, keyword, class, change);
}
