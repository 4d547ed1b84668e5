//! Starting, stopping, and the talk on each connection.

use super::answer::{Answer, Manner};
use super::choices::{Choice, Choices};
use super::connection::{Connection, Trouble};
use super::http::{Framing, Head};
use super::store::Store;
use super::{gate, import};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinSet};

/// The path of the endpoint.
pub const ENDPOINT: &str = "/amlyze-ws-rest/batch-account-balances";

/// How to serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// 0 for any free port.
    pub port: u16,
    pub token: String,
    pub choices: Choices,
    /// The longest body, in bytes.
    pub body_limit: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            token: "test-token".to_owned(),
            choices: Choices::default(),
            body_limit: 64 << 20,
        }
    }
}

/// What all connections share.
pub struct State {
    pub token: String,
    pub choices: Choices,
    pub body_limit: usize,
    pub store: Store,
    requests: AtomicU64,
    posts: AtomicU64,
    imports: AtomicU64,
    under_way: AtomicU64,
}

impl State {
    /// Counts a request to import something, from 1.
    pub fn count_post(&self) -> u64 {
        self.posts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The status that a gateway puts over the answer to a batch that was processed, now and then.
    fn overwritten(&self) -> Option<u16> {
        let (status, every, until) = match () {
            () if self.choices.has(Choice::Gateway502) => (502, 300, u64::MAX),
            () if self.choices.has(Choice::Gateway504) => (504, 300, u64::MAX),
            () if self.choices.has(Choice::GatewayDown) => (502, 20, 2000),
            () => return None,
        };
        let count = self.imports.fetch_add(1, Ordering::Relaxed) + 1;
        (count.is_multiple_of(every) && count <= until).then_some(status)
    }
}

/// A server that runs until this is dropped, connections included.
pub struct Running {
    address: SocketAddr,
    state: Arc<State>,
    accepting: AbortHandle,
    runtime: Option<Runtime>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The full address of the endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{ENDPOINT}", self.address)
    }

    /// How many items were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.state.store.lock().len()
    }

    /// Whether an accepted item used this number.
    #[must_use]
    pub fn is_used(&self, number: &str) -> bool {
        self.state.store.lock().contains(number)
    }

    /// How many requests were answered so far, refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where the dropper is itself asynchronous.
            runtime.shutdown_background();
        }
    }
}

/// Serves on loopback, on the runtime of the caller.
///
/// # Errors
/// Where the port can't be had.
pub async fn start(config: Config) -> std::io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
    let address = listener.local_addr()?;
    let body_limit = match () {
        () if config.choices.has(Choice::BodyLimit100K) => 100 << 10,
        () if config.choices.has(Choice::BodyLimit1M) => 1 << 20,
        () if config.choices.has(Choice::HugeBody413) => 8 << 20,
        () => config.body_limit,
    };
    let state = Arc::new(State {
        token: config.token,
        choices: config.choices,
        body_limit,
        store: Store::default(),
        requests: AtomicU64::new(0),
        posts: AtomicU64::new(0),
        imports: AtomicU64::new(0),
        under_way: AtomicU64::new(0),
    });
    let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
    Ok(Running { address, state, accepting, runtime: None })
}

/// Serves on threads of its own, for callers that block or have no runtime.
///
/// # Errors
/// Where the port or the threads can't be had.
pub fn start_in_background(config: Config) -> std::io::Result<Running> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Not block_on: the caller may itself stand in a runtime, where that panics.
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime.spawn(async move { sender.send(start(config).await) });
    let mut running = receiver.recv().map_err(std::io::Error::other)??;
    running.runtime = Some(runtime);
    Ok(running)
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // Dropped with this task, and then all its connections end.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    // A client that is gone needs no more.
                    let _ = talk(Connection::new(stream), &state).await;
                });
            }
            // Out of descriptors, most likely: some will be free soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

const METHODS: [&str; 9] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
const IDLE: Duration = Duration::from_mins(1);
/// How much of a refused body is read away to keep the connection (as Tomcat has it).
const SWALLOWED: usize = 2 << 20;

