//! Ordinary requests, by reqwest.

use std::error::Error as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::unframed::{SILENCE, is_whole, promises_close};
use super::{Exchanging, SendError, SendOptions, Sender, Target};
use crate::case::{Credential, Framing};
use crate::exchange::{Answer, Loss, LossKind, Request, Response};

/// Bytes of a chunk where chunks are to be tiny.
const SLIVER: usize = 7;

pub(super) fn client(
    target: &Target,
    options: &SendOptions,
    pooled: bool,
) -> Result<reqwest::Client, SendError> {
    let read = |option: &str, path: &std::path::Path| {
        std::fs::read(path)
            .map_err(|e| SendError::Client(format!("{option} {}: {e}", path.display())))
    };
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(options.connect)
        .tcp_nodelay(true)
        .http1_only()
        .referer(false)
        .user_agent(concat!("batchproof/", env!("CARGO_PKG_VERSION")));
    if !pooled {
        builder = builder.pool_max_idle_per_host(0);
    }
    if target.is_loopback() {
        builder = builder.no_proxy();
        if !target.base.starts_with("https:") {
            // Without TLS, reading the system's certificates would be most of the start-up time.
            builder = builder.tls_certs_only([]);
        }
    }
    if let Some(path) = &options.ca {
        let unusable = |why: &str| {
            let expected = "a PEM file with one certificate or several";
            SendError::Client(format!("--ca {}: {why}\n  expected: {expected}", path.display()))
        };
        let pem = read("--ca", path)?;
        let list =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| unusable(&e.to_string()))?;
        if list.is_empty() {
            return Err(unusable("it holds no certificate"));
        }
        for certificate in list {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if let Some(path) = &options.cert {
        let identity = reqwest::Identity::from_pem(&read("--cert", path)?).map_err(|_| {
            SendError::Client(format!(
                "--cert {}: it holds no certificate with its private key\n  expected: a PEM file with both",
                path.display()
            ))
        })?;
        builder = builder.identity(identity);
    }
    if options.insecure {
        builder = builder.danger_accept_invalid_certs(true);
    }
    builder.build().map_err(|e| SendError::Client(format!("the HTTP client: {e}")))
}

pub(super) async fn send(
    sender: &Sender,
    client: &reqwest::Client,
    request: &Request,
    limit: Duration,
) -> Answer {
    let start = Instant::now();
    let lost =
        |kind, message: String| Answer::Lost(Loss { kind, message, elapsed: start.elapsed() });
    let Ok(method) = reqwest::Method::from_bytes(request.method.as_bytes()) else {
        return lost(LossKind::NoHttp, format!("`{}` is no method", request.method));
    };
    let mut url = format!("{}{}", sender.target.base, request.path);
    if request.credential == Credential::InQuery {
        let token: String =
            url::form_urlencoded::byte_serialize(sender.token.expose().as_bytes()).collect();
        url = format!("{url}?access_token={token}");
    }
    let mut builder = client.request(method, url).headers(headers(sender, request)).timeout(limit);
    if let Some(body) = &request.body {
        builder = match request.framing {
            Framing::Sized => builder.body(body.clone()),
            Framing::Chunked => {
                builder.body(reqwest::Body::wrap_stream(chunks(body, body.len() / 3)))
            }
            Framing::Slivers => builder.body(reqwest::Body::wrap_stream(chunks(body, SLIVER))),
        };
    }
    let response = match builder.send().await {
        Ok(response) => response,
        Err(error) => return lost(loss_kind(&error), words(&error)),
    };
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    let body = if is_framed(response.headers()) {
        response.bytes().await
    } else {
        match until_closed(response).await {
            Ok(body) => body,
            Err(bytes) => {
                let message = format!(
                    "status {status}, then {bytes} bytes with neither Content-Length nor chunks, on a connection \
                     that stayed open"
                );
                return lost(LossKind::Timeout, message);
            }
        }
    };
    match body {
        Ok(body) => Answer::Received(Response {
            status,
            headers,
            body,
            elapsed: start.elapsed(),
            framing: None,
        }),
        Err(error) => lost(
            if error.is_timeout() { LossKind::Timeout } else { LossKind::Reset },
            format!("status {status}, then: {}", words(&error)),
        ),
    }
}

/// Whether the head says where the body ends (RFC 9112, section 6.3): by a length, by chunks, or by the promise
/// that the connection is closed then.
fn is_framed(headers: &HeaderMap) -> bool {
    let closes = headers
        .get_all(reqwest::header::CONNECTION)
        .iter()
        .any(|value| promises_close(value.as_bytes()));
    closes
        || headers.contains_key(reqwest::header::CONTENT_LENGTH)
        || headers.contains_key(reqwest::header::TRANSFER_ENCODING)
}

/// A body that ends with its connection; how many bytes came where the connection stays open behind a whole
/// document.
async fn until_closed(
    mut response: reqwest::Response,
) -> Result<Result<Bytes, reqwest::Error>, usize> {
    let mut body = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => return Ok(Ok(Bytes::from(body))),
            Ok(Err(error)) => return Ok(Err(error)),
            Err(_) if is_whole(&body) => return Err(body.len()),
            Err(_) => {}
        }
    }
}

