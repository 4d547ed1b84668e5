//! Small batches that show how a target answers, for `init` and `doctor`. What it does is an observation, never a
//! promise.
//!
//! It must not know rules, cases or documents.

mod answer;
mod observe;

pub(crate) use answer::SeenAnswer;
pub(crate) use observe::{observe, one_broken};
