//! What rules see: an exchange with its parsed answer, each item beside its result, and what is predicted of it.
//!
//! Data only; the model fills it in.

use std::borrow::Cow;

use serde_json::Value;

use super::finding::Verdict;
use super::key_use::ItemKeys;
use super::prediction::Prediction;
use crate::case::Credential;
use crate::contract::shape::{Mismatch, Reading};
use crate::contract::{Contract, code_text, member};
use crate::exchange::{BodyIntent, Exchange, ItemIntent, Response, Situation};

/// The methods of RFC 9110 (section 9.3) and RFC 5789.
const KNOWN_METHODS: [&str; 9] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// The exchanges of one execution of a case.
pub struct ExecutionView<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// In the order in which they were sent.
    pub exchanges: Vec<ExchangeView<'a>>,
}

/// An exchange with its answer parsed.
pub struct ExchangeView<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// The exchange itself.
    pub exchange: &'a Exchange,
    /// The answer's body, in the names that rules speak of.
    pub json: ParsedBody,
    /// The body as it is on the wire, and how it was read, where that is another.
    pub shaped: Option<(ParsedBody, Reading)>,
    /// A key that stands twice in one object of the answer's body.
    pub repeated_key: Option<String>,
    /// What each item's result says, by position; only where there are as many results as items.
    pub verdicts: Vec<Option<ItemVerdict>>,
    /// What is predicted of each item.
    pub predicted: Vec<Prediction>,
    /// Whether each item's number stood anywhere else before or beside it, whatever came of that.
    pub may_be_used: Vec<bool>,
    /// What is known of the further unique keys of each item; empty where the contract has none.
    pub further: Vec<ItemKeys>,
    /// The first result that belongs to another item: its position and that item's.
    pub misordered: Option<(usize, usize)>,
    /// The first result that stands for a number of another request.
    pub crosstalk: Option<usize>,
    /// Items of the other requests that the same barrier released.
    pub in_flight: Vec<&'a Value>,
}

/// A body as JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum ParsedBody {
    /// There is no answer.
    Absent,
    /// It is no JSON; why.
    Broken(String),
    /// It is.
    Value(Value),
}

/// What a result says of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemVerdict {
    /// Accepted.
    Accepted,
    /// Rejected.
    Rejected,
}

/// Something about a request that has a rule of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFeature {
    /// `application/json` with a charset parameter.
    Charset,
    /// A chunked body.
    Chunked,
    /// Header names in another letter case.
    HeaderCase,
    /// `Expect: 100-continue`.
    Expect,
}

/// An item beside its result.
#[derive(Clone, Copy)]
pub struct ItemView<'a> {
    /// The exchange around it.
    pub within: &'a ExchangeView<'a>,
    /// Its position.
    pub index: usize,
    /// The item.
    pub intent: &'a ItemIntent,
    /// Its result.
    pub result: &'a Value,
    /// What the result says.
    pub verdict: Option<ItemVerdict>,
    /// What is predicted of it.
    pub predicted: &'a Prediction,
}

/// Bytes of a body from which on it may be refused for its size.
const LONG: usize = 64 * 1024;

impl<'a> ExchangeView<'a> {
    /// Whether the item at `index` was rejected as used.
    #[must_use]
    pub fn is_called_used(&self, index: usize) -> bool {
        let batch = &self.contract.batch;
        let code = || code_text(member(self.results()?.get(index)?, &batch.error.code)?);
        self.verdicts.get(index).copied().flatten() == Some(ItemVerdict::Rejected)
            && code()
                .and_then(|code| batch.codes.get(&*code))
                .is_some_and(|c| c.cause == crate::contract::CodeCause::Used)
    }

    /// Whether a further unique key of some item was sent before or beside, so that the whole batch may be refused for it.
    #[must_use]
    pub fn has_repeated_further_key(&self) -> bool {
        self.further.iter().any(|keys| !keys.are_fresh())
    }

