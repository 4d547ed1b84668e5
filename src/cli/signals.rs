//! Ctrl-C and its kin: the first ends the run with reports of what was seen, the second ends the process.

use crate::session::{CancelReason, Cancellation};

use super::say_error;

/// What a shell says of a process that a signal ended.
const BY_SIGNAL: i32 = 128;
/// The number of what Ctrl-C sends.
const INTERRUPT: i32 = 2;

/// Ends the run behind `cancellation` on Ctrl-C, SIGTERM or SIGHUP; a second one ends the process at once. `says` what
/// the first one does, `lost` what the second one does beside that.
pub fn end_on_signal(cancellation: Cancellation, says: &'static str, lost: &'static str) {
    let mut signals = Signals::new();
    tokio::spawn(async move {
        let (what, number) = signals.next().await;
        let again =
            if number == INTERRUPT { "press Ctrl-C again" } else { "a second signal is enough" };
        say_error(&format!("{what}: {says}; {again} to quit at once{lost}"));
        cancellation.cancel(CancelReason::Requested(what.to_owned()));
        let (_, number) = signals.next().await;
        std::process::exit(BY_SIGNAL + number);
    });
}

#[cfg(unix)]
pub(super) struct Signals(Vec<(tokio::signal::unix::Signal, &'static str, i32)>);

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (SignalKind::interrupt(), "interrupted"),
            (SignalKind::terminate(), "terminated"),
            (SignalKind::hangup(), "hung up"),
        ];
        let watched = kinds.into_iter().filter_map(|(kind, what)| {
            // Where one can't be watched, it does what it does to any program.
            signal(kind).ok().map(|stream| (stream, what, kind.as_raw_value()))
        });
        Signals(watched.collect())
    }

    pub(super) async fn next(&mut self) -> (&'static str, i32) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let waiting = self.0.iter_mut().map(|(stream, what, number)| {
            Box::pin(async move {
                stream.recv().await;
                (*what, *number)
            })
        });
        futures_util::future::select_all(waiting).await.0
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> Signals {
        Signals
    }

    pub(super) async fn next(&mut self) -> (&'static str, i32) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        ("interrupted", INTERRUPT)
    }
}
