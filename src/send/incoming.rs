//! Reads an HTTP/1.1 answer piece by piece, as it comes (RFC 9112).
//!
//! Knows framing and nothing else; the body is handed on without it, and need never be whole in memory.

use crate::exchange::LossKind;

use super::framing::{BodyFraming, chunk_size, framing, shortened};

/// Heads above this many bytes are not read further.
const LARGEST_HEAD: usize = 256 * 1024;

/// Heads are rarely longer than this many bytes.
const USUAL_HEAD: usize = 2048;

/// Header fields that an answer may have.
const MOST_FIELDS: usize = 128;

/// Interim answers that are read: RFC 9110 section 15.2 sets no number, so more than these say nothing of the target.
const MOST_INTERIM: u32 = 10_000;

/// Memory of a body that is kept for the next one.
const LARGEST_KEPT: usize = 1024 * 1024;

/// Why an answer can't be read.
pub(super) type LossReason = (LossKind, String);

/// An answer on its way in.
pub(super) struct Incoming {
    /// Its status; 0 until the head has come.
    pub status: u16,
    /// What has come of the body and was not taken yet, framing removed.
    pub body: Vec<u8>,
    /// Whether the connection is over once the answer is.
    pub closes: bool,
    /// Whether its head promises that the connection is closed behind it.
    pub promised: bool,
    /// Whether `100 Continue` came before it.
    pub continued: bool,
    /// What is noted of its framing, where somebody wants to know.
    faults: Option<Faults>,
    /// Whether an answer to this method never has a body.
    bodiless: bool,
    /// Interim answers so far.
    interim: u32,
    /// Bytes of the body so far, and how many of them may come.
    bytes: u64,
    most: u64,
    head: Vec<u8>,
    /// From where to where in `head` the header lines stand.
    lines: (usize, usize),
    state: ParseState,
    /// Part of a line of the chunked coding.
    line: Vec<u8>,
}

