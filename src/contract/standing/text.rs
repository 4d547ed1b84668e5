//! Which strings are plain, that is, beyond any legitimate doubt (READING-18).

/// Whether every service must take `text`: letters, digits and everyday punctuation, single inner spaces.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let mut previous = ' ';
    for c in text.chars() {
        let fine = match c {
            ' ' => previous != ' ',
            '<' | '>' | '&' | '"' | '\'' | '\\' | '`' | '%' | '$' | '{' | '}' | ';' => false,
            c if c.is_ascii() => c.is_ascii_graphic(),
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
