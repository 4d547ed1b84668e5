//! What an answer to a batch says, as far as the contract lets it be read.

use serde_json::Value;

use crate::contract::{Contract, code_text};
use crate::exchange::{Answer, Exchange};

/// Letters of an answer that are shown.
const SHOWN: usize = 160;

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenResult {
    /// Whether it was accepted; none where the result says neither.
    pub accepted: Option<bool>,
    /// The code.
    pub code: Option<String>,
    /// The unique key that the result repeats.
    pub key: Option<String>,
}

/// What a batch was answered.
#[derive(Debug, Clone)]
pub enum SeenAnswer {
    /// Nothing came: why.
    Lost(String),
    /// A status, with its results where there are as many as items.
    Received {
        /// The status.
        status: u16,
        /// One for each item, in the answer's order.
        results: Option<Vec<SeenResult>>,
        /// The code of the whole answer.
        code: Option<String>,
        /// The beginning of its body.
        shown: String,
    },
}

impl SeenAnswer {
    /// What an exchange shows.
    #[must_use]
    pub fn of(contract: &Contract, exchange: &Exchange) -> SeenAnswer {
        let response = match &exchange.answer {
            Answer::Lost(loss) => {
                return SeenAnswer::Lost(format!("{} ({})", loss.kind.words(), loss.message));
            }
            Answer::Received(response) => response,
        };
        let batch = &contract.batch;
        let items: Vec<&Value> = exchange.intent.items().iter().map(|item| &item.value).collect();
        let body =
            contract.answer_json(response.status, &response.body).map_or(Value::Null, |document| {
                contract.read_answer(response.status, document.value, &items)
            });
        let results = body.get(&batch.results).and_then(Value::as_array);
        let results = results.filter(|results| results.len() == exchange.intent.items().len());
        let results = results.map(|results| {
            let one = |result: &Value| {
                let word = result.get(&batch.verdict.field).and_then(Value::as_str);
                let accepted = match word {
                    Some(word) if word == batch.verdict.accepted => Some(true),
                    Some(word) if word == batch.verdict.rejected => Some(false),
                    _ => None,
                };
                SeenResult {
                    accepted,
                    code: result.get(&batch.error.code).and_then(code_text).map(Into::into),
                    key: result.get(&batch.unique).and_then(code_text).map(Into::into),
                }
            };
            results.iter().map(one).collect()
        });
        let shown = String::from_utf8_lossy(&response.body);
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        SeenAnswer::Received {
            status: response.status,
            results,
            code: body.get(&batch.error.code).and_then(code_text).map(Into::into),
            shown: shown.chars().take(SHOWN).collect(),
        }
    }

    /// The status, where there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            SeenAnswer::Lost(_) => None,
            SeenAnswer::Received { status, .. } => Some(*status),
        }
    }

    /// The results, where there is one for each item.
    #[must_use]
    pub fn results(&self) -> Option<&[SeenResult]> {
        match self {
            SeenAnswer::Received { results: Some(results), .. } => Some(results),
            _ => None,
        }
    }

    /// Whether all items have this verdict; not where there are none.
    #[must_use]
    pub fn all(&self, accepted: bool) -> bool {
        self.results().is_some_and(|results| {
            !results.is_empty() && results.iter().all(|r| r.accepted == Some(accepted))
        })
    }

    /// In words: the status, and what became of the items.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            SeenAnswer::Lost(why) => format!("no answer: {why}"),
            SeenAnswer::Received { status, results: Some(results), .. } if !results.is_empty() => {
                if self.all(true) {
                    return format!("{status}, all accepted");
                }
                let words: Vec<String> = results.iter().map(SeenResult::words).collect();
                match words.first() {
                    Some(first) if words.len() > 1 && words.iter().all(|other| other == first) => {
                        format!("{status}, all {first}")
                    }
                    _ => format!("{status}: {}", words.join(", ")),
                }
            }
            SeenAnswer::Received { status, results: Some(_), .. } => {
                format!("{status}, without results")
            }
            SeenAnswer::Received { status, code: Some(code), .. } => {
                format!("{status} for the whole request ({code})")
            }
            SeenAnswer::Received { status, shown, .. } if shown.is_empty() => {
                format!("{status}, without a body")
            }
            SeenAnswer::Received { status, shown, .. } => format!("{status}: {shown}"),
        }
    }
}

impl SeenResult {
    fn words(&self) -> String {
        let verdict = match self.accepted {
            Some(true) => "accepted",
            Some(false) => "rejected",
            None => "no verdict",
        };
        match &self.code {
            Some(code) => format!("{verdict} with {code}"),
            None => verdict.to_owned(),
        }
    }
}
