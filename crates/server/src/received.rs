//! A batch on its way to an answer: its items, why they are refused, and the results that are to be written.
//!
//! It must not know faults, nor how answers are written.

use std::time::Duration;

use serde_json::{Map, Value};

use batchproof_contract::unique_key::FurtherKey;
use batchproof_contract::validity::{ExemptClass, ExpectedOutcome, InvalidReason, Validity};
use batchproof_contract::{CodeCause, Contract, RefusalMode, member};

/// Why something is refused, as the answer says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) code: String,
    pub(crate) description: String,
    /// The number was used before.
    pub(crate) used: bool,
    /// Another unique key than the first one is why.
    pub(crate) further: bool,
}

impl Rejection {
    /// The failure that `reason` stands for.
    pub(crate) fn for_reason(contract: &Contract, reason: &InvalidReason) -> Rejection {
        let name = reason.pointer.trim_start_matches('/');
        let description = match reason.code {
            CodeCause::Missing => format!("{name} is mandatory"),
            _ if name.is_empty() => format!("not valid: {}", reason.class),
            _ => format!("{name} is not valid: {}", reason.class),
        };
        let code = code_of(contract, reason.code, Some(name));
        Rejection { code, description, used: false, further: false }
    }

    /// The failure of a number that was used before.
    pub(crate) fn used(contract: &Contract) -> Rejection {
        let code = code_of(contract, CodeCause::Used, None);
        let description = contract.batch.codes.get(&code).map(|c| c.means.clone());
        let description = description.unwrap_or_else(|| "was used before".to_owned());
        Rejection { description, code, used: true, further: false }
    }

    /// The failure of another unique key that was used before.
    pub(crate) fn used_further(contract: &Contract, key: &FurtherKey) -> Rejection {
        let code = code_of(contract, CodeCause::Used, Some(&key.field));
        let description = format!("{} was used before", key.pointer);
        Rejection { code, description, used: true, further: true }
    }

    /// An invalid value, of `what`.
    pub(crate) fn invalid(contract: &Contract, what: &str) -> Rejection {
        Rejection {
            code: code_of(contract, CodeCause::Invalid, None),
            description: format!("{what} is not valid"),
            used: false,
            further: false,
        }
    }
}

/// The documented code for a cause: one that speaks of this field before one that speaks of all.
/// An invalid value takes the missing-field code where the contract has none for it (INTERPRETATION-12).
fn code_of(contract: &Contract, cause: CodeCause, field: Option<&str>) -> String {
    let codes = &contract.batch.codes;
    let find = |cause: CodeCause, of: Option<&str>| {
        codes
            .iter()
            .find(|(_, c)| c.cause == cause && c.field.as_deref() == of)
            .map(|(code, _)| code.clone())
    };
    field
        .and_then(|name| find(cause, Some(name)))
        .or_else(|| find(cause, None))
        .or_else(|| find(CodeCause::Missing, None))
        .or_else(|| find(CodeCause::Invalid, None))
        .unwrap_or_else(|| "INVALID".to_owned())
}

/// An item on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReceivedItem {
    /// Its position in the batch.
    pub(crate) index: usize,
    pub(crate) value: Value,
    pub(crate) validity: Validity,
    /// Why it is refused, where it is.
    pub(crate) fail: Option<Rejection>,
    pub(crate) elapsed: Duration,
}

impl ReceivedItem {
    /// A field's text.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        member(&self.value, field).and_then(Value::as_str)
    }
}

/// The items of a request, and how broken ones are refused.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReceivedBatch {
    pub(crate) items: Vec<ReceivedItem>,
    pub(crate) refusal_mode: RefusalMode,
}

/// Items with their fates; `refused` where the whole request is refused.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) items: Vec<ReceivedItem>,
    pub(crate) refused: Option<Rejection>,
}

/// The answer to a processed batch, before it is bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReplyResults {
    pub(crate) rows: Vec<Map<String, Value>>,
    /// What stands beside the results.
    pub(crate) beside: Map<String, Value>,
}

/// Why an item is refused: it is invalid, or a mandatory field is blank. Two blank
/// numbers would be one number, so it is better that there is none.
pub(crate) fn fail_of(contract: &Contract, validity: &Validity) -> Option<Rejection> {
    let blank = || {
        validity.exempt.iter().find(|exemption| {
            let name = exemption.pointer.get(1..).unwrap_or_default();
            exemption.class == ExemptClass::BlankString
                && contract.field(name).is_some_and(|f| f.required)
        })
    };
    match validity.expected_outcome() {
        ExpectedOutcome::Refuse(_) => {
            validity.invalid.first().map(|reason| Rejection::for_reason(contract, reason))
        }
        ExpectedOutcome::Accept(_) => None,
        ExpectedOutcome::NotJudged => {
            validity.invalid.first().map(|reason| Rejection::for_reason(contract, reason)).or_else(
                || blank().map(|e| Rejection::invalid(contract, e.pointer.trim_start_matches('/'))),
            )
        }
    }
}
