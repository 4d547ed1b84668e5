//! What a finding says, as text, statuses and positions of items: these can be changed without reading the text.

use std::fmt;

/// Text with statuses and the positions of items in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    parts: Vec<MessagePart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MessagePart {
    Text(String),
    /// A status as rules speak of it: 200 for a batch that was processed, 400 for a request that was refused.
    Status(u16),
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

    /// A status as rules speak of it: 200 for a batch that was processed, 400 for a request that was refused.
    #[must_use]
    pub fn status(status: u16) -> Message {
        Message { parts: vec![MessagePart::Status(status)] }
    }

    /// Puts other words in place of statuses and texts.
    pub(crate) fn reword(&mut self, status: impl Fn(u16) -> String, text: impl Fn(&str) -> String) {
        for part in &mut self.parts {
            match part {
                MessagePart::Status(known) => *part = MessagePart::Text(status(*known)),
                MessagePart::Text(old) => *old = text(old),
                MessagePart::Item(_) => {}
            }
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
            MessagePart::Status(status) => write!(f, "{status}"),
            MessagePart::Item(index) => write!(f, "item {index}"),
        })
    }
}
