//! Reads an HTTP/1.1 answer piece by piece, as it comes (RFC 9112).
//!
//! Knows framing and nothing else; the body is handed on without it, and need never be whole in memory.

use crate::exchange::LossKind;

/// Heads above this many bytes are no heads.
const LARGEST_HEAD: usize = 256 * 1024;

/// Heads are rarely longer than this many bytes.
const USUAL_HEAD: usize = 2048;

/// Why an answer can't be read.
pub(super) type Failure = (LossKind, String);

/// An answer on its way in.
#[derive(Default)]
pub(super) struct Incoming {
    /// Its status; 0 until the head has come.
    pub status: u16,
    /// What has come of the body and was not taken yet, framing removed.
    pub body: Vec<u8>,
    /// Whether the connection is over once the answer is.
    pub closes: bool,
    head: Vec<u8>,
    /// From where to where in `head` the header lines stand.
    lines: (usize, usize),
    state: State,
    /// Part of a line of the chunked coding.
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Head,
    Sized(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClosed,
    Done,
}

impl State {
    fn sized(left: u64) -> State {
        if left == 0 { State::Done } else { State::Sized(left) }
    }

    fn chunk(left: u64) -> State {
        if left == 0 { State::ChunkEnd } else { State::Chunk(left) }
    }
}

impl Incoming {
    /// Forgets the answer before.
    pub fn clear(&mut self) {
        self.status = 0;
        self.body.clear();
        self.closes = false;
        self.head.clear();
        self.lines = (0, 0);
        self.state = State::Head;
        self.line.clear();
    }

    /// Whether all of it has come.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether nothing has come.
    pub fn is_untouched(&self) -> bool {
        self.state == State::Head && self.head.is_empty()
    }

    /// Whether the head has come.
    pub fn has_head(&self) -> bool {
        self.state != State::Head
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
        let (State::Sized(left) | State::Chunk(left)) = self.state else { return None };
        Some((&mut self.body, usize::try_from(left).unwrap_or(usize::MAX)))
    }

    /// Takes note of what was read straight into the body.
    pub fn was_read(&mut self, count: usize) {
        self.state = match self.state {
            State::Sized(left) => State::sized(left.saturating_sub(count as u64)),
            State::Chunk(left) => State::chunk(left.saturating_sub(count as u64)),
            other => other,
        };
    }

    /// Takes in what has come; says how much of it belongs to this answer.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<usize, Failure> {
        let all = bytes.len();
        while !bytes.is_empty() && self.state != State::Done {
            let used = match self.state {
                State::Head => self.take_head(bytes)?,
                State::Sized(left) => {
                    let (used, left) = self.take_body(bytes, left);
                    self.state = State::sized(left);
                    used
                }
                State::Chunk(left) => {
                    let (used, left) = self.take_body(bytes, left);
                    self.state = State::chunk(left);
                    used
                }
                State::UntilClosed => {
                    self.body.extend_from_slice(bytes);
                    bytes.len()
                }
                State::ChunkSize | State::ChunkEnd | State::Trailers => self.take_line(bytes)?,
                State::Done => 0,
            };
            bytes = &bytes[used..];
        }
        Ok(all - bytes.len())
    }

