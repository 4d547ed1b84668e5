//! Keys whose schema gives them a form: UUIDs, what a pattern describes, numbers between bounds.
//!
//! It must not know what a key is used for.

use std::collections::HashSet;

use serde_json::Value;

use crate::contract::Contract;
use crate::generate::Random;
use crate::generate::plan::pattern::Pattern;

/// Keys with which a form is tried out.
const TRIES: u64 = 2_000;
/// An everyday key, as long as one is at most.
const EVERYDAY: &str = "bptest-261127-k3x9qz-agxpll-T7QR9L";
/// The same as short as it can be made.
const SHORT: &str = "agxpll-T7QR9L";
/// Keys that are JSON numbers are this large, where the schema has room for them.
const EVERYDAY_NUMBER: u64 = 99_000_000_000_000;

/// The form of keys.
#[derive(Debug, Clone)]
pub(in crate::generate) enum KeyForm {
    Uuid,
    Pattern(Pattern),
    /// A number, from the first to the last.
    Between(i64, i64),
}

impl KeyForm {
    /// The form that the unique field of a contract demands; none where an everyday key will do, or nothing.
    pub fn of(contract: &Contract) -> Option<KeyForm> {
        let schema = &contract.field(&contract.batch.unique)?.schema;
        let fits = |key: &Value| contract.operation.compile(schema).is_ok_and(|v| v.is_valid(key));
        if [EVERYDAY, SHORT].iter().any(|key| fits(&Value::from(*key))) {
            return None;
        }
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        if fits(&Value::from(EVERYDAY_NUMBER)) || schema.get("enum").is_some() {
            return None;
        }
        let integer = schema.get("type").and_then(Value::as_str) == Some("integer");
        if integer || number("maximum").is_some() {
            let low = number("minimum").unwrap_or(0.0).max(1.0).ceil();
            let high = number("maximum").or(number("exclusiveMaximum").map(|n| n - 1.0))?.floor();
            let whole = |n: f64| format!("{n:.0}").parse::<i64>().ok();
            return Some(KeyForm::Between(whole(low)?, whole(high)?));
        }
        if schema.get("format").and_then(Value::as_str) == Some("uuid") {
            return Some(KeyForm::Uuid);
        }
        let mut pattern = Pattern::compile(schema.get("pattern")?.as_str()?)?;
        let count = |key: &str| schema.get(key).and_then(Value::as_u64)?.try_into().ok();
        pattern.stretch(count("minLength").unwrap_or(0), count("maxLength").unwrap_or(usize::MAX));
        Some(KeyForm::Pattern(pattern))
    }

    /// The key with that number, of a process that drew this.
    pub fn key(&self, drawn: u64, count: u64) -> Value {
        let mut random =
            Random::new(drawn ^ count.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        match self {
            KeyForm::Uuid => {
                let (a, b) = (random.bits(), random.bits());
                Value::from(format!(
                    "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
                    a >> 32,
                    a >> 16 & 0xffff,
                    a & 0xfff,
                    0x8000 | (b >> 48 & 0x3fff),
                    b & 0xffff_ffff_ffff
                ))
            }
            KeyForm::Pattern(pattern) => {
                let mut text = String::new();
                pattern.push(&mut random, &mut text);
                Value::from(text)
            }
            KeyForm::Between(low, high) => {
                // One after the other from a place that each process draws: none comes twice before all came once.
                let room = u64::try_from(high.saturating_sub(*low)).unwrap_or(0).saturating_add(1);
                let at = (drawn % room).wrapping_add(count) % room;
                Value::from(low.saturating_add(i64::try_from(at).unwrap_or(0)))
            }
        }
    }

    /// Whether it has enough different keys that no two are the same.
    pub fn has_room(&self) -> bool {
        if let KeyForm::Between(low, high) = self {
            return high.saturating_sub(*low) >= 1_000_000_000;
        }
        let mut seen = HashSet::new();
        (0..TRIES).all(|count| seen.insert(self.key(7, count).to_string()))
    }
}

/// What is wrong with the schema of the unique field, where it has no room for keys that are fresh in every run.
pub(in crate::generate) fn why_no_keys(contract: &Contract) -> Option<String> {
    let schema = &contract.field(&contract.batch.unique)?.schema;
    let validator = contract.operation.compile(schema).ok()?;
    let everyday = [Value::from(EVERYDAY), Value::from(SHORT), Value::from(EVERYDAY_NUMBER)];
    if everyday.iter().any(|key| validator.is_valid(key)) {
        return None;
    }
    // A longer key is filled up.
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    if least > 0 {
        let filled = "x".repeat(usize::try_from(least).unwrap_or(0).min(100_000));
        if validator.is_valid(&Value::from(filled)) && least >= EVERYDAY.len() as u64 {
            return None;
        }
    }
    match KeyForm::of(contract) {
        None => Some("no key of ours fits its schema".to_owned()),
        Some(form) if !validator.is_valid(&form.key(7, 0)) => {
            Some(format!("no key of ours fits its schema, such as {}", form.key(7, 0)))
        }
        Some(form) if !form.has_room() => {
            Some("its schema has too few values for keys that are fresh in every run".to_owned())
        }
        Some(_) => None,
    }
}
