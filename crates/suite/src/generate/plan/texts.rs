//! Draws strings: everyday words, and those at the bounds of a length.
//!
//! Everything drawn here is plain in the sense of INTERPRETATION-18; unusual strings stand in `unusual`.

use crate::generate::random::Random;

const ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const EVERYDAY: &[u8] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,+#()!?*=@[]^~|";
/// Single code points of the basic plane in every normal form.
const LETTERS: [char; 12] = ['é', 'ß', 'ž', 'ą', 'Ö', 'ñ', 'ł', 'ů', 'α', 'ω', 'Ж', 'я'];
/// A word is about this long where no bound says otherwise.
const WORD: (usize, usize) = (6, 14);

/// How long a string may be, in code points.
#[derive(Debug, Clone, Copy)]
pub(in crate::generate) struct Lengths {
    /// At least.
    pub min: usize,
    /// At most: the schema's bound, or what must be accepted where it has none.
    pub max: usize,
}

impl Lengths {
    /// Appends a word, such as `k3x-9qz81`.
    pub fn word(self, random: &mut Random, out: &mut String) {
        let low = WORD.0.clamp(self.min, self.max.max(self.min));
        let high = WORD.1.clamp(low, self.max.max(low));
        let length = random.between(low, high);
        for at in 0..length {
            let hyphen = at == length / 2 && length > 4;
            out.push(if hyphen { '-' } else { random.letter(ALPHANUMERIC) });
        }
    }

    /// Appends a string at or near a bound: one character, the longest, one less, letters of two bytes.
    pub fn boundary(self, random: &mut Random, out: &mut String) {
        let least = self.min.max(1).min(self.max);
        let length = match random.below(6) {
            0 => least,
            1 | 2 => self.max,
            3 => self.max.saturating_sub(1).max(least),
            4 => (least + 1).min(self.max),
            _ => random.between(least, self.max.min(least + 64)),
        };
        let letters = random.chance(1, 3);
        let spaces = random.chance(1, 3);
        out.reserve(length * 2);
        let mut previous = ' ';
        for at in 0..length {
            let c = if spaces && previous != ' ' && at + 1 < length && random.chance(1, 8) {
                ' '
            } else if letters {
                random.pick(&LETTERS).copied().unwrap_or('é')
            } else {
                random.letter(EVERYDAY)
            };
            out.push(c);
            previous = c;
        }
    }

    /// The shortest string that is not blank.
    pub fn simplest(self) -> String {
        "x".repeat(self.min.max(1).min(self.max))
    }
}

/// Text of a format that JSON Schema knows; none for a format that is not generated.
pub(in crate::generate) fn of_format(format: &str, random: &mut Random) -> Option<String> {
    let mut out = String::with_capacity(40);
    match format {
        "date" => super::instants::push_day(random, &mut out),
        "time" => {
            super::instants::push_time(random, &mut out);
            out.push('Z');
        }
        "uuid" => {
            for (index, size) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                if index > 0 {
                    out.push('-');
                }
                for at in 0..size {
                    let version = index == 2 && at == 0;
                    let variant = index == 3 && at == 0;
                    out.push(match (version, variant) {
                        (true, _) => '4',
                        (_, true) => 'a',
                        _ => random.letter(b"0123456789abcdef"),
                    });
                }
            }
        }
        "email" | "idn-email" => {
            push_name(random, &mut out);
            out.push_str("@example.com");
        }
        "uri" | "iri" | "uri-reference" | "iri-reference" => {
            out.push_str("https://example.com/");
            push_name(random, &mut out);
        }
        "hostname" | "idn-hostname" => {
            push_name(random, &mut out);
            out.push_str(".example.com");
        }
        "ipv4" => {
            // 192.0.2.0/24 is kept for examples (RFC 5737).
            out.push_str("192.0.2.");
            out.push_str(&random.below(256).to_string());
        }
        "ipv6" => {
            out.push_str("2001:db8::");
            out.push_str(&random.between(1, 9999).to_string());
        }
        "duration" => {
            out.push('P');
            out.push_str(&random.between(1, 99).to_string());
            out.push('D');
        }
        "json-pointer" => {
            out.push('/');
            push_name(random, &mut out);
        }
        "regex" => push_name(random, &mut out),
        "relative-json-pointer" => {
            out.push_str("0/");
            push_name(random, &mut out);
        }
        "uri-template" => {
            out.push_str("https://example.com/{");
            push_name(random, &mut out);
            out.push('}');
        }
        // Formats of OpenAPI's registry that are texts.
        "decimal" | "decimal128" | "double" | "float" => {
            out.push_str(&random.between(1, 99_999).to_string());
            out.push('.');
            out.push_str(&random.between(10, 99).to_string());
        }
        "int32" | "int64" | "uint64" => out.push_str(&random.between(1, 99_999).to_string()),
        "byte" | "base64" | "base64url" => {
            for _ in 0..12 {
                out.push(
                    random
                        .letter(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                );
            }
        }
        _ => return None,
    }
    Some(out)
}

fn push_name(random: &mut Random, out: &mut String) {
    for _ in 0..8 {
        out.push(random.letter(b"abcdefghijklmnopqrstuvwxyz"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::validity::is_plain;

    #[test]
    fn strings_are_plain_and_as_long_as_asked() {
        let mut random = Random::new(5);
        for (min, max) in [(0, 255), (1, 1), (3, 100), (20, 30), (0, 2)] {
            let lengths = Lengths { min, max };
            for _ in 0..500 {
                let (mut word, mut edge) = (String::new(), String::new());
                lengths.word(&mut random, &mut word);
                lengths.boundary(&mut random, &mut edge);
                for text in [word, edge, lengths.simplest()] {
                    let count = text.chars().count();
                    assert!((min..=max).contains(&count), "{min}..{max}: {text:?}");
                    assert!(is_plain(&text) && !text.is_empty(), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn formats_are_those_of_the_validator() {
        let mut random = Random::new(5);
        for format in [
            "date",
            "time",
            "uuid",
            "email",
            "uri",
            "hostname",
            "ipv4",
            "ipv6",
            "duration",
            "json-pointer",
            "regex",
            "relative-json-pointer",
            "uri-template",
        ] {
            let validator = jsonschema::options()
                .should_validate_formats(true)
                .build(&serde_json::json!({ "format": format }))
                .unwrap();
            for _ in 0..200 {
                let text = of_format(format, &mut random).unwrap();
                assert!(validator.is_valid(&text.clone().into()), "{format}: {text}");
            }
        }
        assert_eq!(of_format("iban", &mut random), None);
    }
}
