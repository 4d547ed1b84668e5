//! Faults of comparison: numbers that look alike are taken for one.

use super::{compose, head};
use crate::fault::{Fault, FaultFamily};

const UNIQUE: FaultFamily = FaultFamily("UNIQUE");

pub(super) static FAULTS: &[Fault] = &[
    UNIQUE
        .fault(
            "uuids-compared-by-value",
            "numbers that are UUIDs are compared by their value, however they are spelt",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| {
            let hex: String = key.chars().filter(char::is_ascii_hexdigit).collect();
            let plain = key.trim_start_matches("urn:uuid:");
            let is_spelt = plain.chars().all(|c| c.is_ascii_hexdigit() || "-{}()".contains(c));
            if hex.len() >= 32 && is_spelt {
                hex.to_lowercase().split_off(hex.len() - 32)
            } else {
                key
            }
        }),
    UNIQUE
        .fault(
            "numbers-case-folded",
            "numbers that differ in letter case only are taken for the same",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| key.to_lowercase()),
    UNIQUE
        .fault(
            "numbers-trimmed",
            "numbers that differ in outer white space only are taken for the same",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| key.trim().to_owned()),
    UNIQUE
        .fault(
            "numbers-right-padded",
            "numbers that differ in spaces at their end only are taken for the same",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| key.trim_end_matches(' ').to_owned()),
    UNIQUE
        .fault("numbers-composed", "numbers are compared in Unicode normalisation form C")
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| compose(&key)),
    UNIQUE
        .fault(
            "numbers-accent-insensitive",
            "numbers that differ in an accent only are taken for the same",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| {
            let composed = compose(&key);
            let plain = |c: char| match c {
                'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
                'è' | 'é' | 'ê' | 'ë' | 'ě' => 'e',
                'ì' | 'í' | 'î' | 'ï' => 'i',
                'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
                'ù' | 'ú' | 'û' | 'ü' | 'ů' => 'u',
                'ñ' => 'n',
                'č' | 'ç' => 'c',
                'š' => 's',
                'ž' => 'z',
                'É' => 'E',
                'Ä' => 'A',
                other => other,
            };
            composed.chars().map(plain).collect()
        }),
    UNIQUE
        .fault("numbers-cut-at-50", "numbers are compared by their first 50 characters")
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003", "ACCEPT-001"])
        .key(|_, _, key| head(&key, 50)),
    UNIQUE
        .fault("numbers-cut-at-128", "numbers are compared by their first 128 characters")
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003", "ACCEPT-001"])
        .key(|_, _, key| head(&key, 128)),
    UNIQUE
        .fault(
            "numbers-without-punctuation",
            "numbers are compared without hyphens and underscores",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003", "ACCEPT-001"])
        .deep()
        .key(|_, _, key| key.replace(['-', '_'], "")),
    UNIQUE
        .fault("numbers-compared-by-value", "numbers that are numerals are compared by their value")
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003", "ACCEPT-001", "ATOM-002"])
        .key(|_, _, key| match key.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => value.to_string(),
            _ => key,
        }),
    UNIQUE
        .fault("numbers-with-doubled-quotes", "numbers are compared with '' taken for '")
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| key.replace("''", "'")),
    UNIQUE
        .fault(
            "numbers-with-any-dash",
            "numbers are compared with every kind of dash taken for a hyphen",
        )
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .key(|_, _, key| {
            key.replace(['\u{2010}', '\u{2011}', '\u{2013}', '\u{2014}', '\u{2212}'], "-")
        }),
];
