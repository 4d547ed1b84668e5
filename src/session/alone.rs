//! Quiet: a request that is under way alone, so that no load of ours is why the target calls itself busy.
//!
//! What is refused all the same is remembered. It must not know what is sent.

use tokio::sync::RwLockReadGuard;

use super::{Environment, locked};

/// Batches of fewer items are not refused for their size.
const SIZABLE: usize = 20;
/// Requests that are tried alone in vain, before only those are that were refused twice.
const IN_VAIN: u32 = 8;

/// Executions in a row that are answered 503 in every try, after which each further one gets one try.
const ALWAYS: u32 = 2;

tokio::task_local! {
    /// Set where nothing else is under way, or where the right to send is held already.
    static QUIET: ();
}

impl Environment {
    /// Runs `sending` while nothing else is sent.
    pub async fn quietly<T>(&self, sending: impl Future<Output = T>) -> T {
        if is_quiet() {
            return sending.await;
        }
        let _alone = self.quiet.sending.write().await;
        QUIET.scope((), sending).await
    }

    /// The right to send beside others; nothing where it is held already.
    pub(crate) async fn beside_others(&self) -> Option<RwLockReadGuard<'_, ()>> {
        if is_quiet() { None } else { Some(self.quiet.sending.read().await) }
    }

    /// Runs `sending` for a task whose right to send is held by another one.
    pub(crate) async fn on_behalf<T>(sending: impl Future<Output = T>) -> T {
        QUIET.scope((), sending).await
    }

    /// Whether a request of this number of items, or that step of a case, is known to be refused alone too.
    #[must_use]
    pub fn is_refused_alone(&self, items: usize, case: &str, step: &str) -> bool {
        let refused = locked(&self.quiet.refused);
        refused.from.is_some_and(|from| items >= from)
            || refused.steps.contains(&(case.to_owned(), step.to_owned()))
    }

    /// Whether it is worth while to try a request alone at its first refusal.
    #[must_use]
    pub fn may_try_alone(&self) -> bool {
        locked(&self.quiet.refused).in_vain < IN_VAIN
    }

    /// Whether that step of a case was answered 503 in every try of the executions before: one more try tells as much.
    #[must_use]
    pub fn is_always_busy(&self, case: &str, step: &str) -> bool {
        let key = (case.to_owned(), step.to_owned());
        locked(&self.quiet.overloaded).get(&key).is_some_and(|times| *times >= ALWAYS)
    }

    /// Takes note of a step that was answered 503 in every try of an execution.
    pub fn note_always_busy(&self, case: &str, step: &str) {
        *locked(&self.quiet.overloaded).entry((case.to_owned(), step.to_owned())).or_default() += 1;
    }

    /// Takes note of an execution of a case that was answered.
    pub fn note_not_busy(&self, case: &str) {
        locked(&self.quiet.overloaded).retain(|(known, _), _| known != case);
    }

    /// Takes note of how a request fared alone. What is refused alone says nothing of the pace.
    pub fn note_alone(&self, refused: bool, items: usize, case: &str, step: &str) {
        let mut known = locked(&self.quiet.refused);
        if !refused {
            known.in_vain += 1;
            return;
        }
        if items >= SIZABLE {
            known.from = Some(known.from.map_or(items, |from| from.min(items)));
        }
        known.steps.insert((case.to_owned(), step.to_owned()));
        drop(known);
        self.sender.pace.busy_is_a_fault();
    }
}

fn is_quiet() -> bool {
    QUIET.try_with(|()| ()).is_ok()
}
