//! TLS before the server: the certificate that it shows. It must not know what is served.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What turns a connection into an encrypted one.
#[derive(Clone)]
pub struct TlsCertificate(TlsAcceptor);

impl TlsCertificate {
    /// Reads a certificate chain and its private key, both PEM; they may be in one file.
    ///
    /// # Errors
    /// Where a file can't be read, or they do not belong together.
    pub fn read(chain: &Path, key: &Path) -> std::io::Result<TlsCertificate> {
        let wrong = |path: &Path, why: &dyn std::fmt::Display| {
            Error::new(ErrorKind::InvalidData, format!("{}: {why}", path.display()))
        };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(chain, &error))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(certificates, private)
            });
        let mut config = config.map_err(|error| wrong(chain, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsCertificate(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}
