//! Sending: the only module that touches the network.
//!
//! It follows no redirect, asks for no content coding and never retries by itself. It must not know what
//! an answer ought to be. Credentials live here and nowhere else.

mod allowance;
mod body_end;
mod ceiling;
mod certificate;
mod clients;
mod command;
mod connection;
mod fetch;
mod framing;
mod good_answers;
mod head;
mod http;
mod incoming;
mod inspect;
mod lane;
mod memory;
mod oauth;
mod options;
mod outcomes;
mod pace;
mod patience;
mod present;
mod proxy;
mod rate_limit;
mod raw;
mod read_answer;
mod sign;
mod silence;
mod stream;
mod target;
mod tls;
mod tls_error;
mod token;
mod token_source;
mod token_text;
mod traffic_log;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustls::ClientConfig;

pub use certificate::CertificateWords;
pub use connection::TargetStream;
pub use fetch::fetch;
pub use inspect::{ConnectionSeen, EncryptionSeen};
pub use lane::{Lane, LaneAnswer, LaneFailure, StreamedExchange, headers};
pub use oauth::TokenEndpoint;
pub use options::{SendError, SendOptions};
pub use pace::{LONGEST_PAUSE, Pace, Turn};
pub use rate_limit::{AdvisedLimits, advised_rate};
pub use read_answer::read_answer;
pub use silence::{ResponseLog, Silence};
pub use target::Target;
pub use token::Token;
pub use token_source::TokenSource;
pub use token_text::token_text;
pub use traffic_log::{LoggedAnswer, LoggedBody, LoggedExchange, TrafficLog};

use crate::case::Credential;
use crate::contract::{AuthScheme, Profile, Tenant};
use crate::exchange::{Answer, Loss, LossKind, Request};

use good_answers::GoodAnswers;
use memory::{AnswerBounds, Memory};
use outcomes::Outcomes;
use patience::Patience;
use proxy::Proxy;
use sign::{Signer, without_signatures};
use traffic_log::{SpooledExchange, UnderWay};
use transport::Transport;

/// A pause that the target asked for.
#[derive(Debug, Clone, Copy)]
pub struct Pause {
    /// The status of the answer that asked for it.
    pub status: u16,
    /// How long it asked not to be sent anything.
    pub asked: Duration,
    /// When it asked.
    pub since: std::time::Instant,
}

impl Pause {
    /// How long nothing is sent for its sake.
    #[must_use]
    pub fn kept(&self) -> Duration {
        self.asked.min(LONGEST_PAUSE)
    }
}

/// Sends requests to one target.
pub struct Sender {
    /// Where.
    pub target: Target,
    /// Requests a second.
    pub pace: Pace,
    /// Which requests got a response.
    pub responses: ResponseLog,
    options: SendOptions,
    token: Arc<Token>,
    signer: Option<Signer>,
    profile_headers: Vec<(String, String)>,
    /// Another tenant, where the profile names one.
    other_tenant: Option<Tenant>,
    /// Headers with API keys beside the credentials.
    further_keys: Vec<String>,
    /// Offers HTTP/1.1 to the target.
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    transport: tokio::sync::OnceCell<Transport>,
    clients: clients::Clients,
    patience: Patience,
    good_answers: GoodAnswers,
    memory: Memory,
    closes: AtomicBool,
    /// Requests that left for the target, and their items.
    sent: (AtomicU64, AtomicU64),
    /// Who keeps a log of the traffic, if anybody does.
    traffic_log: std::sync::OnceLock<Arc<dyn TrafficLog>>,
    outcomes: Outcomes,
    /// The last pause that the target asked for.
    pause: tokio::sync::watch::Sender<Option<Pause>>,
}

/// How often it is looked whether patience is over.
const PATIENCE_CHECK: Duration = Duration::from_secs(1);

/// What every body may have, and what every item of a batch adds to it.
const BODY: (u64, u64) = (4 * 1024 * 1024, 16 * 1024);

tokio::task_local! {
    /// Whether every request of this task gets a connection of its own: on such a one, a lost answer can't be
    /// an idle connection that the server closed.
    pub static FRESH_CONNECTIONS: bool;
}

