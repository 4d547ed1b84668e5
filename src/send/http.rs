//! Ordinary requests, by reqwest.

use std::error::Error as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::allowance::Allowance;
use super::body_end::{SILENCE, is_whole, promises_close};
use super::connection::handshake_failure;
use super::incoming::{LossReason, too_large};
use super::memory::{AnswerBounds, Buffered};
use super::{Sender, StreamedExchange, head, tls_error};
use crate::case::{Credential, Framing};
use crate::contract::CredentialScheme;
use crate::exchange::{Answer, Loss, LossKind, Request, Response};

/// Bytes of a chunk where chunks are to be tiny.
const TINY_CHUNK: usize = 7;

pub(super) async fn send(
    sender: &Sender,
    client: &reqwest::Client,
    request: &Request,
    signature: &[(String, String)],
    limit: Duration,
    bounds: AnswerBounds,
) -> Answer {
    let start = Instant::now();
    match exchange(sender, client, request, signature, limit, bounds).await {
        Ok(response) => Answer::Received(Response { elapsed: start.elapsed(), ..response }),
        Err((kind, message)) => Answer::Lost(Loss { kind, message, elapsed: start.elapsed() }),
    }
}

async fn exchange(
    sender: &Sender,
    client: &reqwest::Client,
    request: &Request,
    signature: &[(String, String)],
    limit: Duration,
    bounds: AnswerBounds,
) -> Result<Response, LossReason> {
    let Ok(method) = reqwest::Method::from_bytes(request.method.as_bytes()) else {
        return Err((
            LossKind::HungUp,
            format!("`{}` is not a method; nothing was sent", request.method),
        ));
    };
    let mut url = format!("{}{}", sender.target.base, request.path);
    if request.credential == Credential::InQuery {
        let token: String =
            url::form_urlencoded::byte_serialize(sender.token.expose().as_bytes()).collect();
        let name = match sender.token.scheme() {
            CredentialScheme::ApiKey(name) => name,
            _ => "access_token",
        };
        url = format!("{url}?{name}={token}");
    }
    let headers = headers(sender, request, signature);
    let mut builder = client.request(method, url).headers(headers);
    if let Some(body) = &request.body {
        builder = match request.framing {
            Framing::Sized => builder.body(body.clone()),
            Framing::Chunked => {
                builder.body(reqwest::Body::wrap_stream(chunks(body, body.len() / 3)))
            }
            Framing::TinyChunks => {
                builder.body(reqwest::Body::wrap_stream(chunks(body, TINY_CHUNK)))
            }
        };
    }
    let allowance = Allowance::new(limit);
    let response = allowance.within(builder.send()).await.ok_or_else(|| timed_out(&allowance))?;
    let response = response.map_err(|error| failure(sender, &error))?;
    refuse_proxy(sender, response.status().as_u16())?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    if response.content_length().is_some_and(|length| length > bounds.most) {
        return Err(too_large(status, bounds.most));
    }
    if response.version() == reqwest::Version::HTTP_10 {
        // Before the body is read, since the connection is idle again after it.
        sender.clients().await.forget_connections();
    }
    let framed = response.version() == reqwest::Version::HTTP_2 || is_framed(response.headers());
    let body = Buffered::new(&sender.memory, &allowance, status, bounds);
    let (body, outline) = read(sender, response, body, framed, &allowance).await?.finish();
    Ok(Response { status, headers, body, elapsed: Duration::ZERO, framing: None, outline })
}

