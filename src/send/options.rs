//! How requests are sent, and why nothing can be sent at all.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::good_answers::PATIENCE;

/// Why nothing can be sent at all.
#[derive(Debug, Error)]
pub enum SendError {
    /// The target's URL can't be used.
    #[error("--target {url}: {why}\n  expected: {expected}")]
    Url {
        /// As the user wrote it.
        url: String,
        /// What is wrong.
        why: String,
        /// What a usable one looks like.
        expected: String,
    },
    /// The token can't be read.
    #[error("{what}\n  expected: {expected}")]
    Token {
        /// What is wrong.
        what: String,
        /// What to do.
        expected: String,
    },
    /// The token endpoint can't be reached, or is under load.
    #[error("{0}")]
    Endpoint(String),
    /// A certificate file, or the client itself, can't be used.
    #[error("{0}")]
    Client(String),
}

/// How requests are sent.
#[derive(Debug, Clone)]
pub struct SendOptions {
    /// Time for an answer, before what the items add.
    pub timeout: Duration,
    /// Time that every item adds.
    pub per_item: Duration,
    /// Time for a connection.
    pub connect: Duration,
    /// Further trusted certificates (PEM).
    pub ca: Option<PathBuf>,
    /// Client certificate and key (PEM).
    pub cert: Option<PathBuf>,
    /// Takes any certificate.
    pub insecure: bool,
    /// Connections that stay open between requests.
    pub connections: usize,
    /// Requests in a second, at most.
    pub rate: Option<f64>,
    /// Bytes of a body at most; none: [`SendOptions::LARGEST_BODY`], or what the batch can need.
    pub max_body: Option<u64>,
    /// How long the target may go without a good answer.
    pub patience: Duration,
}

impl SendOptions {
    /// Bytes of a body, where nothing else was asked for and the batch can't need more: 64 MiB.
    pub const LARGEST_BODY: u64 = 64 * 1024 * 1024;
}

impl Default for SendOptions {
    fn default() -> Self {
        SendOptions {
            timeout: Duration::from_secs(30),
            per_item: Duration::from_millis(250),
            connect: Duration::from_secs(5),
            ca: None,
            cert: None,
            insecure: false,
            connections: 16,
            rate: None,
            max_body: None,
            patience: PATIENCE,
        }
    }
}
