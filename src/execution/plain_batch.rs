//! Plain batches: what a target that works accepts. They tell whether it answers, and whether it takes the
//! credentials.

use std::sync::Arc;

use super::{is_load, send_request};
use crate::compose::{self, BodyStyle, OutgoingItem};
use crate::exchange::{Answer, BodyIntent, Exchange};
use crate::generate::OptionalFields;
use crate::session::{Amount, Environment};

/// How often a plain batch is sent to a target that answers with load.
const PLAIN_TRIES: u32 = 3;

/// Sends one plain item.
pub(crate) async fn exchange_plain_item(environment: &Arc<Environment>) -> Exchange {
    let entry = OutgoingItem::with_fresh_key(
        environment,
        environment.generator.item(7, OptionalFields::All),
    );
    exchange_batch(environment, &[entry], &mut Vec::new()).await
}

/// Sends one plain item; whether it was accepted.
pub(crate) async fn accepts_plain_batch(environment: &Arc<Environment>) -> bool {
    for nth in 0..PLAIN_TRIES {
        if nth > 0 && !environment.reserve.take(Amount::new(1, 1)) {
            return false;
        }
        let exchange = exchange_plain_item(environment).await;
        if !is_load(&exchange.answer) {
            return exchange.answer.status() == Some(200);
        }
    }
    false
}

/// Whether credentials are refused now, after reading them again.
pub(crate) async fn credentials_are_refused(environment: &Arc<Environment>) -> bool {
    let _ = environment.sender.token().renew();
    matches!(exchange_plain_item(environment).await.answer.status(), Some(401 | 403))
}

/// Sends a batch of these items; the exchange is added to `exchanges` too.
pub(crate) async fn exchange_batch(
    environment: &Arc<Environment>,
    entries: &[OutgoingItem],
    exchanges: &mut Vec<Exchange>,
) -> Exchange {
    let (bytes, body) = compose::batch(environment, entries, BodyStyle::Compact);
    let request = compose::plain_request(environment, bytes);
    debug_assert!(matches!(body, BodyIntent::Batch { .. }));
    let intent = compose::intent(environment, &request, body);
    let answer = send_request(environment, &request, intent.items().len()).await;
    if let Answer::Received(response) = &answer {
        environment.note_latency(response.elapsed);
    }
    let exchange = Exchange {
        index: exchanges.len(),
        step: "preflight".to_owned(),
        group: None,
        request,
        intent,
        answer,
        always_busy: false,
    };
    exchanges.push(exchange.clone());
    exchange
}