/// Sends a body piece by piece and hands on what comes back meanwhile.
pub(super) async fn stream(
    sender: &Sender,
    request: &Request,
    length: Option<u64>,
    limit: Duration,
    exchanging: &mut impl Exchanging,
) -> Result<Duration, Loss> {
    let start = Instant::now();
    let talk = tokio::time::timeout(limit, talk(sender, request, length, exchanging)).await;
    let elapsed = start.elapsed();
    match talk {
        Ok(Ok(())) => Ok(elapsed),
        Ok(Err(error)) => Err(Loss { kind: loss_kind(&error), message: words(&error), elapsed }),
        Err(_) => Err(Loss {
            kind: LossKind::Timeout,
            message: "no whole answer in time".to_owned(),
            elapsed,
        }),
    }
}

async fn talk(
    sender: &Sender,
    request: &Request,
    length: Option<u64>,
    exchanging: &mut impl Exchanging,
) -> Result<(), reqwest::Error> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
    let (pieces, taken) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    let body = futures_util::stream::unfold(taken, |mut taken| async move {
        taken.recv().await.map(|piece| (piece, taken))
    });
    let mut builder = sender
        .fresh
        .request(method, format!("{}{}", sender.target.base, request.path))
        .headers(headers(sender, request))
        .body(reqwest::Body::wrap_stream(body));
    if let Some(length) = length {
        builder = builder.header(reqwest::header::CONTENT_LENGTH, length);
    }
    let mut answering = std::pin::pin!(builder.send());
    let mut pieces = Some(pieces);
    let mut response = loop {
        tokio::select! {
            answer = &mut answering => break answer?,
            () = feed(&mut pieces, exchanging) => {}
        }
    };
    let status = response.status().as_u16();
    let lines: Vec<u8> = response
        .headers()
        .iter()
        .flat_map(|(n, v)| [n.as_str().as_bytes(), b": ", v.as_bytes(), b"\r\n"].concat())
        .collect();
    let mut body = Vec::new();
    exchanging.take(status, &lines, &mut body);
    loop {
        tokio::select! {
            chunk = response.chunk() => match chunk? {
                Some(chunk) => {
                    body.extend_from_slice(&chunk);
                    exchanging.take(status, &lines, &mut body);
                }
                None => return Ok(()),
            },
            () = feed(&mut pieces, exchanging) => {}
        }
    }
}

type Pieces = tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>;

/// Waits until there is room for a piece, and makes it then; never ends once there is none.
async fn feed(pieces: &mut Option<Pieces>, exchanging: &mut impl Exchanging) {
    let Some(open) = pieces else { return std::future::pending().await };
    let mut more = false;
    if let Ok(room) = open.reserve().await {
        let mut piece = Vec::new();
        more = exchanging.next(&mut piece);
        if more {
            room.send(Ok(Bytes::from(piece)));
        }
    }
    if !more {
        *pieces = None;
    }
}

fn headers(sender: &Sender, request: &Request) -> HeaderMap {
    let mut map = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            map.append(name, value);
        }
    };
    for (name, value) in &sender.profile_headers {
        add(name, value);
    }
    for (name, value) in &request.headers {
        add(name, value);
    }
    if let Some(value) = sender.authorization(request) {
        add("authorization", &value);
    }
    map
}

/// A chunk of one byte, then chunks of `size`.
fn chunks(
    body: &Bytes,
    size: usize,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    let mut parts = Vec::new();
    let mut rest = body.clone();
    if rest.len() > 2 {
        parts.push(Ok(rest.split_to(1)));
    }
    let size = size.clamp(1, 64 * 1024);
    while !rest.is_empty() {
        parts.push(Ok(rest.split_to(size.min(rest.len()))));
    }
    futures_util::stream::iter(parts)
}

fn loss_kind(error: &reqwest::Error) -> LossKind {
    if error.is_timeout() {
        return if error.is_connect() { LossKind::Connect } else { LossKind::Timeout };
    }
    if error.is_connect() {
        return LossKind::Connect;
    }
    let text = words(error);
    if text.contains("invalid HTTP") || text.contains("parse") {
        LossKind::NoHttp
    } else {
        LossKind::Reset
    }
}

/// The error and what lies behind it, without the URL.
fn words(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut source = error.source();
    while let Some(inner) = source {
        // That it was while connecting is told by the kind of loss.
        let text = inner.to_string();
        if text != "client error (Connect)" {
            parts.push(text);
        }
        source = inner.source();
    }
    if parts.is_empty() {
        parts.push(if error.is_timeout() { "timed out".to_owned() } else { "failed".to_owned() });
    }
    parts.join(": ")
}
