//! Bodies that a case writes out as text: `{"(items)":[…]}` is put into the shape that the endpoint has.
//!
//! The text need not be JSON: what is broken in it stays broken. It must not know cases.

use super::{Shape, name};

/// What a case writes in front of the items.
const MARK: &str = "\"(items)\":";

impl Shape {
    /// By what name a case that writes a body out has the items in it; nothing where no list holds them.
    #[must_use]
    pub fn written_items(&self) -> Option<&str> {
        if self.form.lines().is_some() || self.form.map_key().is_some() {
            return None;
        }
        Some(match self.items.name() {
            Some(name) if self.constants.is_empty() => name,
            _ => name::ITEMS,
        })
    }

    /// Whether the body is the list of items itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.items.steps().is_empty()
    }

    /// A body that a case wrote out, as the endpoint has it.
    #[must_use]
    pub fn completed(&self, text: &str) -> String {
        // Without the brackets around all, and those around the items.
        let inner = |text: &str| text.get(1..text.len() - 1).unwrap_or_default().to_owned();
        let (head, tail) = (inner(&self.envelope.0), inner(&self.envelope.1));
        let mut out = String::with_capacity(text.len() + head.len() + tail.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(MARK) {
            let end = value_end(after);
            match before.trim_end().strip_suffix('{').filter(|_| self.is_root()) {
                Some(open) => {
                    out.push_str(open);
                    let (value, behind) = after.split_at(end.unwrap_or(after.len()));
                    out.push_str(value);
                    rest = behind.strip_prefix('}').unwrap_or(behind);
                }
                None if self.is_root() => {
                    out.push_str(before);
                    out.push_str(MARK);
                    rest = after;
                }
                None => {
                    out.push_str(before);
                    out.push_str(&head);
                    let (value, behind) = after.split_at(end.unwrap_or(after.len()));
                    out.push_str(value);
                    if end.is_some() {
                        out.push_str(&tail);
                    }
                    rest = behind;
                }
            }
        }
        out.push_str(rest);
        // What is spelt like it only, a name of another member, is spelt like the real one.
        if out.contains(name::ITEMS) { out.replace(name::ITEMS, self.last_name()) } else { out }
    }

    /// The name of the member that holds the items.
    #[must_use]
    pub fn last_name(&self) -> &str {
        self.items.steps().last().map_or("items", String::as_str)
    }
}

/// Where the value at the beginning of a text ends: before a comma or a bracket that is not its own.
fn value_end(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if in_string => {
                in_string = escaped || c != '"';
                escaped = !escaped && c == '\\';
            }
            '"' => in_string = true,
            '[' | '{' => depth += 1,
            ',' | ']' | '}' if depth == 0 => return Some(at),
            ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::value_end;

    #[test]
    fn a_value_ends_where_the_text_around_it_goes_on() {
        for (text, end) in [
            ("[{\"a\":\"]}\\\"\"}]}", Some(14)),
            ("null}", Some(4)),
            ("[1,2],\"x\":1}", Some(5)),
            ("[{\"a\":1}", None),
        ] {
            assert_eq!(value_end(text), end, "{text}");
        }
    }
}
