//! Makes an exchange to be judged of one that took place: what the contract says of its request, and which parts of it
//! nobody knows.
//!
//! It must not know what came before or after.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use crate::case::{Credential, Framing};
use crate::contract::profile::KnownValues;
use crate::contract::validity::{ExemptClass, Exemption, ExpectedOutcome};
use crate::contract::{CodeCause, Contract, Profile, code_text, member};
use crate::exchange::{
    Answer, BodyIntent, Exchange, Intent, Loss, Request, Response, Situation, situation_of,
};
use crate::har::{TimeSpan, TrafficAnswer, TrafficBody, TrafficEntry};
use crate::import::is_secret;

/// Makes exchanges to be judged.
pub(super) struct Preparer {
    contract: Arc<Contract>,
    /// Values that the target is known to accept, by field; nothing where nobody says.
    values: Vec<(String, KnownValues)>,
    base: String,
    /// Exchanges whose response body is unknown, and items that the target may have refused for reasons of its own.
    not_claimed: (u64, u64),
}

/// What an exchange is to be.
pub(super) enum Preparation {
    /// Of another path, method or target; the keys that its request held.
    Elsewhere(Vec<String>),
    /// Not to be judged.
    Unjudged {
        /// In a few words.
        why: &'static str,
        /// The keys that its request held, where they are known.
        keys: Option<Vec<String>>,
    },
    /// To be judged.
    Judged(Box<PreparedExchange>),
}

/// An exchange to be judged.
pub(super) struct PreparedExchange {
    pub exchange: Exchange,
    pub span: TimeSpan,
    /// Which source it comes from.
    pub source: usize,
}

impl PreparedExchange {
    /// The keys of its items.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.exchange.intent.items().iter().filter_map(|item| item.number.as_deref())
    }
}

/// The target that an exchange of the contract's operation was made with: scheme, host, and what stands before the
/// documented path. Nothing where it is of another path or method.
#[must_use]
pub fn base_of(contract: &Contract, entry: &TrafficEntry) -> Option<String> {
    if !entry.method.eq_ignore_ascii_case(&contract.operation.method) {
        return None;
    }
    let url = Url::parse(&entry.url).ok()?;
    let prefix = url.path().strip_suffix(&*contract.operation.path)?;
    Some(format!("{}{prefix}", url.origin().ascii_serialization()))
}

impl Preparer {
    pub fn new(contract: Arc<Contract>, profile: &Profile, base: &str) -> Preparer {
        Preparer {
            contract,
            values: profile.values.clone().into_iter().collect(),
            base: base.to_owned(),
            not_claimed: (0, 0),
        }
    }

    /// Exchanges whose response body is unknown, and items that the target may have refused for reasons of its own.
    pub fn not_claimed(&self) -> (u64, u64) {
        self.not_claimed
    }

    /// Whether an exchange is of another path, method or target.
    pub fn is_elsewhere(&self, entry: &TrafficEntry) -> bool {
        base_of(&self.contract, entry).as_deref() != Some(&self.base)
    }

    /// The keys that a request holds.
    pub fn keys(&self, entry: &TrafficEntry) -> Vec<String> {
        let TrafficBody::Whole(bytes) = &entry.body else { return Vec::new() };
        let body = self.body(bytes);
        body.items().iter().filter_map(|item| item.number.clone()).collect()
    }

    /// What of a request nobody may see.
    pub fn secrets(&self, entry: &TrafficEntry) -> Vec<String> {
        let fields = entry.headers.iter().filter(|(name, _)| self.is_credential(name));
        let values = fields.map(|(_, value)| value.trim().to_owned());
        let mut secrets: Vec<String> = values
            .flat_map(|value| {
                let inner = value.split_once(' ').map(|(_, inner)| inner.trim().to_owned());
                [Some(value), inner].into_iter().flatten()
            })
            .collect();
        if let Ok(url) = Url::parse(&entry.url) {
            let pairs = url.query_pairs().filter(|(name, _)| is_secret(name));
            secrets.extend(pairs.map(|(_, value)| value.into_owned()));
        }
        // A writer that took them out left a word in their place.
        secrets.retain(|secret| secret.len() >= 8 && !secret.contains("redacted"));
        secrets
    }

