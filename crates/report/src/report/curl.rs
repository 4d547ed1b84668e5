//! Requests as bash commands that work as pasted, without the token.
//!
//! A command needs only bash, `curl` and `$BATCHPROOF_TOKEN`. Keys are fresh on every paste: each key of a run
//! begins with the run id, six random characters and a dash. Those six become the shell variable `$N`, of the
//! same length, so that no length under test changes. It must not know what a request was meant to show.

mod credential;
mod how;
mod many;
mod quote;

use std::fmt::Write as _;

pub use how::{CommandContext, Scheme};
use many::CountedKeys;
use quote::{ShellPiece, printf, word};

use crate::exchange::{REDACTED, TOKEN_MARK};
use crate::generate::{KeyPrefixes, NONCE};
use crate::record::{AnswerRecord, BodyRecord, ExchangeRecord, RequestRecord};

/// Prints what comes on descriptor 3 until it ends or nothing comes for five seconds, in bash alone.
const READ_BACK: &str =
    r#"while IFS= read -r -t 5 -u 3 L || [ -n "$L" ]; do printf '%s\n' "$L"; done"#;
/// Where commands read the token.
const TOKEN: &str = "$BATCHPROOF_TOKEN";
/// How a request of its own begins.
const CURL: &str = "curl -sS";
/// Transfers that curl makes at once by default.
const AT_ONCE: usize = 50;
/// Bytes of a body above which it cannot be an argument: Linux allows 128 KiB.
const ARGUMENT: usize = 100_000;

/// The commands that send the request of an exchange again: a line that makes fresh keys, if it has any, then the
/// request. A single line that begins with `#` says why there are none.
#[must_use]
pub fn curl(record: &ExchangeRecord, run_id: &str) -> Vec<String> {
    commands(
        std::slice::from_ref(record),
        &CommandContext { run_id: run_id.to_owned(), ..CommandContext::default() },
    )
}

/// The commands that send the requests of several exchanges again, in order: they share their fresh keys, and
/// simultaneous ones run together.
#[must_use]
pub fn commands(records: &[ExchangeRecord], how: &CommandContext) -> Vec<String> {
    let bodies: Vec<Vec<u8>> =
        records.iter().filter_map(|record| body(&record.request.body).ok()).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    let counted = CountedKeys::of(&how.run_id, &bodies);
    let mut writer = CommandWriter { how, counted, nonces: Vec::new(), upper: Vec::new() };
    let mut lines = Vec::new();
    let mut at = 0;
    for together in records.chunk_by(|a, b| a.group.is_some() && a.group == b.group) {
        let mut requests = Vec::new();
        for record in together {
            at += 1;
            match writer.command(record) {
                Ok(line) => requests.push(line),
                // The others alone would show something else.
                Err(why) if records.len() == 1 => return vec![format!("# {why}")],
                Err(why) => return vec![format!("# request {at} of {}: {why}", records.len())],
            }
        }
        lines.extend(overlapping(requests));
    }
    let mut all = writer.minting();
    all.append(&mut lines);
    all
}

/// The commands that send requests one after the other on one connection, which curl keeps where it may; as
/// [`commands`] where one of them can't be an argument of curl.
#[must_use]
pub fn commands_on_one_connection(records: &[ExchangeRecord], how: &CommandContext) -> Vec<String> {
    let lines = commands(records, how);
    let (minting, requests) = lines.split_at(lines.len().saturating_sub(records.len()));
    let arguments: Option<Vec<&str>> = requests.iter().map(|r| r.strip_prefix(CURL)).collect();
    match arguments {
        Some(arguments) if arguments.len() > 1 => {
            let one = format!("{CURL}{}", transfers(&arguments));
            minting.iter().cloned().chain([one]).collect()
        }
        _ => lines,
    }
}

