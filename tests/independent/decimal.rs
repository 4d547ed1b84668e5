//! Decimal numbers of any length, as `BigDecimal` sees them: by their digits.

/// What the limits ask of a number.
#[derive(Debug, PartialEq, Eq)]
pub struct Size {
    /// The power of ten of the first digit that is not zero; the lowest for zero itself.
    pub exponent: i64,
    /// Digits that the fraction needs: 1.50 needs one, 15e-1 too.
    pub fraction_digits: i64,
}

/// Measures the text of a JSON number.
pub fn measure(text: &str) -> Size {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, saturating(power)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = whole.trim_start_matches('-');
    let digits = [whole, fraction].concat();
    // The place of each digit as a power of ten, were there no exponent.
    let place = |index: usize| length(whole.len()) - 1 - length(index);
    let Some(first) = digits.bytes().position(|digit| digit != b'0') else {
        return Size { exponent: i64::MIN, fraction_digits: 0 };
    };
    let last = digits.trim_end_matches('0').len() - 1;
    Size {
        exponent: place(first).saturating_add(power),
        fraction_digits: place(last).saturating_add(power).saturating_neg().max(0),
    }
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An exponent beyond what 64 bits hold is as good as the largest that they do.
fn saturating(power: &str) -> i64 {
    let far = if power.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    power.parse::<i64>().map_or(far, |power| power.clamp(i64::MIN / 2, i64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, exponent, fraction_digits) in [
            ("1", 0, 0),
            ("-12.50", 1, 1),
            ("0.0001", -4, 4),
            ("1.10000000", 0, 1),
            ("99999999999999.9999", 13, 4),
            ("1e14", 14, 0),
            ("1E+2", 2, 0),
            ("15e-1", 0, 1),
            ("100000000000000000000e-10", 10, 0),
            ("0.00001e5", 0, 0),
            ("1e400", 400, 0),
            ("1e-400", -400, 400),
            ("0", i64::MIN, 0),
            ("-0.000e999999999999999999999", i64::MIN, 0),
            ("1e99999999999999999999", i64::MAX / 2, 0),
            ("1e-99999999999999999999", i64::MIN / 2, i64::MAX / 2 + 1),
        ] {
            assert_eq!(measure(text), Size { exponent, fraction_digits }, "{text}");
        }
    }
}
