//! What an HTTPS target is promised: everything that runs over plain HTTP, and errors that name cause and remedy.

use std::net::TcpListener;
use std::sync::Arc;

use serde_json::Value;

use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, Serving, tls};

/// Raw requests, disconnects, chunks, and a lane.
const CASES: &[&str] = &[
    "http/framing",
    "http/expect-continue",
    "http/chunks",
    "http/chunked",
    "atom/hung-up",
    "soak/ten-items",
];

const ONE: &str = "title: x\nsteps: [{ batch: 2, expect: accepted }]\n";

/// A server with one of the certificates of `tests/tls`, whose file holds its key too.
fn showing(name: &str) -> Hand {
    let file = tls::file(name);
    tls::start_with(&file, &file, None, |heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null))
}

/// `batchproof serve` over TLS.
fn serving() -> Serving {
    let (chain, key) = (tls::file("server.pem"), tls::file("server.key"));
    Serving::start(&["--tls-cert", &chain, "--tls-key", &key], None)
}

#[test]
fn raw_requests_disconnects_chunks_and_lanes_run_over_tls() {
    let (desk, serving) = (Desk::new(), serving());
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    let ca = tls::file("ca.pem");
    let run = ["run", "--target", &serving.url, "--ca", &ca, "--depth", "quick", "--runs", "3"];
    desk.batchproof(&[&run[..], CASES].concat()).ends(0).says(&["CONFORMANT"]);
    let report = desk.report();
    assert_eq!(report["findings"], serde_json::json!([]));
    let judged = |id: &str| {
        let rules = report["rules"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["id"] == id).unwrap();
        rule["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(judged("HTTP-008"), "passed", "an independent reader saw the framing");
}

#[test]
fn tls_errors_name_cause_and_remedy() {
    let desk = Desk::new();
    let further = tls::file("further-ca.pem");
    for (shown, says) in [
        ("expired.pem", ["has expired", "this machine's clock"]),
        ("other-host.pem", ["for another host name", "Name the host in --target"]),
    ] {
        let hand = showing(shown);
        desk.batchproof(&["run", "--target", &hand.url, "--ca", &further]).ends(3).says(&says);
    }
    let hand = showing("self-signed.pem");
    desk.batchproof(&["run", "--target", &hand.url, "--ca", &further])
        .ends(3)
        .says(&["certificate", "--ca F"]);
    let mutual = tls::start(true, |heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    let ca = tls::file("ca.pem");
    desk.batchproof(&["run", "--target", &mutual.url, "--ca", &ca])
        .ends(3)
        .says(&["demands a client certificate", "--cert F"]);
}

#[test]
fn a_self_signed_certificate_is_trusted_where_ca_names_that_very_one() {
    let desk = Desk::new();
    desk.file("one.yaml", ONE);
    let hand = showing("self-signed.pem");
    let own = tls::file("self-signed.pem");
    desk.batchproof(&["run", "one.yaml", "--target", &hand.url, "--ca", &own])
        .ends(0)
        .says(&["CONFORMANT"]);
}

#[test]
fn a_client_certificate_that_cannot_be_used_says_why_before_anything_is_sent() {
    let desk = Desk::new();
    for (file, says) in [
        ("client-v1.pem", ["X.509 version 1", "version 3 certificate"]),
        ("client-encrypted.pem", ["its private key is encrypted", "openssl pkey"]),
    ] {
        desk.batchproof(&["run", "--target", "https://127.0.0.1:9", "--cert", &tls::file(file)])
            .ends(2)
            .says(&says);
    }
}

#[test]
fn what_was_never_reached_is_not_judged() {
    let desk = Desk::new();
    desk.file("one.yaml", ONE);
    desk.batchproof(&["run", "one.yaml", "--target", "http://no-such-host.invalid"])
        .ends(3)
        .says(&["can't be reached", "lookup"]);
    assert_eq!(desk.report()["findings"], serde_json::json!([]));
}

/// A proxy that answers everything with these bytes.
fn proxy(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://user:pass@{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    url
}

/// A run through a proxy, and what is said of it.
fn through(desk: &Desk, variable: &str, proxy: &str, target: &str) -> String {
    let output = desk
        .command()
        .args(["run", "order/sizes", "--depth", "quick", "--target", target])
        .env(variable, proxy)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    // Lines are broken wherever they get long.
    let text = String::from_utf8(text).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(!text.contains("user:pass"), "{text}");
    text
}

#[test]
fn a_proxy_that_refuses_ends_the_run_and_is_named() {
    let desk = Desk::new();
    let refusing = proxy(
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    for (variable, target) in
        [("HTTPS_PROXY", "https://target.test"), ("HTTP_PROXY", "http://target.test")]
    {
        let text = through(&desk, variable, &refusing, target);
        assert!(text.contains("demands credentials (407)"), "{text}");
        assert_eq!(desk.report()["findings"], serde_json::json!([]));
    }
    let page = proxy(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<html>sign in!",
    );
    let text = through(&desk, "HTTP_PROXY", &page, "http://target.test");
    assert!(text.contains("perhaps from the proxy http://127.0.0.1:"), "{text}");
}

#[test]
fn a_tunnel_carries_ordinary_and_raw_requests_with_the_credentials_of_the_proxy() {
    let (desk, serving) = (Desk::new(), serving());
    let address = serving.url.split('/').nth(2).unwrap().to_owned();
    let (asked, url) = tunnelling(address);
    let output = desk
        .command()
        .args(["run", "http/framing", "order/sizes", "--depth", "quick", "--insecure"])
        .args(["--target", "https://target.test", "--rate", "500/s"])
        .env("HTTPS_PROXY", url)
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let asked = asked.lock().unwrap();
    assert!(asked.len() > 1);
    for head in asked.iter() {
        assert!(head.starts_with("CONNECT target.test:443 HTTP/1.1\r\n"), "{head}");
        let head = head.to_ascii_lowercase();
        assert!(head.contains("proxy-authorization: basic dxnlcjpwyxnz\r\n"), "{head}");
    }
}

/// A proxy whose tunnels all lead to `address`: the heads that it was asked with, and its URL.
fn tunnelling(address: String) -> (Arc<std::sync::Mutex<Vec<String>>>, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://user:pass@{}", listener.local_addr().unwrap());
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (keep, address) = (Arc::clone(&keep), address.clone());
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") {
                    std::io::Read::read_exact(&mut client, &mut byte)?;
                    head.push(byte[0]);
                }
                keep.lock().unwrap().push(String::from_utf8(head).unwrap());
                let server = std::net::TcpStream::connect(address)?;
                std::io::Write::write_all(&mut client, b"HTTP/1.1 200 Connected\r\n\r\n")?;
                let (mut to, mut from) = (server.try_clone()?, client.try_clone()?);
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    to.shutdown(std::net::Shutdown::Write)
                });
                let mut server = server;
                let _ = std::io::copy(&mut server, &mut client);
                client.shutdown(std::net::Shutdown::Write)
            });
        }
    });
    (asked, url)
}
