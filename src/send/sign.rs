//! Signatures: a command of the user gives the headers that sign a request.
//!
//! It gets one JSON object in a line, and answers with one JSON object in a line: header names and values. How
//! long it lives, its mode says. It must not know what a target thinks of a signature.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Sender, command, head};
use crate::case::Credential;
use crate::contract::auth::{SigningCommand, SigningMode};
use crate::contract::{header, hex};
use crate::exchange::{Loss, LossKind, REDACTED, Request, Response, rotated};

/// What a command gets for one line.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a command that ended gets to say why.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Bytes of a header's value from which on it is looked for in answers.
const LOOKED_FOR: usize = 8;

/// What is signed.
pub(super) struct Signed<'a> {
    pub method: &'a str,
    pub url: String,
    /// Without credentials.
    pub headers: Vec<(String, String)>,
    pub body: SignedBody<'a>,
}

/// The body of a request that is signed.
#[derive(Clone, Copy)]
pub enum SignedBody<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// Of a body that is never whole in memory: its SHA-256 and its length.
    Hash([u8; 32], u64),
}

/// The headers that sign a request.
pub(super) type SignatureHeaders = Vec<(String, String)>;

/// Signs requests.
pub(super) struct Signer {
    settings: SigningCommand,
    process: Arc<Mutex<Option<LineProcess>>>,
}

impl Signer {
    pub fn new(settings: SigningCommand) -> Signer {
        Signer { settings, process: Arc::default() }
    }

    /// The headers that show `credential`: the signature, or what is made of it.
    ///
    /// # Errors
    /// Why there is none, with what the command printed on standard error.
    pub async fn sign(
        &self,
        request: Signed<'_>,
        credential: Credential,
    ) -> Result<SignatureHeaders, String> {
        if matches!(credential, Credential::None | Credential::InQuery) {
            return Ok(Vec::new());
        }
        // Right for another body: a target that does not look at the body takes it.
        let is_wrong = credential == Credential::Wrong;
        let line = self.line(&request, is_wrong);
        let headers = match self.settings.mode {
            SigningMode::Once => self.once(&request, line).await?,
            SigningMode::Lines => self.ask(line).await?,
        };
        if headers.is_empty() {
            return Err("the signing command gave no header".to_owned());
        }
        Ok(self.presented(headers, credential))
    }

    /// The line that the command gets.
    fn line(&self, request: &Signed<'_>, is_wrong: bool) -> String {
        let (hash, length, whole) = match request.body {
            SignedBody::Hash(hash, length) => (hash, length, None),
            SignedBody::Whole(body) => (Sha256::digest(body).into(), body.len() as u64, Some(body)),
        };
        let hash = if is_wrong { Sha256::digest(hash).into() } else { hash };
        let headers: Map<String, Value> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str().into()))
            .collect();
        let mut line = json!({
            "method": request.method,
            "url": request.url,
            "headers": headers,
            "body-sha256": hex(&hash),
            "body-length": length,
        });
        if let Some(body) = whole.filter(|_| self.settings.body) {
            let body = if is_wrong { b"another body".as_slice() } else { body };
            line["body-base64"] = BASE64.encode(body).into();
        }
        format!("{line}\n")
    }

    async fn once(&self, request: &Signed<'_>, line: String) -> Result<SignatureHeaders, String> {
        let mut command = command::shell(&self.settings.command);
        let read: Value = serde_json::from_str(&line).unwrap_or_default();
        let hash = read.get("body-sha256").and_then(Value::as_str).unwrap_or_default();
        command
            .env("BATCHPROOF_METHOD", request.method)
            .env("BATCHPROOF_URL", &request.url)
            .env("BATCHPROOF_BODY_SHA256", hash);
        let printed = command::output(command, Some(line))
            .await
            .map_err(|why| format!("the signing command: {why}"))?;
        read_headers(&String::from_utf8_lossy(&printed))
    }

    async fn ask(&self, line: String) -> Result<SignatureHeaders, String> {
        let process = Arc::clone(&self.process);
        let text = self.settings.command.clone();
        // It goes on to its end whatever becomes of us: an answer that nobody took would be the next one's.
        let asked = tokio::task::spawn_blocking(move || {
            let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
            let mut running = match process.take() {
                Some(running) => running,
                None => LineProcess::start(&text)?,
            };
            let answer = running.ask(&line)?;
            *process = Some(running);
            Ok::<String, String>(answer)
        });
        let answer = asked
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
            .map_err(|why| format!("the signing command: {why}"))?;
        read_headers(&answer)
    }

    /// What is made of a good signature for each kind of bad credentials.
    fn presented(&self, mut headers: SignatureHeaders, credential: Credential) -> SignatureHeaders {
        let wanted = self.settings.signature_header.as_deref();
        let named = |(name, _): &(String, String)| {
            wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let longest = || (0..headers.len()).rev().max_by_key(|at| headers[*at].1.len());
        let at = headers.iter().position(named).or_else(longest);
        if let Some((_, value)) = at.and_then(|at| headers.get_mut(at)) {
            *value = changed(value, credential);
        }
        headers
    }
}

