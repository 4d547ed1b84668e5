//! A line that a report says of a problem: a label and a text. It must not know what the lines are about.

use std::borrow::Cow;

/// One line about a problem; hidden characters in it are spelled out.
pub(super) struct Fact {
    pub(super) label: Cow<'static, str>,
    pub(super) text: String,
}