    /// The items that were sent.
    #[must_use]
    pub fn items(&self) -> &'a [ItemIntent] {
        self.exchange.intent.items()
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Option<&'a Response> {
        self.exchange.answer.response()
    }

    /// The answer's status: 200 stands for whatever says that a batch was processed, 400 for what refuses a request.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let status = self.exchange.answer.status()?;
        Some(match &self.contract.shape {
            Some(shape) if self.is_ordinary() => shape.status_of_batch(status),
            _ => self.contract.known_status(status),
        })
    }

    /// The answer's status as it is on the wire.
    #[must_use]
    pub fn wire_status(&self) -> Option<u16> {
        self.exchange.answer.status()
    }

    /// The answer's body as it is on the wire.
    #[must_use]
    pub fn wire_json(&self) -> &ParsedBody {
        self.shaped.as_ref().map_or(&self.json, |(body, _)| body)
    }

    /// A result that is of no item, or an item that has no result.
    #[must_use]
    pub fn mismatch(&self) -> Option<&Mismatch> {
        self.shaped.as_ref()?.1.mismatch.as_ref()
    }

    /// Whether a result has no place for a field of its item.
    #[must_use]
    pub fn may_lack(&self, index: usize, field: &str) -> bool {
        let (Some(shape), Some((_, reading))) = (&self.contract.shape, &self.shaped) else {
            return false;
        };
        reading.placed.get(index).is_none_or(|placed| shape.may_lack(placed, field))
    }

    /// A pointer of a rule's as it is on the wire.
    #[must_use]
    pub fn wire_pointer(&self, pointer: &str) -> Option<String> {
        let shape = self.contract.shape.as_ref()?;
        Some(shape.wire_pointer(self.shaped.as_ref().map(|(_, reading)| reading), pointer))
    }

    /// The answer's body, where it is JSON.
    #[must_use]
    pub fn body(&self) -> Option<&Value> {
        match &self.json {
            ParsedBody::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the answer begins as JSON and ends too early, as one does that a gateway has cut.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        let body = self.response().map_or(&[][..], |r| &r.body);
        !body.is_empty()
            && serde_json::from_slice::<serde::de::IgnoredAny>(body)
                .is_err_and(|error| error.classify() == serde_json::error::Category::Eof)
    }

    /// Whether a chunked body was refused by a server that reads none: 411, or what an empty body gets
    /// (INTERPRETATION-07).
    #[must_use]
    pub fn is_refused_for_chunks(&self) -> bool {
        self.exchange.request.framing.is_chunked() && matches!(self.status(), Some(400 | 411 | 501))
    }

    /// Whether the head alone was reason to refuse the request, and the answer got lost, or became a gateway's, while
    /// the body was on its way: the target may answer and close before it has read that (RFC 9112, section 9.6). Some
    /// servers close the connection without a word where they don't know the method (RFC 9110, section 9.1: SHOULD).
    #[must_use]
    pub fn is_lost_to_early_refusal(&self) -> bool {
        // Clients and gateways write about so much of a request at once.
        const SENT_AT_ONCE: usize = 4 * 1024;
        let body = self.exchange.request.body.as_ref().map_or(0, bytes::Bytes::len);
        let by_head =
            !matches!(self.exchange.intent.situation, Situation::Ordinary | Situation::HungUp);
        let lost = self.status().is_none_or(|status| matches!(status, 502 | 504));
        let unknown = self.exchange.intent.situation == Situation::Method
            && !KNOWN_METHODS.contains(&self.exchange.request.method.as_str());
        (by_head && body > SENT_AT_ONCE || unknown) && lost
    }

    /// The results of a 200.
    #[must_use]
    pub fn results(&self) -> Option<&[Value]> {
        if self.status() != Some(200) {
            return None;
        }
        let list = member(self.body()?, &self.contract.batch.results)?.as_array()?;
        Some(list)
    }

    /// Whether there are as many results as items.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        self.exchange.intent.is_batch()
            && self.mismatch().is_none()
            && self.results().is_some_and(|r| r.len() == self.items().len())
    }

    /// The items beside their results, where there are as many.
    pub fn pairs(&'a self) -> impl Iterator<Item = ItemView<'a>> {
        let results = if self.is_aligned() { self.results().unwrap_or(&[]) } else { &[] };
        results.iter().enumerate().map(move |(index, result)| ItemView {
            within: self,
            index,
            intent: &self.items()[index],
            result,
            verdict: self.verdicts[index],
            predicted: &self.predicted[index],
        })
    }

    /// Judges every item beside its result: pass where any passed and none failed.
    #[must_use]
    pub fn each(&'a self, judge: impl Fn(&ItemView<'a>) -> Verdict) -> Verdict {
        let mut passed = false;
        let mut findings = Vec::new();
        for item in self.pairs() {
            match judge(&item) {
                Verdict::Pass => passed = true,
                Verdict::Fail(list) => findings.extend(list),
                Verdict::NotApplicable(_) => {}
            }
        }
        match (findings.is_empty(), passed) {
            (false, _) => Verdict::Fail(findings),
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::NotApplicable("no item that it applies to"),
        }
    }

    /// Whether the request was refused as a whole with a 400.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status() == Some(400)
    }

    /// Whether what was sent is odd enough that only the class of the answer counts: broken, open or
    /// huge input belongs to ROBUST, the rest to STATUS.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        match &self.exchange.intent.body {
            BodyIntent::Broken(_) | BodyIntent::Open(_) => true,
            BodyIntent::None => false,
            BodyIntent::Batch { items, .. } => {
                items.is_empty()
                    || self.is_large()
                    || items.iter().any(|i| {
                        !i.validity.exempt.is_empty()
                            || !i.validity.invalid.is_empty()
                            || !i.validity.unusual.is_empty()
                    })
            }
        }
    }

    /// Whether a request may be refused for its size, in items or in bytes, whatever its framing: one rule judges
    /// what it is answered with (INTERPRETATION-22).
    #[must_use]
    pub fn may_be_refused_for_size(&self) -> bool {
        self.is_large() || self.exchange.request.body.as_ref().map_or(0, bytes::Bytes::len) >= LONG
    }

    /// Whether a web application firewall may refuse the request with a 403, for what its texts hold: markup, control
    /// characters, and what statements, scripts and paths of other systems are made of (INTERPRETATION-07).
    #[must_use]
    pub fn may_be_refused_by_a_firewall(&self) -> bool {
        let odd = |i: &ItemIntent| !i.validity.unusual.is_empty() || !i.validity.exempt.is_empty();
        let is_suspicious = |body: &[u8]| {
            let of_attacks = |byte: &u8| {
                b"<'`;$|".contains(byte) || byte.is_ascii_control() && !byte.is_ascii_whitespace()
            };
            let of_two =
                |two: &[u8]| [b"--", b"..", b"/*", b"\\\"", b"\\\\"].iter().any(|t| two == *t);
            body.iter().any(of_attacks) || body.windows(2).any(of_two)
        };
        self.items().iter().any(odd)
            || self.exchange.request.body.as_deref().is_some_and(is_suspicious)
    }

    /// Whether one did, as far as anyone can tell: no later step can be expected to find what this one would have left.
    #[must_use]
    pub fn is_stopped_by_a_firewall(&self) -> bool {
        self.status() == Some(403)
            && self.exchange.request.credential == Credential::Good
            && self.may_be_refused_by_a_firewall()
    }

    /// Whether both requests were sent at once.
    pub(crate) fn is_simultaneous_with(&self, other: &ExchangeView<'_>) -> bool {
        self.exchange.group.is_some() && self.exchange.group == other.exchange.group
    }

    fn is_large(&self) -> bool {
        self.items().len() >= (self.contract.batch.limits.batch_items / 10).max(1)
    }

    /// Whether the request is one that an ordinary client sends: no barrier, no oddity.
    #[must_use]
    pub fn is_ordinary(&self) -> bool {
        self.exchange.intent.situation == Situation::Ordinary
    }

    /// Whether the request is the contract's for one item, and no batch.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.exchange.intent.situation == Situation::Read
    }

    /// What of the request has a rule of its own.
    #[must_use]
    pub fn feature(&self) -> Option<RequestFeature> {
        let request = &self.exchange.request;
        if request.header("expect").is_some() {
            return Some(RequestFeature::Expect);
        }
        if request.framing.is_chunked() {
            return Some(RequestFeature::Chunked);
        }
        if request
            .header("content-type")
            .is_some_and(|v| v.to_ascii_lowercase().contains("charset"))
        {
            return Some(RequestFeature::Charset);
        }
        let odd_case = request.raw.is_some()
            && request.headers.iter().any(|(n, _)| {
                n.eq_ignore_ascii_case("content-type") && n != "Content-Type" && n != "content-type"
            });
        odd_case.then_some(RequestFeature::HeaderCase)
    }
}

impl ItemView<'_> {
    /// A pointer to a field of the result.
    #[must_use]
    pub fn at(&self, field: &str) -> String {
        let results = &self.within.contract.batch.results;
        if field.is_empty() {
            format!("/{results}/{}", self.index)
        } else {
            format!("/{results}/{}/{field}", self.index)
        }
    }

    /// The result's error code as text, where it is a string or a number.
    #[must_use]
    pub fn code(&self) -> Option<Cow<'_, str>> {
        member(self.result, &self.within.contract.batch.error.code).and_then(code_text)
    }

    /// The verdict with its code, for people.
    #[must_use]
    pub fn said(&self) -> String {
        let words = &self.within.contract.batch.verdict;
        match (self.verdict, self.code()) {
            (Some(ItemVerdict::Accepted), _) => words.accepted.clone(),
            (Some(ItemVerdict::Rejected), Some(code)) => format!("{} {code}", words.rejected),
            (Some(ItemVerdict::Rejected), None) => words.rejected.clone(),
            (None, _) => "no verdict".to_owned(),
        }
    }

    /// Whether it was rejected as used.
    #[must_use]
    pub fn is_called_used(&self) -> bool {
        self.within.is_called_used(self.index)
    }
}
