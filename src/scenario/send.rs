//! Sends a scenario with fresh numbers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{BatchText, FreshKeys, Scenario, ScenarioRequest};
use crate::compose::{self, ComposedRequest};
use crate::contract::Contract;
use crate::exchange::{BodyIntent, key_read};
use crate::execution::{Execution, send_request, send_together, settled};
use crate::session::{Amount, Environment};

/// Sends all requests of a scenario, each number in it exchanged for a fresh one.
pub async fn send_scenario(environment: &Arc<Environment>, scenario: &Scenario) -> Execution {
    let mut fresh = FreshKeys::new(&environment.keys, &scenario.prefixes);
    let mut execution = Execution::default();
    let mut at = 0;
    while let Some(first) = scenario.requests.get(at) {
        if first.pause > 0 {
            environment.pause(Duration::from_millis(first.pause)).await;
        }
        let together = match first.group {
            Some(group) => {
                scenario.requests[at..].iter().take_while(|s| s.group == Some(group)).count()
            }
            None => 1,
        };
        let composed: Vec<ComposedRequest> = scenario.requests[at..at + together]
            .iter()
            .map(|s| {
                let mut composed = compose_one(&environment.contract, &mut fresh, s);
                environment.trace(&mut composed.request);
                composed
            })
            .collect();
        let answers = match composed.as_slice() {
            [one] => {
                vec![send_request(environment, &one.request, one.body.items().len()).await]
            }
            several => {
                let requests = several.iter().map(|c| (c.request.clone(), c.body.items().len()));
                send_together(environment, requests.collect()).await
            }
        };
        for ((sent, composed), answer) in scenario.requests[at..].iter().zip(composed).zip(answers)
        {
            let ComposedRequest { request, body } = composed;
            let intent = compose::intent(environment, &request, body);
            let (answer, again) = match sent.group {
                None => {
                    settled(environment, &execution.exchanges, (&request, &intent), answer).await
                }
                Some(_) => (answer, Amount::default()),
            };
            execution.read_again += again;
            execution.push(&sent.step, sent.group, request, intent, answer);
        }
        if first.request.hang_up.is_some() {
            environment.pause(environment.left_alone()).await;
        }
        at += together;
    }
    execution.expectations = scenario.expectations.clone();
    for expectation in &mut execution.expectations {
        for value in expectation.expect.values_mut() {
            *value = fresh.value(value);
        }
    }
    execution.relating.clone_from(&scenario.relating);
    execution
}

fn compose_one(
    contract: &Contract,
    fresh: &mut FreshKeys<'_>,
    send: &ScenarioRequest,
) -> ComposedRequest {
    let mut request = send.request.clone();
    let read = key_read(contract, &request).and_then(|old| fresh.formed(&old));
    request.path = match (&read, &contract.read) {
        (Some(key), Some(read)) => read.path_of(key),
        _ => fresh.text(&request.path),
    };
    for (_, value) in &mut request.headers {
        *value = fresh.text(value);
    }
    request.raw = request.raw.map(|raw| Bytes::from(fresh.bytes(&raw)));
    request.body = match &send.batch {
        Some(batch) => {
            let [before, after] = [&batch.before, &batch.after].map(|t| fresh.text(t));
            let batch = BatchText { before, after, ..batch.clone() };
            Some(Bytes::from(batch.body(|item| fresh.item(contract, item))))
        }
        None => match read.zip(contract.read.as_ref()).and_then(|(key, read)| read.body_of(&key)) {
            Some(body) => Some(Bytes::from(body)),
            None => request.body.map(|body| Bytes::from(fresh.bytes(&body))),
        },
    };
    let mut body = match &request.body {
        Some(bytes) if send.has_body => {
            BodyIntent::of(contract.body_validity(bytes), contract.judged_key())
        }
        _ => BodyIntent::None,
    };
    if let (BodyIntent::Batch { items, .. }, Some(batch)) = (&mut body, &send.batch) {
        for (intent, item) in items.iter_mut().zip(&batch.items) {
            intent.mutations.clone_from(&item.mutations);
        }
    }
    ComposedRequest { request, body }
}
