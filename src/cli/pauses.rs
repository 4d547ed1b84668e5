//! Says on the terminal when a target asks to be left alone: a minute without a word looks like a hang.

use std::time::Duration;

use crate::send::{LONGEST_PAUSE, Pause};
use crate::session::Environment;

/// Pauses that are shorter are not worth a line.
const WORTH_A_LINE: Duration = Duration::from_secs(3);

/// Says of each pause that the target asks for until when nothing is sent; while the runtime lasts.
pub fn announce_pauses(environment: &Environment, say: impl Fn(&str) + Send + 'static) {
    let mut pauses = environment.sender.pauses();
    let base = environment.sender.target.base.clone();
    tokio::spawn(async move {
        let mut until = None;
        while pauses.changed().await.is_ok() {
            let Some(pause) = *pauses.borrow_and_update() else { continue };
            let end = pause.since + pause.kept();
            // Several requests that were under way are refused together.
            let known = until.is_some_and(|known| end < known + WORTH_A_LINE);
            if pause.kept() >= WORTH_A_LINE && !known {
                until = Some(end);
                say(&sentence(&base, &pause));
            }
        }
    });
}

fn sentence(base: &str, pause: &Pause) -> String {
    let kept = pause.kept();
    let end = chrono::Local::now() + kept.saturating_sub(pause.since.elapsed());
    let asked = if pause.asked > LONGEST_PAUSE {
        format!(" (it asks for {} s; at most {} s are kept)", pause.asked.as_secs(), kept.as_secs())
    } else {
        String::new()
    };
    format!(
        "{base} answered {} and asks to wait: nothing is sent for {} s, until {}{asked}",
        pause.status,
        kept.as_secs(),
        end.format("%H:%M:%S")
    )
}
