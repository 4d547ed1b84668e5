//! What a failed TLS handshake means and what to do about it, in words.
//!
//! It must not know which request was to be sent.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// The TLS error behind `error`, however deep it lies.
pub(super) fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // An I/O error is not the source of what it wraps: it hands on that one's source.
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            let found = find(inner);
            if found.is_some() {
                return found;
            }
        }
        next = error.source();
    }
    None
}

/// Cause and remedy.
pub(super) fn explain(error: &Error) -> String {
    let (cause, remedy) = match error {
        Error::InvalidCertificate(certificate) => return explain_certificate(certificate),
        Error::AlertReceived(alert) => explain_alert(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "the port does not speak TLS".to_owned(),
            "Is it http rather than https, or another port?",
        ),
        Error::NoCertificatesPresented => (
            "the server sent no certificate".to_owned(),
            "Is a certificate configured for this host name?",
        ),
        Error::PeerIncompatible(why) => (
            format!("client and server have no TLS version or cipher in common ({why:?})"),
            "The server must offer TLS 1.2 or 1.3.",
        ),
        other => (
            format!("the TLS handshake failed: {other}"),
            "Does `openssl s_client -connect HOST:PORT` succeed?",
        ),
    };
    format!("{cause}. {remedy}")
}

fn explain_certificate(error: &CertificateError) -> String {
    let (cause, remedy) = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the server's certificate has expired ({error})"),
            "Have it renewed, and check this machine's clock.",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the server's certificate is not valid yet ({error})"),
            "Check this machine's clock.",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the server's certificate is for another host name ({error})"),
            "Name the host in --target as the certificate does.",
        ),
        CertificateError::UnknownIssuer => (
            "the issuer of the server's certificate is not known to this machine".to_owned(),
            "If the certificate is right, name its issuer with --ca F (PEM). --insecure takes any certificate.",
        ),
        CertificateError::Revoked => {
            ("the server's certificate was revoked".to_owned(), "Have a new one issued.")
        }
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => (
            "the server uses the certificate of an authority as its own (self-signed)".to_owned(),
            "If it is the right one, name this very certificate with --ca F (PEM).",
        ),
        other if format!("{other:?}").contains("UnsupportedCertVersion") => (
            "the server's certificate is X.509 version 1, which TLS libraries no longer take"
                .to_owned(),
            "Have a version 3 certificate issued, with the host name as subjectAltName.",
        ),
        other => (
            format!("the server's certificate can't be used ({other})"),
            "Have a new one issued. --insecure takes any certificate.",
        ),
    };
    format!("{cause}. {remedy}")
}

fn explain_alert(alert: AlertDescription) -> (String, &'static str) {
    match alert {
        AlertDescription::CertificateRequired => (
            "the server demands a client certificate".to_owned(),
            "Give one with --cert F (PEM, certificate and key).",
        ),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => (
            format!("the server refused the client certificate ({alert:?})"),
            "Is the certificate of --cert still valid, and issued by an authority that the server knows?",
        ),
        AlertDescription::HandshakeFailure => (
            "the server refused the TLS handshake".to_owned(),
            "Does it want a client certificate (--cert F), or a TLS version before 1.2?",
        ),
        AlertDescription::UnrecognisedName => (
            "the server does not know this host name".to_owned(),
            "Name the host in --target as the server is configured.",
        ),
        AlertDescription::ProtocolVersion => (
            "the server speaks no TLS version in common".to_owned(),
            "It must offer TLS 1.2 or 1.3.",
        ),
        AlertDescription::NoApplicationProtocol => (
            "the server speaks neither HTTP/1.1 nor HTTP/2 over TLS".to_owned(),
            "Is it the right port?",
        ),
        other => (
            format!("the server ended the TLS handshake ({other:?})"),
            "The server's log says why.",
        ),
    }
}
