//! What tells the items of a batch apart where nothing of their own does: made for each request.
//!
//! It must not know where it stands.

use serde_json::Value;

/// A member that tells the items of a batch apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) name: String,
    kind: MarkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    /// A text, with the number of characters it may have.
    Text(usize),
    /// A text whose schema leaves no room.
    ShortText,
    Number,
    Uuid,
}

/// What marks are filled up with.
const FILLING: &str = "one-of-two-that-differ-at-their-end-";
/// The longest mark: longer than a UUID.
const LONGEST_MARK: usize = 48;
/// Where there is less room, marks are not filled up.
const SHORTEST_FILLED: usize = 24;

impl Mark {
    /// A member of this name, as its schema wants it.
    pub(super) fn new(name: &str, schema: &Value) -> Mark {
        let of = |key: &str| schema.get(key).and_then(Value::as_str);
        let most = schema.get("maxLength").and_then(Value::as_u64);
        let most = most
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(LONGEST_MARK)
            .min(LONGEST_MARK);
        let kind = match (of("type"), of("format")) {
            (Some("integer" | "number"), _) => MarkKind::Number,
            (_, Some("uuid")) => MarkKind::Uuid,
            _ if of("pattern").is_some() || most < SHORTEST_FILLED => MarkKind::ShortText,
            _ => MarkKind::Text(most),
        };
        Mark { name: name.to_owned(), kind }
    }

    pub(super) fn of(&self, position: usize) -> Value {
        match self.kind {
            MarkKind::Text(longest) => Value::from(mark_text(position, longest)),
            MarkKind::ShortText => Value::from(format!("item-{position}")),
            MarkKind::Number => Value::from(position),
            MarkKind::Uuid => Value::from(format!("00000000-0000-4000-8000-{position:012}")),
        }
    }

    /// Whether `text` is what some position gets.
    pub(super) fn made(&self, text: &str) -> bool {
        match self.kind {
            MarkKind::Text(_) | MarkKind::ShortText => {
                text.starts_with("\"item-") || text.starts_with("\"Item-")
            }
            MarkKind::Number => text.bytes().all(|b| b.is_ascii_digit()),
            MarkKind::Uuid => text.starts_with("\"00000000-0000-4000-8000-"),
        }
    }
}

/// What tells the item in that position apart: two in a row differ in letter case alone, the next two at their ends.
fn mark_text(position: usize, longest: usize) -> String {
    let filled = |number: usize, end: char| {
        let head = format!("item-{number}-");
        let room = longest.saturating_sub(head.len() + 2);
        let middle: String = FILLING.chars().cycle().take(room).collect();
        format!("{head}{middle}-{end}")
    };
    match position % 4 {
        0 => format!("item-{position}"),
        1 => format!("Item-{}", position - 1),
        2 => filled(position, 'a'),
        _ => filled(position - 1, 'b'),
    }
}

/// The key of the item in that position, in a map whose keys are made.
pub(super) fn made_key(position: usize) -> String {
    mark_text(position, LONGEST_MARK)
}
