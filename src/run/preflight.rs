//! The preflight: a plain batch that varies the optional fields item by item, sent before anything else.
//!
//! It tells a target that knows none of the generated accounts from one that is broken: nobody reads two
//! hundred findings that all mean "unknown account".

pub(super) mod tenant;

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use crate::check::shorten;
use crate::compose::OutgoingItem;
use crate::contract::shape::name;
use crate::contract::{RefusalMode, code_text};
use crate::exchange::{Answer, Exchange, Loss, LossKind, Response};
use crate::execution::plain_batch::exchange_batch;
use crate::generate::OptionalFields;
use crate::session::{Amount, Environment};

/// Single items that may hang before the target counts as hanging on all.
const HANGS: usize = 2;

/// How the preflight went.
pub enum Preflight {
    /// The run can go on.
    Passed,
    /// Nothing can be judged here: why, what was answered, and what to do.
    Stopped {
        /// In a sentence.
        why: String,
        /// What to do next, a profile to paste where one helps.
        advice: String,
    },
}

/// Sends the preflight batch; its exchanges are added to `exchanges`.
pub async fn send_preflight(
    environment: &Arc<Environment>,
    exchanges: &mut Vec<Exchange>,
) -> Preflight {
    let entries = plain_items(environment);
    let first = exchange_batch(environment, &entries, exchanges).await;
    match preflight_verdict(environment, &first, entries.len()) {
        PreflightVerdict::Accepted | PreflightVerdict::Judge => Preflight::Passed,
        PreflightVerdict::Stop(why, advice) => Preflight::Stopped { why, advice },
        PreflightVerdict::Lost(loss) => unanswered(environment, &entries, &loss, exchanges).await,
        PreflightVerdict::AllRejected(shown) | PreflightVerdict::Refused(shown) => {
            // One by one: a single item that is accepted says that the target knows our accounts.
            // The simplest ones too: a fault that refuses every fraction is a finding, not a matter of accounts.
            let simplest: Vec<OutgoingItem> =
                entries.iter().take(2).map(|e| simplest(environment, e)).collect();
            for entry in entries.iter().chain(&simplest) {
                let alone = [entry.renumbered(environment)];
                let single = exchange_batch(environment, &alone, exchanges).await;
                if matches!(preflight_verdict(environment, &single, 1), PreflightVerdict::Accepted)
                {
                    return Preflight::Passed;
                }
            }
            Preflight::Stopped {
                why: "the target refused every plain item of the preflight batch".to_owned(),
                advice: format!(
                    "It answered: {shown}\nIf it knows only its own accounts, say so in a profile and run again with \
                     --profile profile.yaml:\n\n{}",
                    profile_to_paste(environment)
                ),
            }
        }
    }
}

/// What to make of a preflight batch that got no answer: where single items get none either, nothing can be judged.
async fn unanswered(
    environment: &Arc<Environment>,
    entries: &[OutgoingItem],
    loss: &Loss,
    exchanges: &mut Vec<Exchange>,
) -> Preflight {
    let slow = loss.kind == LossKind::Timeout;
    for entry in entries.iter().take(if slow { HANGS } else { entries.len() }) {
        let alone = [entry.renumbered(environment)];
        let single = exchange_batch(environment, &alone, exchanges).await;
        // A connection may end before its reason is read; another one tells it.
        match preflight_verdict(environment, &single, 1) {
            PreflightVerdict::Stop(why, advice) => return Preflight::Stopped { why, advice },
            _ if single.answer.response().is_some() => return Preflight::Passed,
            _ => {}
        }
    }
    let target = &environment.sender.target;
    let too_large = loss.kind == LossKind::TooLarge;
    let advice = if too_large {
        "No plain batch needs such an answer. If this target does, allow it with --max-body."
    } else if slow {
        "Is it up, and is --timeout long enough?"
    } else if target.url.scheme() == "https" {
        "Does it want a client certificate (--cert F)? Is it http rather than https?"
    } else {
        "Is the port right, and is it https rather than http?"
    };
    Preflight::Stopped {
        why: format!(
            "{} {}: {} ({})",
            target.base,
            if too_large {
                "can't be tested"
            } else {
                "takes connections, but gives no whole answer"
            },
            loss.kind.words(),
            loss.message
        ),
        advice: advice.to_owned(),
    }
}

enum PreflightVerdict {
    Accepted,
    /// Something that the rules will judge.
    Judge,
    AllRejected(String),
    Refused(String),
    /// No answer.
    Lost(Loss),
    Stop(String, String),
}

