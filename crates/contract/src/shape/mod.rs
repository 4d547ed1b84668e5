//! The shape of an endpoint: how batches and answers look on the wire. Everything else speaks of one shape only: items in
//! a list, one result for each in request order, a verdict in a field of its own.
//!
//! `file` is the language that a person writes, `compile` reads it against the OpenAPI document, `way_out` writes requests,
//! `way_in` reads answers, `serve` writes them as a server does. It must not know cases or rules.

mod answers;
mod compile;
mod documented;
mod echo_file;
mod echoed;
mod envelope;
pub mod file;
mod forms;
mod further;
mod item_form;
mod lines;
mod mark;
mod matcher;
mod place;
mod plain;
mod pointer;
mod read;
mod serve;
mod short_forms;
mod specimen;
mod told;
mod way_in;
mod way_out;
mod written;

use serde_json::Value;

pub(crate) use way_out::NoItems;

pub use crate::unique_key::{Again, KeyScope, SameKey};
pub use compile::Compiled;
pub(crate) use compile::{compile, success};
pub use file::{BatchFile, BatchMode, BlankLines, LastNewline, Says};
pub(crate) use forms::{about_media, media};
pub use item_form::{ItemForm, MapKey};
pub use lines::LineForm;
pub(crate) use lines::LinePart;
pub use pointer::Pointer;
pub use read::{ItemRead, ReadAnswer, ReadField};
pub use way_in::{Mismatch, Placed, Reading};

use matcher::Matcher;
use serve::Specimens;

/// The names that every other shape is read into; no member of an answer has them.
pub mod name {
    /// The member with the items, in a body that a case writes out.
    pub const ITEMS: &str = "(items)";
    /// The list of results.
    pub const RESULTS: &str = "(results)";
    /// The verdict of a result.
    pub const VERDICT: &str = "(verdict)";
    /// An error code.
    pub const CODE: &str = "(code)";
    /// Its description.
    pub const DESCRIPTION: &str = "(description)";
    /// The elapsed milliseconds of a result.
    pub const ELAPSED: &str = "(elapsed)";
    /// Those of the answer.
    pub const TOTAL: &str = "(total)";
    /// The key under which an item stands in a map.
    pub const KEY: &str = "(key)";
    /// Members of a result that the contract does not speak of, as a server writes them.
    pub const BESIDE: &str = "(beside)";
    /// What a result is matched by.
    pub const MATCH: &str = "(match)";
    /// The verdict of an accepted item.
    pub const ACCEPTED: &str = "accepted";
    /// That of a rejected one.
    pub const REJECTED: &str = "rejected";
}

/// How batches and answers look on the wire.
#[derive(Debug)]
pub struct Shape {
    /// Where the items stand in a request.
    pub items: Pointer,
    /// How each of them is written.
    pub form: ItemForm,
    /// What becomes of an item whose key was used before.
    pub again: Again,
    /// Within what a key must not be used twice.
    pub within: KeyScope,
    /// Whether a batch is taken item by item.
    pub mode: BatchMode,
    /// Statuses of a request that is refused as a whole.
    pub refusal: Vec<u16>,
    /// Query of the documented request, with its question mark; empty where there is none.
    pub query: String,
    /// Headers that the documented request has beside the usual ones.
    pub headers: Vec<(String, String)>,
    places: Vec<ResultPlace>,
    matching: Matching,
    silent: Option<Says>,
    accepted: Option<Matcher>,
    rejected: Option<Matcher>,
    /// Names of item fields, and where a result repeats each.
    echo: Vec<(String, Pointer)>,
    code: Option<Pointer>,
    description: Option<Pointer>,
    elapsed: (Option<Pointer>, Option<Pointer>),
    refusal_demands_code: bool,
    refusal_code: Option<Pointer>,
    refusal_description: Option<Pointer>,
    /// What stands around the items, with the brackets.
    envelope: (String, String),
    /// What of the envelope has one value only.
    constants: Vec<(Pointer, Value)>,
    specimens: Specimens,
}

