//! A connection to the target: plain or encrypted, direct or through a proxy's tunnel.
//!
//! It must not know what is sent through it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Sender;
use super::incoming::{Incoming, LossReason};
use super::proxy::Proxy;
use super::tls_error;
use crate::exchange::{Loss, LossKind};

/// A connection that bytes are written to and read from, whatever lies below.
pub(super) enum TargetConnection {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TargetConnection>>),
}

impl TargetConnection {
    /// Connects to the sender's target, within its time for a connection.
    pub async fn open(sender: &Sender) -> Result<TargetConnection, LossReason> {
        TargetConnection::open_with(sender, Arc::clone(&sender.tls)).await
    }

    /// The same with another configuration of TLS.
    pub async fn open_with(
        sender: &Sender,
        tls: Arc<ClientConfig>,
    ) -> Result<TargetConnection, LossReason> {
        match tokio::time::timeout(sender.options.connect, open(sender, tls)).await {
            Ok(opened) => opened,
            Err(_) if sender.proxy.is_some() => {
                Err((LossKind::Proxy, "no connection through the proxy in time".to_owned()))
            }
            Err(_) => Err((LossKind::Connect, "no connection in time".to_owned())),
        }
    }

    /// Whether an idle connection was closed, or says something that nobody asked for.
    pub fn is_over(&mut self) -> bool {
        self.read(&mut [0]).now_or_never().is_some()
    }

    /// The protocol that the server chose (RFC 7301), where it chose one.
    pub fn protocol(&self) -> Option<&[u8]> {
        match self {
            TargetConnection::Plain(_) => None,
            TargetConnection::Encrypted(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }

    /// The state of the encryption, where there is one.
    pub fn encryption(&self) -> Option<&rustls::ClientConnection> {
        match self {
            TargetConnection::Plain(_) => None,
            TargetConnection::Encrypted(stream) => Some(stream.get_ref().1),
        }
    }

    /// Encrypts what goes through it from now on.
    async fn encrypt(
        self,
        tls: Arc<ClientConfig>,
        host: &str,
    ) -> Result<TargetConnection, LossReason> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| (LossKind::Tls, format!("`{host}` can't be the name in a certificate")))?;
        let connector = TlsConnector::from(tls);
        match connector.connect(name, self).await {
            Ok(stream) => Ok(TargetConnection::Encrypted(Box::new(stream))),
            Err(error) => Err((LossKind::Tls, handshake_failure(&error))),
        }
    }
}

/// Why a handshake failed, in words.
pub(super) fn handshake_failure(error: &io::Error) -> String {
    match tls_error::find(error) {
        Some(inner) => tls_error::explain(inner),
        None => format!(
            "the connection ended during the TLS handshake ({error}): does the server want a client certificate \
             (--cert F), or is it http rather than https?"
        ),
    }
}

async fn open(sender: &Sender, tls: Arc<ClientConfig>) -> Result<TargetConnection, LossReason> {
    let (host, port) = sender.target.address();
    let plain = match &sender.proxy {
        None => tcp(&host, port, None).await?,
        Some(proxy) => tunnel(sender, proxy).await?,
    };
    if sender.target.is_encrypted() { plain.encrypt(tls, &host).await } else { Ok(plain) }
}

/// A TCP connection to the target, or to the proxy.
async fn tcp(host: &str, port: u16, proxy: Option<&Proxy>) -> Result<TargetConnection, LossReason> {
    let failed = |kind: LossKind, error: &io::Error| match proxy {
        Some(proxy) => (LossKind::Proxy, format!("the proxy {proxy} can't be reached: {error}")),
        None => (kind, error.to_string()),
    };
    let addresses: Vec<_> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| failed(LossKind::Resolve, &error))?
        .collect();
    let stream = TcpStream::connect(addresses.as_slice())
        .await
        .map_err(|error| failed(LossKind::Connect, &error))?;
    // A request is written in one piece: waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    Ok(TargetConnection::Plain(stream))
}

/// A connection through a proxy that only hands bytes on.
async fn tunnel(sender: &Sender, proxy: &Proxy) -> Result<TargetConnection, LossReason> {
    let (host, port) = proxy.address();
    let mut connection = tcp(&host, port, Some(proxy)).await?;
    if proxy.is_encrypted() {
        connection = Box::pin(connection.encrypt(Arc::clone(&sender.tls), &host))
            .await
            .map_err(|(_, why)| (LossKind::Proxy, format!("the proxy {proxy}: {why}")))?;
    }
    let failed = |why: &dyn std::fmt::Display| {
        (LossKind::Proxy, format!("the proxy {proxy} gave no tunnel to the target: {why}"))
    };
    let head = proxy.connect_head(&sender.target.authority());
    connection.write_all(&head).await.map_err(|error| failed(&error))?;
    connection.flush().await.map_err(|error| failed(&error))?;
    let mut incoming = Incoming::of_tunnel();
    // What comes behind the answer's head is the tunnel's: it is read byte by byte, up to its end.
    while !incoming.has_head() {
        let mut byte = [0];
        match connection.read(&mut byte).await {
            Ok(0) => return Err(failed(&"it closed the connection")),
            Ok(_) => incoming.take(&byte).map_err(|(_, why)| failed(&why))?,
            Err(error) => return Err(failed(&error)),
        };
    }
    if (200..300).contains(&incoming.status) {
        Ok(connection)
    } else {
        Err((LossKind::Proxy, proxy.refusal(incoming.status)))
    }
}

/// A connection to the target on which others speak.
pub struct TargetStream(TargetConnection);

impl TargetStream {
    /// Whether an idle connection was closed, or says something that nobody asked for.
    pub fn is_over(&mut self) -> bool {
        self.0.is_over()
    }
}

impl Sender {
    /// A connection to the target on which others speak HTTP/1.1.
    ///
    /// # Errors
    /// A [`Loss`] where there is none.
    pub async fn connect(&self) -> Result<TargetStream, Loss> {
        let start = std::time::Instant::now();
        let opened = TargetConnection::open(self).await;
        opened.map(TargetStream).map_err(|(kind, message)| Loss {
            kind,
            message,
            elapsed: start.elapsed(),
        })
    }
}

impl AsyncRead for TargetStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TargetStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

impl AsyncRead for TargetConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            TargetConnection::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            TargetConnection::Encrypted(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for TargetConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            TargetConnection::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            TargetConnection::Encrypted(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            TargetConnection::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            TargetConnection::Encrypted(stream) => {
                Pin::new(stream.as_mut()).poll_write_vectored(cx, slices)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            TargetConnection::Plain(stream) => Pin::new(stream).poll_flush(cx),
            TargetConnection::Encrypted(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            TargetConnection::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            TargetConnection::Encrypted(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