/// Requests that are released together: by one curl where that can be, which starts them closer to each other
/// than processes of their own would.
fn overlapping(requests: Vec<String>) -> Vec<String> {
    if requests.len() < 2 {
        return requests;
    }
    let arguments: Option<Vec<&str>> = requests.iter().map(|r| r.strip_prefix(CURL)).collect();
    let Some(arguments) = arguments else {
        let background = requests.iter().map(|request| format!("{request} &"));
        return background.chain(["wait".to_owned()]).collect();
    };
    let mut all = "curl -Z --parallel-immediate --no-progress-meter".to_owned();
    if arguments.len() > AT_ONCE {
        let _ = write!(all, " --parallel-max {}", arguments.len());
    }
    vec![format!("{all}{}", transfers(&arguments))]
}

/// Several transfers of one curl, with a line break behind each answer.
fn transfers(arguments: &[&str]) -> String {
    let each: Vec<String> = arguments.iter().map(|a| format!(" -w '\\n'{a}")).collect();
    each.join(" --next")
}

struct CommandWriter<'a> {
    how: &'a CommandContext,
    /// The keys, if ranges replace them because they are many.
    counted: Option<CountedKeys>,
    /// The nonces met, in lower case: the first becomes `$N`, the next `$N2`.
    nonces: Vec<String>,
    /// Which of them are met in upper case too.
    upper: Vec<usize>,
}

