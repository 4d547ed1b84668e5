//! What is kept of an answer that is too large to be held: how long it is, and how many elements its lists have.
//!
//! Knows JSON's brackets and strings and no more. It must not know how an answer comes in or is judged.

use sha2::{Digest, Sha256};

use crate::contract::hex;

/// Bytes that a parsed value takes beside its text: a list of ones takes the most.
const VALUE: u64 = 128;
/// Lists that are counted.
const LISTS: usize = 16;
/// Bytes of a name that are compared.
const NAME: usize = 256;

/// About how many bytes a text takes once it is parsed, itself included.
#[must_use]
pub fn parsed_size(text: &[u8]) -> u64 {
    let values = text.iter().filter(|b| matches!(b, b',' | b':' | b'[' | b'{')).count();
    2 * text.len() as u64 + VALUE * values as u64
}

/// An answer that was judged while it came, and never whole in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of all of it, in hexadecimal.
    pub sha256: String,
    /// The lists that its object holds: name, and how many elements.
    pub lists: Vec<(String, u64)>,
    /// Whether its brackets close, and nothing follows.
    pub is_closed: bool,
}

impl Outline {
    /// How many elements the list of that name has; none where there is no such list, or it has no end.
    #[must_use]
    pub fn elements(&self, list: &str) -> Option<u64> {
        let (_, elements) = self.lists.iter().find(|(name, _)| name == list)?;
        self.is_closed.then_some(*elements)
    }
}

/// Makes an outline while the answer comes.
pub struct Outliner {
    bytes: u64,
    hash: Sha256,
    depth: u64,
    /// Whether the outermost value is an object.
    object: bool,
    /// Inside a string; and whether the next byte is escaped.
    string: Option<bool>,
    /// Whether the string is the name of a member of the outermost object.
    naming: bool,
    name: Vec<u8>,
    lists: Vec<(String, u64)>,
    /// The list that is being counted, and whether it has an element.
    counting: Option<(usize, bool)>,
    closed: bool,
    /// Whether something stands behind the document.
    trailing: bool,
}

impl Default for Outliner {
    fn default() -> Outliner {
        Outliner {
            bytes: 0,
            hash: Sha256::new(),
            depth: 0,
            object: false,
            string: None,
            naming: false,
            name: Vec::new(),
            lists: Vec::new(),
            counting: None,
            closed: false,
            trailing: false,
        }
    }
}

impl Outliner {
    /// Takes what has come.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        for &byte in bytes {
            match self.string {
                Some(escaped) => self.in_string(byte, escaped),
                None => self.between(byte),
            }
        }
    }

    fn in_string(&mut self, byte: u8, escaped: bool) {
        if byte == b'"' && !escaped {
            self.string = None;
            return;
        }
        self.string = Some(byte == b'\\' && !escaped);
        if self.naming && self.depth == 1 && self.name.len() < NAME {
            self.name.push(byte);
        }
    }

    fn between(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() {
            return;
        }
        // Something behind the document.
        self.trailing |= self.closed;
        self.closed = false;
        if self.depth == 2
            && byte != b']'
            && let Some((list, begun @ false)) = &mut self.counting
        {
            *begun = true;
            self.lists[*list].1 = 1;
        }
        match byte {
            b'"' => {
                self.string = Some(false);
                if self.naming && self.depth == 1 {
                    self.name.clear();
                }
            }
            b'{' | b'[' => {
                if self.depth == 0 {
                    self.object = byte == b'{';
                    self.naming = self.object;
                } else if self.depth == 1 && self.object && byte == b'[' {
                    self.count();
                }
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 1 {
                    self.counting = None;
                }
                self.closed = self.depth == 0;
            }
            b',' if self.depth == 1 => self.naming = self.object,
            b',' if self.depth == 2 => {
                if let Some((list, _)) = self.counting {
                    self.lists[list].1 += 1;
                }
            }
            b':' if self.depth == 1 => self.naming = false,
            _ => {}
        }
    }

    /// Begins to count the list that was named last; of two with one name, parsers keep the last.
    fn count(&mut self) {
        let name = String::from_utf8_lossy(&self.name).into_owned();
        let known = self.lists.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or(self.lists.len());
        if known.is_none() {
            if at == LISTS {
                return;
            }
            self.lists.push((name, 0));
        }
        self.lists[at].1 = 0;
        self.counting = Some((at, false));
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Outline {
        Outline {
            bytes: self.bytes,
            sha256: hex(&self.hash.finalize()),
            lists: self.lists,
            is_closed: self.closed && !self.trailing && self.string.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str, size: usize) -> Outline {
        let mut outliner = Outliner::default();
        text.as_bytes().chunks(size).for_each(|piece| outliner.take(piece));
        outliner.finish()
    }

    #[test]
    fn elements_are_counted_in_whatever_pieces_they_come() {
        for (text, elements) in [
            (r#"{"results":[]}"#, Some(0)),
            (r#"{"results":[ {"a":[1,2]} , {"b":"],["}, [3, 4] ],"x":1}"#, Some(3)),
            (r#"{"a":["results",1,2],"results":[1]}"#, Some(1)),
            (r#"{"a":"x\"[,","results":["\\","\"",","]}  "#, Some(3)),
            (r#"{"results":[1,2],"results":[1]}"#, Some(1)),
            (r#"{"results":[1,2"#, None),
            (r#"{"results":[1,2]}]"#, None),
            (r#"{"results":"[1,2]"}"#, None),
            (r#"{"a":{"results":[1,2]}}"#, None),
            (r#"["results",[1,2]]"#, None),
            ("", None),
        ] {
            for size in [1, 3, 1000] {
                assert_eq!(outline(text, size).elements("results"), elements, "{text} {size}");
            }
        }
    }

    #[test]
    fn an_outline_has_the_length_and_the_hash_of_the_whole() {
        let whole = outline("{}", 1);
        assert_eq!((whole.bytes, whole.is_closed), (2, true));
        assert_eq!(whole.sha256, hex(&Sha256::digest("{}")));
        assert!(!outline(&"[".repeat(1_000_000), 4096).is_closed);
    }

    #[test]
    fn a_list_of_small_values_is_large_once_it_is_parsed() {
        assert_eq!(parsed_size(b"[1,1,1]"), 14 + 3 * VALUE);
        assert_eq!(parsed_size(b"aaa"), 6);
    }
}