/// A signature turned into bad credentials.
fn changed(value: &str, credential: Credential) -> String {
    let (scheme, rest) = match value.split_once(' ') {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, value),
    };
    match credential {
        // The wrong one is right for another body.
        Credential::Good
        | Credential::Wrong
        | Credential::None
        | Credential::InQuery
        | Credential::OtherTenant
        | Credential::NoFurtherKey => value.to_owned(),
        Credential::Empty => String::new(),
        Credential::SchemeOnly => scheme.unwrap_or("Bearer").to_owned(),
        Credential::Longer => format!("{value}x"),
        // Padding may be left out, and the letter case of hexadecimal digits means nothing.
        Credential::Shorter => {
            let bare = value.trim_end_matches('=');
            let cut = bare.char_indices().next_back().map_or(0, |(at, _)| at);
            bare[..cut].to_owned()
        }
        Credential::OtherCase => rotated(value),
        Credential::Quoted => format!("\"{value}\""),
        Credential::NoScheme => match scheme {
            Some(_) => rest.to_owned(),
            None => value.chars().rev().collect(),
        },
        Credential::WrongScheme => format!("Token {value}"),
        Credential::Basic => format!("Basic {}", BASE64.encode(format!("user:{value}"))),
    }
}

/// The headers of a JSON object, or of lines `Name: value`.
fn read_headers(text: &str) -> Result<SignatureHeaders, String> {
    let wrong = |what: &str| {
        format!(
            "the signing command: {what}; expected one JSON object of header names and values, such as {{\"X-Signature\":\"…\"}}"
        )
    };
    let text = text.trim();
    let headers: SignatureHeaders = if text.starts_with('{') {
        let map: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| wrong("its answer is no JSON object"))?;
        map.into_iter()
            .map(|(name, value)| match value {
                Value::String(value) => Ok((name, value)),
                Value::Number(number) => Ok((name, number.to_string())),
                _ => Err(wrong("a header's value is no text")),
            })
            .collect::<Result<_, _>>()?
    } else {
        text.lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.split_once(':').ok_or_else(|| wrong("its answer is no header")))
            .map(|line| line.map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())))
            .collect::<Result<_, _>>()?
    };
    let fits = |(name, value): &(String, String)| {
        header::is_name(name) && header::is_value(value) && !header::is_framing(name)
    };
    if headers.iter().all(fits) {
        Ok(headers)
    } else {
        Err(wrong("a header that it gave cannot be sent"))
    }
}

/// Takes signatures out of an answer that repeats them: they are as good as a password for a while.
pub(super) fn without_signatures(response: &mut Response, signatures: &[(String, String)]) {
    for (_, value) in signatures.iter().filter(|(_, value)| value.len() >= LOOKED_FOR) {
        for (_, header) in &mut response.headers {
            if header.contains(value.as_str()) {
                *header = header.replace(value.as_str(), REDACTED);
            }
        }
        let needle = value.as_bytes();
        if response.body.windows(needle.len()).any(|window| window == needle) {
            let mut rest: &[u8] = &response.body;
            let mut clean = Vec::with_capacity(rest.len());
            while let Some(at) = rest.windows(needle.len()).position(|window| window == needle) {
                clean.extend_from_slice(&rest[..at]);
                clean.extend_from_slice(REDACTED.as_bytes());
                rest = &rest[at + needle.len()..];
            }
            clean.extend_from_slice(rest);
            response.body = clean.into();
        }
    }
}

