//! Plain batches: what a target that works accepts. They tell whether it answers, and whether it takes the
//! credentials.

use std::sync::Arc;
use std::time::Duration;

use super::{is_load, send_request};
use crate::case::Credential;
use crate::compose::{self, BodyStyle, OutgoingItem};
use crate::exchange::{Answer, BodyIntent, Exchange};
use crate::generate::OptionalFields;
use crate::session::{Amount, CancelReason, Environment};

/// How often a plain batch is sent to a target that answers with load.
const PLAIN_TRIES: u32 = 3;
/// Pauses before credentials that were refused are tried again.
const CREDENTIAL_PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];

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
            return environment.accepts(&exchange.answer);
        }
    }
    false
}

/// What a look at refused credentials showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialCheck {
    /// The same token is accepted: the refusal had another reason.
    Good,
    /// There is another token now, and it is accepted.
    Renewed,
    /// Credentials are refused, fetched again too.
    Refused,
}

/// Whether credentials are refused now, fetched again too.
pub(crate) async fn credentials_are_refused(environment: &Arc<Environment>) -> bool {
    let generation = environment.sender.token().generation();
    check_credentials(environment, generation).await == CredentialCheck::Refused
}

/// Looks with a plain batch whether the credentials of `generation` are refused, and fetches them again for some
/// seconds where they are.
pub(crate) async fn check_credentials(
    environment: &Arc<Environment>,
    generation: u64,
) -> CredentialCheck {
    let token = environment.sender.token();
    for pause in CREDENTIAL_PAUSES {
        environment.pause(pause).await;
        let answer = exchange_plain_item(environment).await.answer;
        if !matches!(answer.status(), Some(401 | 403)) {
            let same = token.generation() == generation;
            return if same { CredentialCheck::Good } else { CredentialCheck::Renewed };
        }
        if let Err(error) = token.fetch_after(token.generation()).await {
            environment.cancellation.cancel(CancelReason::TargetUnusable(error.to_string()));
            break;
        }
    }
    CredentialCheck::Refused
}

/// Sends a batch of these items; the exchange is added to `exchanges` too.
pub(crate) async fn exchange_batch(
    environment: &Arc<Environment>,
    entries: &[OutgoingItem],
    exchanges: &mut Vec<Exchange>,
) -> Exchange {
    exchange_batch_as(environment, Credential::Good, entries, exchanges).await
}

/// The same with such credentials.
pub(crate) async fn exchange_batch_as(
    environment: &Arc<Environment>,
    credential: Credential,
    entries: &[OutgoingItem],
    exchanges: &mut Vec<Exchange>,
) -> Exchange {
    let (bytes, body) = compose::batch(environment, entries, BodyStyle::Compact);
    let mut request = compose::plain_request(environment, bytes);
    request.credential = credential;
    debug_assert!(matches!(body, BodyIntent::Batch { .. }));
    environment.trace(&mut request);
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
