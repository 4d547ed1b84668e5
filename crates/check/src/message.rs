//! What a finding says, as text and positions of items: a position can be moved without reading the text.

use std::fmt;

/// Text with the positions of items in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    parts: Vec<MessagePart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MessagePart {
    Text(String),
    /// The position of an item, from 0.
    Item(usize),
}

impl Message {
    /// Appends text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Message {
        self.parts.push(MessagePart::Text(text.into()));
        self
    }

    /// Appends the position of an item.
    #[must_use]
    pub fn item(mut self, index: usize) -> Message {
        self.parts.push(MessagePart::Item(index));
        self
    }

    /// Changes the first text.
    pub(crate) fn change_texts(&mut self, change: impl Fn(&str) -> String) {
        if let Some(MessagePart::Text(text)) = self.parts.first_mut() {
            *text = change(text);
        }
    }

    /// Moves the positions of items from a part of a batch to the whole, which begins `first` items earlier.
    pub(crate) fn move_items(&mut self, first: usize) {
        for part in &mut self.parts {
            if let MessagePart::Item(index) = part {
                *index += first;
            }
        }
    }
}

impl<T: Into<String>> From<T> for Message {
    fn from(text: T) -> Message {
        Message::default().text(text)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            MessagePart::Text(text) => f.write_str(text),
            MessagePart::Item(index) => write!(f, "item {index}"),
        })
    }
}
