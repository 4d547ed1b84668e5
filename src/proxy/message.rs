//! Where an HTTP/1.1 message ends (RFC 9112, section 6), while its bytes pass by.
//!
//! Changes nothing, and must not know where the bytes go.

/// Bytes of a head that are awaited.
pub(super) const LARGEST_HEAD: usize = 256 * 1024;
const MOST_FIELDS: usize = 256;

/// The head of a request or a response.
pub(super) struct MessageHead {
    /// Of a request: method and target.
    pub method: String,
    pub target: String,
    /// Of a response.
    pub status: u16,
    /// Header fields, names as they came.
    pub headers: Vec<(String, String)>,
    /// Its length in bytes.
    pub length: usize,
    /// Whether it says HTTP/1.0.
    pub is_old: bool,
}

impl MessageHead {
    /// The first header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether the connection ends with the message.
    pub fn closes(&self) -> bool {
        let says = |word: &str| {
            let values = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("connection"));
            values.flat_map(|(_, v)| v.split(',')).any(|v| v.trim().eq_ignore_ascii_case(word))
        };
        says("close") || (self.is_old && !says("keep-alive"))
    }

    fn is_chunked(&self) -> bool {
        let coding = self.header("transfer-encoding").unwrap_or("");
        coding.rsplit(',').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"))
    }

    fn stated_length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    /// How the body of this request ends.
    pub fn request_end(&self) -> BodyProgress {
        match (self.is_chunked(), self.stated_length()) {
            (true, _) => BodyProgress::ChunkSize(Vec::new()),
            (false, Some(length)) => BodyProgress::sized(length),
            (false, None) => BodyProgress::Done,
        }
    }

    /// How the body of this response to a request with that method ends.
    pub fn response_end(&self, method: &str) -> BodyProgress {
        if method == "HEAD" || matches!(self.status, 100..=199 | 204 | 304) {
            return BodyProgress::Done;
        }
        match (self.is_chunked(), self.stated_length()) {
            (true, _) => BodyProgress::ChunkSize(Vec::new()),
            (false, Some(length)) if self.header("transfer-encoding").is_none() => {
                BodyProgress::sized(length)
            }
            _ => BodyProgress::UntilClosed,
        }
    }
}

/// Reads a head; nothing where it has not come whole.
///
/// # Errors
/// Where it is not HTTP.
pub(super) fn head(bytes: &[u8], is_request: bool) -> Result<Option<MessageHead>, String> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let (parsed, method, target, status, version, headers) = if is_request {
        let mut request = httparse::Request::new(&mut fields);
        let parsed = request.parse(bytes).map_err(|e| e.to_string())?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (
            parsed,
            text(request.method),
            text(request.path),
            0,
            request.version,
            listed(request.headers),
        )
    } else {
        let mut response = httparse::Response::new(&mut fields);
        let parsed = response.parse(bytes).map_err(|e| e.to_string())?;
        let (status, headers) = (response.code.unwrap_or(0), listed(response.headers));
        (parsed, String::new(), String::new(), status, response.version, headers)
    };
    Ok(match parsed {
        httparse::Status::Complete(length) => Some(MessageHead {
            method,
            target,
            status,
            headers,
            length,
            is_old: version == Some(0),
        }),
        httparse::Status::Partial if bytes.len() > LARGEST_HEAD => {
            return Err("its head is too large".to_owned());
        }
        httparse::Status::Partial => None,
    })
}

fn listed(fields: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fields.iter().map(|field| (field.name.to_owned(), text(field.value))).collect()
}

/// How much of a body is still to come.
pub(super) enum BodyProgress {
    Sized(u64),
    /// The line with the size of a chunk, as far as it has come.
    ChunkSize(Vec<u8>),
    Chunk(u64),
    /// What ends a chunk: this number of bytes.
    ChunkEnd(u8),
    /// The line of a trailer, as far as it has come.
    Trailer(Vec<u8>),
    UntilClosed,
    Done,
}

