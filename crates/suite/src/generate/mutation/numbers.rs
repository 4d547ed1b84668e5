//! Mutations of numbers: those that must be accepted, and those beyond (INTERPRETATION-20).
//!
//! Notation is part of it: `1.10` and `1E+2` are raw text, as no parsed value remembers how it was written.

use serde_json::{Value, json};

use super::site::SchemaSite;
use super::{Catalogue, Change};

/// Numbers that must be accepted, as they are written.
const PLAIN: [(&str, &str); 33] = [
    ("zero", "0"),
    ("zero with a fraction", "0.0"),
    ("zero with an exponent", "0e0"),
    ("negative zero", "-0"),
    ("negative zero with a fraction", "-0.00"),
    ("one", "1"),
    ("negative", "-1"),
    ("one cent", "0.01"),
    ("negative cent", "-0.01"),
    ("four digits after the point", "0.0001"),
    ("negative, four digits after the point", "-123.4567"),
    ("no binary fraction", "0.1"),
    ("no binary fraction, three tenths", "0.3"),
    ("a trailing zero", "1.10"),
    ("a whole number with a fraction", "5.0000"),
    ("an exponent", "1.5e3"),
    ("an upper-case exponent", "1E2"),
    ("a signed exponent", "1E+2"),
    ("a negative exponent", "15e-1"),
    ("a negative exponent to four digits", "1e-4"),
    ("an exponent with leading zeros", "1e002"),
    ("above 2^31", "2147483648"),
    ("below -2^31", "-2147483649"),
    ("above 2^32", "4294967297"),
    ("seven significant digits and more", "16777217.25"),
    ("thirteen digits", "1234567890123"),
    ("thirteen digits, negative", "-9999999999999"),
    ("thirteen digits and cents", "1234567890123.45"),
    ("thirteen digits with an exponent", "1.234567890123e12"),
    ("a negative exponent on a whole number", "1e-2"),
    ("seventeen digits", "9999999999999.9999"),
    ("seventeen digits, no binary fraction", "1234567890123.0001"),
    ("just below the magnitude", "99999999999999"),
];

/// Numbers beyond what must be accepted.
const EDGE: [(&str, f64); 12] = [
    ("at the magnitude", 1e14),
    ("at the magnitude, negative", -1e14),
    ("above 2^53", 9_007_199_254_740_992.0),
    ("twenty digits", 12_345_678_901_234_567_890.0),
    ("a large exponent", 1e30),
    ("the largest double", f64::MAX),
    ("the largest double, negative", f64::MIN),
    ("five digits after the point", 0.000_01),
    ("six digits after the point", 1.234_567),
    ("the noise of binary fractions", 0.300_000_000_000_000_04),
    ("a tiny exponent", 1e-30),
    ("the smallest double", 5e-324),
];

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        if !site.top || site.unique || !site.is_number() {
            continue;
        }
        plain(catalogue, &site);
        for (class, value) in EDGE {
            catalogue.add("edge-number", &site, "type", class, json!(value));
        }
        catalogue.add("edge-number", &site, "type", "the largest 64-bit integer", json!(i64::MAX));
        catalogue.add("edge-number", &site, "type", "the smallest 64-bit integer", json!(i64::MIN));
        catalogue.add(
            "edge-number",
            &site,
            "type",
            "the largest unsigned integer",
            json!(u64::MAX),
        );
        for (class, text) in [
            ("beyond a double", "1e400".to_owned()),
            ("beyond a double, negative", "-1e400".to_owned()),
            ("a giant exponent", "1E+999999999".to_owned()),
            ("four hundred digits", format!("1{}", "0".repeat(400))),
        ] {
            catalogue.add_change("huge-number", &site, "type", class, Change::Raw(text));
        }
    }
}

fn plain(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let limits = catalogue.limits();
    let (magnitude, digits) = (limits.magnitude, limits.fraction_digits);
    for (class, text) in PLAIN {
        let Ok(value) = serde_json::from_str::<Value>(text) else { continue };
        let size = value.as_f64().unwrap_or(0.0).abs();
        let places = size.to_string().split_once('.').map_or(0, |(_, d)| d.len());
        // Many services read whole numbers only where they are written as such.
        let written_whole = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if size >= magnitude || places > digits || site.is_whole() && !written_whole {
            continue;
        }
        // Text that says more than its value must be sent as text.
        let written = value.to_string();
        let change =
            if written == text { Change::Set(value) } else { Change::Raw(text.to_owned()) };
        catalogue.add_change("plain-number", site, "type", class, change);
    }
}
