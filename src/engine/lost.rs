//! Whether a target loses answers, or only closes idle connections: asked one by one, on connections of their own.

use std::sync::Arc;

use super::environment::Environment;
use super::opening::plain_exchange;
use crate::check::Alone;
use crate::exchange::Answer;
use crate::send::FRESH_CONNECTIONS;

/// Trials that lost an answer from which on it is asked.
const SUSPICIOUS: u64 = 3;
/// Requests at most: a fault that loses one answer in a hundred escapes these once in five times.
const MOST: u64 = 300;

/// Sends plain batches one after the other where `lost` trials lost an answer; `room` is the reserve that is left.
pub(super) async fn ask(environment: &Arc<Environment>, lost: u64, room: u64) -> Alone {
    let mut alone = Alone::default();
    if lost < SUSPICIOUS {
        return alone;
    }
    while alone.asked < MOST.min(room) && alone.lost < Alone::ENOUGH {
        let exchange = FRESH_CONNECTIONS.scope(true, plain_exchange(environment)).await;
        if environment.halt.is_reached() {
            break;
        }
        alone.asked += 1;
        if let Answer::Lost(loss) = &exchange.answer {
            alone.lost += u64::from(!loss.kind.is_ours());
        }
    }
    alone
}
