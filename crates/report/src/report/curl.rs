//! Requests as bash commands that work as pasted, with the token left out.
//!
//! A command needs nothing but bash, `curl` and `$BATCHPROOF_TOKEN` (`nc` for requests whose framing is on
//! trial). Numbers are fresh on every paste: each number of a run begins with the run id, six random
//! characters and a dash, and those six become the shell variable `$N`, of the same length so that no length
//! that is on trial changes. It must not know what a request was meant to show.

mod credential;
mod how;
mod many;
mod quote;

use std::fmt::Write as _;

pub use how::{How, Scheme};
use many::Counted;
use quote::{Piece, printf, word};

use super::text::TOKEN_MARK;
use crate::exchange::REDACTED;
use crate::record::{AnswerRecord, BodyRecord, ExchangeRecord, RequestRecord};

/// Prints what comes on descriptor 3 until it ends or nothing comes for five seconds, in bash alone.
const READ_BACK: &str =
    r#"while IFS= read -r -t 5 -u 3 L || [ -n "$L" ]; do printf '%s\n' "$L"; done"#;
/// Where commands read the token.
const TOKEN: &str = "$BATCHPROOF_TOKEN";
/// How a request of its own begins.
const CURL: &str = "curl -sS";
/// Transfers that curl makes at once unless told otherwise.
const AT_ONCE: usize = 50;
/// Bytes of a body above which it is no argument: Linux takes 128 KiB.
const ARGUMENT: usize = 100_000;
/// Characters of the nonce in a number.
const NONCE: usize = 6;
/// A shorter end of a run id would be found where it isn't one.
const SHORTEST_PREFIX: usize = 4;

/// The commands that send one exchange's request again: a line that mints fresh numbers, where it has
/// any, then the request. A single line that begins with `#` says why there are none.
#[must_use]
pub fn curl(record: &ExchangeRecord, run_id: &str) -> Vec<String> {
    commands(std::slice::from_ref(record), &How { run_id: run_id.to_owned(), ..How::default() })
}

