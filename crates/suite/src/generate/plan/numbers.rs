//! Draws numbers: amounts as a bank writes them, and those at the edges of what must be accepted.
//!
//! A number is whole units of a power of ten, so that no digit appears that was not meant.

use std::sync::OnceLock;

use serde_json::Value;

use crate::generate::random::Random;

/// A fraction keeps within this many digits in all, so that a double says exactly them.
const DIGITS: u32 = 15;

/// A number that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::generate) enum GeneratedNumber {
    /// `units` times ten to the minus `digits`; the last digit of a fraction is not 0.
    Units(i64, u32),
    /// Any other.
    Value(Value),
}

impl From<GeneratedNumber> for Value {
    fn from(drawn: GeneratedNumber) -> Value {
        match drawn {
            GeneratedNumber::Units(units, 0) => Value::from(units),
            GeneratedNumber::Units(units, digits) => {
                Value::from(to_float(units) / f64::from(10_u32.pow(digits)))
            }
            GeneratedNumber::Value(value) => value,
        }
    }
}

/// An everyday number is cut by one of these, so that small ones are as likely as large ones.
const SMALLER: [i64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

/// What a numeric field may hold.
#[derive(Debug, Clone)]
pub(in crate::generate) struct NumberRange {
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
    /// Whether `low` itself is excluded.
    pub above: bool,
    /// Whether `high` itself is excluded.
    pub below: bool,
    /// Whole numbers only.
    pub whole: bool,
    /// Multiples of this only.
    pub step: Option<f64>,
    /// Most digits after the point.
    pub fraction: u32,
    /// The bounds of everyday numbers in their units, once they are known.
    pub everyday: OnceLock<Option<(i64, i64)>>,
}

impl NumberRange {
    /// Draws an everyday number: at most two digits after the point, small ones as likely as large ones.
    pub fn plain(&self, random: &mut Random) -> GeneratedNumber {
        let digits = if self.whole { 0 } else { self.fraction.min(2) };
        let bounds = self.everyday.get_or_init(|| self.units(digits));
        let Some((low, high)) = *bounds else { return GeneratedNumber::Value(self.narrow()) };
        let drawn = random.whole(low, high);
        let smaller = drawn / random.pick(&SMALLER).copied().unwrap_or(1);
        let units = if (low..=high).contains(&smaller) { smaller } else { drawn };
        self.drawn(units, digits)
    }

    /// Draws a number at an edge: zero, one unit, bounds, many digits before or after the point.
    pub fn boundary(&self, random: &mut Random) -> GeneratedNumber {
        let digits = if self.whole { 0 } else { self.fraction };
        let Some((low, high)) = self.units(digits) else {
            return GeneratedNumber::Value(self.narrow());
        };
        let unit = 10_i64.saturating_pow(digits);
        let units = match random.below(8) {
            0 => 0,
            1 => 1,
            2 => -1,
            3 => low,
            4 => high,
            5 => unit.saturating_mul(9_999_999_999_999),
            6 => random.whole(-unit, unit),
            _ => random.whole(low, high),
        };
        self.drawn(units.clamp(low, high), digits)
    }

    /// Zero where it fits, else one, else the number nearest to zero.
    pub fn simplest(&self) -> Value {
        let digits = if self.whole { 0 } else { self.fraction.min(2) };
        let Some((low, high)) = self.units(digits) else { return self.narrow() };
        let one = 10_i64.pow(digits);
        let units = [0, one].into_iter().find(|u| (low..=high).contains(u));
        self.drawn(units.unwrap_or(if low > 0 { low } else { high }), digits).into()
    }

    /// The bounds in units of 10 to the minus `digits`; none where no such unit lies between them.
    fn units(&self, digits: u32) -> Option<(i64, i64)> {
        let scale = f64::from(10_u32.pow(digits));
        let mut low = to_whole((self.low * scale).ceil())?;
        let mut high = to_whole((self.high * scale).floor())?;
        let at = |units: i64| to_float(units) / scale;
        if self.above && at(low) <= self.low {
            low += 1;
        }
        if self.below && at(high) >= self.high {
            high -= 1;
        }
        if self.whole && digits == 0 && self.step.is_none() && low > high {
            return None;
        }
        (low <= high).then_some((low, high))
    }

    /// The number of this many units, in steps where there are any.
    fn drawn(&self, units: i64, digits: u32) -> GeneratedNumber {
        if let Some(step) = self.step {
            let about = to_float(units) / f64::from(10_u32.pow(digits));
            return GeneratedNumber::Value(self.stepped(about, step));
        }
        let mut units = units;
        let mut digits = digits;
        while digits > 0 && (units % 10 == 0 || units.unsigned_abs() >= 10_u64.pow(DIGITS)) {
            units /= 10;
            digits -= 1;
        }
        GeneratedNumber::Units(units, digits)
    }

    /// The multiple of `step` nearest to `about` that lies between the bounds.
    fn stepped(&self, about: f64, step: f64) -> Value {
        let places = step.to_string().split_once('.').map_or(0, |(_, d)| d.len());
        // A double says this number of digits exactly; a multiple with more is no multiple once it is written.
        let digits = i32::try_from(places).unwrap_or(i32::MAX);
        let reach = 10_f64.powi(i32::try_from(DIGITS).unwrap_or(0).saturating_sub(digits + 1));
        let nearest = |bound: f64| bound.clamp(-reach, reach);
        let (low, high) = match (nearest(self.low), nearest(self.high)) {
            (low, high) if places > 0 && low < high => (low, high),
            _ => (self.low, self.high),
        };
        let lowest = (low / step).ceil();
        let highest = (high / step).floor();
        let mut times = (about / step).round().clamp(lowest, highest.max(lowest));
        if self.above && times * step <= self.low {
            times += 1.0;
        }
        if self.below && times * step >= self.high {
            times -= 1.0;
        }
        if step.fract() == 0.0
            && let Some(number) = to_whole(times * step)
        {
            return Value::from(number);
        }
        // Written out and read back: 3 times 0.1 is to be 0.3.
        let text = format!("{:.places$}", times * step);
        text.parse::<f64>().map_or(Value::from(times * step), Value::from)
    }

    /// The only number that can be named between bounds that leave no room for two digits.
    fn narrow(&self) -> Value {
        let middle =
            if self.above || self.below { f64::midpoint(self.low, self.high) } else { self.low };
        match to_whole(middle) {
            Some(number) if middle.fract() == 0.0 => Value::from(number),
            _ => Value::from(middle),
        }
    }
}

/// A float that is a whole number within the exact range, as an integer.
#[expect(clippy::cast_possible_truncation, reason = "checked to lie within the exact range")]
pub(in crate::generate) fn to_whole(number: f64) -> Option<i64> {
    (number.abs() < 9e18).then_some(number.trunc() as i64)
}

/// An integer as a float; beyond 2^53 the nearest one.
#[expect(clippy::cast_precision_loss, reason = "callers stay below 2^53 where digits matter")]
pub(in crate::generate) fn to_float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(low: f64, high: f64) -> NumberRange {
        NumberRange {
            low,
            high,
            above: false,
            below: false,
            whole: false,
            step: None,
            fraction: 4,
            everyday: OnceLock::new(),
        }
    }

    #[test]
    fn numbers_have_the_digits_that_were_meant() {
        let money = numbers(-2_500_000.0, 90_000_000.0);
        let wide = numbers(-99_999_999_999_999.0, 99_999_999_999_999.0);
        let mut random = Random::new(3);
        for _ in 0..2000 {
            for (value, most) in [(money.plain(&mut random), 2), (wide.boundary(&mut random), 4)] {
                let text = Value::from(value).to_string();
                let places = text.split_once('.').map_or(0, |(_, d)| d.len());
                assert!(places <= most && !text.contains('e'), "{text}");
            }
        }
    }

    #[test]
    fn bounds_and_steps_hold() {
        let mut random = Random::new(3);
        let cases = [
            NumberRange { above: true, below: true, ..numbers(0.0, 1.0) },
            NumberRange { step: Some(0.1), ..numbers(0.05, 0.95) },
            NumberRange { step: Some(7.0), whole: true, ..numbers(1.0, 30.0) },
            NumberRange { above: true, whole: true, ..numbers(0.0, 2.0) },
            NumberRange { below: true, above: true, ..numbers(0.001, 0.002) },
            numbers(5.0, 5.0),
        ];
        for n in cases {
            let drawn = (0..300)
                .flat_map(|_| [n.plain(&mut random), n.boundary(&mut random)])
                .map(Value::from)
                .chain([n.simplest()]);
            for value in drawn.collect::<Vec<_>>() {
                let f = value.as_f64().unwrap();
                assert!(if n.above { f > n.low } else { f >= n.low }, "{n:?} {value}");
                assert!(if n.below { f < n.high } else { f <= n.high }, "{n:?} {value}");
                assert!(!n.whole || f.fract() == 0.0, "{n:?} {value}");
            }
        }
    }
}
