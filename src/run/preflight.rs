//! The opening: a plain batch that varies the optional fields item by item, sent before anything else.
//!
//! It tells a target that knows none of the generated accounts from one that is broken: nobody reads two
//! hundred findings that all mean "unknown account".

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use crate::check::shorten;
use crate::compose::Entry;
use crate::exchange::{Answer, Exchange, Loss, LossKind};
use crate::execution::plain_batch::exchange;
use crate::generate::Optional;
use crate::session::Environment;

/// Single items that may hang before the target counts as hanging on all.
const HANGS: usize = 2;

/// How the opening went.
pub enum Opening {
    /// The run can go on.
    Good,
    /// Nothing can be judged here: why, what was answered, and what to do.
    Stop {
        /// In a sentence.
        why: String,
        /// What to do next, a profile to paste where one helps.
        advice: String,
    },
}

/// Sends the opening batch; its exchanges are added to `exchanges`.
pub async fn open(environment: &Arc<Environment>, exchanges: &mut Vec<Exchange>) -> Opening {
    let entries = plain_items(environment);
    let first = exchange(environment, &entries, exchanges).await;
    match verdict(environment, &first, entries.len()) {
        Seen::Accepted | Seen::Judge => Opening::Good,
        Seen::Stop(why, advice) => Opening::Stop { why, advice },
        Seen::Lost(loss) => unanswered(environment, &entries, &loss, exchanges).await,
        Seen::AllRejected(shown) | Seen::Refused(shown) => {
            // One by one: a single item that is accepted says that the target knows our accounts.
            // The simplest ones too: a fault that refuses every fraction is a finding, not a matter of accounts.
            let simplest: Vec<Entry> =
                entries.iter().take(2).map(|e| simplest(environment, e)).collect();
            for entry in entries.iter().chain(&simplest) {
                let alone = [entry.renumbered(environment)];
                let single = exchange(environment, &alone, exchanges).await;
                if matches!(verdict(environment, &single, 1), Seen::Accepted) {
                    return Opening::Good;
                }
            }
            Opening::Stop {
                why: "the target refused every plain item of the opening batch".to_owned(),
                advice: format!(
                    "It answered: {shown}\nIf it knows only its own accounts, say so in a profile and run again with \
                     --profile profile.yaml:\n\n{}",
                    profile_to_paste(environment)
                ),
            }
        }
    }
}

/// What to make of an opening batch that got no answer: where single items get none either, nothing can be judged.
async fn unanswered(
    environment: &Arc<Environment>,
    entries: &[Entry],
    loss: &Loss,
    exchanges: &mut Vec<Exchange>,
) -> Opening {
    let slow = loss.kind == LossKind::Timeout;
    for entry in entries.iter().take(if slow { HANGS } else { entries.len() }) {
        let alone = [entry.renumbered(environment)];
        let single = exchange(environment, &alone, exchanges).await;
        if single.answer.response().is_some() {
            return Opening::Good;
        }
    }
    let target = &environment.sender.target;
    let advice = if slow {
        "Is it up, and is --timeout long enough?"
    } else if target.url.scheme() == "https" {
        "Does it want a client certificate (--cert F)? Is it http rather than https?"
    } else {
        "Is the port right, and is it https rather than http?"
    };
    Opening::Stop {
        why: format!(
            "{} takes connections and answers nothing: {} ({})",
            target.base,
            loss.kind.words(),
            loss.message
        ),
        advice: advice.to_owned(),
    }
}

enum Seen {
    Accepted,
    /// Something that the rules will judge.
    Judge,
    AllRejected(String),
    Refused(String),
    /// No answer.
    Lost(Loss),
    Stop(String, String),
}

