//! A hook that is made of requests to the target: once, for each key, or for each batch of keys.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::{HookContext, HookKind};
use crate::case::{Credential, Framing};
use crate::contract::hook::{Hook, HookRequest, fill};
use crate::exchange::{Answer, Request};

/// Keys that `${keys}` stands for, where the profile says nothing.
const KEYS: usize = 500;
/// How often a request is sent that is refused for load, or lost.
const TRIES: u32 = 6;
/// Failed requests after which no more are sent: the target is gone, or wants something else.
const FAILED: usize = 5;
/// Bytes of an answer that are shown.
const SHOWN: usize = 300;

/// Sends all requests; gives how many.
///
/// # Errors
/// What the first that failed was answered, and how many did.
pub(super) async fn send_all(
    context: &HookContext<'_>,
    kind: HookKind,
    hook: &Hook,
    keys: &[String],
) -> Result<u64, String> {
    let mut sent = 0;
    for spec in &hook.requests {
        let groups: Vec<&[String]> = if spec.names("key") {
            keys.chunks(1).collect()
        } else if spec.names("keys") {
            keys.chunks(spec.keys.unwrap_or(KEYS).max(1)).collect()
        } else {
            vec![&[]]
        };
        let all = groups.len();
        let mut failed = Vec::new();
        let mut groups = groups.into_iter();
        let mut waiting = FuturesUnordered::new();
        while failed.len() < FAILED {
            while waiting.len() < context.jobs.max(1)
                && let Some(group) = groups.next()
            {
                waiting.push(send_one(context, kind, spec, group));
            }
            let Some(answer) = waiting.next().await else { break };
            sent += 1;
            failed.extend(answer.err());
        }
        if let Some(first) = failed.first() {
            let more = failed.len() - 1;
            let others =
                if more > 0 { format!(", and {more} more of {all} failed") } else { String::new() };
            return Err(format!("{first}{others}"));
        }
    }
    Ok(sent)
}

async fn send_one(
    context: &HookContext<'_>,
    kind: HookKind,
    spec: &HookRequest,
    keys: &[String],
) -> Result<(), String> {
    let sender = &context.environment.sender;
    let mut request = request(context, spec, keys);
    let shown = format!("{} {}", request.method, spec.path);
    let mut why = String::new();
    for tries in 0..TRIES {
        context.environment.trace(&mut request);
        let generation = sender.token().generation();
        match sender.send(&request, keys.len()).await {
            Answer::Received(response) => {
                let status = response.status;
                let gone = kind == HookKind::Cleanup && matches!(status, 404 | 410);
                let is_fine = if spec.status.is_empty() {
                    (200..300).contains(&status) || gone
                } else {
                    spec.status.contains(&status)
                };
                if is_fine {
                    return Ok(());
                }
                let body = String::from_utf8_lossy(&response.body);
                let body: String = body.chars().take(SHOWN).collect();
                why = format!("{shown} was answered {status} {body}");
                if let Some(hopeless) = sender.pace.hopeless() {
                    return Err(format!("{shown}: {hopeless}"));
                }
                match status {
                    408 | 429 | 502..=504 => {}
                    401 | 403 if tries == 0 => {
                        let fetched = sender.token().fetch_after(generation).await;
                        fetched.map_err(|error| format!("{shown}: {error}"))?;
                    }
                    _ => break,
                }
            }
            Answer::Lost(loss) => {
                why = format!("{shown}: {} ({})", loss.kind.words(), loss.message);
            }
        }
        tokio::time::sleep(Duration::from_millis(100) * (1 << tries)).await;
    }
    Err(why.trim_end().to_owned())
}

/// Where a value is put.
#[derive(Clone, Copy)]
enum HookPlace {
    Path,
    Header,
    Body,
}

fn request(context: &HookContext<'_>, spec: &HookRequest, keys: &[String]) -> Request {
    let filled =
        |text: &str, place: HookPlace| fill(text, &|name| value(context, name, keys, place));
    let mut headers: Vec<(String, String)> = spec
        .headers
        .iter()
        .map(|(name, text)| (name.clone(), filled(text, HookPlace::Header)))
        .collect();
    let has = |wanted: &str| spec.headers.keys().any(|name| name.eq_ignore_ascii_case(wanted));
    if spec.body.is_some() && !has("content-type") {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    if !has("accept") {
        headers.push(("Accept".to_owned(), "*/*".to_owned()));
    }
    Request {
        method: spec.method.clone().unwrap_or_else(|| "POST".to_owned()),
        path: filled(&spec.path, HookPlace::Path),
        headers,
        credential: Credential::Good,
        body: spec.body.as_deref().map(|body| bytes::Bytes::from(filled(body, HookPlace::Body))),
        framing: Framing::Sized,
        hang_up: None,
        new_connection: false,
        trace: None,
        raw: None,
    }
}

fn value(
    context: &HookContext<'_>,
    name: &str,
    keys: &[String],
    place: HookPlace,
) -> Option<String> {
    let text = match name {
        "run-id" => context.run_id.to_owned(),
        "key" => keys.first()?.clone(),
        "keys" => {
            return Some(match place {
                HookPlace::Body => Value::from(keys).to_string(),
                HookPlace::Header => keys.join(","),
                HookPlace::Path => {
                    keys.iter().map(|key| percent_encoded(key)).collect::<Vec<_>>().join(",")
                }
            });
        }
        // What the user put there is used as it is.
        _ => return std::env::var(name.strip_prefix("env:")?).ok(),
    };
    Some(match place {
        HookPlace::Path => percent_encoded(&text),
        HookPlace::Header => text,
        // Between quotation marks that the profile has.
        HookPlace::Body => {
            let quoted = Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    })
}

/// A text as a part of a path (RFC 3986 section 2.3).
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
