//! A raw connection, where framing itself is on trial or the client hangs up: an independent reader of
//! HTTP/1.1 answers (RFC 9112).

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Sender;
use super::unframed::{SILENCE, is_whole, promises_close};
use crate::case::HangUp;
use crate::exchange::{Answer, FramingSeen, Loss, LossKind, Request, Response, TOKEN_MARK};

pub(super) async fn send(sender: &Sender, request: &Request, limit: Duration) -> Answer {
    let start = Instant::now();
    match tokio::time::timeout(limit, talk(sender, request, start)).await {
        Ok(answer) => answer,
        Err(_) => Answer::Lost(Loss {
            kind: LossKind::Timeout,
            message: "no whole answer in time".to_owned(),
            elapsed: start.elapsed(),
        }),
    }
}

async fn talk(sender: &Sender, request: &Request, start: Instant) -> Answer {
    let lost =
        |kind, message: String| Answer::Lost(Loss { kind, message, elapsed: start.elapsed() });
    if sender.target.url.scheme() != "http" {
        return lost(
            LossKind::HungUp,
            "raw connections are made without TLS only; nothing was sent".to_owned(),
        );
    }
    let (host, port) = sender.target.address();
    let mut stream = match TcpStream::connect((host.as_str(), port)).await {
        Ok(stream) => stream,
        Err(error) => return lost(LossKind::Connect, error.to_string()),
    };
    let _ = stream.set_nodelay(true);
    let bytes = match &request.raw {
        Some(raw) => fill_token(raw, sender),
        None => render(sender, request),
    };
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let until = match request.hang_up {
        None | Some(HangUp::BeforeAnswer) => bytes.len(),
        Some(HangUp::AfterHeaders) => head,
        Some(HangUp::HalfBody) => head + (bytes.len() - head) / 2,
    };
    let waits = request.header("expect").is_some() && until > head;
    let first = if waits { head } else { until };
    if let Err(error) = stream.write_all(&bytes[..first]).await {
        return lost(LossKind::Reset, error.to_string());
    }
    let _ = stream.flush().await;
    let mut kept_waiting = false;
    if waits {
        // As a careful client does: the body goes out once the server has said anything, or after a while.
        kept_waiting =
            tokio::time::timeout(Duration::from_secs(2), stream.readable()).await.is_err();
        if let Err(error) = stream.write_all(&bytes[head..until]).await {
            return lost(LossKind::Reset, error.to_string());
        }
    }
    if request.hang_up.is_some() {
        let _ = stream.shutdown().await;
        drop(stream);
        return lost(LossKind::HungUp, "the client hung up".to_owned());
    }
    match Reader::new(&mut stream).answer(&request.method, request.is_http_1_0()).await {
        Ok(mut response) => {
            response.elapsed = start.elapsed();
            if let Some(seen) = &mut response.framing {
                seen.kept_waiting = kept_waiting;
            }
            Answer::Received(response)
        }
        Err((kind, message)) => lost(kind, message),
    }
}

fn fill_token(raw: &Bytes, sender: &Sender) -> Vec<u8> {
    let mark = TOKEN_MARK.as_bytes();
    let mut out = raw.to_vec();
    while let Some(at) = out.windows(mark.len()).position(|w| w == mark) {
        out.splice(at..at + mark.len(), sender.token.expose().bytes());
    }
    out
}

fn render(sender: &Sender, request: &Request) -> Vec<u8> {
    let mut text = sender.target.request_line(request);
    let mut add = |name: &str, value: &str| {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    };
    for (name, value) in sender.profile_headers.iter().chain(&request.headers) {
        add(name, value);
    }
    if let Some(value) = sender.authorization(request) {
        add("Authorization", &value);
    }
    let body = request.body.clone().unwrap_or_default();
    add("Content-Length", &body.len().to_string());
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

type Failure = (LossKind, String);

struct Reader<'a> {
    stream: &'a mut TcpStream,
    buffer: Vec<u8>,
    ended: bool,
}

impl<'a> Reader<'a> {
    fn new(stream: &'a mut TcpStream) -> Reader<'a> {
        Reader { stream, buffer: Vec::new(), ended: false }
    }

    async fn more(&mut self) -> Result<bool, Failure> {
        if self.ended {
            return Ok(false);
        }
        let mut chunk = vec![0_u8; 16 * 1024];
        match self.stream.read(&mut chunk).await {
            Ok(0) => {
                self.ended = true;
                Ok(false)
            }
            Ok(n) => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Ok(true)
            }
            Err(_) if !self.buffer.is_empty() => {
                self.ended = true;
                Ok(false)
            }
            Err(error) => Err((LossKind::Reset, error.to_string())),
        }
    }