/// An array of results.
#[derive(Debug)]
struct ResultPlace {
    at: Pointer,
    /// Whether it is a map.
    keyed: bool,
    /// Arrays side by side instead, each with the name of its elements in a result.
    zip: Vec<(Pointer, String)>,
    /// Whether each line of the answer is a result.
    lines: bool,
    says: Option<Says>,
    under: Vec<u16>,
    /// Fields of items that its results do not repeat.
    lacks: Vec<String>,
}

/// How results are matched with items.
#[derive(Debug)]
enum Matching {
    Order,
    /// By an item's field and what of the result repeats it.
    Field(String, ResultMark),
    /// By the position that a result states.
    Index(Pointer),
}

/// What of a result says which item it is of.
#[derive(Debug)]
enum ResultMark {
    /// What stands there.
    At(Pointer),
    /// Its key in the map of results.
    Key,
}

impl Says {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Says::Accepted => name::ACCEPTED,
            Says::Rejected => name::REJECTED,
        }
    }
}

impl Shape {
    /// The status that everything else knows: 200 for a batch that was processed, 400 for one that was refused as a whole.
    #[must_use]
    pub fn status(&self, status: u16) -> u16 {
        if self.is_success(status) {
            return 200;
        }
        if self.refusal.contains(&status) {
            return 400;
        }
        status
    }

    /// The same of an answer to the documented request, where a 200 is no success if another status is documented.
    #[must_use]
    pub fn status_of_batch(&self, status: u16) -> u16 {
        if status == 200 && !self.is_success(200) { UNKNOWN_SUCCESS } else { self.status(status) }
    }

    /// Whether results stand under a status.
    #[must_use]
    pub fn is_success(&self, status: u16) -> bool {
        self.places.iter().any(|place| place.under.contains(&status))
    }

    /// The statuses that stand for one that everything else knows.
    #[must_use]
    pub fn statuses(&self, known: u16) -> Vec<u16> {
        match known {
            200 => {
                let mut all: Vec<u16> =
                    self.places.iter().flat_map(|place| place.under.iter().copied()).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
            400 => self.refusal.clone(),
            other => vec![other],
        }
    }

    /// Whether each line of an answer under a status is a result.
    #[must_use]
    pub fn answers_in_lines(&self, status: u16) -> bool {
        self.places.iter().any(|place| place.lines && place.under.contains(&status))
    }

    /// Whether two of these items have one result between them: their key in a map of results is the same.
    #[must_use]
    pub fn share_result<'a>(&self, items: impl Iterator<Item = &'a Value>) -> bool {
        let Matching::Field(field, ResultMark::Key) = &self.matching else { return false };
        let mut seen = std::collections::HashSet::new();
        let mut keys = items.filter_map(|item| crate::batch::code_text(item.get(field)?));
        !keys.all(|key| seen.insert(key.into_owned()))
    }

    /// Whether results are matched in the order of their items.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        matches!(self.matching, Matching::Order)
    }

    /// Whether some items have no result.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent.is_some()
    }

    /// Whether a refused request must have an error code.
    #[must_use]
    pub fn refusal_demands_code(&self) -> bool {
        self.refusal_demands_code
    }

    /// Whether a result need not repeat a field of its item, for the place where it stands.
    #[must_use]
    pub fn may_lack(&self, placed: &Placed, field: &str) -> bool {
        let place = placed.place.and_then(|place| self.places.get(place));
        place.is_none_or(|place| place.lacks.iter().any(|lacked| lacked == field))
    }

    /// The pointer to a field of the results, where they have one place.
    #[must_use]
    pub fn results_place(&self) -> String {
        self.places.first().map(|place| place.at.to_string()).unwrap_or_default()
    }
}

/// A status that is a success, and not the documented one.
const UNKNOWN_SUCCESS: u16 = 299;
