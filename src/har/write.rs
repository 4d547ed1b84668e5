//! Writes an archive entry by entry: the file is whole after each of them, and none is kept in memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tempfile::SpooledTempFile;

use super::{OWN, template};
use crate::exchange::{LossKind, REDACTED, Redactor};
use crate::send::{LoggedAnswer, LoggedBody, LoggedExchange, TrafficLog};

/// Stand in an entry where a body from a file goes.
const SENT: &str = "\u{1}sent\u{1}";
const GOT: &str = "\u{1}got\u{1}";
/// Bytes of a file that are looked at together.
const PIECE: usize = 256 * 1024;
/// Bytes of a file in which a place to divide it is looked for.
const LONGEST: usize = 16 * 1024 * 1024;
/// Header fields whose values are never written.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// An archive that is being written.
pub struct HarFile {
    redactor: Redactor,
    /// The wall clock, and the clock that never jumps, at the same moment.
    clock: (DateTime<Utc>, Instant),
    open: Mutex<OpenFile>,
}

/// A response as an archive has it, its time, why there is none, and the file with its body.
type Receiving = (Value, Duration, Option<LossKind>, Option<SpooledTempFile>);

struct OpenFile {
    file: File,
    /// Where the end of the archive begins.
    end: u64,
    entries: u64,
    failed: Option<std::io::Error>,
}

