//! TLS: one configuration for every connection, and what its certificate files may hold.
//!
//! It must not know what is sent. What went wrong is put into words by `tls_error`.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::{SendError, SendOptions};

/// What is offered to a server while a connection is made (RFC 7301).
pub(super) const HTTP_1: &[u8] = b"http/1.1";
/// The same for HTTP/2 over TLS.
pub(super) const HTTP_2: &[u8] = b"h2";

/// The configuration that `options` ask for; `encrypted` where the target is reached over TLS, so that the
/// system's roots are read.
///
/// # Errors
/// [`SendError::Client`] where a certificate file can't be used.
pub(super) fn config(options: &SendOptions, encrypted: bool) -> Result<ClientConfig, SendError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: Error| SendError::Client(format!("the TLS client: {error}"));
    let own = options.ca.as_deref().map(authorities).transpose()?.unwrap_or_default();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = if options.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else if encrypted {
        let inner = platform(&own, &provider).map_err(failed)?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Verifier { inner, own }))
    } else {
        // Reading the system's certificates would be most of the start-up time.
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = match &options.cert {
        Some(path) => {
            let (chain, key) = identity(path)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| unusable(path, &error))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![HTTP_1.to_vec()];
    Ok(config)
}

/// The system's roots, and those of `--ca` beside them. A system without any does where `--ca` names some.
fn platform(
    own: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let system = rustls_platform_verifier::Verifier::new_with_extra_roots(
        own.iter().cloned(),
        Arc::clone(provider),
    );
    match system {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) if own.is_empty() => Err(error),
        Err(_) => {
            let mut roots = RootCertStore::empty();
            for certificate in own {
                roots.add(certificate.clone())?;
            }
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
                .build()
                .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
                .map_err(|error| Error::General(error.to_string()))
        }
    }
}

/// Reads a file of `--ca` or `--cert`.
fn read(option: &str, path: &Path) -> Result<Vec<u8>, SendError> {
    std::fs::read(path).map_err(|e| {
        let expected = if option == "--cert" { BOTH } else { CERTIFICATES };
        SendError::Client(format!("{option} {}: {e}\n  expected: {expected}", path.display()))
    })
}

/// The certificates of `--ca`.
fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, SendError> {
    let unusable = |why: &str| {
        SendError::Client(format!("--ca {}: {why}\n  expected: {CERTIFICATES}", path.display()))
    };
    let pem = read("--ca", path)?;
    let list: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|e| unusable(&format!("it is not valid PEM: {e}")))?;
    if list.is_empty() {
        let why = if pem.first() == Some(&0x30) {
            "it holds no certificate in PEM; it looks like DER (convert it: openssl x509 -inform der -in F)"
        } else {
            "it holds no certificate"
        };
        return Err(unusable(why));
    }
    let mut roots = RootCertStore::empty();
    for certificate in &list {
        roots
            .add(certificate.clone())
            .map_err(|e| unusable(&format!("a certificate in it can't be read: {e}")))?;
    }
    Ok(list)
}

/// What `--ca` names.
const CERTIFICATES: &str = "a PEM file with one certificate or several";
/// What `--cert` names.
const BOTH: &str = "a PEM file with the certificate and its private key";

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The certificate chain of `--cert` and its key.
fn identity(path: &Path) -> Result<Identity, SendError> {
    let wrong = |why: &str, expected: &str| {
        SendError::Client(format!("--cert {}: {why}\n  expected: {expected}", path.display()))
    };
    let pem = read("--cert", path)?;
    let text = String::from_utf8_lossy(&pem);
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(&format!("it is not valid PEM: {e}"), BOTH))?;
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(wrong(
            "its private key is encrypted, and batchproof asks for no passphrase",
            "a key without one: openssl pkey -in F -out PLAIN, in a file that only you can read",
        ));
    }
    if chain.is_empty() {
        return Err(wrong("it holds no certificate with its private key", BOTH));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| wrong("it holds a certificate, but no private key", BOTH))?;
    Ok((chain, key))
}

/// Why a client certificate was refused before anything was sent.
fn unusable(path: &Path, error: &Error) -> SendError {
    let (why, expected) = match error {
        Error::InconsistentKeys(_) => (
            "the private key does not belong to the first certificate".to_owned(),
            "the client's own certificate first, then its issuers, and the key of the first",
        ),
        Error::InvalidCertificate(inner)
            if is_webpki(inner, &webpki::Error::UnsupportedCertVersion) =>
        {
            (
                "its certificate is X.509 version 1, which TLS libraries no longer take".to_owned(),
                "a version 3 certificate: have it issued with extensions \
             (openssl x509 -req … -extfile <(echo extendedKeyUsage=clientAuth))",
            )
        }
        other => (format!("its certificate or key can't be used: {other}"), "a PEM file with both"),
    };
    SendError::Client(format!("--cert {}: {why}\n  expected: {expected}", path.display()))
}

/// Whether a certificate failed for this reason, which rustls has no name of its own for.
fn is_webpki(error: &CertificateError, wanted: &webpki::Error) -> bool {
    match error {
        CertificateError::Other(other) => {
            other.0.downcast_ref::<webpki::Error>().is_some_and(|inner| inner == wanted)
        }
        _ => false,
    }
}

/// Judges server certificates: by the roots, or because `--ca` names that very certificate.
#[derive(Debug)]
struct Verifier {
    inner: Arc<dyn ServerCertVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // A self-signed certificate that calls itself an authority, as `openssl req -x509` makes them. Its
            // dates have been checked by then, its name has not.
            Err(Error::InvalidCertificate(inner))
                if is_webpki(&inner, &webpki::Error::CaUsedAsEndEntity)
                    && self.own.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Takes any certificate (`--insecure`), but still demands that the server holds its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