    async fn head(&mut self) -> Result<(u16, Vec<(String, String)>), Failure> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            if self.buffer.len() > 256 * 1024 {
                return Err((LossKind::NoHttp, "no end of the headers".to_owned()));
            }
            if !self.more().await? {
                return Err((
                    LossKind::Reset,
                    format!("the connection ended after {} bytes", self.buffer.len()),
                ));
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end + 4);
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or("");
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5))
            .and_then(|code| code.parse::<u16>().ok())
            .ok_or_else(|| (LossKind::NoHttp, format!("`{first}` is no status line")))?;
        let headers = lines
            .filter_map(|l| l.split_once(':'))
            .map(|(n, v)| (n.trim().to_ascii_lowercase(), v.trim().to_owned()))
            .collect();
        Ok((status, headers))
    }

    /// Reads the answer to a request with that method; `old` where it said HTTP/1.0.
    async fn answer(mut self, method: &str, old: bool) -> Result<Response, Failure> {
        let mut seen = FramingSeen::default();
        let (status, headers) = loop {
            let (status, headers) = self.head().await?;
            // RFC 9110 section 15.2: a client reads any number of interim answers.
            if !(100..200).contains(&status) || status == 101 {
                break (status, headers);
            }
            seen.continued |= status == 100;
        };
        let values = |name: &str| -> Vec<&str> {
            headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
        };
        let chunked =
            values("transfer-encoding").iter().any(|v| v.to_ascii_lowercase().contains("chunked"));
        let lengths = values("content-length");
        let length = lengths.first().and_then(|v| v.parse::<usize>().ok());
        if old && !values("transfer-encoding").is_empty() {
            seen.fault = Some("Transfer-Encoding in the answer to an HTTP/1.0 request".to_owned());
        } else if chunked && !lengths.is_empty() {
            seen.fault = Some("both Content-Length and Transfer-Encoding".to_owned());
        } else if lengths.windows(2).any(|w| w[0] != w[1]) {
            seen.fault = Some("two different Content-Length headers".to_owned());
        } else if !lengths.is_empty() && length.is_none() {
            seen.fault = Some(format!("Content-Length is `{}`", lengths[0]));
        }
        let bodiless = method == "HEAD" || status == 204 || status == 304 || status < 200;
        let body = if bodiless {
            Vec::new()
        } else if chunked {
            self.chunked(&mut seen).await?
        } else if let Some(length) = length {
            self.sized(length, &mut seen).await?
        } else {
            let closes = values("connection").iter().any(|v| promises_close(v.as_bytes()));
            self.until_closed(closes, &mut seen).await?
        };
        if seen.fault.is_none() && (bodiless || chunked || length.is_some()) {
            self.trailing(&mut seen).await?;
        }
        Ok(Response {
            status,
            headers,
            body: Bytes::from(body),
            elapsed: Duration::ZERO,
            framing: Some(seen),
        })
    }

    /// A body that ends with its connection, which the target promised to close or not.
    async fn until_closed(
        &mut self,
        closes: bool,
        seen: &mut FramingSeen,
    ) -> Result<Vec<u8>, Failure> {
        loop {
            match tokio::time::timeout(SILENCE, self.more()).await {
                Ok(more) => {
                    if !more? {
                        break;
                    }
                }
                Err(_) if !closes && is_whole(&self.buffer) => {
                    let fault = "neither Content-Length nor chunks, and the connection stays open";
                    seen.fault = Some(fault.to_owned());
                    break;
                }
                Err(_) => {}
            }
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    async fn sized(&mut self, length: usize, seen: &mut FramingSeen) -> Result<Vec<u8>, Failure> {
        while self.buffer.len() < length {
            let more = match tokio::time::timeout(SILENCE, self.more()).await {
                Ok(more) => more?,
                // A target that declares more than it sends would keep us here until the time-out.
                Err(_) => !is_whole(&self.buffer),
            };
            if !more {
                seen.fault = Some(format!(
                    "Content-Length says {length}, but {} bytes came",
                    self.buffer.len()
                ));
                return Ok(std::mem::take(&mut self.buffer));
            }
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn chunked(&mut self, seen: &mut FramingSeen) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        loop {
            let Some(line) = self.line().await? else {
                seen.fault = Some("the connection ended inside a chunked body".to_owned());
                return Ok(body);
            };
            let size = line.split(';').next().unwrap_or("").trim();
            let Ok(size) = usize::from_str_radix(size, 16) else {
                seen.fault = Some(format!("`{line}` is no chunk size"));
                return Ok(body);
            };
            if size == 0 {
                while let Some(line) = self.line().await? {
                    if line.is_empty() {
                        return Ok(body);
                    }
                }
                seen.fault = Some("the last chunk has no end".to_owned());
                return Ok(body);
            }
            while self.buffer.len() < size + 2 {
                if !self.more().await? {
                    seen.fault = Some("the connection ended inside a chunk".to_owned());
                    return Ok(body);
                }
            }
            if &self.buffer[size..size + 2] != b"\r\n" {
                seen.fault = Some("a chunk is longer than its size".to_owned());
                return Ok(body);
            }
            body.extend_from_slice(&self.buffer[..size]);
            self.buffer.drain(..size + 2);
        }
    }

    async fn line(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..at]).into_owned();
                self.buffer.drain(..at + 2);
                return Ok(Some(line));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Whether bytes follow the answer, though nothing more was asked.
    async fn trailing(&mut self, seen: &mut FramingSeen) -> Result<(), Failure> {
        if self.buffer.is_empty() {
            let _ = tokio::time::timeout(Duration::from_millis(20), self.more()).await;
        }
        if !self.buffer.is_empty() {
            seen.fault = Some(format!("{} bytes follow the answer", self.buffer.len()));
        }
        Ok(())
    }
}
