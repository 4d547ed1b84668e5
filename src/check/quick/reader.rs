//! Reads JSON that is expected to be what it is: no value is built, nothing is searched for.

/// A place in a JSON text.
pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a [u8]) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    /// Skips white space.
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// Skips this byte and white space before it; nothing is skipped but white space where it is another.
    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        self.space();
        (*self.text.get(self.at)? == byte).then(|| self.at += 1)
    }

    /// Skips these bytes where they come next.
    pub(super) fn next_is(&mut self, bytes: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(bytes);
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