fn verdict(environment: &Environment, exchange: &Exchange, count: usize) -> Seen {
    let target = &environment.sender.target.base;
    let response = match &exchange.answer {
        Answer::Lost(loss) if loss.kind == LossKind::Connect => {
            return Seen::Stop(
                format!("{target} can't be reached: {}", loss.message),
                unreachable(&loss.message).to_owned(),
            );
        }
        Answer::Lost(loss) if loss.kind == LossKind::NoHttp => {
            return Seen::Stop(
                format!("{target} does not speak HTTP: {}", loss.message),
                "Is the port right, and is it https rather than http?".to_owned(),
            );
        }
        Answer::Lost(loss) if loss.kind.is_ours() => return Seen::Judge,
        Answer::Lost(loss) => return Seen::Lost(loss.clone()),
        Answer::Received(response) => response,
    };
    let shown =
        format!("{} {}", response.status, shorten(&String::from_utf8_lossy(&response.body)));
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let batch = &environment.contract.batch;
    match response.status {
        401 | 403 => {
            let advice = if environment.sender.token().is_given() {
                "Is the token right and still valid? Give it with --token-file FILE or BATCHPROOF_TOKEN."
            } else {
                "No token was given: use --token-file FILE or BATCHPROOF_TOKEN (or `auth: none` in a profile)."
            };
            Seen::Stop(format!("{target} refused the credentials: {shown}"), advice.to_owned())
        }
        404 | 405 => Seen::Stop(
            format!(
                "{target} has no {} {}: {shown}",
                environment.contract.operation.method, environment.contract.operation.path
            ),
            "Is --target the base URL (or the full URL) of the endpoint?".to_owned(),
        ),
        301 | 302 | 307 | 308 => Seen::Stop(
            format!("{target} redirects to {}", response.header("location").unwrap_or("somewhere")),
            "Redirects are not followed: give the final URL as --target.".to_owned(),
        ),
        400 if body.is_some() => Seen::Refused(shown),
        200 => {
            let results =
                body.as_ref().and_then(|b| b.get(&batch.results)).and_then(Value::as_array);
            let Some(results) = results.filter(|r| r.len() == count) else { return Seen::Judge };
            let says = |r: &Value, word: &str| {
                r.get(&batch.verdict.field).and_then(Value::as_str) == Some(word)
            };
            // A fresh number that is called used is a finding, not a matter of accounts.
            let used = results.iter().any(|r| {
                r.get(&batch.error.code).and_then(Value::as_str) == environment.contract.used_code()
            });
            if results.iter().all(|r| says(r, &batch.verdict.accepted)) {
                Seen::Accepted
            } else if used {
                Seen::Judge
            } else if results.iter().all(|r| says(r, &batch.verdict.rejected)) {
                Seen::AllRejected(first_refusal(environment, &results[0]))
            } else {
                Seen::Judge
            }
        }
        _ => Seen::Judge,
    }
}

/// What to do where no connection was made, by the transport's own words.
fn unreachable(message: &str) -> &'static str {
    if message.contains("certificate") {
        "If the certificate is right, but its issuer is not known to this machine, name that with --ca F (PEM). \
         --insecure takes any certificate."
    } else if ["corrupt message", "tls handshake"].iter().any(|m| message.contains(m)) {
        "The port does not seem to speak TLS: is it http rather than https?"
    } else {
        "Is it running, is the address right, and may this machine connect to it?"
    }
}

/// What an answer says of its first item.
fn first_refusal(environment: &Environment, result: &Value) -> String {
    let error = &environment.contract.batch.error;
    let part = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or("(nothing)");
    let (code, description) = (part(&error.code), part(&error.description));
    shorten(&format!(
        "200, its first item rejected with {}: {code}, {}: {description}",
        error.code, error.description
    ))
}

fn plain_items(environment: &Environment) -> Vec<Entry> {
    let contract = &environment.contract;
    let mut drafts = vec![
        environment.generator.item(1, Optional::All),
        environment.generator.item(2, Optional::None),
    ];
    for (at, field) in contract.fields().iter().filter(|f| !f.required).enumerate() {
        drafts.push(environment.generator.item(3 + at as u64, Optional::Only(&field.name)));
    }
    let limit = environment.profile.limits.batch_items.unwrap_or(usize::MAX);
    drafts.truncate(limit.max(1));
    drafts.into_iter().map(|d| Entry::mint(environment, d)).collect()
}

/// The same item with the simplest numbers and date-times.
fn simplest(environment: &Environment, entry: &Entry) -> Entry {
    let contract = &environment.contract;
    let mut entry = entry.clone();
    for field in
        contract.fields().iter().filter(|f| !environment.profile.values.contains_key(&f.name))
    {
        if entry.draft.fields.contains_key(&field.name) {
            let value = match field.kind() {
                Some("number" | "integer") => Value::from(100),
                Some("string") if field.is_instant() => Value::from("2023-09-05T08:07:34.605Z"),
                _ => continue,
            };
            entry.draft.set(contract, &field.name, value);
        }
    }
    entry
}

/// A profile for a target that knows only its own values.
#[must_use]
pub fn profile_to_paste(environment: &Environment) -> String {
    let contract = &environment.contract;
    let mut text = String::from("# profile.yaml: what is known of this target\nvalues:\n");
    for field in contract.fields().iter().filter(|f| f.reference && f.name != contract.batch.unique)
    {
        let _ = writeln!(text, "  {}: [VALUE-THAT-EXISTS-THERE]", field.name);
    }
    let optional: Vec<&str> = contract
        .fields()
        .iter()
        .filter(|f| !f.required && f.reference)
        .map(|f| f.name.as_str())
        .collect();
    let _ = writeln!(text, "# optional fields that it must not be sent, or always wants:");
    let _ = writeln!(text, "# omit: [{}]", optional.join(", "));
    let _ = writeln!(text, "# required: [{}]", optional.join(", "));
    text
}