/// Notes what contradicts RFC 9112 instead of giving the answer up.
struct Faults {
    /// Whether the request said HTTP/1.0.
    old: bool,
    /// The first that was seen.
    seen: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ParseState {
    Head,
    Sized(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClosed,
    Done,
}

impl ParseState {
    fn sized(left: u64) -> ParseState {
        if left == 0 { ParseState::Done } else { ParseState::Sized(left) }
    }

    fn chunk(left: u64) -> ParseState {
        if left == 0 { ParseState::ChunkEnd } else { ParseState::Chunk(left) }
    }
}

impl Incoming {
    /// An answer whose body may have `most` bytes.
    pub fn new(most: u64) -> Incoming {
        Incoming {
            status: 0,
            body: Vec::new(),
            closes: false,
            promised: false,
            continued: false,
            faults: None,
            bodiless: false,
            interim: 0,
            bytes: 0,
            most,
            head: Vec::new(),
            lines: (0, 0),
            state: ParseState::Head,
            line: Vec::new(),
        }
    }

    /// The answer to a request with that method, `old` where that said HTTP/1.0; faults of its framing are noted.
    pub fn observed(most: u64, method: &str, old: bool) -> Incoming {
        Incoming {
            faults: Some(Faults { old, seen: None }),
            bodiless: method == "HEAD",
            ..Incoming::new(most)
        }
    }

    /// A proxy's answer to `CONNECT`, of which the head is all that counts.
    pub fn of_tunnel() -> Incoming {
        Incoming { bodiless: true, ..Incoming::new(0) }
    }

    /// Forgets the answer before; the next body may have `most` bytes.
    pub fn clear(&mut self, most: u64) {
        self.status = 0;
        self.body.clear();
        // What one large answer took is not kept for all that follow.
        self.body.shrink_to(LARGEST_KEPT);
        self.closes = false;
        self.promised = false;
        self.continued = false;
        self.interim = 0;
        self.bytes = 0;
        self.most = most;
        self.head.clear();
        self.lines = (0, 0);
        self.state = ParseState::Head;
        self.line.clear();
    }

    /// Whether all of it has come.
    pub fn is_done(&self) -> bool {
        self.state == ParseState::Done
    }

    /// Whether nothing has come.
    pub fn is_untouched(&self) -> bool {
        self.state == ParseState::Head && self.head.is_empty()
    }

    /// Whether the head has come.
    pub fn has_head(&self) -> bool {
        self.state != ParseState::Head
    }

    /// Whether only the end of the connection ends the body, and how much is still to come where that is known.
    pub fn ends_with_connection(&self) -> bool {
        self.state == ParseState::UntilClosed
    }

    /// Whether a body of a declared length is under way.
    pub fn is_sized(&self) -> bool {
        matches!(self.state, ParseState::Sized(_))
    }

    /// What contradicts RFC 9112, where anything does and that was asked for.
    pub fn fault(&self) -> Option<&str> {
        self.faults.as_ref()?.seen.as_deref()
    }

    /// The header lines, each with its end; nothing until the head has come.
    pub fn lines(&self) -> &[u8] {
        &self.head[self.lines.0..self.lines.1]
    }

    /// Status, header lines, and what has come of the body.
    pub fn parts(&mut self) -> (u16, &[u8], &mut Vec<u8>) {
        (self.status, &self.head[self.lines.0..self.lines.1], &mut self.body)
    }

    /// Where the next bytes of the body go, and how many of them are still to come in one go: they may be read
    /// straight to there.
    pub fn space(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        let (ParseState::Sized(left) | ParseState::Chunk(left)) = self.state else { return None };
        let left = left.min(self.most.saturating_sub(self.bytes).saturating_add(1));
        Some((&mut self.body, usize::try_from(left).unwrap_or(usize::MAX)))
    }

    /// Takes note of what was read straight into the body.
    pub fn was_read(&mut self, count: usize) -> Result<(), LossReason> {
        self.state = match self.state {
            ParseState::Sized(left) => ParseState::sized(left.saturating_sub(count as u64)),
            ParseState::Chunk(left) => ParseState::chunk(left.saturating_sub(count as u64)),
            other => other,
        };
        self.count(count)
    }

    /// Takes in what has come; says how much of it belongs to this answer.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<usize, LossReason> {
        let all = bytes.len();
        while !bytes.is_empty() && self.state != ParseState::Done {
            let used = match self.state {
                ParseState::Head => self.take_head(bytes)?,
                ParseState::Sized(left) => {
                    let (used, left) = self.take_body(bytes, left)?;
                    self.state = ParseState::sized(left);
                    used
                }
                ParseState::Chunk(left) => {
                    let (used, left) = self.take_body(bytes, left)?;
                    self.state = ParseState::chunk(left);
                    used
                }
                ParseState::UntilClosed => self.take_body(bytes, u64::MAX)?.0,
                ParseState::ChunkSize | ParseState::ChunkEnd | ParseState::Trailers => {
                    self.take_line(bytes)?
                }
                ParseState::Done => 0,
            };
            bytes = &bytes[used..];
        }
        Ok(all - bytes.len())
    }

    /// Takes in the end of the connection.
    pub fn end(&mut self) -> Result<(), LossReason> {
        let reset = |why: &str| Err((LossKind::Reset, why.to_owned()));
        let observed = self.faults.is_some();
        match self.state {
            ParseState::UntilClosed | ParseState::Done => self.state = ParseState::Done,
            ParseState::Head if self.head.is_empty() => {
                return reset("the connection was closed before an answer");
            }
            ParseState::Head => return reset("the connection was closed within the head"),
            ParseState::Sized(left) if observed => {
                let (came, length) = (self.bytes, self.bytes + left);
                self.note(format!("Content-Length says {length}, but {came} bytes came"))?;
            }
            ParseState::Trailers if observed => {
                self.note("the last chunk has no end".to_owned())?;
            }
            ParseState::Chunk(_) | ParseState::ChunkEnd if observed => {
                self.note("the connection ended inside a chunk".to_owned())?;
            }
            _ if observed => self.note("the connection ended inside a chunked body".to_owned())?,
            _ => {
                let why = format!(
                    "status {}, then the connection was closed within the body",
                    self.status
                );
                return Err((LossKind::Reset, why));
            }
        }
        Ok(())
    }

    /// Notes a fault of the framing and takes what has come for all; without an observer, the answer is lost.
    pub fn note(&mut self, fault: String) -> Result<(), LossReason> {
        self.see(fault)?;
        self.state = ParseState::Done;
        Ok(())
    }

    /// Notes a fault that the body can still be read behind.
    fn see(&mut self, fault: String) -> Result<(), LossReason> {
        match &mut self.faults {
            Some(faults) => {
                faults.seen.get_or_insert(fault);
                Ok(())
            }
            None => Err((LossKind::NoHttp, fault)),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), LossReason> {
        self.bytes += bytes as u64;
        if self.bytes > self.most { Err(too_large(self.status, self.most)) } else { Ok(()) }
    }

    fn take_body(&mut self, bytes: &[u8], left: u64) -> Result<(usize, u64), LossReason> {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.count(used)?;
        self.body.extend_from_slice(&bytes[..used]);
        Ok((used, left - used as u64))
    }

    fn take_head(&mut self, bytes: &[u8]) -> Result<usize, LossReason> {
        // What comes behind the head is not to be copied twice.
        let bytes = &bytes[..bytes.len().min(USUAL_HEAD)];
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let mut slots = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut slots);
        let size = match parsed.parse(&self.head) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) if self.head.len() > LARGEST_HEAD => {
                let why = format!("the headers have no end within {} KiB", LARGEST_HEAD / 1024);
                return Err((LossKind::NoHttp, why));
            }
            Ok(httparse::Status::Partial) => return Ok(bytes.len()),
            Err(httparse::Error::TooManyHeaders) => {
                return Err((LossKind::NoHttp, format!("more than {MOST_FIELDS} headers")));
            }
            Err(error) => return Err((LossKind::NoHttp, format!("not an HTTP answer: {error}"))),
        };
        let status = parsed.code.unwrap_or(0);
        if (100..200).contains(&status) && status != 101 {
            self.interim += 1;
            if self.interim > MOST_INTERIM {
                let why = format!("more than {MOST_INTERIM} interim answers ({status})");
                return Err((LossKind::TooLarge, why));
            }
            self.continued |= status == 100;
            self.head.clear();
            return Ok(size - before);
        }
        let old = parsed.version == Some(0);
        let (framing, fault) = framing(parsed.headers);
        self.status = status;
        let start = self.head.iter().position(|b| *b == b'\n').map_or(size, |at| at + 1);
        let empty = if self.head[..size].ends_with(b"\r\n") { 2 } else { 1 };
        self.lines = (start.min(size - empty), size - empty);
        self.head.truncate(size);
        self.promised = framing.promises_close;
        self.closes = old || framing.promises_close || status == 101;
        match fault {
            _ if framing.coded && self.faults.as_ref().is_some_and(|f| f.old) => {
                self.see("Transfer-Encoding in the answer to an HTTP/1.0 request".to_owned())?;
            }
            // A length beside chunks is a fault of its own, but one that every client can read on behind.
            _ if framing.chunked && framing.length.is_some() && self.faults.is_some() => {
                self.see("both Content-Length and Transfer-Encoding".to_owned())?;
            }
            Some(fault) => self.see(fault)?,
            None => {}
        }
        let bodiless = self.bodiless || matches!(status, 101 | 204 | 304);
        self.state = match framing {
            _ if bodiless => ParseState::Done,
            BodyFraming { chunked: true, .. } => ParseState::ChunkSize,
            BodyFraming { coded: false, length: Some(length), .. } => ParseState::sized(length),
            _ => {
                self.closes = true;
                ParseState::UntilClosed
            }
        };
        Ok(size - before)
    }

    /// Takes in a line of the chunked coding.
    fn take_line(&mut self, bytes: &[u8]) -> Result<usize, LossReason> {
        let end = bytes.iter().position(|b| *b == b'\n');
        let used = end.map_or(bytes.len(), |at| at + 1);
        self.line.extend_from_slice(&bytes[..used]);
        if self.line.len() > LARGEST_HEAD {
            return Err((LossKind::NoHttp, "the size of a chunk has no end".to_owned()));
        }
        if end.is_none() {
            return Ok(used);
        }
        let line = String::from_utf8_lossy(&self.line).into_owned();
        let ended = line.strip_suffix("\r\n");
        let line = line.trim();
        self.line.clear();
        if ended.is_none() && self.faults.is_some() {
            self.see("a line of the chunked body ends in a bare LF".to_owned())?;
        }
        self.state = match self.state {
            ParseState::ChunkSize => {
                let digits = line.split(';').next().unwrap_or("").trim();
                match chunk_size(digits) {
                    Some(0) => ParseState::Trailers,
                    Some(size) => ParseState::Chunk(size),
                    None => {
                        self.note(format!("`{}` is not a chunk size", shortened(line)))?;
                        return Ok(used);
                    }
                }
            }
            ParseState::ChunkEnd if line.is_empty() => ParseState::ChunkSize,
            ParseState::ChunkEnd => {
                self.note("a chunk is longer than its size".to_owned())?;
                return Ok(used);
            }
            ParseState::Trailers if line.is_empty() => ParseState::Done,
            // Trailers are a part of the answer's head, and count as much.
            ParseState::Trailers => {
                self.bytes += line.len() as u64;
                self.count(0)?;
                ParseState::Trailers
            }
            other => other,
        };
        Ok(used)
    }
}

/// An answer whose body is larger than it may be.
pub(super) fn too_large(status: u16, most: u64) -> LossReason {
    let most = if most.is_multiple_of(1024 * 1024) {
        format!("{} MiB", most / 1024 / 1024)
    } else if most.is_multiple_of(1024) {
        format!("{} KiB", most / 1024)
    } else {
        format!("{most} bytes")
    };
    (LossKind::TooLarge, format!("status {status}, then more than {most} of body (--max-body)"))
}

#[cfg(test)]
mod tests;
