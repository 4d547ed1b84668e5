//! Plain batches: what a target that works accepts. They tell whether it answers, and whether it takes the
//! credentials.

use std::sync::Arc;

use super::send;
use crate::compose::{self, Entry, Writing};
use crate::exchange::{Answer, BodyIntent, Exchange};
use crate::generate::Optional;
use crate::session::Environment;

/// Sends one plain item.
pub(crate) async fn plain_exchange(environment: &Arc<Environment>) -> Exchange {
    let entry = Entry::mint(environment, environment.generator.item(7, Optional::All));
    exchange(environment, &[entry], &mut Vec::new()).await
}

/// Sends one plain item; whether it was accepted.
pub(crate) async fn plain_batch_is_good(environment: &Arc<Environment>) -> bool {
    plain_exchange(environment).await.answer.status() == Some(200)
}

/// Whether credentials are refused now, after reading them again.
pub(crate) async fn credentials_are_refused(environment: &Arc<Environment>) -> bool {
    let _ = environment.sender.token().renew();
    matches!(plain_exchange(environment).await.answer.status(), Some(401 | 403))
}

/// Sends a batch of these items; the exchange is added to `exchanges` too.
pub(crate) async fn exchange(
    environment: &Arc<Environment>,
    entries: &[Entry],
    exchanges: &mut Vec<Exchange>,
) -> Exchange {
    let (bytes, body) = compose::batch(environment, entries, Writing::Compact);
    let request = compose::plain_request(environment, bytes);
    let intent = compose::intent(environment, &request, body.clone());
    let answer = send(environment, &request, &body).await;
    if let Answer::Received(response) = &answer {
        environment.note_latency(response.elapsed);
    }
    debug_assert!(matches!(body, BodyIntent::Batch { .. }));
    let exchange = Exchange {
        index: exchanges.len(),
        step: "opening".to_owned(),
        group: None,
        request,
        intent,
        answer,
    };
    exchanges.push(exchange.clone());
    exchange
}
