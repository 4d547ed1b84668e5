//! Sends composed requests: one, or several at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Barrier, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Execution;
use super::is_load;
use crate::case::Credential;
use crate::compose::{self, BodyStyle, OutgoingItem};
use crate::exchange::{Answer, BodyIntent, Loss, LossKind, Request, Situation, situation_of};
use crate::generate::OptionalFields;
use crate::send::{FRESH_CONNECTIONS, Turn};
use crate::session::{CancelReason, Environment};

/// Bytes of a body up to which a request is small.
const SMALL: usize = 16 * 1024;
/// Bytes of a body that a server reads away behind a refusal, whatever it does with more.
const READ_AWAY: usize = 4 * 1024;
/// Tokens that a request is sent with at most, beside the first.
const TOKENS: u32 = 3;

tokio::task_local! {
    /// The places of all jobs, for an execution that has none while it waits: each of its requests takes one.
    pub(crate) static JOBS: Arc<Semaphore>;
}

/// Sends one request with `items` items; again with another token, where the target refuses the token.
pub(crate) async fn send_request(
    environment: &Environment,
    request: &Request,
    items: usize,
) -> Answer {
    send_renewing(environment, request, items, None).await
}

/// The same: first in `turn`, or when its turn comes.
async fn send_renewing(
    environment: &Environment,
    request: &Request,
    items: usize,
    turn: Option<Turn>,
) -> Answer {
    let token = environment.sender.token();
    let mut generation = token.generation();
    let mut answer = send_once(environment, request, items, turn).await;
    if !token.can_change() || !shows_the_token(environment, request) {
        return answer;
    }
    for _ in 0..TOKENS {
        if answer.status() != Some(401) || !may_be_the_token(environment, request, generation).await
        {
            break;
        }
        match token.fetch_after(generation).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                environment.cancellation.cancel(CancelReason::TargetUnusable(error.to_string()));
                return Answer::Lost(Loss::ended(Duration::ZERO));
            }
        }
        generation = token.generation();
        answer = send_once(environment, request, items, None).await;
    }
    answer
}

/// Whether a refusal says something of the token.
fn shows_the_token(environment: &Environment, request: &Request) -> bool {
    let scheme = environment.profile.credential_scheme(&environment.contract);
    request.credential == Credential::Good
        && request.hang_up.is_none()
        && request.header(scheme.header()).is_none()
}

/// Whether the token of `generation` may be why a request was refused: of one that should be accepted it is; of
/// another one, where a plain batch is refused too.
async fn may_be_the_token(environment: &Environment, request: &Request, generation: u64) -> bool {
    if situation_of(&environment.contract, request) == Situation::Ordinary
        || environment.sender.token().generation() != generation
    {
        return true;
    }
    let draft = environment.generator.item(7, OptionalFields::All);
    let entry = OutgoingItem::with_fresh_key(environment, draft);
    let (bytes, _) = compose::batch(environment, &[entry], BodyStyle::Compact);
    let mut plain = compose::plain_request(environment, bytes);
    environment.trace(&mut plain);
    let refused = send_once(environment, &plain, 1, None).await.status() == Some(401);
    // Another task may have fetched the token that the plain batch was accepted with.
    refused || environment.sender.token().generation() != generation
}

/// The place of one job, where this execution holds none while it waits.
async fn job() -> Option<OwnedSemaphorePermit> {
    let jobs = JOBS.try_with(Arc::clone).ok()?;
    jobs.acquire_owned().await.ok()
}

/// Sends one request once: in `turn`, or when its turn comes.
async fn send_once(
    environment: &Environment,
    request: &Request,
    items: usize,
    turn: Option<Turn>,
) -> Answer {
    if !environment.may_send(items) {
        return Answer::Lost(Loss::ended(Duration::ZERO));
    }
    let _job = match turn {
        // Simultaneous requests go out together, also beside others.
        Some(_) => None,
        None => job().await,
    };
    let bytes = request.raw.as_deref().or(request.body.as_deref()).unwrap_or_default();
    environment.note_keys(bytes);
    let _sending = environment.beside_others().await;
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
            None if patient => sender.pace.turn().await,
            // Many that wait to be refused for their pace would keep the run for as many pauses.
            None => tokio::select! {
                biased;
                turn = sender.pace.turn() => turn,
                () = sender.patience_is_over() => {
                    return Answer::Lost(Loss::ended(started.elapsed()));
                }
            },
        };
        environment.leave_room().await;
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
    if may_close_behind(environment, request, &answer) {
        environment.give_time_to_notice().await;
    }
    if is_load(&answer)
        && let Some(why) = sender.pace.hopeless()
    {
        environment.cancellation.cancel(CancelReason::TargetUnusable(why));
    }
    answer
}

/// Whether a target may close the connection behind this answer: it refused what the head says before it read the body
/// (RFC 9112, section 9.6). A gateway that has not noticed yet answers the next request 502.
fn may_close_behind(environment: &Environment, request: &Request, answer: &Answer) -> bool {
    let body = request.body.as_ref().map_or(0, bytes::Bytes::len);
    let refused = answer.status().is_some_and(|status| (400..500).contains(&status));
    body > READ_AWAY
        && refused
        && situation_of(&environment.contract, request) != Situation::Ordinary
}

/// Sends all at once, each with its number of items: nobody starts before everybody is ready.
pub(crate) async fn send_together(
    environment: &Arc<Environment>,
    together: Vec<(Request, usize)>,
) -> Vec<Answer> {
    let _race = environment.race().await;
    let _sending = environment.beside_others().await;
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
            let answer = send_renewing(&environment, &request, items, turn);
            let answer = FRESH_CONNECTIONS.scope(fresh, answer);
            (index, Environment::on_behalf(answer).await)
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
    mut request: Request,
    body: BodyIntent,
) -> usize {
    environment.trace(&mut request);
    let intent = compose::intent(environment, &request, body);
    let answer = send_request(environment, &request, intent.items().len()).await;
    execution.push(step, None, request, intent, answer)
}
