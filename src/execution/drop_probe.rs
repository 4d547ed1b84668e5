//! Whether a target loses answers, or only closes idle connections: asked one by one, on connections of their own.

use std::sync::Arc;

use super::{Selected, Trial, plain_exchange};
use crate::check::ProbeResult;
use crate::exchange::Answer;
use crate::send::FRESH_CONNECTIONS;
use crate::session::Environment;

/// Trials that lost an answer from which on it is asked.
const SUSPICIOUS: u64 = 3;
/// Requests at most: a fault that loses one answer in a hundred escapes these once in five times.
const MOST: u64 = 300;

/// What asking came to.
#[derive(Default)]
pub struct Asked {
    /// How many, and how many got no answer.
    pub alone: ProbeResult,
    /// The first that got none.
    pub lost: Option<Trial>,
}

/// Sends plain batches one after the other where `lost` trials lost an answer, as many as the reserve has `room`
/// for, or where a case of the run is about that.
pub(crate) async fn ask(
    environment: &Arc<Environment>,
    selected: &[Selected],
    lost: u64,
    room: u64,
) -> Asked {
    let asserted = selected.iter().any(|s| s.rule.is_judged_by_probe());
    if lost < SUSPICIOUS && !asserted {
        return Asked::default();
    }
    one_by_one(environment, if asserted { MOST } else { MOST.min(room) }, ProbeResult::ENOUGH).await
}

/// Sends plain batches one after the other, until `enough` of them got no answer.
pub(crate) async fn one_by_one(environment: &Arc<Environment>, most: u64, enough: u64) -> Asked {
    let mut asked = Asked::default();
    while asked.alone.sent < most && asked.alone.lost < enough {
        let exchange = FRESH_CONNECTIONS.scope(true, plain_exchange(environment)).await;
        if environment.halt.is_reached() {
            break;
        }
        asked.alone.sent += 1;
        if let Answer::Lost(loss) = &exchange.answer
            && !loss.kind.is_ours()
        {
            asked.alone.lost += 1;
            asked
                .lost
                .get_or_insert_with(|| Trial { exchanges: vec![exchange], ..Trial::default() });
        }
    }
    asked
}