fn preflight_verdict(
    environment: &Environment,
    exchange: &Exchange,
    count: usize,
) -> PreflightVerdict {
    let target = &environment.sender.target.base;
    let response = match &exchange.answer {
        Answer::Lost(loss) if loss.kind.is_unreached() => {
            let why = if loss.kind == LossKind::Credentials {
                format!("no request can be signed: {}", loss.message)
            } else {
                format!("{target} can't be reached: {}", loss.message)
            };
            return PreflightVerdict::Stop(why, unreachable(loss.kind).to_owned());
        }
        Answer::Lost(loss) if loss.kind == LossKind::NoHttp => {
            return PreflightVerdict::Stop(
                format!("{target} does not answer in HTTP that can be read: {}", loss.message),
                "Is the port right, and is it https rather than http?".to_owned(),
            );
        }
        Answer::Lost(loss) if loss.kind.is_ours() => return PreflightVerdict::Judge,
        Answer::Lost(loss) => return PreflightVerdict::Lost(loss.clone()),
        Answer::Received(response) => response,
    };
    let shown =
        format!("{} {}", response.status, shorten(&String::from_utf8_lossy(&response.body)));
    let contract = &environment.contract;
    let body = contract.answer_json(response.status, &response.body).ok().map(|body| body.value);
    let items: Vec<&Value> = exchange.intent.items().iter().map(|item| &item.value).collect();
    let body = body.map(|body| contract.read_answer(response.status, body, &items));
    if let Some((why, advice)) = page(environment, response, &shown) {
        return PreflightVerdict::Stop(why, advice);
    }
    let batch = &environment.contract.batch;
    match contract.known_status(response.status) {
        401 | 403 => {
            let advice = if environment.sender.token().is_given() {
                "Is the token right and still valid? Give it with --token-file FILE, --token-command CMD or BATCHPROOF_TOKEN."
            } else {
                "No token was given: use --token-file FILE or BATCHPROOF_TOKEN (or `auth: none` in a profile)."
            };
            PreflightVerdict::Stop(
                format!("{target} refused the credentials: {shown}"),
                advice.to_owned(),
            )
        }
        404 | 405 => PreflightVerdict::Stop(
            format!(
                "{target} has no {} {}: {shown}",
                environment.contract.operation.method, environment.contract.operation.path
            ),
            "Is --target the base URL (or the full URL) of the endpoint?".to_owned(),
        ),
        301 | 302 | 307 | 308 => PreflightVerdict::Stop(
            format!("{target} redirects to {}", response.header("location").unwrap_or("somewhere")),
            "Redirects are not followed: give the final URL as --target.".to_owned(),
        ),
        400 if body.is_some() => PreflightVerdict::Refused(shown),
        200 => {
            let results =
                body.as_ref().and_then(|b| b.get(&batch.results)).and_then(Value::as_array);
            let Some(results) = results.filter(|r| r.len() == count) else {
                return PreflightVerdict::Judge;
            };
            let says = |r: &Value, word: &str| {
                r.get(&batch.verdict.field).and_then(Value::as_str) == Some(word)
            };
            // A fresh number that is called used is a finding, not a matter of accounts.
            let used = environment.contract.used_code().is_some_and(|used| {
                let codes = results.iter().filter_map(|r| code_text(r.get(&batch.error.code)?));
                codes.into_iter().any(|code| code == used)
            });
            if results.iter().all(|r| says(r, &batch.verdict.accepted)) {
                PreflightVerdict::Accepted
            } else if used {
                PreflightVerdict::Judge
            } else if results.iter().all(|r| says(r, &batch.verdict.rejected)) {
                PreflightVerdict::AllRejected(first_refusal(environment, &results[0]))
            } else {
                PreflightVerdict::Judge
            }
        }
        _ => PreflightVerdict::Judge,
    }
}

/// What to make of a page for people, which no API answers with: it may be a gateway's, or a proxy's that wants
/// somebody to sign in.
fn page(environment: &Environment, response: &Response, shown: &str) -> Option<(String, String)> {
    let proxy = environment.sender.proxy();
    // JSON under the wrong media type is for the rules.
    let html = response.body.trim_ascii_start().starts_with(b"<");
    // Without a proxy, redirects and refused credentials have a reason of their own.
    let counts = match response.status {
        200..=299 | 400 => true,
        300..=399 | 403 => proxy.is_some(),
        _ => false,
    };
    if !html || !counts {
        return None;
    }
    let target = &environment.sender.target.base;
    if response.status == 400 && String::from_utf8_lossy(&response.body).contains("SSL certificate")
    {
        let why = format!("{target} demands a client certificate: {shown}");
        return Some((why, "Give one with --cert F (PEM, certificate and key).".to_owned()));
    }
    if shown.contains("HTTPS port") {
        return Some((
            format!("{target} answers: {shown}"),
            "Is it https rather than http?".to_owned(),
        ));
    }
    Some(match proxy {
        Some(proxy) => (
            format!("a page for people came instead of {target}'s answer, perhaps from the proxy {proxy}: {shown}"),
            "Does the proxy want somebody to sign in? NO_PROXY names hosts that are reached directly.".to_owned(),
        ),
        None => (
            format!("{target} answers with a page for people: {shown}"),
            "Is --target the endpoint itself, and not a gateway's sign-in page?".to_owned(),
        ),
    })
}

