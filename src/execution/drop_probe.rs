//! Whether a target loses answers, or only closes idle connections: probe one by one, on connections of their own.

use std::sync::Arc;

use super::{Execution, SelectedCase, exchange_plain_item};
use crate::check::ProbeResult;
use crate::exchange::Answer;
use crate::send::FRESH_CONNECTIONS;
use crate::session::Environment;

/// Executions that lost an answer from which on it is probe.
const SUSPICIOUS: u64 = 3;
/// Requests at most: a fault that loses one answer in a hundred escapes these once in five times.
const MOST: u64 = 300;

/// What asking came to.
#[derive(Default)]
pub struct DropProbe {
    /// How many, and how many got no answer.
    pub result: ProbeResult,
    /// The first that got none.
    pub lost: Option<Execution>,
}

/// Sends plain batches one after the other where `lost` executions lost an answer, or where a case of the run is
/// about that; as many as the reserve has `room` for.
pub(crate) async fn probe_drops(
    environment: &Arc<Environment>,
    selected: &[SelectedCase],
    lost: u64,
    room: u64,
) -> DropProbe {
    let asserted = selected.iter().any(|s| s.rule.is_judged_by_probe());
    if lost < SUSPICIOUS && !asserted {
        return DropProbe::default();
    }
    // What is idle may take the place of what is asked.
    environment.close_idle_connections().await;
    let most = MOST.min(room).min(environment.items_left());
    probe_one_by_one(environment, most, ProbeResult::ENOUGH).await
}

/// Sends plain batches one after the other, until `enough` of them got no answer.
pub(crate) async fn probe_one_by_one(
    environment: &Arc<Environment>,
    most: u64,
    enough: u64,
) -> DropProbe {
    let mut probe = DropProbe::default();
    if environment.too_many_connections().is_some() {
        environment.leave_more_room();
    }
    while probe.result.sent < most && probe.result.lost < enough {
        environment.leave_room().await;
        let exchange = FRESH_CONNECTIONS.scope(true, exchange_plain_item(environment)).await;
        let is_hopeless = environment.sender.out_of_patience().is_some();
        if is_hopeless || environment.cancellation.is_cancelled() {
            break;
        }
        probe.result.sent += 1;
        if let Answer::Lost(loss) = &exchange.answer
            && !loss.kind.is_ours()
        {
            probe.result.lost += 1;
            probe.lost.get_or_insert_with(|| Execution {
                exchanges: vec![exchange],
                ..Execution::default()
            });
        }
    }
    probe
}
