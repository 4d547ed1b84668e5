//! Sends composed requests: one, or several at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Execution;
use crate::compose;
use crate::exchange::{Answer, BodyIntent, Loss, LossKind, Request};
use crate::send::FRESH_CONNECTIONS;
use crate::session::Environment;

/// Bytes of a body up to which a request is small.
const SMALL: usize = 16 * 1024;

/// Sends one request with so many items.
pub(crate) async fn send_request(
    environment: &Environment,
    request: &Request,
    items: usize,
) -> Answer {
    if !environment.may_send(items) {
        return Answer::Lost(Loss::ended(Duration::ZERO));
    }
    let started = std::time::Instant::now();
    let answer = tokio::select! {
        biased;
        () = environment.cancellation.cancelled() => Answer::Lost(Loss::ended(started.elapsed())),
        answer = environment.sender.send(request, items) => answer,
    };
    if let Answer::Received(response) = &answer
        && request.body.as_ref().is_none_or(|body| body.len() <= SMALL)
    {
        environment.note_busy(response.elapsed);
    }
    answer
}

/// Sends all at once, each with its number of items: nobody starts before everybody is ready.
pub(crate) async fn send_together(
    environment: &Arc<Environment>,
    together: Vec<(Request, usize)>,
) -> Vec<Answer> {
    let _race = environment.race().await;
    let barrier = Arc::new(Barrier::new(together.len()));
    let mut tasks = JoinSet::new();
    let count = together.len();
    let fresh = FRESH_CONNECTIONS.try_with(|fresh| *fresh).unwrap_or(false);
    for (index, (request, items)) in together.into_iter().enumerate() {
        let environment = Arc::clone(environment);
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            let answer = send_request(&environment, &request, items);
            (index, FRESH_CONNECTIONS.scope(fresh, answer).await)
        });
    }
    let mut answers: Vec<Option<Answer>> = vec![None; count];
    while let Some(joined) = tasks.join_next().await {
        if let Ok((index, answer)) = joined {
            answers[index] = Some(answer);
        }
    }
    answers
        .into_iter()
        .map(|answer| {
            answer.unwrap_or_else(|| {
                Answer::Lost(Loss {
                    kind: LossKind::HungUp,
                    message: "the sending task ended early".to_owned(),
                    elapsed: Duration::ZERO,
                })
            })
        })
        .collect()
}

/// Sends one request of an execution, and adds the exchange to it.
pub(super) async fn exchange(
    environment: &Arc<Environment>,
    execution: &mut Execution,
    step: &str,
    request: Request,
    body: BodyIntent,
) -> usize {
    let intent = compose::intent(environment, &request, body);
    let answer = send_request(environment, &request, intent.items().len()).await;
    execution.push(step, None, request, intent, answer)
}
