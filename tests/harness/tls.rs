//! A server with TLS, for what `--ca`, `--cert` and `--insecure` promise.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::hand::{Hand, Heard, Said};

/// A file of `tests/tls`, whose certificates `ca.pem` signed.
pub fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name);
    path.display().to_string()
}

/// A server for `localhost` and `127.0.0.1`; `mutual` asks for a client certificate too.
pub fn start(mutual: bool, answer: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Hand {
    let roots = mutual.then(|| file("ca.pem"));
    start_with(&file("server.pem"), &file("server.key"), roots.as_deref(), answer)
}

/// A server that shows the certificates of `chain`; with `roots` it asks for a client certificate too.
pub fn start_with(
    chain: &str,
    key: &str,
    roots: Option<&str>,
    answer: impl Fn(&Heard) -> Said + Send + Sync + 'static,
) -> Hand {
    let certificates = |file: &str| -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap).collect()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if let Some(file) = roots {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(file));
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config = Arc::new(builder.with_single_cert(certificates(chain), key).unwrap());
    let wrap = move |stream: TcpStream| {
        let connection = ServerConnection::new(Arc::clone(&config)).ok()?;
        Some(StreamOwned::new(connection, stream))
    };
    Hand::speaking("https", wrap, answer)
}
