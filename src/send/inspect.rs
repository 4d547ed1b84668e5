//! What a connection to the target looks like, before anything is sent through it.
//!
//! It must not know what is sent.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ProtocolVersion};

use super::certificate::CertificateWords;
use super::connection::TargetConnection;
use super::{SendOptions, Sender, tls};
use crate::exchange::LossKind;

/// What a connection looks like.
#[derive(Debug, Clone, Default)]
pub struct ConnectionSeen {
    /// Host name or address, and port.
    pub host: String,
    /// The addresses of the host; none behind a proxy, or where the name service knows none.
    pub addresses: Vec<IpAddr>,
    /// The proxy, without its credentials.
    pub proxy: Option<String>,
    /// How long the connection took, encryption included.
    pub took: Duration,
    /// Why there is none.
    pub failure: Option<(LossKind, String)>,
    /// How it is encrypted, where it is.
    pub encryption: Option<EncryptionSeen>,
    /// Whether the target speaks HTTP/1.1, and HTTP/2; known only over TLS.
    pub versions: Option<(bool, bool)>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone)]
pub struct EncryptionSeen {
    /// The version, in words.
    pub version: String,
    /// The protocol that was agreed upon (ALPN), where one was.
    pub protocol: Option<String>,
    /// The server's certificate.
    pub certificate: CertificateWords,
    /// Whether the certificate is trusted; else it was only looked at.
    pub is_trusted: bool,
}

impl Sender {
    /// Connects, and looks. Nothing is sent to the target.
    pub async fn inspect(&self) -> ConnectionSeen {
        let (host, port) = self.target.address();
        let mut seen = ConnectionSeen {
            host: format!("{host}:{port}"),
            proxy: self.proxy(),
            ..ConnectionSeen::default()
        };
        if self.proxy.is_none() {
            match tokio::net::lookup_host((host.as_str(), port)).await {
                Ok(all) => seen.addresses = all.map(|address| address.ip()).collect(),
                Err(error) => {
                    seen.failure = Some((LossKind::Resolve, error.to_string()));
                    return seen;
                }
            }
            seen.addresses.dedup();
        }
        let start = Instant::now();
        let opened = TargetConnection::open(self).await;
        seen.took = start.elapsed();
        match opened {
            Ok(connection) => seen.encryption = encryption(&connection, true),
            Err(failure) => seen.failure = Some(failure),
        }
        if !self.target.is_encrypted() {
            return seen;
        }
        if matches!(seen.failure, Some((LossKind::Tls, _))) {
            // Only to say what is wrong with the certificate: nothing is sent.
            if let Ok(tls) =
                tls::config(&SendOptions { insecure: true, ..self.options.clone() }, true)
                && let Ok(connection) = TargetConnection::open_with(self, Arc::new(tls)).await
            {
                seen.encryption = encryption(&connection, false);
            }
        }
        if seen.encryption.is_some() {
            let http_1 =
                seen.encryption.as_ref().is_some_and(|e| e.protocol.as_deref() != Some("h2"));
            let http_2 = self.agrees_to(tls::HTTP_2).await;
            // Where nothing is agreed upon, HTTP/1.1 is spoken.
            seen.versions = Some((http_1 && seen.failure.is_none() || !http_2, http_2));
        }
        seen
    }

    /// Whether the target agrees to a protocol.
    async fn agrees_to(&self, protocol: &[u8]) -> bool {
        let mut config = ClientConfig::clone(&self.tls);
        config.alpn_protocols = vec![protocol.to_vec()];
        let opened = TargetConnection::open_with(self, Arc::new(config)).await;
        opened.is_ok_and(|connection| connection.protocol() == Some(protocol))
    }
}

fn encryption(connection: &TargetConnection, is_trusted: bool) -> Option<EncryptionSeen> {
    let state = connection.encryption()?;
    let first = state.peer_certificates().and_then(|all| all.first());
    Some(EncryptionSeen {
        version: match state.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
            other => format!("{other:?}"),
        },
        protocol: state.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        certificate: first.map(|der| CertificateWords::read(der)).unwrap_or_default(),
        is_trusted,
    })
}
