//! Where drawn values go: into a [`Value`], or straight into JSON text.
//!
//! A plan draws into a writer, so that both forms come of the same draws and say the same. It must not know
//! which field a value is for.

use serde_json::Value;

use super::plan::numbers::GeneratedNumber;
use crate::contract::Limits;
use crate::contract::validity::is_plain;

/// What takes a drawn value.
pub(super) trait ValueWriter {
    /// A string, appended to the text that `push` is given; `plain` where it can't but be plain (INTERPRETATION-18).
    fn text(&mut self, plain: bool, push: impl FnOnce(&mut String));

    /// A number.
    fn number(&mut self, number: GeneratedNumber);

    /// Any value.
    fn value(&mut self, value: Value);

    /// One of several values.
    fn choice(&mut self, value: &Value);
}

impl ValueWriter for Value {
    fn text(&mut self, _: bool, push: impl FnOnce(&mut String)) {
        let mut text = String::with_capacity(32);
        push(&mut text);
        *self = Value::String(text);
    }

    fn number(&mut self, number: GeneratedNumber) {
        *self = number.into();
    }

    fn value(&mut self, value: Value) {
        *self = value;
    }

    fn choice(&mut self, value: &Value) {
        self.clone_from(value);
    }
}

/// Appends values as compact JSON, and watches whether all of them are beyond doubt.
pub(super) struct JsonWriter<'a> {
    /// What is appended to.
    pub out: &'a mut String,
    /// What bounds a value that is beyond doubt.
    pub bounds: &'a Bounds,
    /// Whether everything so far was beyond doubt: due to be accepted under every interpretation.
    pub certain: bool,
}

/// What bounds a value that is beyond doubt (INTERPRETATION-16, INTERPRETATION-20).
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// Bytes of a string; there are never fewer than code points.
    pub text: usize,
    /// Digits after the point.
    pub fraction: u32,
    /// Magnitude.
    pub magnitude: f64,
}

impl Bounds {
    /// The bounds of a contract's limits; `text` is the shortest bound that a result puts on what it repeats.
    pub fn of(limits: &Limits, text: usize) -> Bounds {
        Bounds {
            text: limits.plain_string.min(text),
            fraction: u32::try_from(limits.fraction_digits).unwrap_or(u32::MAX),
            magnitude: limits.magnitude,
        }
    }
}

impl ValueWriter for JsonWriter<'_> {
    fn text(&mut self, plain: bool, push: impl FnOnce(&mut String)) {
        self.out.push('"');
        let from = self.out.len();
        push(self.out);
        let text = &self.out[from..];
        // Nothing plain needs an escape.
        if plain || is_plain(text) {
            self.certain &= text.len() <= self.bounds.text;
            self.out.push('"');
            return;
        }
        self.certain = false;
        let quoted = Value::from(text).to_string();
        self.out.truncate(from - 1);
        self.out.push_str(&quoted);
    }

    fn number(&mut self, number: GeneratedNumber) {
        match number {
            // A double says these digits and no others (`numbers::DIGITS`).
            GeneratedNumber::Units(units, digits) if digits <= 4 => {
                let size = units.unsigned_abs() as f64;
                self.certain &= digits <= self.bounds.fraction && size < self.bounds.magnitude;
                push_units(self.out, units, digits);
            }
            other => self.value(other.into()),
        }
    }

    fn value(&mut self, value: Value) {
        self.choice(&value);
    }

    fn choice(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(false, |out| out.push_str(text)),
            other => {
                self.certain &= match other {
                    Value::Bool(_) => true,
                    Value::Number(number) => number
                        .as_i64()
                        .is_some_and(|n| (n.unsigned_abs() as f64) < self.bounds.magnitude),
                    // The interpretations decide.
                    _ => false,
                };
                self.out.push_str(&other.to_string());
            }
        }
    }
}

/// Two digits for each number below a hundred.
static PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    let (mut tens, mut ones) = (b'0', b'0');
    while number < 100 {
        pairs[number] = [tens, ones];
        (tens, ones) = if ones == b'9' { (tens + 1, b'0') } else { (tens, ones + 1) };
        number += 1;
    }
    pairs
}

/// Writes whole units of ten to the minus `digits` in decimal.
fn push_units(out: &mut String, units: i64, digits: u32) {
    // Sign, point, and the nineteen digits of the largest number.
    let mut text = [b'0'; 24];
    let mut at = text.len();
    let mut rest = units.unsigned_abs();
    if digits > 0 {
        for _ in 0..digits {
            at -= 1;
            text[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        at -= 1;
        text[at] = b'.';
    }
    while rest >= 10 {
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[usize::try_from(rest % 100).unwrap_or(0)]);
        rest /= 100;
    }
    if rest > 0 || at == text.len() || text[at] == b'.' {
        at -= 1;
        text[at] = b'0' + u8::try_from(rest).unwrap_or(0);
    }
    if units < 0 {
        at -= 1;
        text[at] = b'-';
    }
    out.push_str(std::str::from_utf8(&text[at..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_serde_json_writes_them() {
        for units in [
            0,
            1,
            -1,
            7,
            10,
            12,
            99,
            100,
            105,
            1000,
            -1234,
            -250_000_000,
            99_999_999_999_999,
            123_456_789_012_341,
        ] {
            for digits in 0..=4 {
                if digits > 0 && units % 10 == 0 {
                    continue;
                }
                let mut out = String::new();
                push_units(&mut out, units, digits);
                let value = Value::from(GeneratedNumber::Units(units, digits));
                assert_eq!(out, value.to_string());
            }
        }
    }
}
