//! Reads JSON that is expected to be what it is: no value is built, nothing is searched for.

/// A place in a JSON text.
pub(super) struct ExactReader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> ExactReader<'a> {
    pub(super) fn new(text: &'a [u8]) -> ExactReader<'a> {
        ExactReader { text, at: 0 }
    }

    /// Skips white space.
    #[inline]
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// Skips this byte and white space before it; nothing is skipped but white space where it is another.
    #[inline]
    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        self.space();
        (*self.text.get(self.at)? == byte).then(|| self.at += 1)
    }

    /// Skips these bytes where they come next.
    #[inline]
    pub(super) fn next_is(&mut self, bytes: &[u8]) -> bool {
        let found = starts_with(&self.text[self.at..], bytes);
        if found {
            self.at += bytes.len();
        }
        found
    }

    /// Skips a whole number from 0 to `most`, written without sign, fraction, exponent or leading zero.
    pub(super) fn whole(&mut self, most: i64) -> Option<i64> {
        self.space();
        let from = self.at;
        let mut number = 0_i64;
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.at) {
            number = number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
            self.at += 1;
        }
        let padded = self.at - from > 1 && self.text[from] == b'0';
        let more = matches!(self.text.get(self.at), Some(b'.' | b'e' | b'E'));
        (self.at > from && !padded && !more && number <= most).then_some(number)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// How much was read.
    pub(super) fn position(&self) -> usize {
        self.at
    }
}

/// As `<[u8]>::starts_with`, without a call: what is compared here is short.
#[inline]
fn starts_with(text: &[u8], start: &[u8]) -> bool {
    let Some(text) = text.get(..start.len()) else { return false };
    // The last eight bytes, again where they overlap those before, take in the rest.
    match (text.last_chunk::<8>(), start.last_chunk::<8>()) {
        (Some(last), Some(other)) => {
            let pairs = text.as_chunks::<8>().0.iter().zip(start.as_chunks::<8>().0);
            let eight = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
            eight(last) == eight(other)
                && pairs.fold(0, |all, (a, b)| all | eight(a) ^ eight(b)) == 0
        }
        _ => text.iter().zip(start).all(|(a, b)| a == b),
    }
}

#[cfg(test)]
mod tests {
    use super::starts_with;

    #[test]
    fn every_byte_is_compared() {
        let text: Vec<u8> = (0..40).collect();
        for length in 0..=40 {
            assert!(starts_with(&text, &text[..length]));
            for at in 0..length {
                let mut other = text[..length].to_vec();
                other[at] ^= 0x80;
                assert!(!starts_with(&text, &other), "{length} {at}");
            }
        }
        assert!(!starts_with(&text[..7], &text[..8]) && !starts_with(b"", b"a"));
    }
}