    fn is_credential(&self, name: &str) -> bool {
        is_secret(name)
            || matches!(
                &self.contract.operation.security,
                crate::contract::DeclaredSecurity::Scheme(crate::contract::DeclaredScheme::ApiKey(key))
                    if key.eq_ignore_ascii_case(name)
            )
    }

    fn body(&self, bytes: &[u8]) -> BodyIntent {
        BodyIntent::of(self.contract.body_validity(bytes), self.contract.judged_key())
    }

    /// What an exchange of a source is to be.
    pub fn prepare(&mut self, source: usize, entry: &TrafficEntry) -> Preparation {
        if self.is_elsewhere(entry) {
            return Preparation::Elsewhere(self.keys(entry));
        }
        let bytes = match &entry.body {
            TrafficBody::Unknown => {
                let why = "its request body was not recorded whole";
                return Preparation::Unjudged { why, keys: None };
            }
            TrafficBody::None => None,
            TrafficBody::Whole(bytes) => Some(bytes.clone()),
        };
        if let Some(why) = unjudged(entry) {
            return Preparation::Unjudged { why, keys: Some(self.keys(entry)) };
        }
        let body = bytes.as_ref().map_or(BodyIntent::None, |bytes| self.body(bytes));
        let request = self.request(entry, bytes);
        let answer = self.answer(entry);
        let mut situation = situation_of(&self.contract, &request);
        let is_good = matches!(request.credential, Credential::Good | Credential::OtherTenant);
        if is_good && matches!(answer.status(), Some(401 | 403)) {
            // Whether the credentials were good, nobody knows.
            situation = Situation::Unjudged;
        }
        let mut exchange = Exchange {
            index: 0,
            step: entry.place.clone(),
            group: None,
            request,
            intent: Intent { situation, body },
            answer,
            always_busy: false,
        };
        if entry.own.is_none() {
            self.exempt(&mut exchange);
        }
        let unknown_coding = exchange.request.header("content-encoding").is_some();
        if unknown_coding && exchange.intent.items().is_empty() {
            let why = "its request body has a content coding";
            return Preparation::Unjudged { why, keys: None };
        }
        Preparation::Judged(Box::new(PreparedExchange { exchange, span: entry.span, source }))
    }

