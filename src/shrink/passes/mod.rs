//! The passes of the shrinker: each proposes smaller scenarios of one kind.

mod fewer;
mod fewer_requests;
mod simpler;
mod strings;

pub(super) use simpler::{bare_number, plain_item};

/// The `step`th way to shorten a text: halves, quarters, … from either end, down to one character.
pub(super) fn cut_text(text: &str, step: usize) -> Option<String> {
    let length = text.chars().count();
    let part = length >> (step / 2 + 1).min(63);
    if part == 0 || length < 2 {
        return None;
    }
    Some(if step.is_multiple_of(2) {
        text.chars().take(length - part).collect()
    } else {
        text.chars().skip(part).collect()
    })
}