impl CommandWriter<'_> {
    /// The lines that make nonces: as long as the old ones, of the same alphabet.
    fn minting(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for at in 0..self.nonces.len() {
            let name = variable(at, false);
            let mut line = format!(
                "{name}=$(head -c 999 /dev/urandom | LC_ALL=C tr -dc a-z0-9 | cut -c1-{NONCE})"
            );
            if self.upper.contains(&at) {
                let _ =
                    write!(line, "; {}=$(printf %s \"${name}\" | tr a-z A-Z)", variable(at, true));
            }
            lines.push(line);
        }
        lines
    }

    /// The command of one exchange, or why there is none.
    fn command(&mut self, record: &ExchangeRecord) -> Result<String, String> {
        let request = &record.request;
        if self.how.scheme == Scheme::Signed && request.credential != "none" {
            let why = "each request is signed by the command of the profile's `auth`";
            return Err(format!("{why}; use `batchproof replay` with --profile"));
        }
        let bytes = body(&request.body).map_err(|size| {
            format!(
                "the body of {size} bytes is not in the record; `batchproof replay` sends it again"
            )
        })?;
        if matches!(&record.answer, AnswerRecord::Lost { kind, .. } if kind == "hung-up") {
            let why = "the client disconnects halfway, which curl cannot do";
            return Err(format!("{why}; use `batchproof replay`"));
        }
        if request.framing == "raw" {
            return self.raw(request, &bytes);
        }
        Ok(self.sized(request, &bytes))
    }

    fn sized(&mut self, request: &RequestRecord, bytes: &[u8]) -> String {
        let printed = self.many(bytes);
        let renumbered = self.counted.as_ref().map(|counted| counted.renumbered(bytes));
        let bytes = renumbered.as_deref().unwrap_or(bytes);
        let pieces = if printed.is_some() { Vec::new() } else { self.pieces(bytes) };
        let has_type = request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"));
        let mut out = format!("{CURL} -i");
        let mut data = String::new();
        let mut piped = String::new();
        if let Some(printed) = printed {
            let _ = write!(data, " --data-binary @<({printed})");
        } else if bytes.contains(&0) {
            // No argument of a program can hold a zero byte.
            piped = format!("{} | ", printf(&pieces));
            data.push_str(" --data-binary @-");
        } else if bytes.len() > ARGUMENT {
            let _ = write!(data, " --data-binary @<({})", printf(&pieces));
        } else if bytes.starts_with(b"@") {
            let _ = write!(data, " --data-raw {}", word(&pieces));
        } else if !bytes.is_empty() || request.method == "POST" {
            let _ = write!(data, " --data-binary {}", word(&pieces));
        }
        match request.method.as_str() {
            "POST" if !data.is_empty() => {}
            "GET" if data.is_empty() => {}
            "HEAD" if data.is_empty() => out = format!("{CURL} --head"),
            method => {
                let _ = write!(out, " -X {}", literal(method));
            }
        }
        if self.how.only_http_2 {
            out.push_str(" --http2");
        } else if request.url.starts_with("https:") {
            // Letter case of header names and chunks are HTTP/1.1's, which is what batchproof speaks.
            out.push_str(" --http1.1");
        }
        if request.url.contains("/.") {
            out.push_str(" --path-as-is");
        }
        if request.url.contains(['[', ']', '{', '}']) {
            out.push_str(" --globoff");
        }
        let _ = write!(out, " {}", self.url(request));
        for header in self.headers(request) {
            let _ = write!(out, " -H {header}");
        }
        if !data.is_empty() && !has_type {
            out.push_str(" -H 'Content-Type:'");
        }
        if matches!(request.framing.as_str(), "chunked" | "tiny-chunks" | "slivers") {
            out.push_str(" -H 'Transfer-Encoding: chunked'");
        }
        format!("{piped}{out}{data}")
    }

    fn raw(&mut self, request: &RequestRecord, bytes: &[u8]) -> Result<String, String> {
        let bytes = match &self.how.scheme {
            Scheme::ApiKey(name) => credential::with_key(bytes, name),
            Scheme::Basic if tokens(bytes).len() > 1 => {
                return Err(
                    "a raw request with Basic credentials; use `batchproof replay`".to_owned()
                );
            }
            _ => bytes.to_vec(),
        };
        let pieces = self.pieces(&bytes);
        let Some((host, port)) = authority(&request.url) else {
            return Err("the host of this raw request is not in the record".to_owned());
        };
        let sent = printf(&pieces);
        if request.url.starts_with("https:") {
            let to = literal(&format!("{host}:{port}"));
            return Ok(format!("{sent} | openssl s_client -quiet -connect {to}"));
        }
        let to = literal(&format!("/dev/tcp/{}/{port}", host.trim_matches(['[', ']'])));
        Ok(format!("{sent} | (exec 3<>{to}; cat >&3; {READ_BACK})"))
    }

    fn url(&self, request: &RequestRecord) -> String {
        let mut pieces = tokens(request.url.as_bytes());
        if request.credential == "in-query" && self.how.scheme != Scheme::None {
            let mark = if request.url.contains('?') { "&" } else { "?" };
            let name = match &self.how.scheme {
                Scheme::ApiKey(name) => name,
                _ => "access_token",
            };
            pieces.push(ShellPiece::Bytes(format!("{mark}{name}=").into_bytes()));
            pieces.push(ShellPiece::Expansion(TOKEN.to_owned()));
        }
        word(&pieces)
    }

    /// The arguments of `-H`, quoted.
    fn headers(&self, request: &RequestRecord) -> Vec<String> {
        let mut out = Vec::new();
        for name in &self.how.headers {
            let begin = ShellPiece::Bytes(format!("{name}: ").into_bytes());
            out.push(word(&[begin, ShellPiece::Expansion(header_variable(name))]));
        }
        let mut own = false;
        for (name, value) in &request.headers {
            let mut pieces = vec![ShellPiece::Bytes(format!("{name}: ").into_bytes())];
            let shows = match &self.how.scheme {
                Scheme::ApiKey(key) => key.eq_ignore_ascii_case(name),
                _ => false,
            };
            if shows || name.eq_ignore_ascii_case("authorization") {
                // A case's own; its value is not recorded.
                own = true;
                pieces.push(ShellPiece::Expansion("$AUTHORIZATION".to_owned()));
            } else if value.is_empty() {
                // `Name:` would take the header away; this sends it empty.
                pieces = vec![ShellPiece::Bytes(format!("{name};").into_bytes())];
            } else {
                pieces.extend(tokens(value.as_bytes()));
            }
            out.push(word(&pieces));
        }
        if !own {
            out.extend(credential::header(&self.how.scheme, &request.credential));
        }
        out
    }

    /// The commands that print a body of many items; nothing where it is none.
    fn many(&mut self, bytes: &[u8]) -> Option<String> {
        let counted = self.counted.take()?;
        let printed = counted.printed(bytes, |nonce| self.nonce(nonce));
        self.counted = Some(counted);
        // A token in between is for the shell to fill in, and no word holds a zero byte.
        printed.filter(|_| tokens(bytes).len() == 1 && !bytes.contains(&0))
    }

    /// Splits a body at its keys and tokens.
    fn pieces(&mut self, bytes: &[u8]) -> Vec<ShellPiece> {
        let mut out = Vec::new();
        for piece in tokens(bytes) {
            match piece {
                ShellPiece::Bytes(bytes) => self.keys(&bytes, &mut out),
                expansion @ ShellPiece::Expansion(_) => out.push(expansion),
            }
        }
        out
    }

    /// Splits bytes at the nonces of their keys.
    fn keys(&mut self, bytes: &[u8], out: &mut Vec<ShellPiece>) {
        let prefixes = KeyPrefixes::of_run(&self.how.run_id, std::iter::once(bytes));
        let mut from = 0;
        for key in prefixes.find(bytes) {
            out.push(ShellPiece::Bytes(bytes[from..key.nonce.start].to_vec()));
            out.push(ShellPiece::Expansion(self.nonce(&bytes[key.nonce.clone()])));
            from = key.nonce.end;
        }
        out.push(ShellPiece::Bytes(bytes[from..].to_vec()));
    }

    fn nonce(&mut self, nonce: &[u8]) -> String {
        let text = String::from_utf8_lossy(nonce);
        let lower = text.to_ascii_lowercase();
        let at = self.nonces.iter().position(|n| *n == lower).unwrap_or_else(|| {
            self.nonces.push(lower.clone());
            self.nonces.len() - 1
        });
        let upper = *text != lower;
        if upper && !self.upper.contains(&at) {
            self.upper.push(at);
        }
        format!("${{{}}}", variable(at, upper))
    }
}