impl BodyProgress {
    fn sized(length: u64) -> BodyProgress {
        if length == 0 { BodyProgress::Done } else { BodyProgress::Sized(length) }
    }

    pub fn is_done(&self) -> bool {
        matches!(self, BodyProgress::Done)
    }

    /// Goes on over `bytes`, and hands what is content to `content`: how many of them belong to the message.
    ///
    /// # Errors
    /// Where the chunked coding is broken.
    pub fn pass(&mut self, bytes: &[u8], content: &mut impl FnMut(&[u8])) -> Result<usize, ()> {
        let mut at = 0;
        while at < bytes.len() && !self.is_done() {
            let rest = &bytes[at..];
            let next = match self {
                BodyProgress::Done => break,
                BodyProgress::UntilClosed => {
                    content(rest);
                    at = bytes.len();
                    continue;
                }
                BodyProgress::Sized(left) | BodyProgress::Chunk(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    content(&rest[..here]);
                    at += here;
                    *left -= here as u64;
                    if *left > 0 {
                        continue;
                    }
                    match self {
                        BodyProgress::Chunk(_) => BodyProgress::ChunkEnd(2),
                        _ => BodyProgress::Done,
                    }
                }
                BodyProgress::ChunkEnd(left) => {
                    // A bare line feed ends a chunk, too.
                    let ends = rest[0] == b'\n';
                    at += 1;
                    *left -= 1;
                    if !ends && *left > 0 {
                        continue;
                    }
                    BodyProgress::ChunkSize(Vec::new())
                }
                BodyProgress::ChunkSize(line) => {
                    let Some(taken) = line_from(line, rest) else { return Err(()) };
                    at += taken;
                    let Some(text) = line.strip_suffix(b"\n") else { continue };
                    let text = std::str::from_utf8(text).map_err(|_| ())?;
                    let digits = text.split(';').next().unwrap_or_default().trim();
                    match u64::from_str_radix(digits, 16).map_err(|_| ())? {
                        0 => BodyProgress::Trailer(Vec::new()),
                        size => BodyProgress::Chunk(size),
                    }
                }
                BodyProgress::Trailer(line) => {
                    let Some(taken) = line_from(line, rest) else { return Err(()) };
                    at += taken;
                    match line.strip_suffix(b"\n") {
                        None => continue,
                        Some(text) if text.trim_ascii().is_empty() => BodyProgress::Done,
                        Some(_) => BodyProgress::Trailer(Vec::new()),
                    }
                }
            };
            *self = next;
        }
        Ok(at)
    }
}

/// Adds to a line what has come of it: how many bytes that are; nothing where it has no end.
fn line_from(line: &mut Vec<u8>, bytes: &[u8]) -> Option<usize> {
    const LONGEST: usize = 16 * 1024;
    let taken = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
    line.extend_from_slice(&bytes[..taken]);
    (line.len() <= LONGEST).then_some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body comes to, in pieces of that size; and how many bytes belong to it.
    fn read(mut end: BodyProgress, bytes: &[u8], size: usize) -> (String, usize) {
        let (mut content, mut taken) = (Vec::new(), 0);
        for piece in bytes.chunks(size) {
            taken += end.pass(piece, &mut |part| content.extend_from_slice(part)).unwrap();
            if end.is_done() {
                break;
            }
        }
        assert!(end.is_done());
        (String::from_utf8(content).unwrap(), taken)
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let chunked = b"4;x=y\r\nWiki\r\n5\r\npedia\r\n0\r\nExpires: never\r\n\r\nGET /";
        for size in 1..=chunked.len() {
            let end = || BodyProgress::ChunkSize(Vec::new());
            assert_eq!(read(end(), chunked, size), ("Wikipedia".to_owned(), chunked.len() - 5));
            assert_eq!(read(BodyProgress::Sized(3), b"abcdef", size), ("abc".to_owned(), 3));
        }
    }
}
