//! What hindered an execution: load, a lost answer, refused credentials. Whether it is tried again,
//! an attempt says.

use std::collections::HashSet;

use super::Execution;
use crate::exchange::{Answer, Exchange, Intent, LossKind, Request};
use crate::generate::KeyPrefixes;
use crate::send::Sender;
use crate::session::Environment;

/// How an execution met load or lost an answer in a way that is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// 408, 429 or 503; the pace knows for how long.
    Load,
    /// A connection ended without an answer; perhaps it had been idle.
    Lost,
    /// The target took no more connections than others had.
    Crowded,
    /// No connection was made: neither the target nor a rule is judged by that.
    Unreached,
    /// 401 or 403 where the credentials are good.
    Credentials,
}

/// Whether an answer says that the target is under load.
#[must_use]
pub fn is_load(answer: &Answer) -> bool {
    matches!(answer.status(), Some(408 | 429 | 503))
}

/// What hindered an execution, where anything did.
#[must_use]
pub fn retry_reason(execution: &Execution) -> Option<RetryReason> {
    use crate::exchange::Situation;
    execution.exchanges.iter().find_map(|e| match &e.answer {
        answer if is_load(answer) => Some(RetryReason::Load),
        Answer::Received(r)
            if matches!(r.status, 401 | 403) && e.intent.situation == Situation::Ordinary =>
        {
            Some(RetryReason::Credentials)
        }
        Answer::Lost(l) if l.kind == LossKind::Reset => Some(RetryReason::Lost),
        Answer::Lost(l) if l.kind == LossKind::Crowded => Some(RetryReason::Crowded),
        Answer::Lost(l) if l.kind.is_unreached() => Some(RetryReason::Unreached),
        _ => None,
    })
}

/// Why no request reached the target of `sender`, in a sentence.
#[must_use]
pub fn why_unreached(execution: &Execution, sender: &Sender) -> String {
    let base = &sender.target.base;
    let loss = execution.exchanges.iter().find_map(|e| match &e.answer {
        Answer::Lost(loss) if loss.kind.is_unreached() => Some(loss),
        _ => None,
    });
    match loss {
        Some(loss) if loss.kind == LossKind::Credentials => {
            format!("no request can be signed: {}", loss.message)
        }
        Some(loss) => match sender.responses.last_answered() {
            0 => format!("{base} can't be reached: {}", loss.message),
            after => format!("{base} stopped answering after request {after}: {}", loss.message),
        },
        None => format!("{base} can't be reached"),
    }
}

/// Which request was the first to meet load, where it was answered 503 with no word of when to try again, and stood
/// alone.
#[must_use]
pub fn unavailable_at(execution: &Execution) -> Option<usize> {
    let at = execution.exchanges.iter().position(|e| is_load(&e.answer))?;
    let exchange = &execution.exchanges[at];
    let response = exchange.answer.response()?;
    let alone = exchange.group.is_none() && execution.streamed.is_none();
    (response.status == 503 && response.header("retry-after").is_none() && alone).then_some(at)
}

/// The step of the first request that met load, where it stood alone and was answered 503.
#[must_use]
pub fn busy_step(execution: &Execution) -> Option<&str> {
    let first = execution.exchanges.iter().find(|e| is_load(&e.answer))?;
    (first.answer.status() == Some(503) && first.group.is_none()).then_some(first.step.as_str())
}

/// How many requests a barrier released together where one of them was answered with load.
#[must_use]
pub fn overloaded_group(execution: &Execution) -> Option<usize> {
    let group = execution.exchanges.iter().find(|e| is_load(&e.answer))?.group?;
    Some(execution.exchanges.iter().filter(|e| e.group == Some(group)).count())
}

/// Whether a request was refused for its pace, before anybody looked at what it holds: 429, or 503 with `Retry-After`.
#[must_use]
pub fn is_refused_for_pace(answer: &Answer) -> bool {
    answer.response().is_some_and(|response| match response.status {
        429 => true,
        503 => response.header("retry-after").is_some(),
        _ => false,
    })
}

/// Whether none of the keys of a request is in one of the exchanges: it can then be sent again by itself.
#[must_use]
pub fn has_keys_of_its_own(
    environment: &Environment,
    (request, intent): (&Request, &Intent),
    exchanges: &[Exchange],
) -> bool {
    let mine = keys(environment, request, intent);
    exchanges.iter().all(|e| keys(environment, &e.request, &e.intent).is_disjoint(&mine))
}

/// The keys that a request holds anywhere, in lower case.
fn keys(environment: &Environment, request: &Request, intent: &Intent) -> HashSet<String> {
    let prefixes = KeyPrefixes::of_generator(environment.keys.prefix());
    let texts = [request.raw.as_deref(), request.body.as_deref(), Some(request.path.as_bytes())];
    let headers = request.headers.iter().map(|(_, value)| value.as_bytes());
    let mut keys: HashSet<String> = texts
        .into_iter()
        .flatten()
        .chain(headers)
        .flat_map(|text| prefixes.find(text).into_iter().map(|key| &text[key.place]))
        .map(|key| String::from_utf8_lossy(key).to_ascii_lowercase())
        .collect();
    keys.extend(intent.items().iter().filter_map(|i| i.number.as_ref()).map(|n| n.to_lowercase()));
    keys
}