/// An answer by which the proxy itself refuses the request.
fn refuse_proxy(sender: &Sender, status: u16) -> Result<(), LossReason> {
    match &sender.proxy {
        Some(proxy) if matches!(status, 407 | 511) => Err((LossKind::Proxy, proxy.refusal(status))),
        _ => Ok(()),
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

/// Reads a body to its end; without framing, that is the end of its connection.
async fn read<'a>(
    sender: &Sender,
    mut response: reqwest::Response,
    mut body: Buffered<'a>,
    framed: bool,
    allowance: &Allowance,
) -> Result<Buffered<'a>, LossReason> {
    let status = response.status().as_u16();
    let broken = |(kind, why): LossReason| match kind {
        LossKind::Timeout | LossKind::CutShort => (kind, format!("status {status}, then: {why}")),
        _ => (LossKind::Reset, format!("status {status}, then: {why}")),
    };
    loop {
        let late = || broken(timed_out(allowance));
        let chunk = if framed {
            allowance.within(response.chunk()).await.ok_or_else(late)?
        } else {
            let silence = tokio::time::timeout(SILENCE, response.chunk());
            match allowance.within(silence).await.ok_or_else(late)? {
                Ok(chunk) => chunk,
                Err(_) if is_whole(body.bytes()) => {
                    let why = format!(
                        "status {status}, then {} bytes with neither Content-Length nor chunks, on a connection that \
                         stayed open",
                        body.came()
                    );
                    return Err((LossKind::Timeout, why));
                }
                Err(_) => continue,
            }
        };
        match chunk {
            Ok(Some(chunk)) => body.add(&chunk).await?,
            Ok(None) => return Ok(body),
            // Many servers close a TLS connection without saying so before.
            Err(error) if !framed && is_abrupt(&error) && is_whole(body.bytes()) => {
                return Ok(body);
            }
            Err(error) => return Err(broken(failure(sender, &error))),
        }
    }
}

/// Whether a connection ended without the end that TLS has for it.
fn is_abrupt(error: &reqwest::Error) -> bool {
    io_error(error).is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
}

/// Sends a body piece by piece and hands on what comes back meanwhile.
pub(super) async fn stream(
    sender: &Sender,
    request: &Request,
    signature: &[(String, String)],
    length: Option<u64>,
    items: usize,
    streamed: &mut impl StreamedExchange,
) -> Result<Duration, Loss> {
    let start = Instant::now();
    let most = sender.most(items);
    let headers = headers(sender, request, signature);
    let talk = talk(sender, (request, headers), length, most, streamed);
    let talk = tokio::time::timeout(sender.limit(items), talk).await;
    let elapsed = start.elapsed();
    match talk {
        Ok(Ok(())) => Ok(elapsed),
        Ok(Err((kind, message))) => Err(Loss { kind, message, elapsed }),
        Err(_) => Err(Loss {
            kind: LossKind::Timeout,
            message: "no whole answer in time".to_owned(),
            elapsed,
        }),
    }
}

async fn talk(
    sender: &Sender,
    (request, headers): (&Request, HeaderMap),
    length: Option<u64>,
    most: u64,
    streamed: &mut impl StreamedExchange,
) -> Result<(), LossReason> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
    let (pieces, taken) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    let body = futures_util::stream::unfold(taken, |mut taken| async move {
        taken.recv().await.map(|piece| (piece, taken))
    });
    let mut builder = sender
        .clients()
        .await
        .of(true)
        .request(method, format!("{}{}", sender.target.base, request.path))
        .headers(headers)
        .body(reqwest::Body::wrap_stream(body));
    if let Some(length) = length {
        builder = builder.header(reqwest::header::CONTENT_LENGTH, length);
    }
    let mut answering = std::pin::pin!(builder.send());
    let mut pieces = Some(pieces);
    let mut response = loop {
        tokio::select! {
            answer = &mut answering => break answer.map_err(|error| failure(sender, &error))?,
            () = feed(&mut pieces, streamed) => {}
        }
    };
    let status = response.status().as_u16();
    let lines: Vec<u8> = response
        .headers()
        .iter()
        .flat_map(|(n, v)| [n.as_str().as_bytes(), b": ", v.as_bytes(), b"\r\n"].concat())
        .collect();
    refuse_proxy(sender, status)?;
    sender.outcomes.note_status(status);
    let mut body = Vec::new();
    let mut left = most;
    streamed.take_body(status, &lines, &mut body);
    loop {
        tokio::select! {
            chunk = response.chunk() => match chunk.map_err(|error| failure(sender, &error))? {
                Some(chunk) => {
                    let Some(fewer) = left.checked_sub(chunk.len() as u64) else {
                        return Err(too_large(status, most));
                    };
                    left = fewer;
                    body.extend_from_slice(&chunk);
                    streamed.take_body(status, &lines, &mut body);
                }
                None => return Ok(()),
            },
            () = feed(&mut pieces, streamed) => {}
        }
    }
}