impl HarFile {
    /// Begins an archive of a run against the target at `base`, whose keys begin with `keys`.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn create(
        path: &Path,
        redactor: Redactor,
        (run_id, base, keys): (&str, &str, &str),
    ) -> std::io::Result<HarFile> {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir)?;
        }
        let mut file = File::create(path)?;
        let head = template::head(&json!({ "run_id": run_id, "base": base, "keys": keys }));
        file.write_all(head.as_bytes())?;
        file.write_all(template::END.as_bytes())?;
        let open = OpenFile { file, end: head.len() as u64, entries: 0, failed: None };
        Ok(HarFile { redactor, clock: (Utc::now(), Instant::now()), open: Mutex::new(open) })
    }

    /// How many exchanges it holds.
    ///
    /// # Errors
    /// What kept some from being written.
    pub fn finish(&self) -> std::io::Result<u64> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.failed.take() {
            Some(error) => Err(error),
            None => Ok(open.entries),
        }
    }

    fn write(&self, exchange: LoggedExchange<'_>) -> std::io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let OpenFile { file, end, entries, .. } = &mut *open;
        let (entry, sent, got) = self.entry(exchange, *entries + 1)?;
        file.seek(SeekFrom::Start(*end))?;
        let mut out = BufWriter::new(&mut *file);
        if *entries > 0 {
            out.write_all(b",\n")?;
        }
        let mut rest = entry.as_str();
        for (mark, spooled) in [(SENT, sent), (GOT, got)] {
            let quoted = Value::from(mark).to_string();
            if let (Some(spooled), Some((before, after))) = (spooled, rest.split_once(&quoted)) {
                out.write_all(before.as_bytes())?;
                self.copy(spooled, &mut out)?;
                rest = after;
            }
        }
        out.write_all(rest.as_bytes())?;
        let at = out.stream_position()?;
        out.write_all(template::END.as_bytes())?;
        out.flush()?;
        drop(out);
        *end = at;
        *entries += 1;
        Ok(())
    }

    /// An entry as text, with marks in the places of bodies that are in files; and these.
    fn entry(
        &self,
        exchange: LoggedExchange<'_>,
        number: u64,
    ) -> std::io::Result<(String, Option<SpooledTempFile>, Option<SpooledTempFile>)> {
        let request = exchange.request;
        let version = if exchange.http_2 { "HTTP/2" } else { "HTTP/1.1" };
        let url = self.redactor.clean(&format!("{}{}", exchange.base, request.path));
        let mut own = json!({
            "number": number,
            "credential": request.credential,
            "framing": if request.raw.is_some() { "raw" } else { request.framing.word() },
        });
        if let Some(hang_up) = request.hang_up {
            own["hang_up"] = json!(hang_up);
        }
        if let Some(raw) = &request.raw {
            own["raw"] = Value::from(BASE64.encode(self.redactor.clean_bytes(raw)));
        }
        let (body, size, sent) = self.body(exchange.body, SENT)?;
        let mut sending = json!({
            "method": request.method,
            "url": url,
            "httpVersion": version,
            "cookies": [],
            "headers": template::fields(&self.clean(&exchange.headers)),
            "queryString": template::query(&url),
            "headersSize": -1,
            "bodySize": size.unwrap_or(0),
        });
        if let Some(mut body) = body {
            let media = request.header("content-type").unwrap_or("application/octet-stream");
            body["mimeType"] = Value::from(media);
            // An archive has no place for the coding of a request's body.
            if let Some(encoding) = body.as_object_mut().and_then(|b| b.remove("encoding")) {
                body["_encoding"] = encoding;
            }
            sending["postData"] = body;
        }
        let (receiving, elapsed, lost, got) = self.receiving(exchange.answer, version)?;
        if let Some(kind) = lost {
            own["lost"] = json!(kind);
        }
        let (started, time) = self.span(exchange.begun, elapsed);
        let entry = json!({
            "startedDateTime": started,
            "time": time,
            "request": sending,
            "response": receiving,
            "cache": {},
            "timings": { "send": 0, "wait": time, "receive": 0 },
            OWN: own,
        });
        Ok((entry.to_string(), sent, got))
    }

    /// The response of an entry, its time, why there is none, and the file with its body.
    fn receiving(&self, answer: LoggedAnswer<'_>, version: &str) -> std::io::Result<Receiving> {
        Ok(match answer {
            LoggedAnswer::Received { status, headers, body, elapsed } => {
                let label = headers.iter().find(|(name, _)| name == "content-type");
                let label = label.map_or(String::new(), |(_, value)| self.redactor.clean(value));
                let (content, size, got) = self.body(body, GOT)?;
                let mut content = content.unwrap_or_else(|| json!({}));
                content["mimeType"] = Value::from(label);
                content["size"] = Value::from(size.unwrap_or(0));
                let receiving = json!({
                    "status": status,
                    "statusText": "",
                    "httpVersion": version,
                    "cookies": [],
                    "headers": template::fields(&self.clean(&headers)),
                    "content": content,
                    "redirectURL": "",
                    "headersSize": -1,
                    "bodySize": size.unwrap_or(0),
                });
                (receiving, elapsed, None, got)
            }
            LoggedAnswer::Lost(loss) => {
                let words = format!("{}: {}", loss.kind.words(), loss.message);
                let receiving = json!({
                    "status": 0,
                    "statusText": "",
                    "httpVersion": version,
                    "cookies": [],
                    "headers": [],
                    "content": { "size": 0, "mimeType": "" },
                    "redirectURL": "",
                    "headersSize": -1,
                    "bodySize": -1,
                    "_error": self.redactor.clean(&words),
                });
                (receiving, loss.elapsed, Some(loss.kind), None)
            }
        })
    }

    /// When an exchange began, and its milliseconds: both whole microseconds, so that the end of one is never behind the
    /// beginning of the next on its connection.
    fn span(&self, begun: Instant, elapsed: Duration) -> (String, f64) {
        let since = begun.saturating_duration_since(self.clock.1);
        let from = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let to = u64::try_from((since + elapsed).as_micros()).unwrap_or(u64::MAX);
        let started = self.clock.0 + Duration::from_micros(from);
        (started.to_rfc3339_opts(SecondsFormat::Micros, true), (to - from) as f64 / 1000.0)
    }

    fn clean(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let is_secret = |name: &str| SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        let clean = |(name, value): &(String, String)| {
            let value =
                if is_secret(name) { REDACTED.to_owned() } else { self.redactor.clean(value) };
            (self.redactor.clean(name), value)
        };
        headers.iter().map(clean).collect()
    }

    /// A body as an archive has it, its length, and the file where it is in one.
    fn body(
        &self,
        body: LoggedBody<'_>,
        mark: &str,
    ) -> std::io::Result<(Option<Value>, Option<u64>, Option<SpooledTempFile>)> {
        Ok(match body {
            LoggedBody::None => (None, None, None),
            LoggedBody::Held(bytes) => {
                let clean = self.redactor.clean_bytes(bytes);
                let size = clean.len() as u64;
                let body = match String::from_utf8(clean) {
                    Ok(text) => json!({ "text": text }),
                    Err(error) => {
                        json!({ "text": BASE64.encode(error.as_bytes()), "encoding": "base64" })
                    }
                };
                (Some(body), Some(size), None)
            }
            LoggedBody::TooLarge(size) => {
                let body = json!({ "comment": "too large to be recorded", "_unknown": true });
                (Some(body), Some(size), None)
            }
            LoggedBody::Spooled(mut file) => {
                let size = file.seek(SeekFrom::End(0))?;
                if is_text(&mut file)? {
                    (Some(json!({ "text": mark })), Some(size), Some(file))
                } else {
                    let body = json!({ "comment": "not text", "_unknown": true });
                    (Some(body), Some(size), None)
                }
            }
        })
    }

    /// Copies a text from a file as a JSON string, secrets taken out.
    fn copy(&self, mut file: SpooledTempFile, out: &mut impl Write) -> std::io::Result<()> {
        file.seek(SeekFrom::Start(0))?;
        let mut file = BufReader::new(file);
        out.write_all(b"\"")?;
        let mut held: Vec<u8> = Vec::new();
        loop {
            let read = file.by_ref().take(PIECE as u64).read_to_end(&mut held)?;
            let whole = read == 0 || held.len() > LONGEST;
            let upto = if whole { held.len() } else { self.seam(&held) };
            let piece = self.redactor.clean_bytes(&held[..upto]);
            let quoted = Value::from(String::from_utf8_lossy(&piece)).to_string();
            out.write_all(&quoted.as_bytes()[1..quoted.len() - 1])?;
            held.drain(..upto);
            if read == 0 {
                return out.write_all(b"\"");
            }
        }
    }

    /// A place where a text can be divided: no secret goes across it.
    fn seam(&self, text: &[u8]) -> usize {
        let places = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b'}');
        for (at, _) in places.take(8) {
            let (before, after) = text.split_at(at + 1);
            let apart = [self.redactor.clean_bytes(before), self.redactor.clean_bytes(after)];
            if apart.concat() == self.redactor.clean_bytes(text) {
                return at + 1;
            }
        }
        0
    }
}

/// Whether all of a file is UTF-8.
fn is_text(file: &mut SpooledTempFile) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut held = Vec::new();
    loop {
        let read = std::io::Read::by_ref(file).take(PIECE as u64).read_to_end(&mut held)?;
        let valid = match std::str::from_utf8(&held) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_some() || read == 0 => return Ok(false),
            Err(error) => error.valid_up_to(),
        };
        held.drain(..valid);
        if read == 0 {
            return Ok(true);
        }
    }
}

impl TrafficLog for HarFile {
    fn note(&self, exchange: LoggedExchange<'_>) {
        if let Err(error) = self.write(exchange) {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.failed.get_or_insert(error);
        }
    }
}