/// The commands that send the requests of several exchanges again, in order: they share their fresh
/// numbers, and those that were released together run together.
#[must_use]
pub fn commands(records: &[ExchangeRecord], how: &How) -> Vec<String> {
    let bodies: Vec<Vec<u8>> =
        records.iter().filter_map(|record| body(&record.request.body).ok()).collect();
    let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    let counted = Counted::of(&how.run_id, &bodies);
    let mut writer = Writer { how, counted, nonces: Vec::new(), upper: Vec::new() };
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
pub fn commands_on_one_connection(records: &[ExchangeRecord], how: &How) -> Vec<String> {
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

struct Writer<'a> {
    how: &'a How,
    /// The numbers, where there are so many that ranges stand for them.
    counted: Option<Counted>,
    /// The nonces met, in lower case: the first becomes `$N`, the next `$N2`.
    nonces: Vec<String>,
    /// Which of them are met in upper case too.
    upper: Vec<usize>,
}

impl Writer<'_> {
    /// The lines that mint nonces: as long as the old ones, of the same alphabet.
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
        let bytes = body(&request.body).map_err(|size| {
            format!(
                "the body of {size} bytes was not kept whole; `batchproof replay` sends it again"
            )
        })?;
        if matches!(&record.answer, AnswerRecord::Lost { kind, .. } if kind == "hung-up") {
            let why = "the client hangs up halfway, which no single command does";
            return Err(format!("{why}; `batchproof replay` does"));
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
        if request.url.starts_with("https:") {
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
        if matches!(request.framing.as_str(), "chunked" | "slivers") {
            out.push_str(" -H 'Transfer-Encoding: chunked'");
        }
        format!("{piped}{out}{data}")
    }

    fn raw(&mut self, request: &RequestRecord, bytes: &[u8]) -> Result<String, String> {
        let pieces = self.pieces(bytes);
        let Some((host, port)) = authority(&request.url) else {
            return Err("the host of this raw request was not kept".to_owned());
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
            pieces.push(Piece::Bytes(format!("{mark}access_token=").into_bytes()));
            pieces.push(Piece::Expansion(TOKEN.to_owned()));
        }
        word(&pieces)
    }

    /// The arguments of `-H`, quoted.
    fn headers(&self, request: &RequestRecord) -> Vec<String> {
        let mut out = Vec::new();
        for name in &self.how.headers {
            let begin = Piece::Bytes(format!("{name}: ").into_bytes());
            out.push(word(&[begin, Piece::Expansion(header_variable(name))]));
        }
        let mut own = false;
        for (name, value) in &request.headers {
            let mut pieces = vec![Piece::Bytes(format!("{name}: ").into_bytes())];
            if name.eq_ignore_ascii_case("authorization") {
                // A case's own; its value is not recorded.
                own = true;
                pieces.push(Piece::Expansion("$AUTHORIZATION".to_owned()));
            } else if value.is_empty() {
                // `Name:` would take the header away; this sends it empty.
                pieces = vec![Piece::Bytes(format!("{name};").into_bytes())];
            } else {
                pieces.extend(tokens(value.as_bytes()));
            }
            out.push(word(&pieces));
        }
        if !own {
            out.extend(credential::authorization(self.how.scheme, &request.credential));
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

    /// Splits a body where numbers and tokens stand in it.
    fn pieces(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut out = Vec::new();
        for piece in tokens(bytes) {
            match piece {
                Piece::Bytes(bytes) => self.numbers(&bytes, &mut out),
                expansion @ Piece::Expansion(_) => out.push(expansion),
            }
        }
        out
    }

    fn numbers(&mut self, bytes: &[u8], out: &mut Vec<Piece>) {
        let Some(prefix) = self.prefix(bytes) else {
            out.push(Piece::Bytes(bytes.to_vec()));
            return;
        };
        let mut from = 0;
        let mut at = 0;
        while at + prefix.len() + NONCE < bytes.len() {
            let start = at + prefix.len();
            let end = start + NONCE;
            let nonce = &bytes[start..end];
            let found = bytes[at..start].eq_ignore_ascii_case(prefix.as_bytes())
                && nonce.iter().all(u8::is_ascii_alphanumeric)
                && bytes[end] == b'-';
            if !found {
                at += 1;
                continue;
            }
            out.push(Piece::Bytes(bytes[from..start].to_vec()));
            out.push(Piece::Expansion(self.nonce(nonce)));
            from = end;
            at = end;
        }
        out.push(Piece::Bytes(bytes[from..].to_vec()));
    }

    /// What numbers in `bytes` begin with: the run id, or its end where a bounded field cut it short.
    fn prefix(&self, bytes: &[u8]) -> Option<String> {
        let run_id = self.how.run_id.as_str();
        let starts = run_id.char_indices().map(|(at, _)| &run_id[at..]);
        starts.take_while(|rest| rest.len() >= SHORTEST_PREFIX).map(|rest| format!("{rest}-")).find(
            |prefix| {
                bytes.windows(prefix.len() + NONCE + 1).any(|window| {
                    let (head, tail) = window.split_at(prefix.len());
                    head.eq_ignore_ascii_case(prefix.as_bytes())
                        && tail[..NONCE].iter().all(u8::is_ascii_alphanumeric)
                        && tail[NONCE] == b'-'
                })
            },
        )
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
fn tokens(bytes: &[u8]) -> Vec<Piece> {
    let marks = [TOKEN_MARK.as_bytes(), REDACTED.as_bytes()];
    let mut out = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while at < bytes.len() {
        match marks.iter().find(|m| bytes[at..].starts_with(m)) {
            Some(mark) => {
                out.push(Piece::Bytes(bytes[from..at].to_vec()));
                out.push(Piece::Expansion(TOKEN.to_owned()));
                at += mark.len();
                from = at;
            }
            None => at += 1,
        }
    }
    out.push(Piece::Bytes(bytes[from..].to_vec()));
    out
}

fn literal(text: &str) -> String {
    word(&[Piece::Bytes(text.as_bytes().to_vec())])
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
