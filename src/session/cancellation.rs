//! The end of a run before its end: by the user, the clock, or the target.
//!
//! Whoever holds a [`Halt`] can end the run. Nothing is sent from then on, what is under way is left, and what was
//! seen stays.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

/// Why a run ended before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// By the user or the clock.
    Cut(String),
    /// By the target.
    Trouble(String),
}

/// Ends a run, and says that it is ended.
#[derive(Debug, Clone)]
pub struct Halt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    why: Mutex<Option<Stop>>,
    reached: watch::Sender<bool>,
}

impl Default for Halt {
    fn default() -> Halt {
        let inner = Inner { why: Mutex::new(None), reached: watch::Sender::new(false) };
        Halt(Arc::new(inner))
    }
}

impl Halt {
    /// Ends the run; the first reason stays.
    pub fn end(&self, why: Stop) {
        self.place().get_or_insert(why);
        self.0.reached.send_replace(true);
    }

    /// Whether it is ended.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        *self.0.reached.borrow()
    }

    /// Waits until it is ended.
    pub async fn reached(&self) {
        let mut reached = self.0.reached.subscribe();
        // The sender lives as long as `self` does.
        let _ = reached.wait_for(|reached| *reached).await;
    }

    /// Why it was ended.
    #[must_use]
    pub fn why(&self) -> Option<Stop> {
        self.place().clone()
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Option<Stop>> {
        match self.0.why.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}