/// A command that answers line by line.
struct LineProcess {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    complaint: Receiver<Vec<u8>>,
}

impl LineProcess {
    fn start(text: &str) -> Result<LineProcess, String> {
        let mut child = command::shell(text)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| format!("it cannot be run: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("it has no standard input or output".to_owned());
        };
        let complaint = command::gathered(child.stderr.take());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(LineProcess { child, stdin, lines, complaint })
    }

    /// Hands over a line, and gives the answer to it.
    fn ask(&mut self, line: &str) -> Result<String, String> {
        let written = self.stdin.write_all(line.as_bytes()).and_then(|()| self.stdin.flush());
        if written.is_err() {
            return Err(self.ended());
        }
        match self.lines.recv_timeout(PATIENCE) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => Err(self.with_complaint(&format!(
                "it gave no line within {} s; does it flush its output?",
                PATIENCE.as_secs()
            ))),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
        }
    }

    fn ended(&mut self) -> String {
        let why = match self.child.try_wait() {
            Ok(Some(status)) => format!("it ended ({status})"),
            _ => "it closed its output".to_owned(),
        };
        self.with_complaint(&why)
    }

    fn with_complaint(&self, why: &str) -> String {
        let mut complaint = Vec::new();
        while let Ok(piece) = self.complaint.recv_timeout(LAST_WORDS) {
            complaint.extend(piece);
        }
        command::with_complaint(why, &complaint)
    }
}

impl Drop for LineProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sender {
    /// The headers that sign `request`, or show the bad credentials that it is to carry; `body` where that is not
    /// the request's own.
    ///
    /// # Errors
    /// A [`Loss`] that says why there is no signature.
    pub(super) async fn signature(
        &self,
        request: &Request,
        body: Option<SignedBody<'_>>,
    ) -> Result<SignatureHeaders, Loss> {
        let Some(signer) = &self.signer else { return Ok(Vec::new()) };
        let whole = SignedBody::Whole(request.body.as_deref().unwrap_or_default());
        let mut headers: Vec<(String, String)> = head::fields(self, request, &[])
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            headers.push(("host".to_owned(), self.target.host()));
        }
        let signed = Signed {
            method: &request.method,
            url: format!("{}{}", self.target.base, request.path),
            headers,
            body: body.unwrap_or(whole),
        };
        signer.sign(signed, request.credential).await.map_err(|why| Loss {
            kind: LossKind::Credentials,
            message: self.token.redactor(&[]).clean(&why),
            elapsed: Duration::ZERO,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_from_json_and_from_lines() {
        let expected =
            vec![("X-Date".to_owned(), "1".to_owned()), ("X-Sig".to_owned(), "a:b".to_owned())];
        assert_eq!(read_headers("{\"X-Date\":1,\"X-Sig\":\"a:b\"}\n").as_ref(), Ok(&expected));
        assert_eq!(read_headers("X-Date: 1\nX-Sig: a:b\n").as_ref(), Ok(&expected));
        for wrong in [
            "{",
            "{\"a b\":\"1\"}",
            "{\"Host\":\"x\"}",
            "{\"X\":[]}",
            "nothing",
            "{\"X\":\"a\\nb\"}",
        ] {
            assert!(read_headers(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bad_signature_is_never_a_good_one() {
        for value in ["deadbeef01", "YWJj=", "HMAC-SHA256 Signature=ab"] {
            for credential in [
                Credential::Empty,
                Credential::SchemeOnly,
                Credential::Longer,
                Credential::Shorter,
                Credential::OtherCase,
                Credential::Quoted,
                Credential::NoScheme,
                Credential::WrongScheme,
                Credential::Basic,
            ] {
                assert_ne!(changed(value, credential), value, "{credential:?}");
            }
        }
    }
}
