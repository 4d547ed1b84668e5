//! A difference between two answers: what, where, and both sides of it.

use crate::record::DifferenceKind;

/// A difference between two answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AnswerDifference {
    /// What differs.
    pub kind: DifferenceKind,
    /// Where: a header's name, or a pointer.
    pub pointer: String,
    /// What the older target answers, in a word that is the same for all of its kind.
    pub old: String,
    /// The same of the newer one.
    pub new: String,
    /// The very values.
    pub values: (String, String),
    /// The item, where it is about one.
    pub item: Option<usize>,
}

impl AnswerDifference {
    pub(super) fn new(
        kind: DifferenceKind,
        pointer: String,
        (old, new): (impl Into<String>, impl Into<String>),
        values: (String, String),
    ) -> AnswerDifference {
        AnswerDifference { kind, pointer, old: old.into(), new: new.into(), values, item: None }
    }

    /// Where, with `*` for indexes.
    pub(super) fn place(&self) -> String {
        place(&self.pointer)
    }

    /// Whether it may follow from another state of the target, or from another order of simultaneous requests.
    pub(super) fn may_follow(&self) -> bool {
        let follows = matches!(
            self.kind,
            DifferenceKind::Code | DifferenceKind::Order | DifferenceKind::Value
        );
        follows || self.has_consequences()
    }

    /// Whether it says that the targets are in different states: later answers may differ because of it.
    pub(super) fn has_consequences(&self) -> bool {
        matches!(
            self.kind,
            DifferenceKind::Answer
                | DifferenceKind::Status
                | DifferenceKind::Count
                | DifferenceKind::Verdict
        )
    }
}

/// A pointer with `*` for indexes.
pub(super) fn place(pointer: &str) -> String {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts = pointer.split('/').map(|part| if is_index(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
