//! A window on a batch that is never whole in memory: some items, and the results that have come for them.

use bytes::Bytes;
use serde_json::Value;

use crate::contract::Contract;
use crate::exchange::{Answer, BodyIntent, Exchange, Intent, Request, Response, situation_of};
use crate::fast_path::SentItems;
use crate::generate::{KeyBlock, Stream, TextSpan};

/// Items of a batch with their results.
#[derive(Default)]
pub(super) struct Window {
    /// Which item of the batch is the first.
    pub base: usize,
    /// Whether all items are beyond doubt, and all results plainly right.
    pub plain: bool,
    /// What the results that are not plainly right would take, parsed.
    pub size: u64,
    items: String,
    bounds: Vec<TextSpan>,
    places: Vec<TextSpan>,
    echoed: usize,
    answers: Vec<u8>,
    results: Vec<TextSpan>,
}

impl Window {
    /// The next `most` items of a batch, as they were written.
    pub fn fill(
        mut self,
        base: usize,
        most: usize,
        contract: &Contract,
        stream: &mut Stream<'_>,
        numbers: &mut KeyBlock,
    ) -> Window {
        self.base = base;
        self.plain = true;
        self.size = 0;
        self.echoed = contract.batch.echo.len();
        self.items.clear();
        self.answers.clear();
        for list in [&mut self.bounds, &mut self.places, &mut self.results] {
            list.clear();
        }
        while self.bounds.len() < most {
            let from = self.items.len();
            let Some(certain) = stream.write(&mut self.items, numbers, &mut self.places) else {
                break;
            };
            self.plain &= certain;
            self.bounds.push((from, self.items.len()));
        }
        self
    }

    /// Items from here to there, with the results that have come for them.
    pub fn part(&self, from: usize, to: usize) -> Window {
        let mut part = Window { base: self.base + from, ..Window::default() };
        for index in from..to.min(self.len()) {
            let start = part.items.len();
            part.items.push_str(self.item(index));
            part.bounds.push((start, part.items.len()));
            if index < self.answered() {
                part.push(self.result(index));
            }
        }
        part
    }

    /// How many items it holds.
    pub fn len(&self) -> usize {
        self.bounds.len()
    }

    /// How many results have come.
    pub fn answered(&self) -> usize {
        self.results.len()
    }

    /// What the result of an item must repeat.
    pub fn sent(&self, index: usize) -> SentItems<'_> {
        let from = index * self.echoed;
        let places = self.places.get(from..from + self.echoed).unwrap_or_default();
        SentItems { body: self.items.as_bytes(), places }
    }

    /// An item as it was sent.
    pub fn item(&self, index: usize) -> &str {
        self.bounds.get(index).map_or("", |(from, to)| &self.items[*from..*to])
    }

    /// A result as it came.
    pub fn result(&self, index: usize) -> &[u8] {
        self.results.get(index).map_or(b"", |(from, to)| &self.answers[*from..*to])
    }

    /// Takes the next result.
    pub fn push(&mut self, result: &[u8]) {
        let from = self.answers.len();
        self.answers.extend_from_slice(result);
        self.results.push((from, self.answers.len()));
    }

    /// Items from here to there, as a body.
    pub fn body(&self, contract: &Contract, from: usize, to: usize) -> Bytes {
        let name = Value::from(&*contract.batch.items).to_string();
        let items: Vec<&str> = (from..to.min(self.len())).map(|at| self.item(at)).collect();
        Bytes::from(format!("{{{name}:[{}]}}", items.join(",")))
    }

    /// Results from here to there, with commas between them.
    pub fn answer(&self, from: usize, to: usize) -> Vec<u8> {
        let results: Vec<&[u8]> =
            (from..to.min(self.answered())).map(|at| self.result(at)).collect();
        results.join(&b',')
    }
}

/// A request with that body, and its answer.
pub(super) fn exchange(
    contract: &Contract,
    request: &Request,
    step: &str,
    body: Bytes,
    answer: Answer,
) -> Exchange {
    let mut request = request.clone();
    let validity = contract.body_validity(&body);
    request.body = Some(body);
    Exchange {
        index: 0,
        step: step.to_owned(),
        group: None,
        intent: Intent {
            situation: situation_of(contract, &request),
            body: BodyIntent::of(validity, contract.judged_key()),
        },
        request,
        answer,
        always_busy: false,
    }
}

/// An answer with these results, and this total where there is to be one.
pub(super) fn answer(contract: &Contract, results: &[u8], total: Option<i64>) -> Vec<u8> {
    let batch = &contract.batch;
    let total = match (&batch.elapsed.total, total) {
        (Some(name), Some(total)) => format!("],{}:{total}}}", Value::from(&**name)),
        _ => "]}".to_owned(),
    };
    let start = format!("{{{}:[", Value::from(&*batch.results));
    [start.as_bytes(), results, total.as_bytes()].concat()
}

/// The same answer with another body.
pub(super) fn with_body(response: &Response, body: Vec<u8>) -> Answer {
    Answer::Received(Response { body: Bytes::from(body), ..response.clone() })
}
