//! Takes secrets out of whatever is kept or shown, in whichever clothes they come back.
//!
//! A target may echo its token as it stands, in another letter case, with JSON's, URLs' or HTML's escapes, in
//! base64 or hexadecimal: a reader of the report would see it again. It must not know where a secret comes from.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::contract::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What stands in an output where a secret stood.
pub const REDACTED: &str = "[redacted]";
/// Stands in a raw request where the good credentials go, so that no case ever holds them; `send` fills it.
pub const TOKEN_MARK: &str = "\u{1}batchproof-token\u{1}";

/// A shorter secret can't be told from ordinary text, and is left.
const SHORTEST: usize = 4;
/// From this length on letter case is ignored, and a secret without its last character is one too.
const LONG: usize = 8;

/// Characters of a secret in a row that are taken for a part of it.
const PART: usize = 12;

/// Zeros between two letters of a secret: UTF-32 has three.
const ZEROS: usize = 3;

/// Backslashes before an escape, beyond the first.
const SLASHES: usize = 7;

/// Takes secrets out of texts. Clones share what they know: a token that is read anew is known to all.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    /// The longest first.
    forms: Vec<Form>,
    /// Secrets of which parts count too.
    secrets: Vec<Secret>,
    /// Pairs of bytes that a form, escaped or not, can begin with: the first times 256, plus the second.
    starts: Vec<bool>,
}

/// A text that must not be seen.
#[derive(PartialEq, Eq)]
struct Form {
    bytes: Vec<u8>,
    /// Whether letter case is ignored.
    fold: bool,
}

/// A secret that is long enough to be known by a part of it.
struct Secret {
    bytes: Vec<u8>,
    /// Where in it a pair of bytes stands, in lower case.
    places: HashMap<usize, Vec<usize>>,
}

impl Secret {
    fn new(text: &str) -> Secret {
        let bytes = text.as_bytes().to_vec();
        let mut places: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, two) in bytes.windows(2).enumerate().take((bytes.len() + 1).saturating_sub(PART)) {
            places.entry(lower_pair(two[0], two[1])).or_default().push(at);
        }
        Secret { bytes, places }
    }

    /// How long the part of it is that `text` begins with; nothing where that is too short to be one.
    fn part(&self, text: &[u8]) -> Option<usize> {
        let [first, second, ..] = text else { return None };
        let places = self.places.get(&lower_pair(*first, *second))?;
        places.iter().filter_map(|at| run(text, &self.bytes[*at..])).max()
    }
}

/// How much of `text` stands for the first bytes of `secret`, at least for [`PART`] of them.
fn run(text: &[u8], secret: &[u8]) -> Option<usize> {
    let (mut at, mut bytes) = (0, 0);
    for byte in secret {
        let zeros = text.get(at..).map_or(0, zeros);
        let next = text.get(at + zeros..).and_then(|rest| one(rest, *byte, true));
        let Some(length) = next else { break };
        at += zeros + length;
        bytes += 1;
    }
    (bytes >= PART).then_some(at)
}

fn lower_pair(first: u8, second: u8) -> usize {
    pair(first.to_ascii_lowercase(), second.to_ascii_lowercase())
}

impl Redactor {
    /// Adds a secret, with the forms that it may come back in.
    pub fn add(&self, secret: &str) {
        if secret.chars().count() < SHORTEST {
            return;
        }
        let mut known = match self.0.write() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        for text in forms(secret) {
            let form = Form { fold: text.len() >= LONG, bytes: text.into_bytes() };
            if !known.forms.contains(&form) {
                known.forms.push(form);
            }
        }
        known.forms.sort_by_key(|f| std::cmp::Reverse(f.bytes.len()));
        let is_known = known.secrets.iter().any(|other| other.bytes == secret.as_bytes());
        if secret.len() > PART && !is_known {
            known.secrets.push(Secret::new(secret));
        }
        known.starts = starts(&known.forms, &known.secrets);
    }

    /// `text` without any secret.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        match String::from_utf8(self.clean_bytes(text.as_bytes())) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// `bytes` without any secret; unchanged where they hold none.
    #[must_use]
    pub fn clean_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let known = match self.0.read() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if known.forms.is_empty() {
            return bytes.to_vec();
        }
        let mut out = Vec::with_capacity(bytes.len());
        let (mut at, mut copied) = (0, 0);
        let mut escape = EscapeScan::default();
        while let [first, second, ..] = bytes[at..] {
            escape.step(bytes, at);
            let length = if known.starts[pair(first, second)] {
                let rest = &bytes[at..];
                // The digits of an escape are no part of the text: only by chance do they begin a short secret.
                let is_inside = escape.holds(at);
                let may_begin = |form: &&Form| !is_inside || form.bytes.len() >= LONG;
                let whole = known.forms.iter().filter(may_begin).find_map(|f| length(rest, f));
                whole.or_else(|| known.secrets.iter().find_map(|secret| secret.part(rest)))
            } else {
                None
            };
            if let Some(length) = length {
                out.extend_from_slice(&bytes[copied..at]);
                out.extend_from_slice(REDACTED.as_bytes());
                at += length;
                copied = at;
            } else {
                at += 1;
            }
        }
        out.extend_from_slice(&bytes[copied..]);
        out
    }
}

