//! What a rule says of what it saw: a pass, findings, or that it does not apply. It knows no rule.

use super::message::Message;
use crate::generate::KeyParts;

/// What a rule says of what it saw.
#[derive(Debug)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail(Vec<Finding>),
    /// It does not apply here, and why.
    NotApplicable(&'static str),
}

impl Verdict {
    /// One finding.
    #[must_use]
    pub fn fail(finding: Finding) -> Verdict {
        Verdict::Fail(vec![finding])
    }

    /// Pass where there is nothing to find.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Verdict {
        if findings.is_empty() { Verdict::Pass } else { Verdict::Fail(findings) }
    }
}

/// What a finding shows of a target, as far as a failure of another rule may account for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symptom {
    /// Nothing that another rule's failure accounts for.
    #[default]
    OfItsOwn,
    /// Valid input was refused, or rejected for another reason than a used key.
    ValidRefused,
    /// None of several simultaneous requests with one key was accepted.
    NoConcurrentAccepted,
    /// A key counts as used that was sent only beside an invalid or used one.
    UsedBesideInvalid,
    /// Several simultaneous requests with one key were accepted.
    AcceptedConcurrently,
    /// Of two items with one key, a later one was accepted.
    LaterDuplicateAccepted,
    /// Part of a batch was stored.
    PartlyStored,
    /// A batch with something unusual about its head was not processed.
    UnusualHeadRefused,
    /// The same, and it was answered with a 5xx.
    UnusualHeadBroke,
    /// Simultaneous requests were answered with a 5xx.
    OverlapBroke,
    /// No answer came.
    NoAnswer,
    /// A JSON text ended before its end.
    CutOff,
    /// An error was reported in a 200 without results.
    ErrorInSuccess,
    /// What a case expects did not come about.
    ExpectationUnmet,
    /// No answer came, and a case expected one.
    ExpectationUnanswered,
}

/// A contradiction between an answer and a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The item, from 0, where it is about one.
    pub item: Option<usize>,
    /// Position in the answer's body, or in the request's where nothing was answered.
    pub pointer: String,
    /// What had to be.
    pub expected: Message,
    /// What was.
    pub actual: Message,
    /// The kind of difference: findings of one rule, case, pointer and kind are one.
    pub kind: String,
    /// The exchange, where the rule saw several.
    pub exchange: Option<usize>,
    /// Whether the answer's own bytes prove it; otherwise it counts only when repeats show it too.
    pub proven: bool,
    /// What it shows, as far as a failure of another rule may account for it.
    pub symptom: Symptom,
    /// What was unusual about the request's input, where that matters: the most telling first.
    pub inputs: Vec<String>,
}

impl Finding {
    /// The kind of findings about an answer that took longer than its case allows.
    pub const SLOW: &'static str = "slow answer";

    /// A finding that the answer's bytes prove.
    #[must_use]
    pub fn new(
        kind: impl Into<String>,
        pointer: impl Into<String>,
        expected: impl Into<Message>,
        actual: impl Into<Message>,
    ) -> Finding {
        Finding {
            item: None,
            pointer: pointer.into(),
            expected: expected.into(),
            actual: actual.into(),
            kind: kind.into(),
            exchange: None,
            proven: true,
            symptom: Symptom::OfItsOwn,
            inputs: Vec::new(),
        }
    }

    /// Names the item.
    #[must_use]
    pub fn item(mut self, index: usize) -> Finding {
        self.item = Some(index);
        self
    }

    /// Names the exchange.
    #[must_use]
    pub fn exchange(mut self, index: usize) -> Finding {
        self.exchange = Some(index);
        self
    }

    /// It counts only when repeats show it too.
    #[must_use]
    pub fn unproven(mut self) -> Finding {
        self.proven = false;
        self
    }

    /// Says what it shows, as far as a failure of another rule may account for it.
    #[must_use]
    pub fn shows(mut self, symptom: Symptom) -> Finding {
        self.symptom = symptom;
        self
    }

    /// The pointer with `*` for indexes, and for keys of maps that the run chose.
    #[must_use]
    pub fn place(&self) -> String {
        let places = self.pointer.split('/').map(|part| if is_chosen(part) { "*" } else { part });
        places.collect::<Vec<_>>().join("/")
    }
}

/// Whether a part of a pointer is an index, or what this run called an item.
fn is_chosen(part: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let begins_with_number = |text: &str| is_number(text.split('-').next().unwrap_or_default());
    let is_uuid = || part.len() == 36 && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_number(part)
        || part.strip_prefix("item-").or(part.strip_prefix("Item-")).is_some_and(begins_with_number)
        || KeyParts::parse(part).is_some()
        || is_uuid()
}
