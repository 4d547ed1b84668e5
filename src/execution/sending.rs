//! Sends composed requests: one, or several at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Execution;
use super::is_load;
use crate::compose;
use crate::exchange::{Answer, BodyIntent, Loss, LossKind, Request};
use crate::send::{FRESH_CONNECTIONS, Turn};
use crate::session::{CancelReason, Environment};

/// Bytes of a body up to which a request is small.
const SMALL: usize = 16 * 1024;

/// Sends one request with so many items.
pub(crate) async fn send_request(
    environment: &Environment,
    request: &Request,
    items: usize,
) -> Answer {
    send_when(environment, request, items, None).await
}

/// Sends one request: in `turn`, or when its turn comes.
async fn send_when(
    environment: &Environment,
    request: &Request,
    items: usize,
    turn: Option<Turn>,
) -> Answer {
    if !environment.may_send(items) {
        return Answer::Lost(Loss::ended(Duration::ZERO));
    }
    let bytes = request.raw.as_deref().or(request.body.as_deref()).unwrap_or_default();
    environment.note_keys(bytes);
    let started = std::time::Instant::now();
    let sender = &environment.sender;
    // What is sent again on a connection of its own is waited for as long as it takes.
    let patient =
        FRESH_CONNECTIONS.try_with(|fresh| *fresh).unwrap_or(false) || bytes.len() > SMALL;
    let crowded = || {
        let (kind, elapsed) = (LossKind::Crowded, started.elapsed());
        Answer::Lost(Loss { kind, message: "others were answered meanwhile".to_owned(), elapsed })
    };
    let sending = async {
        let turn = match turn {
            Some(turn) => turn,
            None => sender.pace.turn().await,
        };
        let sending = sender.send_in_turn(request, items, &turn);
        if patient {
            return sending.await;
        }
        environment.unless_crowded(sending).await.unwrap_or_else(crowded)
    };
    let answer = tokio::select! {
        biased;
        () = environment.cancellation.cancelled() => Answer::Lost(Loss::ended(started.elapsed())),
        answer = sending => answer,
    };
    match &answer {
        Answer::Received(_) => environment.note_answered(),
        // Others have connections, and this one gets none.
        Answer::Lost(loss) if loss.kind == LossKind::Connect && sender.pace.under_way() > 0 => {
            environment.crowded();
        }
        Answer::Lost(_) => {}
    }
    if let Answer::Received(response) = &answer
        && request.body.as_ref().is_none_or(|body| body.len() <= SMALL)
    {
        environment.note_busy(response.elapsed);
    }
    if is_load(&answer)
        && let Some(why) = sender.pace.hopeless()
    {
        environment.cancellation.cancel(CancelReason::TargetUnusable(why));
    }
    answer
}

/// Sends all at once, each with its number of items: nobody starts before everybody is ready.
pub(crate) async fn send_together(
    environment: &Arc<Environment>,
    together: Vec<(Request, usize)>,
) -> Vec<Answer> {
    let _race = environment.race().await;
    let turns = tokio::select! {
        biased;
        () = environment.cancellation.cancelled() => Vec::new(),
        turns = environment.sender.pace.turns(together.len()) => turns,
    };
    let mut turns = turns.into_iter();
    let barrier = Arc::new(Barrier::new(together.len()));
    let mut tasks = JoinSet::new();
    let count = together.len();
    let fresh = FRESH_CONNECTIONS.try_with(|fresh| *fresh).unwrap_or(false);
    for (index, (request, items)) in together.into_iter().enumerate() {
        let environment = Arc::clone(environment);
        let barrier = Arc::clone(&barrier);
        let turn = turns.next();
        tasks.spawn(async move {
            barrier.wait().await;
            let answer = send_when(&environment, &request, items, turn);
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