/// Where the last `\uXXXX` of a text ends, as it is read byte by byte.
#[derive(Default)]
struct EscapeScan {
    begin: usize,
    end: usize,
    /// Where what a backslash escapes ends.
    escaped: usize,
}

impl EscapeScan {
    fn step(&mut self, bytes: &[u8], at: usize) {
        if at < self.escaped || bytes.get(at) != Some(&b'\\') {
            return;
        }
        self.escaped = at + 2;
        let digits = bytes.get(at + 2..at + 6);
        if bytes.get(at + 1) == Some(&b'u')
            && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        {
            (self.begin, self.end) = (at, at + 6);
        }
    }

    /// Whether a place is inside of it, behind its backslash.
    fn holds(&self, at: usize) -> bool {
        self.begin < at && at < self.end
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// Which pairs of bytes `forms` and parts of `secrets` can begin with; all of them have two at least.
fn starts(forms: &[Form], secrets: &[Secret]) -> Vec<bool> {
    // What begins an escape, and what stands for a space.
    const ESCAPES: [u8; 4] = [b'\\', b'%', b'&', b'+'];
    // What may stand between two letters.
    const ZERO: u8 = 0;
    let mut starts = vec![false; 256 * 256];
    let cases = |byte: u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
    for form in forms {
        if let [first, second, ..] = form.bytes[..] {
            for first in cases(first) {
                for second in cases(second).into_iter().chain(ESCAPES).chain([ZERO]) {
                    starts[pair(first, second)] = true;
                }
            }
        }
    }
    for two in secrets.iter().flat_map(|secret| secret.bytes.windows(2)) {
        for first in cases(two[0]) {
            for second in cases(two[1]) {
                starts[pair(first, second)] = true;
            }
        }
    }
    for first in ESCAPES {
        (0..=u8::MAX).for_each(|second| starts[pair(first, second)] = true);
    }
    starts
}

/// A secret as it stands, and what is made of it.
fn forms(secret: &str) -> Vec<String> {
    // `rotated` is what is sent where a wrong token is tested; it discloses the token.
    let mut plain = vec![secret.to_owned(), rotated(secret), secret.chars().rev().collect()];
    if let Some((_, password)) = secret.split_once(':').filter(|(_, p)| p.len() >= SHORTEST) {
        plain.push(password.to_owned());
    }
    if secret.chars().count() > LONG {
        let cut = secret.char_indices().next_back().map_or(0, |(at, _)| at);
        plain.push(secret[..cut].to_owned());
    }
    let mut forms = plain.clone();
    for text in plain {
        forms.push(hex(text.as_bytes()));
        for offset in 0..3 {
            let core = inside_base64(text.as_bytes(), offset);
            forms.push(core.replace('+', "-").replace('/', "_"));
            forms.push(rotated(&core));
            forms.push(core);
        }
    }
    forms.retain(|f| f.len() >= SHORTEST);
    forms
}

/// Another token of the same length and alphabet.
#[must_use]
pub fn rotated(token: &str) -> String {
    token
        .chars()
        .map(|c| match c {
            'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(c as u32 + 1).unwrap_or(c),
            'z' => 'a',
            'Z' => 'A',
            '9' => '0',
            other => other,
        })
        .collect()
}

/// What every base64 text has in common that encodes `secret` after `offset` (modulo 3) other bytes.
fn inside_base64(secret: &[u8], offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret);
    let (from, until) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
    let core = BASE64.encode(&bytes).get(from..until).unwrap_or_default().to_owned();
    if core.len() < LONG { String::new() } else { core }
}

/// How long `form` is where `text` begins with it, each of its bytes escaped or not.
fn length(text: &[u8], form: &Form) -> Option<usize> {
    let mut at = 0;
    for &byte in &form.bytes {
        at += zeros(text.get(at..)?);
        at += one(text.get(at..)?, byte, form.fold)?;
    }
    Some(at)
}

/// How many bytes at the beginning of `text` are zeros, escaped or not: UTF-16 and UTF-32 have them between letters.
fn zeros(text: &[u8]) -> usize {
    let mut at = 0;
    for _ in 0..ZEROS {
        let Some(length) = one(&text[at..], 0, false) else { break };
        at += length;
    }
    at
}

/// How many bytes of `text` stand for `byte` at its beginning.
fn one(text: &[u8], byte: u8, fold: bool) -> Option<usize> {
    let same = |other: u8| other == byte || fold && other.eq_ignore_ascii_case(&byte);
    match text {
        [b'\\', b'\\', ..] if byte == b'\\' => Some(2),
        [first, ..] if same(*first) => Some(1),
        [b'+', ..] if byte == b' ' => Some(1),
        [b'\\', rest @ ..] => {
            // A text in JSON in JSON has its backslashes doubled.
            let more = rest.iter().take(SLASHES).take_while(|b| **b == b'\\').count();
            match &rest[more..] {
                [b'x', a, b, ..] => same(number(&[*a, *b], 16)?).then_some(more + 4),
                [b'u', a, b, c, d, ..] => same(number(&[*a, *b, *c, *d], 16)?).then_some(more + 6),
                [second, ..] if *second == byte && !second.is_ascii_alphanumeric() => {
                    Some(more + 2)
                }
                _ => None,
            }
        }
        [b'%', a, b, ..] => same(number(&[*a, *b], 16)?).then_some(3),
        [b'&', rest @ ..] => {
            let end = rest.iter().take(8).position(|b| *b == b';')?;
            let named = match &rest[..end] {
                b"amp" => b'&',
                b"lt" => b'<',
                b"gt" => b'>',
                b"quot" => b'"',
                b"apos" => b'\'',
                [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
                [b'#', digits @ ..] => number(digits, 10)?,
                _ => return None,
            };
            same(named).then_some(end + 2)
        }
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::try_from(u32::from_str_radix(text, radix).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "canary-Tok3n+with/signs=\"&";

    fn redactor() -> Redactor {
        let redactor = Redactor::default();
        redactor.add(SECRET);
        redactor
    }

    #[test]
    fn no_form_of_a_secret_survives() {
        let percent = |upper: bool| -> String {
            let one = |b| if upper { format!("%{b:02X}") } else { format!("%{b:02x}") };
            SECRET.bytes().map(one).collect::<Vec<_>>().concat()
        };
        let entities: Vec<String> = SECRET.bytes().map(|b| format!("&#{b};")).collect();
        for form in [
            SECRET.to_owned(),
            SECRET.to_lowercase(),
            SECRET.to_uppercase(),
            SECRET.replace('/', "\\/").replace('+', "\\u002B").replace('"', "\\\""),
            SECRET.replace('/', "\\\\/").replace('+', "\\\\\\\\u002B"),
            SECRET.replace('&', "&amp;").replace('"', "&quot;"),
            percent(true),
            percent(false),
            entities.concat(),
            hex(SECRET.as_bytes()),
            BASE64.encode(SECRET.as_bytes()),
            BASE64.encode(format!("user:{SECRET}").as_bytes()),
            BASE64.encode(format!("Bearer {SECRET} and more").as_bytes()),
            rotated(SECRET),
            SECRET[..SECRET.len() - 1].to_owned(),
            SECRET.bytes().map(|b| format!("\\x{b:02x}")).collect::<Vec<_>>().concat(),
            SECRET.chars().map(|c| c.to_string()).collect::<Vec<_>>().join("\0"),
            SECRET.chars().map(|c| c.to_string()).collect::<Vec<_>>().join("\\u0000"),
            SECRET.chars().map(|c| c.to_string()).collect::<Vec<_>>().join("\0\0\0"),
        ] {
            let cleaned = redactor().clean(&format!("before {form} after"));
            assert!(cleaned.contains(REDACTED), "{form}: {cleaned}");
            let core: String = form.chars().skip(4).take(8).collect();
            assert!(!cleaned.contains(&core), "{form}: {cleaned}");
            assert!(cleaned.starts_with("before ") && cleaned.ends_with(" after"), "{cleaned}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_byte_for_byte() {
        let redactor = redactor();
        for bytes in [&b"canary-Tok3"[..], b"\xff\\u00", b"%", b"&#;&#x;&", "čž".as_bytes(), b""]
        {
            assert_eq!(redactor.clean_bytes(bytes), bytes);
        }
        redactor.add("abc");
        assert_eq!(redactor.clean("abc"), "abc", "too short to be told from text");
        redactor.add("demo");
        assert_eq!(redactor.clean(r#"{"\u006demo":1}"#), r#"{"\u006demo":1}"#, "the name is memo");
        assert_eq!(
            redactor.clean(r"\\u006demo \udem \u0064emo"),
            r"\\u006[redacted] \udem [redacted]"
        );
    }

    #[test]
    fn neither_a_long_part_of_a_secret_survives_nor_its_reverse() {
        let reversed: String = SECRET.chars().rev().collect();
        let middle = &SECRET[3..20];
        for (form, left) in [
            (SECRET[..12].to_owned(), ""),
            (middle.to_uppercase(), ""),
            (middle.replace('/', "\\/").replace('+', "%2B"), ""),
            (format!("{}-{}", &SECRET[..13], &SECRET[13..]), "-[redacted]"),
            (reversed, ""),
        ] {
            let cleaned = redactor().clean(&format!("before {form} after"));
            assert_eq!(cleaned, format!("before [redacted]{left} after"), "{form}");
        }
    }

    #[test]
    fn clones_learn_of_new_secrets() {
        let first = redactor();
        let second = first.clone();
        first.add("another-secret");
        assert_eq!(second.clean_bytes(b"\xffANOTHER-secret"), b"\xff[redacted]");
    }

    #[test]
    fn of_a_basic_credential_the_password_alone_is_a_secret() {
        let redactor = Redactor::default();
        redactor.add("import:hunter2-hunter2");
        assert_eq!(redactor.clean("hello import, hunter2-hunter2!"), "hello import, [redacted]!");
    }
}