async fn talk(mut connection: Connection, state: &State) -> Result<(), Trouble> {
    let mut idle = IDLE;
    loop {
        let (head, framing) = match read_head(&mut connection, idle).await {
            Ok(request) => request,
            Err(Trouble::Refused(status)) => {
                return give_up(connection, &Answer::unframed(status), state, false).await;
            }
            Err(Trouble::Gone) => return Ok(()),
        };
        let may_stay = !head.wants_close()
            && !state.choices.has(Choice::CloseEvery)
            && !state.choices.has(Choice::CloseDelimited);

        if !METHODS.contains(&head.method.as_str()) {
            if state.choices.has(Choice::UnknownMethodCloses) {
                return Ok(());
            }
            if state.choices.has(Choice::UnknownMethod502) {
                let answer = Answer::gateway(502, gate::path(&head.target));
                return give_up(connection, &answer, state, head.old).await;
            }
        }
        if let Some(answer) = gate::refuse(&head, framing, state).map(Answer::before_the_endpoint) {
            let is_early = matches!(framing, Framing::Length(length) if length > 4096)
                && state.choices.has(Choice::Early502);
            let answer =
                if is_early { Answer::gateway(502, gate::path(&head.target)) } else { answer };
            let large = matches!(framing, Framing::Length(length) if length > 16 * 1024);
            if large && answer.refuses_credentials() && state.choices.has(Choice::EarlyReset) {
                // Closing with bytes unread resets the connection.
                let manner = manner(state, head.old, true, false);
                return connection.send(&answer.encode(manner), false).await;
            }
            let can_swallow = match framing {
                Framing::None | Framing::Length(0) => true,
                // A client that waits for leave may send the body or not: nobody can know.
                Framing::Length(length) => length <= SWALLOWED as u64 && !head.expects_continue(),
                Framing::Chunked => false,
            };
            let close = !(may_stay && can_swallow);
            let head_only = head.method == "HEAD";
            let manner = manner(state, head.old, close, head_only);
            connection.send(&answer.encode(manner), state.choices.has(Choice::Dribble)).await?;
            if close || connection.body(framing, SWALLOWED).await.is_err() {
                connection.close().await;
                return Ok(());
            }
        } else {
            if head.expects_continue() && !matches!(framing, Framing::None | Framing::Length(0)) {
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n", false).await?;
            }
            let body = match connection.body(framing, state.body_limit).await {
                Ok(body) => body,
                Err(Trouble::Refused(status)) => {
                    return give_up(connection, &Answer::unframed(status), state, head.old).await;
                }
                Err(Trouble::Gone) => return Ok(()),
            };
            let began = Instant::now();
            if state.choices.has(Choice::Interim103) && !head.old {
                connection
                    .send(
                        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
                        false,
                    )
                    .await?;
            }
            if let Some(answer) = stopped(state, &body).await {
                let manner = manner(state, head.old, !may_stay, false);
                connection.send(&answer.encode(manner), false).await?;
                if !may_stay {
                    connection.close().await;
                    return Ok(());
                }
                continue;
            }
            let path = gate::path(&head.target);
            let answer = import::import(&body, path, &state.store, state.choices, began);
            let overwritten = state.overwritten().map(|status| Answer::gateway(status, path));
            let answer = overwritten.unwrap_or(answer);
            let bytes = answer.encode(manner(state, head.old, !may_stay, false));
            connection.send(&bytes, state.choices.has(Choice::Dribble)).await?;
            if !may_stay {
                connection.close().await;
                return Ok(());
            }
        }
        if state.choices.has(Choice::CloseIdle) {
            idle = Duration::from_millis(50);
        }
    }
}

/// What stands before the import answers, where it does not let a batch through; it takes its time.
async fn stopped(state: &State, body: &[u8]) -> Option<Answer> {
    let others = state.under_way.fetch_add(1, Ordering::SeqCst);
    let busy = state.choices.has(Choice::FourAtOnce) && others >= 4;
    if !busy {
        wait(state).await;
    }
    state.under_way.fetch_sub(1, Ordering::SeqCst);
    let stopped = state.choices.has(Choice::Waf) && is_suspicious(body)
        || state.choices.has(Choice::StrictWaf) && is_like_an_attack(body);
    match (busy, stopped) {
        (true, _) => Some(Answer::unframed(503).with("Retry-After", "1")),
        (_, true) => Some(Answer::unframed(403)),
        _ => None,
    }
}

/// Whether a web application firewall stops a document: for markup, or for escaped control characters.
fn is_suspicious(body: &[u8]) -> bool {
    let opens = |w: &[u8]| w[0] == b'<' && (w[1].is_ascii_alphabetic() || b"/!".contains(&w[1]));
    let is_control = |w: &[u8]| w.starts_with(b"\\u000") || w.starts_with(b"\\u001");
    body.starts_with(b"{") && (body.windows(2).any(opens) || body.windows(6).any(is_control))
}

/// Whether a stricter one does: for what statements of a database and paths of files are made of.
fn is_like_an_attack(body: &[u8]) -> bool {
    body.contains(&b'\'')
        || body.windows(2).any(|w| w == b"--")
        || body.windows(3).any(|w| w == b"../")
}

async fn read_head(
    connection: &mut Connection,
    idle: Duration,
) -> Result<(Head, Framing), Trouble> {
    let head = connection.head(idle).await?;
    let framing = head.framing()?;
    Ok((head, framing))
}

/// Answers what can't be read on, and closes: where the next request begins is unknown.
async fn give_up(
    mut connection: Connection,
    answer: &Answer,
    state: &State,
    old: bool,
) -> Result<(), Trouble> {
    connection.send(&answer.encode(manner(state, old, true, false)), false).await?;
    connection.close().await;
    Ok(())
}

fn manner(state: &State, old: bool, close: bool, head_only: bool) -> Manner {
    let serial = state.requests.fetch_add(1, Ordering::Relaxed);
    Manner { choices: state.choices, head_only, old, close, serial }
}

async fn wait(state: &State) {
    let mut millis = 0;
    if state.choices.has(Choice::Slow50) {
        millis += 50;
    }
    if state.choices.has(Choice::FourAtOnce) {
        millis += 3;
    }
    if state.choices.has(Choice::Jitter) {
        // Neighbours differ widely: 19 and 31 share no factor.
        millis += state.posts.load(Ordering::Relaxed) * 19 % 31;
    }
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
