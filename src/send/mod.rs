//! Sending: the only module that touches the network.
//!
//! It follows no redirect, asks for no content coding and never retries by itself. It must not know what
//! an answer ought to be. Credentials live here and nowhere else.

mod body_end;
mod ceiling;
mod command;
mod connection;
mod framing;
mod good_answers;
mod head;
mod http;
mod incoming;
mod lane;
mod memory;
mod oauth;
mod options;
mod pace;
mod patience;
mod present;
mod proxy;
mod rate_limit;
mod raw;
mod sender;
mod sign;
mod silence;
mod stream;
mod target;
mod tls;
mod tls_error;
mod token;
mod token_source;
mod token_text;
mod transport;

pub use lane::{Lane, LaneAnswer, LaneFailure, StreamedExchange, headers};
pub use oauth::TokenEndpoint;
pub use options::{SendError, SendOptions};
pub use pace::{LONGEST_PAUSE, Pace, Turn};
pub use sender::{FRESH_CONNECTIONS, Pause, Sender};
pub use silence::{ResponseLog, Silence};
pub use target::Target;
pub use token::Token;
pub use token_source::TokenSource;
pub use token_text::token_text;

/// Reads an answer from pieces of `size` bytes as connections do, the observer's way and the other: what came of its
/// body. For fuzzing; what can't be read is no error here.
#[must_use]
pub fn read_answer(bytes: &[u8], size: usize) -> (Vec<u8>, Vec<u8>) {
    let read = |mut incoming: incoming::Incoming| {
        for piece in bytes.chunks(size.max(1)) {
            if incoming.take(piece).is_err() {
                return incoming.body;
            }
        }
        let _ = incoming.end();
        let _ = headers(incoming.lines());
        incoming.body
    };
    let most = SendOptions::LARGEST_BODY;
    (read(incoming::Incoming::new(most)), read(incoming::Incoming::observed(most, "POST", false)))
}
