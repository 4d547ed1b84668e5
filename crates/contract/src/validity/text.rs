//! Which strings are plain, that is, beyond any legitimate doubt (INTERPRETATION-18).

/// What a single byte of a text is; one look at each byte settles almost every text.
const PLAIN: u8 = 0;
const SPACE: u8 = 1;
const WIDE: u8 = 2;
const ODD: u8 = 4;

static BYTES: [u8; 256] = bytes();

const fn bytes() -> [u8; 256] {
    let mut table = [ODD; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        table[byte] = match byte {
            0x20 => SPACE,
            0x22 | 0x24..=0x27 | 0x3b | 0x3c | 0x3e | 0x5c | 0x60 | 0x7b | 0x7d => ODD,
            0x21..=0x7e => PLAIN,
            0x80.. => WIDE,
            _ => ODD,
        };
        byte += 1;
    }
    table
}

/// Whether every service must take `text`: letters, digits and everyday punctuation, single inner spaces.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let seen = text.bytes().fold(PLAIN, |seen, byte| seen | BYTES[usize::from(byte)]);
    if seen == PLAIN {
        return !text.is_empty();
    }
    if seen & ODD != 0 {
        return false;
    }
    let mut previous = ' ';
    for c in text.chars() {
        let fine = match c {
            ' ' => previous != ' ',
            c if c.is_ascii() => true,
            // Letters of the basic plane that are single code points in every normalisation.
            '\u{c0}'..='\u{17f}' => c.is_alphabetic() && c != '\u{149}' && c != '\u{17f}',
            '\u{3b1}'..='\u{3c9}' | '\u{410}'..='\u{44f}' => true,
            _ => false,
        };
        if !fine {
            return false;
        }
        previous = c;
    }
    previous != ' '
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn everyday_text_is_plain_and_nothing_else() {
        let odd = "<>&\"'\\`%${};";
        for c in (0..128_u8).map(char::from) {
            let expected = c.is_ascii_graphic() && !odd.contains(c);
            assert_eq!(is_plain(&c.to_string()), expected, "{c:?}");
            assert_eq!(is_plain(&format!("a{c}b")), expected || c == ' ', "{c:?}");
        }
        for plain in ["x", "a b c", "É é ß", "ORG_1-2/3", "Жя αω"] {
            assert!(is_plain(plain), "{plain:?}");
        }
        for odd in ["", " ", " x", "x ", "a  b", "e\u{301}", "\u{149}", "\u{1f600}", "a\tb", "é "]
        {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }
}
