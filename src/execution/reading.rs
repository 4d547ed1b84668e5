//! Reads items back: after a case, and wherever a request is the contract's for one item.
//!
//! What does not look as it must is read again for as long as the contract allows. It must not know rules.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Execution, send_request};
use crate::check::{SoughtItem, sought_by, sought_items};
use crate::compose;
use crate::exchange::{Answer, BodyIntent, Exchange, Intent, Loss, Request, Situation};
use crate::session::{Amount, Environment};

/// How long after the first read comes the second; the last one comes when the time is over.
const SOON: Duration = Duration::from_millis(250);

/// A read that is under way.
struct ReadStep {
    sought: SoughtItem,
    request: Request,
    answer: Answer,
}

impl ReadStep {
    fn is_settled(&self, environment: &Environment) -> bool {
        self.sought.is_settled(&environment.contract, &self.answer)
    }
}

/// Reads back at most `most` of the items that an execution sent, and adds the reads to it.
pub(super) async fn read_back(
    environment: &Arc<Environment>,
    execution: &mut Execution,
    most: usize,
) {
    let sought = sought_items(&environment.contract, &execution.exchanges, most);
    let mut reads = Vec::new();
    for sought in sought {
        let Some(mut request) = compose::read_request(environment, &sought.key) else { continue };
        environment.trace(&mut request);
        let answer = send_request(environment, &request, 0).await;
        reads.push(ReadStep { sought, request, answer });
    }
    execution.read_again += settle(environment, &mut reads).await;
    for ReadStep { sought, request, answer } in reads {
        let (exchange, item) = sought.item;
        let step = format!("item {item} of {} read back", execution.step(exchange));
        let intent = compose::intent(environment, &request, BodyIntent::None);
        execution.push(&step, None, request, intent, answer);
    }
    execution.cut |= environment.cancellation.is_cancelled() && execution.was_left();
}

/// The answer to a request that a case or a scenario holds: where it reads an item back, that of the last read.
pub(crate) async fn settled(
    environment: &Arc<Environment>,
    earlier: &[Exchange],
    (request, intent): (&Request, &Intent),
    answer: Answer,
) -> (Answer, Amount) {
    if intent.situation != Situation::Read {
        return (answer, Amount::default());
    }
    let Some(sought) = sought_by(&environment.contract, earlier, request) else {
        return (answer, Amount::default());
    };
    let mut reads = vec![ReadStep { sought, request: request.clone(), answer }];
    let resent = settle(environment, &mut reads).await;
    let answer = reads.pop().map_or_else(|| Answer::Lost(Loss::ended(SOON)), |read| read.answer);
    (answer, resent)
}

/// Reads again what does not look as it must: soon, and when the time is over. What that took.
async fn settle(environment: &Arc<Environment>, reads: &mut [ReadStep]) -> Amount {
    let within = environment.contract.read.as_ref().map_or(Duration::ZERO, |read| read.within);
    let begun = Instant::now();
    let mut resent = Amount::default();
    for after in [SOON.min(within), within] {
        if reads.iter().all(|read| read.is_settled(environment)) {
            break;
        }
        environment.pause(after.saturating_sub(begun.elapsed())).await;
        for read in reads.iter_mut().filter(|read| !read.is_settled(environment)) {
            if environment.cancellation.is_cancelled() {
                // It was not read for as long as it may take.
                read.answer = Answer::Lost(Loss::ended(begun.elapsed()));
                continue;
            }
            // The last read is what is judged: it is made whatever is left of the budget.
            if environment.reserve.take(Amount::new(1, 0)) || after == within {
                resent += Amount::new(1, 0);
                read.answer = send_request(environment, &read.request, 0).await;
            }
        }
    }
    resent
}