    fn request(&self, entry: &TrafficEntry, body: Option<Bytes>) -> Request {
        let url = Url::parse(&entry.url).ok();
        let query = url.as_ref().and_then(Url::query).map_or(String::new(), |q| format!("?{q}"));
        let is_chunked = entry.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("transfer-encoding")
                && value.to_ascii_lowercase().contains("chunked")
        });
        let own = entry.own.as_ref();
        let framing = match own.map(|own| own.framing.as_str()) {
            Some("chunked") => Framing::Chunked,
            Some("tiny-chunks") => Framing::TinyChunks,
            None if is_chunked => Framing::Chunked,
            _ => Framing::Sized,
        };
        let kept = entry.headers.iter().filter(|(name, _)| {
            let frames =
                ["content-length", "transfer-encoding", "host", "connection", "keep-alive"];
            !self.is_credential(name) && !frames.iter().any(|f| name.eq_ignore_ascii_case(f))
        });
        Request {
            method: self.contract.operation.method.clone(),
            path: format!("{}{query}", self.contract.operation.path),
            headers: kept.cloned().collect(),
            credential: own.map_or(Credential::Good, |own| own.credential),
            body,
            framing,
            hang_up: own.and_then(|own| own.hang_up),
            new_connection: false,
            trace: None,
            raw: own.and_then(|own| own.raw.clone()),
        }
    }

    fn answer(&mut self, entry: &TrafficEntry) -> Answer {
        let elapsed = entry.span.elapsed();
        let (status, headers, body, is_coded) = match &entry.answer {
            TrafficAnswer::Lost(kind) => {
                let elapsed = elapsed.unwrap_or_default();
                return Answer::Lost(Loss { kind: *kind, message: String::new(), elapsed });
            }
            TrafficAnswer::Received { status, headers, body, is_coded } => {
                (*status, headers, body, *is_coded)
            }
        };
        let is_coding = |(name, value): &(String, String)| {
            name == "content-encoding" && !value.trim().eq_ignore_ascii_case("identity")
        };
        let refuses_coding = entry.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("accept-encoding")
                && value.trim().eq_ignore_ascii_case("identity")
        });
        let mut headers = headers.clone();
        let mut body = body.clone();
        if headers.iter().any(is_coding) && !(is_coded && refuses_coding) {
            if is_coded {
                body = TrafficBody::Unknown;
            }
            headers.retain(|field| !is_coding(field));
        }
        let body = match body {
            TrafficBody::Whole(bytes) => bytes,
            TrafficBody::None => Bytes::new(),
            // An error of the server is one whatever it carries.
            TrafficBody::Unknown if status >= 500 => Bytes::new(),
            TrafficBody::Unknown => {
                self.not_claimed.0 += 1;
                return Answer::Lost(Loss::ended(elapsed.unwrap_or_default()));
            }
        };
        Answer::Received(Response {
            status,
            headers,
            body,
            elapsed: elapsed.unwrap_or(Duration::MAX),
            framing: None,
            outline: None,
        })
    }

    /// Takes out of judgement what a target may refuse for reasons that no contract states: it may know no such
    /// account. Where a profile says which values it knows, those are judged.
    fn exempt(&mut self, exchange: &mut Exchange) {
        let Some((is_processed, results)) = self.results(exchange) else { return };
        let used = self.contract.used_code().map(str::to_owned);
        let batch = &self.contract.batch;
        let BodyIntent::Batch { items, .. } = &mut exchange.intent.body else { return };
        let is_broken = items.iter().any(|item| !item.validity.invalid.is_empty());
        if !is_processed && is_broken {
            return;
        }
        for (index, item) in items.iter_mut().enumerate() {
            let result = results.get(index);
            let is_rejected = result.is_some_and(|result| {
                let code = member(result, &batch.error.code).and_then(code_text);
                member(result, &batch.verdict.field).and_then(Value::as_str)
                    == Some(&*batch.verdict.rejected)
                    && (used.is_none() || code.as_deref() != used.as_deref())
            });
            let is_valid = matches!(item.validity.expected_outcome(), ExpectedOutcome::Accept(_));
            if is_valid && (is_rejected || !is_processed) && !knows(&self.values, &item.value) {
                self.not_claimed.1 += 1;
                let class = ExemptClass::OwnReason;
                item.validity.exempt.push(Exemption { pointer: String::new(), class });
            }
        }
    }

    /// Whether a batch was processed, with its results; nothing where it was neither processed nor refused.
    fn results(&self, exchange: &Exchange) -> Option<(bool, Vec<Value>)> {
        let response = exchange.answer.response()?;
        let body = self.contract.answer_json(response.status, &response.body);
        let body: Option<Value> = body.ok().map(|document| document.value);
        let (status, body) = match (&self.contract.shape, body) {
            (Some(shape), Some(body)) => {
                let items: Vec<&Value> =
                    exchange.intent.items().iter().map(|item| &item.value).collect();
                let reading = shape.read(response.status, &body, &items);
                (shape.status_of_batch(response.status), Some(reading.body))
            }
            (_, body) => (self.contract.known_status(response.status), body),
        };
        match status {
            200 => {
                let list = body.as_ref().and_then(|b| member(b, &self.contract.batch.results));
                Some((true, list.and_then(Value::as_array).cloned().unwrap_or_default()))
            }
            400 => Some((false, Vec::new())),
            _ => None,
        }
    }

    /// Which results of an exchange say `used`.
    fn called_used(&self, exchange: &Exchange) -> Vec<bool> {
        let (is_processed, results) = self.results(exchange).unwrap_or_default();
        let codes = &self.contract.batch.codes;
        let is_used = |result: &Value| {
            let code = member(result, &self.contract.batch.error.code).and_then(code_text);
            code.and_then(|code| codes.get(&*code)).is_some_and(|c| c.cause == CodeCause::Used)
        };
        let is_aligned = is_processed && results.len() == exchange.intent.items().len();
        results.iter().map(|result| is_aligned && is_used(result)).collect()
    }

    /// Items from `since` on that are called used though nothing was seen of their keys before.
    pub fn unknown_used(&self, exchanges: &[Exchange], since: usize) -> u64 {
        let (earlier, sent) = exchanges.split_at(since);
        let seen = |key: &str| {
            earlier.iter().flat_map(|e| e.intent.items()).any(|i| i.number.as_deref() == Some(key))
        };
        let is_unknown = |(item, used): (&crate::exchange::ItemIntent, bool)| {
            used && item.literal && item.number.as_deref().is_some_and(|key| !seen(key))
        };
        sent.iter()
            .flat_map(|e| e.intent.items().iter().zip(self.called_used(e)))
            .filter(|pair| is_unknown((pair.0, pair.1)))
            .count() as u64
    }

    /// Items of earlier exchanges that were called used, and whose keys were in no other request until `sent`, in
    /// which they are accepted: exchange and item.
    pub fn shown_fresh(&self, earlier: &[Exchange], sent: &Exchange) -> Vec<(usize, usize)> {
        // Almost no key is sent twice, and looking through a large batch for each of its keys takes long.
        if earlier.is_empty() {
            return Vec::new();
        }
        let Some((true, results)) = self.results(sent) else { return Vec::new() };
        let items = sent.intent.items();
        if results.len() != items.len() {
            return Vec::new();
        }
        let verdict = &self.contract.batch.verdict;
        let accepted = items.iter().zip(&results).filter(|(_, result)| {
            member(result, &verdict.field).and_then(Value::as_str) == Some(&*verdict.accepted)
        });
        accepted
            .filter_map(|(item, _)| {
                let key = item.number.as_deref()?;
                let is_once =
                    items.iter().filter(|i| i.number.as_deref() == Some(key)).count() == 1;
                let mut places = earlier.iter().enumerate().flat_map(|(at, exchange)| {
                    let own = exchange.intent.items().iter().enumerate();
                    own.filter(|(_, i)| i.number.as_deref() == Some(key)).map(move |(i, _)| (at, i))
                });
                let (at, place) = places.next().filter(|_| is_once)?;
                let is_sole = places.next().is_none() && earlier[at].group.is_none();
                let was_used = self.called_used(&earlier[at]).get(place) == Some(&true);
                (is_sole && was_used).then_some((at, place))
            })
            .collect()
    }
}

/// Why an exchange says nothing of the target, where it does not.
fn unjudged(entry: &TrafficEntry) -> Option<&'static str> {
    let TrafficAnswer::Received { status, headers, .. } = &entry.answer else { return None };
    match status {
        _ if entry.own.is_some() => None,
        304 => Some("it was answered from a cache"),
        // Something before the target sends clients to another address.
        300..=399 => Some("it was redirected"),
        _ if headers.is_empty() => Some("its response headers were not recorded"),
        _ => None,
    }
}

/// Whether every field of an item for which values are known has one of them; not where no values are known.
fn knows(values: &[(String, KnownValues)], item: &Value) -> bool {
    !values.is_empty()
        && values.iter().all(|(field, known)| match (item.get(field), known) {
            (None, _) => true,
            (Some(value), KnownValues::List(list)) => list.contains(value),
            (Some(value), KnownValues::Range { min, max }) => {
                value.as_f64().is_some_and(|number| (*min..=*max).contains(&number))
            }
        })
}
