//! What a case file can reach by name: items and steps that were named earlier, and what each of them has.
//!
//! It must not know contracts: which fields items have is checked when the case is bound.

use std::collections::HashMap;

use super::template::Piece;
use super::{BatchSpec, Named, Step};
use crate::contract::FileError;

/// The names so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(HashMap<String, NamedThing>);

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NamedThing {
    Item,
    Step {
        /// How many items it sends, where the case file says so.
        items: Option<usize>,
        /// Whether its answer is there: not before all requests of a simultaneous group were answered.
        answered: bool,
    },
}

/// A name that does not stand for what is asked of it.
#[derive(Debug)]
pub(super) struct NameError {
    /// How the file writes it.
    pub(super) written: String,
    /// What is wrong.
    pub(super) found: String,
    expected: String,
    /// What it is compared with for a guess.
    near: Option<(String, Vec<String>)>,
}

impl NameError {
    /// As a problem at the place of a name.
    pub(super) fn at(self, file: &str, named: &Named) -> FileError {
        let problem = FileError::new(file, self.found.clone()).at(named.line, named.column);
        self.complete(problem)
    }

    /// A problem that says what was expected too.
    pub(super) fn complete(self, problem: FileError) -> FileError {
        let problem = problem.expected(self.expected);
        match self.near {
            Some((word, known)) => problem.nearest(&word, known),
            None => problem,
        }
    }
}

impl Names {
    /// Names an item.
    pub(super) fn item(&mut self, name: &str) {
        self.0.insert(name.to_owned(), NamedThing::Item);
    }

    /// Names a step; `inside` a simultaneous group, it is not answered yet.
    pub(super) fn step(&mut self, name: &str, step: &Step, inside: bool) {
        let thing = NamedThing::Step { items: count(step), answered: !inside };
        self.0.insert(name.to_owned(), thing);
    }

    /// The requests of a simultaneous group were answered.
    pub(super) fn answered(&mut self) {
        for thing in self.0.values_mut() {
            if let NamedThing::Step { answered, .. } = thing {
                *answered = true;
            }
        }
    }

    /// Whether `name` is an item's.
    pub(super) fn check_item(&self, name: &str) -> Result<(), NameError> {
        match self.find(name, name, "the `as:` of an earlier item")? {
            NamedThing::Item => Ok(()),
            NamedThing::Step { .. } => Err(NameError {
                written: name.to_owned(),
                found: format!("`{name}` is a step, not an item"),
                expected: format!(
                    "the `as:` of an item inside the batch: `batch: [{{ as: {name} }}]`"
                ),
                near: None,
            }),
        }
    }

    /// Whether `name` is that of a step that was answered.
    pub(super) fn check_step(&self, name: &str) -> Result<(), NameError> {
        match self.find(name, name, "the `as:` of an earlier step")? {
            NamedThing::Item => Err(NameError {
                written: name.to_owned(),
                found: format!("`{name}` is an item, not a step"),
                expected: format!("the `as:` of a step: `- {{ as: {name}, batch: … }}`"),
                near: None,
            }),
            NamedThing::Step { answered, .. } => was_answered(name, name, answered),
        }
    }

    /// Whether what a piece of a template reaches is there.
    pub(super) fn check_piece(&self, piece: &Piece) -> Result<(), NameError> {
        const NAMED: &str = "the `as:` of an earlier item or step";
        match piece {
            Piece::Item(Some(name)) => {
                let written = format!("${{item:{name}");
                match self.find(name, &written, NAMED)? {
                    NamedThing::Item => Ok(()),
                    NamedThing::Step { items, .. } => one_item(name, "", &written, items),
                }
            }
            Piece::Capture { name, part, .. } => {
                let written = format!("${{{name}");
                match self.find(name, &written, NAMED)? {
                    NamedThing::Item => Ok(()),
                    NamedThing::Step { answered, .. } if is_of_answer(part) => {
                        was_answered(name, &written, answered)
                    }
                    NamedThing::Step { items, .. } => one_item(name, part, &written, items),
                }
            }
            _ => Ok(()),
        }
    }

    fn find(&self, name: &str, written: &str, expected: &str) -> Result<NamedThing, NameError> {
        self.0.get(name).copied().ok_or_else(|| NameError {
            written: written.to_owned(),
            found: format!("nothing earlier is called `{name}`"),
            expected: expected.to_owned(),
            near: Some((name.to_owned(), self.0.keys().cloned().collect())),
        })
    }
}

/// Whether a part of a capture is one of a step's answer: its status, a header, a value in its body.
#[must_use]
pub fn is_of_answer(part: &str) -> bool {
    part == "status" || part.starts_with("header.") || part.starts_with('/')
}

fn was_answered(name: &str, written: &str, answered: bool) -> Result<(), NameError> {
    if answered {
        return Ok(());
    }
    Err(NameError {
        written: written.to_owned(),
        found: format!("`{name}` is sent at the same time: it is not answered yet"),
        expected: "the `as:` of a step before this group".to_owned(),
        near: None,
    })
}

/// Whether a step sends one item, which its name then stands for.
fn one_item(name: &str, part: &str, written: &str, items: Option<usize>) -> Result<(), NameError> {
    let sends = match items {
        Some(1) => return Ok(()),
        Some(n) => format!("sends {n} items"),
        None => "does not say which items it sends".to_owned(),
    };
    let item =
        if part.is_empty() { "${item:ITEM}".to_owned() } else { format!("${{ITEM.{part}}}") };
    Err(NameError {
        written: written.to_owned(),
        found: format!("the step `{name}` {sends}"),
        expected: format!(
            "an item by its own name, `batch: [{{ as: ITEM }}]` and `{item}`; of a step: `${{{name}.status}}`, \
             `${{{name}.header.X}}` or `${{{name}/POINTER}}`"
        ),
        near: None,
    })
}

/// How many items a step sends.
fn count(step: &Step) -> Option<usize> {
    if step.times.is_some_and(|times| times != 1) {
        return None;
    }
    let listed = |items: &[super::ItemSpec]| items.iter().map(|i| i.times.unwrap_or(1)).sum();
    match (&step.batch, &step.items) {
        (Some(BatchSpec::Count(span)), _) => (span.low == span.high).then_some(span.low),
        (Some(BatchSpec::Items(items)), _) | (None, Some(items)) => Some(listed(items)),
        (None, None) => None,
    }
}
