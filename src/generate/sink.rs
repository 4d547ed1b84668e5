//! Where drawn values go: into a [`Value`], or straight into JSON text.
//!
//! A plan draws into a sink, so that both forms come of the same draws and say the same. It must not know
//! which field a value is for.

use serde_json::Value;

use super::plan::numbers::Drawn;
use crate::contract::Limits;
use crate::contract::standing::is_plain;

/// What takes a drawn value.
pub(super) trait Sink {
    /// A string, appended to the text that `push` is given; `plain` where it can't but be plain (READING-18).
    fn text(&mut self, plain: bool, push: impl FnOnce(&mut String));

    /// A number.
    fn number(&mut self, number: Drawn);

    /// Any value.
    fn value(&mut self, value: Value);

    /// One of several values.
    fn choice(&mut self, value: &Value);
}

impl Sink for Value {
    fn text(&mut self, _: bool, push: impl FnOnce(&mut String)) {
        let mut text = String::with_capacity(32);
        push(&mut text);
        *self = Value::String(text);
    }

    fn number(&mut self, number: Drawn) {
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
pub(super) struct Json<'a> {
    /// What is appended to.
    pub out: &'a mut Vec<u8>,
    /// A string before it is known to need no escapes; kept for its memory.
    pub scratch: &'a mut String,
    /// What bounds a value that is beyond doubt.
    pub bounds: &'a Bounds,
    /// Whether everything so far was beyond doubt: due to be accepted under every reading.
    pub certain: bool,
}

/// What bounds a value that is beyond doubt (READING-16, READING-20).
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

impl Json<'_> {
    /// Writes a string that stands in quotes already.
    fn string(out: &mut Vec<u8>, quoted: &str, plain: bool, bounds: &Bounds) -> bool {
        let text = &quoted[1..quoted.len() - 1];
        if plain || is_plain(text) {
            // Nothing plain needs an escape.
            out.extend_from_slice(quoted.as_bytes());
            return text.len() <= bounds.text;
        }
        // Writing into memory can't fail, nor can a string be without a JSON form.
        let _ = serde_json::to_writer(out, text);
        false
    }
}

impl Sink for Json<'_> {
    fn text(&mut self, plain: bool, push: impl FnOnce(&mut String)) {
        self.scratch.clear();
        self.scratch.push('"');
        push(self.scratch);
        self.scratch.push('"');
        self.certain &= Json::string(self.out, self.scratch, plain, self.bounds);
    }

    fn number(&mut self, number: Drawn) {
        match number {
            // A double says these digits and no others (`numbers::DIGITS`).
            Drawn::Units(units, digits) if digits <= 4 => {
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
                    // Whoever knows the readings has to look at it.
                    _ => false,
                };
                let _ = serde_json::to_writer(&mut *self.out, other);
            }
        }
    }
}

/// Writes whole units of ten to the minus `digits` in decimal.
fn push_units(out: &mut Vec<u8>, units: i64, digits: u32) {
    let mut text = [b'0'; 24];
    let mut at = text.len();
    let mut rest = units.unsigned_abs();
    let mut written = 0;
    while rest > 0 || written <= digits {
        if written == digits && digits > 0 {
            at -= 1;
            text[at] = b'.';
        }
        at -= 1;
        text[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        written += 1;
    }
    if units < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&text[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_serde_json_writes_them() {
        for units in [0, 1, -1, 7, 12, 105, -250_000_000, 99_999_999_999_999, 123_456_789_012_341] {
            for digits in 0..=4 {
                if digits > 0 && units % 10 == 0 {
                    continue;
                }
                let mut out = Vec::new();
                push_units(&mut out, units, digits);
                let value = Value::from(Drawn::Units(units, digits));
                assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
            }
        }
    }
}
