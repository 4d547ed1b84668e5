//! Proposes a batch contract for an operation of an `OpenAPI` document: which operations take batches, what their parts
//! mean, and the folder that `run --contract` uses.
//!
//! It must not know rules or cases. What it proposes is a guess: the text says what a person must decide.

mod codes;
mod files;
mod infer;
mod results;
mod survey;
mod unique_key;
mod verdict;
mod view;
mod words;
mod write;

pub use files::{ContractFile, MOST_FETCHED, document_files, place_of, referred};
pub use infer::infer;
pub use survey::{BatchOperation, ItemsForm, Survey};
pub use write::{ProposedText, write};