type Pieces = tokio::sync::mpsc::Sender<Result<Bytes, std::io::Error>>;

/// Waits until there is room for a piece, and makes it then; never ends once there is none.
async fn feed(pieces: &mut Option<Pieces>, streamed: &mut impl StreamedExchange) {
    let Some(open) = pieces else { return std::future::pending().await };
    let mut more = false;
    if let Ok(room) = open.reserve().await {
        let mut piece = Vec::new();
        more = streamed.next_piece(&mut piece);
        if more {
            room.send(Ok(Bytes::from(piece)));
        }
    }
    if !more {
        *pieces = None;
    }
}

fn headers(sender: &Sender, request: &Request, signature: &[(String, String)]) -> HeaderMap {
    head::fields(sender, request, signature)
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        })
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
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

/// No (whole) answer came within the limit.
fn timed_out(allowance: &Allowance) -> LossReason {
    (allowance.late(), "operation timed out".to_owned())
}

/// What went wrong, and with whom: name service, proxy, TLS, or the target.
fn failure(sender: &Sender, error: &reqwest::Error) -> LossReason {
    let text = words(error);
    if !error.is_connect() {
        return match tls_error::find(error) {
            // With TLS 1.3, a client certificate is demanded behind the handshake.
            Some(inner @ rustls::Error::AlertReceived(_)) => {
                (LossKind::Tls, tls_error::explain(inner))
            }
            _ if error.is_timeout() => (LossKind::Timeout, plain(text)),
            _ if ["invalid HTTP", "parse", "head is too large"]
                .iter()
                .any(|t| text.contains(t)) =>
            {
                (LossKind::NoHttp, plain(text))
            }
            _ => (LossKind::Reset, plain(text)),
        };
    }
    if let Some(proxy) = &sender.proxy
        && tls_error::find(error).is_none()
    {
        let why = if text.contains("proxy authorization required") {
            proxy.refusal(407)
        } else {
            format!("the proxy {proxy} can't be used: {text}")
        };
        return (LossKind::Proxy, why);
    }
    if let Some(inner) = tls_error::find(error) {
        return (LossKind::Tls, tls_error::explain(inner));
    }
    if text.contains("dns error") {
        return (LossKind::Resolve, text);
    }
    match io_error(error) {
        // A connection that was made, and ended before it was encrypted.
        Some(io)
            if sender.target.is_encrypted()
                && matches!(
                    io.kind(),
                    std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset
                ) =>
        {
            (LossKind::Tls, handshake_failure(io))
        }
        _ => (LossKind::Connect, text),
    }
}

/// What the HTTP library says of a response, and how a reader of reports says it.
const PLAIN: [(&str, &str); 8] = [
    ("client error (SendRequest): ", ""),
    ("message head is too large", "the head of the response is too large"),
    ("invalid HTTP header parsed", "a header of the response can't be read"),
    ("invalid HTTP version parsed", "the response does not begin with a version of HTTP"),
    ("invalid HTTP status-code parsed", "the status of the response can't be read"),
    ("invalid content-length parsed", "the Content-Length of the response is not a number"),
    (
        "connection closed before message completed",
        "the connection was closed before the response was whole",
    ),
    ("end of file before message length reached", "the body ended before its Content-Length"),
];

fn plain(text: String) -> String {
    PLAIN.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

/// The I/O error behind `error`, the innermost where one wraps another.
fn io_error(error: &reqwest::Error) -> Option<&std::io::Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(mut io) = inner.downcast_ref::<std::io::Error>() {
            while let Some(deeper) = io.get_ref().and_then(|e| e.downcast_ref()) {
                io = deeper;
            }
            return Some(io);
        }
        source = inner.source();
    }
    None
}

/// The error and what lies behind it, without the URL.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut source = error.source();
    while let Some(inner) = source {
        // The kind of loss says that it was while connecting.
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
