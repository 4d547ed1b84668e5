//! The reference server: a correct implementation of the endpoint, with faults that can be switched
//! on.
//!
//! Serves any [`Contract`] in either refusal mode. It must not know the harness: no case, rule or
//! report, and no field name of any one endpoint. It shares nothing with the harness but the
//! contract.

mod batch;
mod connection;
mod fast_path;
mod fault;
pub mod faults;
mod further;
mod gate;
mod kept;
mod read;
mod received;
mod reply;
mod request_head;
mod store;
#[cfg(test)]
mod tests;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

pub use fault::{Fault, FaultDepth, FurtherNeed};
pub use tls::TlsCertificate;

use batchproof_contract::{Contract, CredentialScheme, Profile, RefusalMode};
use fault::{ArmedFault, Scratch};
use store::Store;

/// What a server is to be.
#[derive(Clone)]
pub struct ServerConfig {
    /// The endpoint.
    pub contract: Arc<Contract>,
    /// How it refuses broken items.
    pub refusal_mode: RefusalMode,
    /// The token that it demands, shown as the contract says; none: it takes everybody.
    pub token: Option<String>,
    /// The token of another tenant, which has numbers of its own.
    pub other_token: Option<String>,
    /// Headers with API keys that it demands beside the token; it takes every value.
    pub further_keys: Vec<String>,
    /// What is wrong with it.
    pub faults: Vec<&'static Fault>,
    /// Its loopback port; 0: a free one.
    pub port: u16,
}

/// What all connections of a server share.
pub(crate) struct ServerState {
    pub(crate) contract: Arc<Contract>,
    pub(crate) refusal_mode: RefusalMode,
    pub(crate) token: Option<String>,
    pub(crate) other_token: Option<String>,
    pub(crate) further_keys: Vec<String>,
    pub(crate) scheme: CredentialScheme,
    pub(crate) armed: Vec<ArmedFault>,
    pub(crate) store: Store,
    /// What can be read back, where the contract has a request for that.
    pub(crate) items: kept::StoredItems,
    /// The shortcut for plain bodies, where contract and faults allow one.
    pub(crate) plan: Option<fast_path::FastPathPlan>,
    pub(crate) serial: AtomicU64,
}

impl ServerState {
    fn new(config: ServerConfig) -> (ServerState, u16) {
        let ServerConfig { contract, refusal_mode, token, other_token, further_keys, faults, port } =
            config;
        let armed: Vec<ArmedFault> =
            faults.into_iter().map(|fault| ArmedFault { fault, own: Scratch::default() }).collect();
        let is_plain = armed.is_empty() && contract.read.is_none();
        let plan = is_plain.then(|| fast_path::FastPathPlan::for_contract(&contract)).flatten();
        let refusal_mode = contract.refusal_mode().unwrap_or(refusal_mode);
        let (store, serial) = (Store::new(), AtomicU64::new(0));
        let scheme = Profile::default().credential_scheme(&contract);
        let state = ServerState {
            contract,
            refusal_mode,
            token,
            other_token,
            further_keys,
            scheme,
            armed,
            store,
            items: kept::StoredItems::default(),
            plan,
            serial,
        };
        (state, port)
    }
}

/// What a client gets for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A server that runs until this is dropped.
pub struct RunningServer {
    state: Arc<ServerState>,
    address: SocketAddr,
    url: String,
    accepting: AbortHandle,
}

impl RunningServer {
    /// Whether any of its faults ever changed what it does.
    #[must_use]
    pub fn faults_showed(&self) -> bool {
        self.state.armed.iter().any(ArmedFault::has_changed)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint's whole URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // The accepting task owns its connections: they end with it.
        self.accepting.abort();
    }
}

/// Starts a server on the loopback interface.
///
/// # Errors
/// Where the port is taken.
pub async fn start(config: ServerConfig) -> std::io::Result<RunningServer> {
    start_behind(config, None).await
}

/// The same over TLS, where there is a certificate.
///
/// # Errors
/// Where the port is taken.
pub async fn start_behind(
    config: ServerConfig,
    certificate: Option<TlsCertificate>,
) -> std::io::Result<RunningServer> {
    let (site, port) = ServerState::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{address}{}", site.contract.operation.path);
    let state = Arc::new(site);
    let accepting = tokio::spawn(accept(listener, Arc::clone(&state), certificate)).abort_handle();
    Ok(RunningServer { state, address, url, accepting })
}

async fn accept(
    listener: TcpListener,
    site: Arc<ServerState>,
    certificate: Option<TlsCertificate>,
) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    number += 1;
                    // An answer is written in one piece: waiting for more would only delay it.
                    let _ = stream.set_nodelay(true);
                    let site = Arc::clone(&site);
                    match &certificate {
                        None => connections.spawn(connection::serve(site, stream, number)),
                        Some(certificate) => {
                            let handshake = certificate.acceptor().accept(stream);
                            connections.spawn(async move {
                                if let Ok(Ok(stream)) = timeout(HANDSHAKE, handshake).await {
                                    connection::serve(site, stream, number).await;
                                }
                            })
                        }
                    };
                } else {
                    // Out of descriptors: give the connections time to end.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}
