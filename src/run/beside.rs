//! The older target beside that of a run: whether it can be compared, and what differed sent again.

use std::sync::Arc;

use super::preflight::{Preflight, send_preflight};
use super::shared::RunContext;
use crate::lockstep::{Against, Lockstep, RepeatSource};
use crate::record::Event;
use crate::session::{Budget, CancelReason, Progress, locked};

/// Begins to compare with the older target; what to do next, where that can't be.
pub(super) async fn begin_lockstep(
    shared: &Arc<RunContext>,
    against: Option<&Against>,
) -> Option<String> {
    let against = against.filter(|_| !shared.is_stopped())?;
    against.sender.discover().await;
    against.sender.begin_patience();
    let lockstep = Box::pin(Lockstep::begin(&shared.environment, against)).await;
    let mut advice = None;
    let base = against.sender.target.base.clone();
    if lockstep.has_failed() {
        shared
            .end(CancelReason::TargetUnusable(format!("the older target {base} can't be reached")));
    } else if shared.options.preflight
        && let Preflight::Stopped { why, advice: further } =
            send_preflight(lockstep.old(), &mut Vec::new()).await
    {
        let why = locked(&shared.collector).clean(&format!("the older target: {why}"));
        lockstep.fails(&why);
        shared.end(CancelReason::TargetUnusable(why));
        advice = Some(locked(&shared.collector).clean(&further));
    }
    if lockstep.old().keys.prefix() != shared.environment.keys.prefix() {
        let text =
            "both targets share what they store: the keys of the older one differ in their nonce"
                .to_owned();
        let noted = locked(&shared.collector).write(Event::Note { text });
        shared.io(noted);
    }
    let _ = shared.lockstep.set(lockstep);
    advice
}

/// Sends what differed again, with half of what may be sent again.
pub(super) async fn repeat_differences(shared: &Arc<RunContext>, budget: &Budget) {
    let Some(lockstep) = shared.lockstep.get().filter(|_| !shared.is_stopped()) else { return };
    let found = lockstep.found();
    if found == 0 {
        return;
    }
    shared.observer.see(Progress::Confirming { findings: found });
    let half = Budget::new(budget.left().share(2));
    let before = half.left();
    let source =
        RepeatSource { selected: &shared.selected, seed: shared.options.seed, budget: &half };
    lockstep.repeat(&source).await;
    budget.charge(before.minus(half.left()));
}