/// What to do where no connection was made; what went wrong with TLS or a proxy says so itself.
fn unreachable(kind: LossKind) -> &'static str {
    match kind {
        LossKind::Resolve => "Is the host name right, and known to this machine's name service?",
        LossKind::Credentials => "The profile's `auth` names the command. Does it work in a shell?",
        LossKind::Proxy => {
            "The proxy comes from HTTPS_PROXY, HTTP_PROXY or ALL_PROXY; NO_PROXY names hosts that are reached directly."
        }
        LossKind::Tls => "Nothing was sent.",
        _ => "Is it running, is the address right, and may this machine connect to it?",
    }
}

/// What an answer says of its first item.
fn first_refusal(environment: &Environment, result: &Value) -> String {
    let error = &environment.contract.batch.error;
    let shape = environment.contract.shape.as_ref();
    let part = |name: &str| result.get(name).and_then(code_text).unwrap_or("(nothing)".into());
    let shown = |name: &str| match shape {
        Some(shape) => shape.wire_pointer(None, &format!("/{}/0/{name}", name::RESULTS)),
        None => name.to_owned(),
    };
    let (code, description) = (part(&error.code), part(&error.description));
    shorten(&format!(
        "200, its first item rejected with {}: {code}, {}: {description}",
        shown(&error.code),
        shown(&error.description)
    ))
}

/// What the preflight sends to a target that accepts its batch, with what shows the refusal mode.
pub(super) fn amount(environment: &Environment) -> Amount {
    Amount::new(2, number_of_items(environment) as u64 + 3) + tenant::amount(environment)
}

/// Sends a broken item between two sound ones: how the target refuses it, where that is one of the two modes.
pub(super) async fn observe_refusal_mode(
    environment: &Arc<Environment>,
    exchanges: &mut Vec<Exchange>,
) -> Option<RefusalMode> {
    let contract = &environment.contract;
    let unique = contract.batch.unique.as_str();
    let mutations = environment.generator.mutations("drop-required")?;
    // A result without its key would say little.
    let broken = mutations.iter().find(|m| m.pointer.strip_prefix('/') != Some(unique))?;
    let drafts = (0..3).map(|nth| environment.generator.item(40 + nth, OptionalFields::All));
    let mut entries: Vec<OutgoingItem> =
        drafts.map(|d| OutgoingItem::with_fresh_key(environment, d)).collect();
    let mutated = broken.apply(&mut entries[1].draft);
    entries[1].mutations.push(mutated);
    let exchange = exchange_batch(environment, &entries, exchanges).await;
    let Answer::Received(response) = &exchange.answer else { return None };
    if contract.known_status(response.status) == 400 {
        return Some(RefusalMode::Request);
    }
    let body = contract.answer_json(response.status, &response.body).ok()?.value;
    let items: Vec<&Value> = exchange.intent.items().iter().map(|item| &item.value).collect();
    let body = contract.read_answer(response.status, body, &items);
    let results = body.get(&contract.batch.results)?.as_array()?;
    let verdict = &contract.batch.verdict;
    let rejected: Vec<bool> = results
        .iter()
        .map(|r| r.get(&verdict.field).and_then(Value::as_str) == Some(&verdict.rejected))
        .collect();
    (contract.known_status(response.status) == 200 && rejected == [false, true, false])
        .then_some(RefusalMode::Item)
}

/// How many items the preflight batch holds.
pub(super) fn number_of_items(environment: &Environment) -> usize {
    let optional = environment.contract.fields().iter().filter(|f| !f.required).count();
    (2 + optional).min(environment.profile.limits.batch_items.unwrap_or(usize::MAX).max(1))
}

fn plain_items(environment: &Environment) -> Vec<OutgoingItem> {
    let contract = &environment.contract;
    let mut drafts = vec![
        environment.generator.item(1, OptionalFields::All),
        environment.generator.item(2, OptionalFields::None),
    ];
    for (at, field) in contract.fields().iter().filter(|f| !f.required).enumerate() {
        drafts.push(environment.generator.item(3 + at as u64, OptionalFields::Only(&field.name)));
    }
    drafts.truncate(number_of_items(environment));
    drafts.into_iter().map(|d| OutgoingItem::with_fresh_key(environment, d)).collect()
}

/// The same item with the simplest numbers and date-times.
fn simplest(environment: &Environment, entry: &OutgoingItem) -> OutgoingItem {
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