/// Whether credentials are so odd that a server's parser may keep something of them for the connection: Jetty's
/// cache of header fields fails a later request then, which nobody would look for here.
fn is_odd(credential: Credential) -> bool {
    !matches!(
        credential,
        Credential::Good
            | Credential::None
            | Credential::Wrong
            | Credential::InQuery
            | Credential::OtherTenant
            | Credential::NoFurtherKey
    )
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
        let tls = tls::config(&options, target.is_encrypted())?;
        let proxy = Proxy::from_environment(&target)?;
        let clients = clients::Clients::new(&options, &tls, proxy.as_ref(), false)?;
        Ok(Sender {
            memory: Memory::default(),
            good_answers: GoodAnswers::new(options.patience),
            target,
            pace,
            responses: ResponseLog::default(),
            options,
            token,
            signer: match &profile.auth {
                AuthScheme::Command(settings) => Some(Signer::new(settings.clone())),
                _ => None,
            },
            profile_headers: profile.headers.clone().into_iter().collect(),
            other_tenant: profile.tenants.values().next().cloned(),
            further_keys: profile.further_keys.clone(),
            tls: Arc::new(tls),
            proxy,
            transport: tokio::sync::OnceCell::new(),
            clients,
            patience: Patience::default(),
            closes: AtomicBool::new(false),
            sent: (AtomicU64::new(0), AtomicU64::new(0)),
            traffic_log: std::sync::OnceLock::new(),
            outcomes: Outcomes::default(),
            pause: tokio::sync::watch::Sender::new(None),
        })
    }

    /// Shows every further request to `log`, with what comes back.
    pub fn log_traffic(&self, log: Arc<dyn TrafficLog>) {
        let _ = self.traffic_log.set(log);
    }

    /// The token, for redaction and for reading it again.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Requests that left for the target so far, and their items: not those that waited for their turn or found no
    /// connection.
    #[must_use]
    pub fn sent(&self) -> (u64, u64) {
        (self.sent.0.load(Ordering::Relaxed), self.sent.1.load(Ordering::Relaxed))
    }

    /// Takes note of a request that ended, with the loss where it got no answer.
    fn note_sent(&self, items: usize, loss: Option<&Loss>) {
        if !loss.is_some_and(|loss| loss.kind.is_unreached()) {
            self.sent.0.fetch_add(1, Ordering::Relaxed);
            self.sent.1.fetch_add(items as u64, Ordering::Relaxed);
        }
    }

    /// What the requests that ended so far came to: 2xx, 3xx and 4xx, 408 with 429 and 503, other 5xx, no answer.
    #[must_use]
    pub fn outcomes(&self) -> [u64; 5] {
        self.outcomes.counts()
    }

    /// Pauses that the target asks for, as they come.
    #[must_use]
    pub fn pauses(&self) -> tokio::sync::watch::Receiver<Option<Pause>> {
        self.pause.subscribe()
    }

    /// Finds out how the target can be spoken to, once; a target that can't be reached is asked again later.
    pub async fn discover(&self) {
        let _ = self.transport().await;
    }

    /// Why nothing can be sent here that needs a connection of our own (raw bytes, chunks, disconnects), where
    /// that is so. Known from [`Sender::discover`] on.
    #[must_use]
    pub fn needs_http_1(&self) -> Option<&str> {
        self.transport.get().and_then(|transport| transport.excluded.as_deref())
    }

    /// Whether the target speaks HTTP/2 and nothing else. Known from [`Sender::discover`] on.
    #[must_use]
    pub fn speaks_only_http_2(&self) -> bool {
        self.transport.get().is_some_and(|transport| transport.http_2.is_some())
    }

    /// The proxy that answers may come from, without its credentials.
    #[must_use]
    pub fn proxy(&self) -> Option<String> {
        self.proxy.as_ref().map(ToString::to_string)
    }

    /// Why nothing more is to be expected of the target, where that is so.
    #[must_use]
    pub fn out_of_patience(&self) -> Option<String> {
        self.good_answers.over()
    }

    /// Ends once nothing more is to be expected of the target.
    pub async fn patience_is_over(&self) {
        while self.good_answers.over().is_none() {
            tokio::time::sleep(PATIENCE_CHECK).await;
        }
    }

    /// Begins to wait for a good answer, with whole time limits.
    pub fn begin_patience(&self) {
        self.good_answers.begin();
        self.whole_limits();
    }

    /// Gives requests their whole time limits again, however many were not answered before.
    pub fn whole_limits(&self) {
        self.patience.note(false);
    }

    /// Sends `request`, which holds `items` items, when its turn comes, and says what came back.
    pub async fn send(&self, request: &Request, items: usize) -> Answer {
        let turn = self.pace.turn().await;
        self.send_in_turn(request, items, &turn).await
    }

    /// The same in a turn that was waited for already.
    pub async fn send_in_turn(&self, request: &Request, items: usize, turn: &Turn) -> Answer {
        let number = self.responses.begin();
        let under_way = UnderWay::begin(self, request, None);
        // A task that waits for an answer would hold all of its state otherwise.
        let answer = Box::pin(self.send_now(request, items)).await;
        under_way.ended(&answer);
        self.note_sent(
            items,
            match &answer {
                Answer::Lost(loss) => Some(loss),
                Answer::Received(_) => None,
            },
        );
        if let Answer::Lost(loss) = &answer {
            self.outcomes.note_loss(loss);
        }
        self.responses.note(number, &answer);
        self.good_answers.note(&answer);
        if let Answer::Received(response) = &answer {
            self.heard(turn, response.status, &|name| response.header(name).map(str::to_owned));
        }
        answer
    }

    /// Takes note of what an answer says of the target's limits. A pause that the target asked for counts against
    /// nobody's patience; who wants to be left alone for longer than anybody waits is not waited for.
    fn heard(&self, turn: &Turn, status: u16, header: &dyn Fn(&str) -> Option<String>) {
        self.outcomes.note_status(status);
        let asked = turn.heard(status, header);
        if let Some(asked) = asked {
            self.pause.send_replace(Some(Pause {
                status,
                asked,
                since: std::time::Instant::now(),
            }));
        }
        if let Some(pause) = asked.filter(|pause| *pause <= LONGEST_PAUSE) {
            self.good_answers.pause(pause);
        }
    }

    async fn send_now(&self, request: &Request, items: usize) -> Answer {
        let limit = self.limit(items);
        let bounds = AnswerBounds { most: self.most(items), items };
        let signature = match self.signature(request, None).await {
            Ok(signature) => signature,
            Err(loss) => return Answer::Lost(loss),
        };
        let mut answer = self.send_signed(request, &signature, limit, bounds).await;
        if let Answer::Received(response) = &mut answer {
            without_signatures(response, &signature);
        }
        answer
    }

    async fn send_signed(
        &self,
        request: &Request,
        signature: &[(String, String)],
        limit: Duration,
        bounds: AnswerBounds,
    ) -> Answer {
        let cut = self.patience.of(limit);
        let mut answer = self.send_by_kind(request, signature, cut, bounds).await;
        if let Answer::Lost(loss) = &mut answer
            && loss.kind == LossKind::Timeout
            && cut < limit
        {
            // The target had less time than it is granted: that it gave no answer says nothing.
            loss.kind = LossKind::CutShort;
        }
        answer
    }

    async fn send_by_kind(
        &self,
        request: &Request,
        signature: &[(String, String)],
        limit: Duration,
        bounds: AnswerBounds,
    ) -> Answer {
        if request.raw.is_some() || request.hang_up.is_some() {
            return raw::send(self, request, signature, limit, bounds).await;
        }
        let fresh = request.new_connection
            || is_odd(request.credential)
            || FRESH_CONNECTIONS.try_with(|fresh| *fresh) == Ok(true);
        let client = self.clients().await.of(fresh);
        let answer = http::send(self, &client, request, signature, limit, bounds).await;
        self.patience.note(matches!(&answer, Answer::Lost(loss) if loss.kind == LossKind::Timeout));
        answer
    }

    /// Closes connections after their answers from now on, and those that are idle.
    pub fn close_after_answers(&self) {
        self.closes.store(true, Ordering::Relaxed);
        self.clients.close_after_answers();
        if let Some(Transport { http_2: Some(clients), .. }) = self.transport.get() {
            clients.close_after_answers();
        }
    }

    /// Whether connections stay open after their answers.
    #[must_use]
    pub fn keeps_connections(&self) -> bool {
        !self.closes.load(Ordering::Relaxed)
    }

    /// Whether a command signs each request.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// A connection of its own for many requests like `request`; none where the target or a proxy rules that out.
    #[must_use]
    pub fn lane(&self, request: &Request) -> Option<Lane> {
        let is_known = self.transport.get().is_some() || self.is_plain();
        (is_known && self.needs_http_1().is_none()).then(|| Lane::new(request))
    }

    /// Whether nothing has to be found out: HTTP/1.1 without TLS or a proxy.
    fn is_plain(&self) -> bool {
        !self.target.is_encrypted() && self.proxy.is_none()
    }

    async fn transport(&self) -> Result<&Transport, incoming::LossReason> {
        self.transport.get_or_try_init(|| Transport::discover(self)).await
    }

    /// The clients for what the target speaks; those for HTTP/1.1 where it can't be reached, so that the request
    /// says why.
    async fn clients(&self) -> &clients::Clients {
        match self.transport().await {
            Ok(Transport { http_2: Some(clients), .. }) => clients,
            _ => &self.clients,
        }
    }

    async fn raw_excluded(&self) -> Option<&str> {
        self.discover().await;
        self.needs_http_1()
    }

    /// Bytes of the body of an answer to `items` items.
    fn most(&self, items: usize) -> u64 {
        let (body, item) = BODY;
        let needed = body.saturating_add(item.saturating_mul(items as u64));
        self.options.max_body.unwrap_or(needed.max(SendOptions::LARGEST_BODY))
    }

    /// Time for the answer to a request with `items` items.
    fn limit(&self, items: usize) -> Duration {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        self.options.timeout + self.options.per_item.saturating_mul(items)
    }
}
