//! Sends a script with fresh numbers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Fresh, Script, Send};
use crate::case::BodyPin;
use crate::compose::{self, Composed};
use crate::contract::Contract;
use crate::exchange::BodyIntent;
use crate::execution::{Trial, release, send as send_one};
use crate::session::Environment;

/// Sends all requests of a script, each number in it exchanged for a fresh one.
pub async fn send(environment: &Arc<Environment>, script: &Script) -> Trial {
    let mut fresh = Fresh::new(&environment.mint, &script.prefixes);
    let mut trial = Trial::default();
    let mut at = 0;
    while let Some(first) = script.sends.get(at) {
        if first.pause > 0 {
            environment.pause(Duration::from_millis(first.pause)).await;
        }
        let together = match first.group {
            Some(group) => script.sends[at..].iter().take_while(|s| s.group == Some(group)).count(),
            None => 1,
        };
        let composed: Vec<Composed> = script.sends[at..at + together]
            .iter()
            .map(|s| compose_one(&environment.contract, &mut fresh, s))
            .collect();
        let answers = match composed.as_slice() {
            [one] => vec![send_one(environment, &one.request, &one.body).await],
            _ => release(environment, composed.clone()).await,
        };
        for ((send, composed), answer) in script.sends[at..].iter().zip(composed).zip(answers) {
            let intent = compose::intent(environment, &composed.request, composed.body.clone());
            trial.push(&send.step, send.group, composed, intent, answer);
        }
        if first.request.hang_up.is_some() {
            environment.pause(environment.left_alone()).await;
        }
        at += together;
    }
    trial.expectations = script.expectations.clone();
    for expectation in &mut trial.expectations {
        for pin in expectation.expect.body.values_mut() {
            if let BodyPin::Equals(value) = pin {
                *value = fresh.value(value);
            }
        }
    }
    trial.relating.clone_from(&script.relating);
    trial
}

fn compose_one(contract: &Contract, fresh: &mut Fresh<'_>, send: &Send) -> Composed {
    let mut request = send.request.clone();
    request.path = fresh.text(&request.path);
    for (_, value) in &mut request.headers {
        *value = fresh.text(value);
    }
    request.raw = request.raw.map(|raw| Bytes::from(fresh.bytes(&raw)));
    request.body = match &send.batch {
        Some(batch) => {
            let items: Vec<String> = batch.items.iter().map(|i| fresh.item(contract, i)).collect();
            let [before, after] = [&batch.before, &batch.after].map(|t| fresh.text(t));
            Some(Bytes::from(format!("{before}{}{after}", items.join(&batch.between))))
        }
        None => request.body.map(|body| Bytes::from(fresh.bytes(&body))),
    };
    let mut body = match &request.body {
        Some(bytes) if send.has_body => {
            BodyIntent::of(contract.body_validity(bytes), &contract.batch.unique)
        }
        _ => BodyIntent::None,
    };
    if let (BodyIntent::Batch { items, .. }, Some(batch)) = (&mut body, &send.batch) {
        for (intent, item) in items.iter_mut().zip(&batch.items) {
            intent.mutations.clone_from(&item.mutations);
        }
    }
    Composed { request, body }
}
