//! Waits for a target that is still starting: it refuses connections, or its gateway has nobody to ask.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::compose;
use crate::exchange::{Answer, LossKind, Request};
use crate::session::{Environment, Observer, Progress};

/// Pauses between two requests: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Asks with a GET of the documented path, which stores nothing, until anything but 502, 503 and 504 comes back.
/// Gives why the target is not up where the time was over before.
pub async fn wait_until_up(
    environment: &Arc<Environment>,
    time: Duration,
    observer: &dyn Observer,
) -> Option<String> {
    let until = Instant::now() + time;
    let mut told = false;
    let mut pause = PAUSES.0;
    let plain = compose::plain_request(environment, bytes::Bytes::new());
    let mut request =
        Request { method: "GET".to_owned(), body: None, new_connection: true, ..plain };
    let mut why = "no answer in time".to_owned();
    loop {
        environment.trace(&mut request);
        let answer = tokio::select! {
            biased;
            () = environment.cancellation.cancelled() => return None,
            () = tokio::time::sleep_until(until) => None,
            answer = environment.sender.send(&request, 0) => Some(answer),
        };
        match answer {
            Some(Answer::Received(response)) if !matches!(response.status, 502..=504) => {
                return None;
            }
            Some(Answer::Received(response)) => why = format!("it answers {}", response.status),
            Some(Answer::Lost(loss)) if loss.kind == LossKind::Credentials => {
                return Some(format!("no request can be signed: {}", loss.message));
            }
            Some(Answer::Lost(loss)) => why = format!("{} ({})", loss.kind.words(), loss.message),
            None => {}
        }
        let base = &environment.sender.target.base;
        if !std::mem::replace(&mut told, true) {
            observer.see(Progress::Note(&format!("waiting for {base}: {why}")));
        }
        if Instant::now() + pause >= until {
            let time = humantime::format_duration(time);
            return Some(format!("{base} was not up within {time} (--wait): {why}"));
        }
        environment.pause(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
