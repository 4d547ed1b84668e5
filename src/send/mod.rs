//! Sending: the only module that touches the network.
//!
//! It follows no redirect, asks for no content coding and never retries by itself. It must not know what
//! an answer ought to be. Credentials live here and nowhere else.

mod credentials;
mod http;
mod incoming;
mod lane;
mod pace;
mod patience;
mod raw;

mod unframed;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use url::Url;

pub use credentials::{Token, TokenSource};
pub use lane::{Exchanging, Heard, Lane, headers};
pub use pace::Pace;

use crate::contract::Profile;
use crate::exchange::{Answer, Loss, LossKind, Request};

use patience::Patience;

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
    /// A certificate file, or the client itself, can't be used.
    #[error("{0}")]
    Client(String),
}

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// Scheme, host, port and what stands before the documented path; no trailing slash.
    pub base: String,
    /// The URL.
    pub url: Url,
}

impl Target {
    /// Reads a base URL, or a full one that ends in the documented path.
    ///
    /// # Errors
    /// [`SendError::Url`] where it has no scheme or host, or holds credentials.
    pub fn parse(text: &str, documented: &str) -> Result<Target, SendError> {
        let wrong = |why: &str| SendError::Url {
            url: text.split('@').next_back().unwrap_or("").to_owned(),
            why: why.to_owned(),
            expected: format!(
                "http://HOST[:PORT] or https://HOST[:PORT], with or without {documented}"
            ),
        };
        let url = Url::parse(text.trim()).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => wrong("it has no scheme"),
            other => wrong(&other.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format!("it has no scheme http or https (`{}`)", url.scheme())));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it has no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "it holds credentials, which would end up in logs (use --token-file)",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or a fragment"));
        }
        let path = url.path().trim_end_matches('/');
        let prefix = path.strip_suffix(documented).unwrap_or(path);
        let base = format!("{}{prefix}", url.origin().ascii_serialization());
        Ok(Target { base, url })
    }

    /// Host and port, to connect to.
    fn address(&self) -> (String, u16) {
        let host = self.url.host_str().unwrap_or("localhost").trim_matches(['[', ']']);
        (host.to_owned(), self.url.port_or_known_default().unwrap_or(80))
    }

    /// The first lines of a request: what is asked for, and of whom.
    fn request_line(&self, request: &Request) -> String {
        let host = self.url.host_str().unwrap_or("");
        let host = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let prefix = self.base.splitn(4, '/').nth(3).map(|p| format!("/{p}")).unwrap_or_default();
        format!("{} {prefix}{} HTTP/1.1\r\nHost: {host}\r\n", request.method, request.path)
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }
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
        }
    }
}

/// What tells HTTP clients to go through a proxy.
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// Sends requests to one target.
pub struct Sender {
    /// Where.
    pub target: Target,
    /// Requests a second.
    pub pace: Pace,
    options: SendOptions,
    token: Arc<Token>,
    profile_headers: Vec<(String, String)>,
    pooled: reqwest::Client,
    fresh: reqwest::Client,
    patience: Patience,
}

tokio::task_local! {
    /// Whether every request of this task gets a connection of its own: on such a one, a lost answer can't be
    /// an idle connection that the server closed.
    pub static FRESH_CONNECTIONS: bool;
}

impl Sender {
    /// A sender for `target`.
    ///
    /// # Errors
    /// [`SendError`] where a certificate file can't be used.
    pub fn new(
        target: Target,
        options: SendOptions,
        token: Arc<Token>,
        profile: &Profile,
        pace: Pace,
    ) -> Result<Sender, SendError> {
        let pooled = http::client(&target, &options, true)?;
        let fresh = http::client(&target, &options, false)?;
        Ok(Sender {
            target,
            pace,
            options,
            token,
            profile_headers: profile.headers.clone().into_iter().collect(),
            pooled,
            fresh,
            patience: Patience::default(),
        })
    }

    /// The token, for redaction and for reading it again.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Sends `request`, which holds `items` items, and says what came back.
    pub async fn send(&self, request: &Request, items: usize) -> Answer {
        self.pace.wait().await;
        let limit = self.limit(items);
        if request.raw.is_some() || request.hang_up.is_some() {
            return raw::send(self, request, limit).await;
        }
        let fresh =
            request.new_connection || FRESH_CONNECTIONS.try_with(|fresh| *fresh) == Ok(true);
        let client = if fresh { &self.fresh } else { &self.pooled };
        let answer = http::send(self, client, request, self.patience.of(limit)).await;
        self.patience.note(matches!(&answer, Answer::Lost(loss) if loss.kind == LossKind::Timeout));
        answer
    }

    /// Sends a body piece by piece, `length` bytes of it where that is known, and hands on what comes back
    /// meanwhile. Gives the time from the first byte sent to the last byte received.
    ///
    /// # Errors
    /// A [`Loss`] where no whole answer came.
    pub async fn stream(
        &self,
        request: &Request,
        length: Option<u64>,
        items: usize,
        exchanging: &mut impl Exchanging,
    ) -> Result<Duration, Loss> {
        if let Some(mut lane) = self.lane(request) {
            lane.stream(self, length, items, exchanging).await
        } else {
            self.pace.wait().await;
            http::stream(self, request, length, self.limit(items), exchanging).await
        }
    }

    /// A connection of its own for many requests like `request`; none where requests can't be made without
    /// TLS or a proxy.
    #[must_use]
    pub fn lane(&self, request: &Request) -> Option<Lane> {
        let direct = self.target.url.scheme() == "http"
            && (self.target.is_loopback()
                || PROXIES.iter().all(|name| std::env::var_os(name).is_none_or(|v| v.is_empty())));
        direct.then(|| Lane::new(self, request))
    }

    /// Time for the answer to a request with so many items.
    fn limit(&self, items: usize) -> Duration {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        self.options.timeout + self.options.per_item.saturating_mul(items)
    }

    /// Request line and headers, but for those that frame the body.
    fn plain_head(&self, request: &Request) -> String {
        let mut text = self.target.request_line(request);
        let agent = [("User-Agent", concat!("batchproof/", env!("CARGO_PKG_VERSION")))];
        let own = agent.iter().map(|(n, v)| (*n, *v));
        let given = self.profile_headers.iter().chain(&request.headers);
        let authorization = self.authorization(request);
        let authorization = authorization.as_deref().map(|value| ("Authorization", value));
        for (name, value) in
            own.chain(given.map(|(n, v)| (n.as_str(), v.as_str()))).chain(authorization)
        {
            if !name.is_empty() && !name.chars().chain(value.chars()).any(char::is_control) {
                text.extend([name, ": ", value, "\r\n"]);
            }
        }
        text
    }

    /// The `Authorization` value of `request`, where it has one.
    fn authorization(&self, request: &Request) -> Option<String> {
        self.token.header(request.credential)
    }
}
