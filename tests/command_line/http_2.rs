//! A target that speaks only HTTP/2 over TLS.

use std::net::TcpListener;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio_rustls::TlsAcceptor;

use crate::harness::hand::{Heard, verdicts};
use crate::harness::{Desk, tls};

/// A server that accepts every item, and no client that does not offer `h2`.
fn start() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let chain = CertificateDer::pem_file_iter(tls::file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls::file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.ok()?;
                    let mut connection = h2::server::handshake(stream).await.ok()?;
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        tokio::spawn(answer(request, respond));
                    }
                    Some(())
                });
            }
        });
    });
    url
}

async fn answer(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<bytes::Bytes>,
) {
    let (method, path) = (request.method().to_string(), request.uri().to_string());
    let mut incoming = request.into_body();
    let mut body = Vec::new();
    while let Some(Ok(piece)) = incoming.data().await {
        let _ = incoming.flow_control().release_capacity(piece.len());
        body.extend_from_slice(&piece);
    }
    let heard = Heard {
        method,
        path,
        version: "HTTP/2".to_owned(),
        headers: Vec::new(),
        body,
        connection: 0,
    };
    let said = verdicts(&heard, "REQUEST_ACCEPTED", &Value::Null);
    let response = http::Response::builder()
        .status(said.status)
        .header("content-type", "application/json")
        .body(())
        .unwrap();
    if let Ok(mut stream) = respond.send_response(response, false) {
        let _ = stream.send_data(bytes::Bytes::from(said.body), true);
    }
}

#[test]
fn a_target_of_http_2_alone_is_served_and_framing_does_not_apply_there() {
    let desk = Desk::new();
    let (url, ca) = (start(), tls::file("ca.pem"));
    let run = ["run", "order/sizes", "http/framing", "http/chunked", "atom/hung-up"];
    desk.batchproof(&[&run[..], &["--depth", "quick", "--target", &url, "--ca", &ca]].concat())
        .ends(0)
        .says(&["CONFORMANT", "needs HTTP/1.1, and the target speaks only HTTP/2", "http/framing"]);
    let report = desk.report();
    assert_eq!(report["findings"], serde_json::json!([]));
    assert!(report["stats"]["requests"].as_u64() > Some(3), "{}", report["stats"]);
    let framing =
        report["rules"].as_array().unwrap().iter().find(|r| r["id"] == "HTTP-008").unwrap();
    assert_eq!(framing["not_tested"], "needs HTTP/1.1, and the target speaks only HTTP/2");
}

#[test]
fn commands_for_a_target_of_http_2_alone_speak_it() {
    let desk = Desk::new();
    let (url, ca) = (start(), tls::file("ca.pem"));
    // It accepts a used key.
    let run = ["run", "unique/replayed", "--depth", "quick", "--target", &url, "--ca", &ca];
    let said = desk.batchproof(&run).ends(1).out;
    assert!(said.contains("curl -sS -i --http2 https://"), "{said}");
    assert!(!said.contains("--http1.1"), "{said}");
}