/// Where a header of the profile is read from; only its name is recorded.
fn header_variable(name: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("$HEADER_{}", name.chars().map(upper).collect::<String>())
}

fn variable(at: usize, upper: bool) -> String {
    let name = if upper { "NU" } else { "N" };
    if at == 0 { name.to_owned() } else { format!("{name}{}", at + 1) }
}

/// Splits where a token was taken out, or is to be filled in.
fn tokens(bytes: &[u8]) -> Vec<ShellPiece> {
    let marks = [TOKEN_MARK.as_bytes(), REDACTED.as_bytes()];
    let mut out = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while at < bytes.len() {
        match marks.iter().find(|m| bytes[at..].starts_with(m)) {
            Some(mark) => {
                out.push(ShellPiece::Bytes(bytes[from..at].to_vec()));
                out.push(ShellPiece::Expansion(TOKEN.to_owned()));
                at += mark.len();
                from = at;
            }
            None => at += 1,
        }
    }
    out.push(ShellPiece::Bytes(bytes[from..].to_vec()));
    out
}

fn literal(text: &str) -> String {
    word(&[ShellPiece::Bytes(text.as_bytes().to_vec())])
}

/// The bytes of a body, or the size of one that was not kept whole.
fn body(record: &BodyRecord) -> Result<Vec<u8>, usize> {
    match record {
        BodyRecord::None => Ok(Vec::new()),
        BodyRecord::Text(text) => Ok(text.clone().into_bytes()),
        BodyRecord::Hex(hex) => Ok(hex
            .as_bytes()
            .chunks_exact(2)
            .filter_map(|pair| {
                let high = char::from(pair[0]).to_digit(16)?;
                let low = char::from(pair[1]).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()
            })
            .collect()),
        BodyRecord::Excerpt { bytes, .. } => Err(*bytes),
    }
}

fn authority(url: &str) -> Option<(String, u16)> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests;