    /// Takes in the end of the connection.
    pub fn end(&mut self) -> Result<(), Failure> {
        match self.state {
            State::UntilClosed => self.state = State::Done,
            State::Done => {}
            State::Head if self.head.is_empty() => {
                let why = "the connection was closed before an answer".to_owned();
                return Err((LossKind::Reset, why));
            }
            State::Head => {
                return Err((
                    LossKind::Reset,
                    "the connection was closed within the head".to_owned(),
                ));
            }
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

    fn take_body(&mut self, bytes: &[u8], left: u64) -> (usize, u64) {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.body.extend_from_slice(&bytes[..used]);
        (used, left - used as u64)
    }

    fn take_head(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        // What comes behind the head is not to be copied twice.
        let bytes = &bytes[..bytes.len().min(USUAL_HEAD)];
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let mut slots = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Response::new(&mut slots);
        let size = match parsed.parse(&self.head) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) if self.head.len() > LARGEST_HEAD => {
                return Err((LossKind::NoHttp, "no end of the headers".to_owned()));
            }
            Ok(httparse::Status::Partial) => return Ok(bytes.len()),
            Err(error) => return Err((LossKind::NoHttp, format!("no HTTP answer: {error}"))),
        };
        let status = parsed.code.unwrap_or(0);
        if (100..200).contains(&status) && status != 101 {
            // RFC 9110 section 15.2: a client reads any number of interim answers.
            self.head.clear();
            return Ok(size - before);
        }
        self.closes = parsed.version == Some(0);
        let (mut length, mut chunked) = (None, false);
        for header in parsed.headers.iter() {
            let value = String::from_utf8_lossy(header.value);
            if header.name.eq_ignore_ascii_case("content-length") {
                let declared = value.trim().parse::<u64>().ok();
                if declared.is_none() || length.is_some_and(|l| Some(l) != declared) {
                    return Err((LossKind::NoHttp, format!("Content-Length is `{value}`")));
                }
                length = declared;
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.to_ascii_lowercase().contains("chunked");
            } else if header.name.eq_ignore_ascii_case("connection") {
                let mut options = value.split(',').map(str::trim);
                self.closes |= options.any(|o| o.eq_ignore_ascii_case("close"));
            }
        }
        self.status = status;
        let start = self.head.iter().position(|b| *b == b'\n').map_or(size, |at| at + 1);
        let empty = if self.head[..size].ends_with(b"\r\n") { 2 } else { 1 };
        self.lines = (start.min(size - empty), size - empty);
        self.state = match (status, chunked, length) {
            (204 | 304, _, _) | (_, false, Some(0)) => State::Done,
            (_, true, _) => State::ChunkSize,
            (_, false, Some(length)) => State::Sized(length),
            (_, false, None) => {
                self.closes = true;
                State::UntilClosed
            }
        };
        self.head.truncate(size);
        Ok(size - before)
    }

    /// Takes in a line of the chunked coding.
    fn take_line(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let end = bytes.iter().position(|b| *b == b'\n');
        let used = end.map_or(bytes.len(), |at| at + 1);
        self.line.extend_from_slice(&bytes[..used]);
        if end.is_none() {
            let long = self.line.len() > LARGEST_HEAD;
            let why = || (LossKind::NoHttp, "no end of a chunk's size".to_owned());
            return if long { Err(why()) } else { Ok(used) };
        }
        let line = String::from_utf8_lossy(&self.line).trim().to_owned();
        self.line.clear();
        self.state = match self.state {
            State::ChunkSize => {
                let digits = line.split(';').next().unwrap_or("").trim();
                match u64::from_str_radix(digits, 16) {
                    Ok(0) => State::Trailers,
                    Ok(size) => State::Chunk(size),
                    Err(_) => {
                        return Err((LossKind::NoHttp, format!("`{line}` is no chunk size")));
                    }
                }
            }
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::ChunkEnd => {
                return Err((LossKind::NoHttp, "a chunk is longer than its size".to_owned()));
            }
            State::Trailers if line.is_empty() => State::Done,
            other => other,
        };
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an answer in pieces of `size` bytes: status, header lines, body, what is left over.
    fn read(text: &str, size: usize) -> Result<(u16, String, String, usize), String> {
        let mut incoming = Incoming::default();
        let mut left = 0;
        for piece in text.as_bytes().chunks(size) {
            let used = incoming.take(piece).map_err(|(kind, why)| format!("{kind:?} {why}"))?;
            left += piece.len() - used;
        }
        incoming.end().map_err(|(kind, why)| format!("{kind:?} {why}"))?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ok((incoming.status, text(incoming.lines()), text(&incoming.body), left))
    }

    #[test]
    fn an_answer_is_the_same_in_whatever_pieces_it_comes() {
        for (answer, wanted) in [
            (
                "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\nabcHTTP",
                (200, "A: b\r\nContent-Length: 3\r\n", "abc", 4),
            ),
            (
                "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
                (400, "Transfer-Encoding: chunked\r\n", "abc", 0),
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", (204, "", "", 0)),
            ("HTTP/1.0 200 OK\r\nB: c\r\n\r\nabc", (200, "B: c\r\n", "abc", 0)),
        ] {
            for size in [1, 2, 7, 1000] {
                let (status, lines, body, left) = read(answer, size).unwrap();
                assert_eq!((status, lines.as_str(), body.as_str(), left), wanted, "{size}");
            }
        }
    }

    #[test]
    fn what_is_no_whole_answer_is_lost() {
        for (answer, why) in [
            ("", "Reset the connection was closed before"),
            ("HTTP/1.1 200 OK\r\nCont", "Reset the connection was closed within the head"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "Reset status 200, then"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                "NoHttp `x` is no chunk size",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                "NoHttp Content-Length",
            ),
            ("SSH-2.0\r\n\r\n", "NoHttp no HTTP answer"),
        ] {
            let error = read(answer, 1000).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
