//! The end of a run before its end: by the user, the clock, or the target.
//!
//! The holder of a [`Cancellation`] can end the run. Nothing is sent from then on, what is under way is left, and what was
//! seen stays.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::locked;

/// Why a run ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelReason {
    /// By the user or the clock.
    Requested(String),
    /// By the target.
    TargetUnusable(String),
}

/// Ends a run, and says that it is ended.
#[derive(Debug, Clone)]
pub struct Cancellation(Arc<CancellationState>);

#[derive(Debug)]
struct CancellationState {
    reason: Mutex<Option<CancelReason>>,
    cancelled: watch::Sender<bool>,
}

impl Default for Cancellation {
    fn default() -> Cancellation {
        let inner =
            CancellationState { reason: Mutex::new(None), cancelled: watch::Sender::new(false) };
        Cancellation(Arc::new(inner))
    }
}

impl Cancellation {
    /// Ends the run; the first reason stays.
    pub fn cancel(&self, reason: CancelReason) {
        self.reason_slot().get_or_insert(reason);
        self.0.cancelled.send_replace(true);
    }

    /// Whether it is ended.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.cancelled.borrow()
    }

    /// Waits until it is ended.
    pub async fn cancelled(&self) {
        let mut cancelled = self.0.cancelled.subscribe();
        // The sender lives as long as `self` does.
        let _ = cancelled.wait_for(|cancelled| *cancelled).await;
    }

    /// Why it was ended.
    #[must_use]
    pub fn reason(&self) -> Option<CancelReason> {
        self.reason_slot().clone()
    }

    fn reason_slot(&self) -> std::sync::MutexGuard<'_, Option<CancelReason>> {
        locked(&self.0.reason)
    }
}
