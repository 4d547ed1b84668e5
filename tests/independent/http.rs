//! HTTP/1.1 as text: request heads, and how a body is framed (RFC 9112).

/// The head of a request.
#[derive(Debug)]
pub struct Head {
    pub method: String,
    pub target: String,
    /// HTTP/1.0.
    pub old: bool,
    headers: Vec<(String, String)>,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    None,
    Length(u64),
    Chunked,
}

/// A status with which a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub u16);

const BAD: Refused = Refused(400);

impl Head {
    /// Reads a request line, without its line end.
    pub fn begin(line: &[u8]) -> Result<Self, Refused> {
        let line = std::str::from_utf8(line).map_err(|_| BAD)?;
        let mut parts = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BAD);
        };
        if !is_token(method)
            || target.is_empty()
            || !target.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(BAD);
        }
        let old = match version.strip_prefix("HTTP/").map(str::as_bytes) {
            Some([b'1', b'.', minor]) if minor.is_ascii_digit() => *minor == b'0',
            Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit() => {
                return Err(Refused(505));
            }
            _ => return Err(BAD),
        };
        Ok(Self { method: method.to_owned(), target: target.to_owned(), old, headers: Vec::new() })
    }

    /// Reads a header line, without its line end.
    pub fn add(&mut self, line: &[u8]) -> Result<(), Refused> {
        if self.headers.len() == 200 {
            return Err(Refused(431));
        }
        self.headers.push(header(line)?);
        Ok(())
    }

    /// What all lines have to be there for.
    pub fn finish(self) -> Result<Self, Refused> {
        let mut hosts = self.all("host");
        let host_is_good = match hosts.next() {
            Some(host) => !host.contains([' ', '\t', '/', ',', '@']),
            None => self.old,
        };
        if host_is_good && hosts.next().is_none() {
            drop(hosts);
            Ok(self)
        } else {
            Err(BAD)
        }
    }

    /// All values of a header; the name in lower case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a header that stands there exactly once.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() { None } else { first }
    }

    /// All values of a list header, in lower case.
    pub fn list(&self, name: &str) -> Vec<String> {
        let parts = self.all(name).flat_map(|value| value.split(','));
        parts
            .map(|part| part.trim_matches([' ', '\t']).to_ascii_lowercase())
            .filter(|part| !part.is_empty())
            .collect()
    }

    pub fn framing(&self) -> Result<Framing, Refused> {
        let length: Vec<_> = self.all("content-length").collect();
        let is_coded = self.all("transfer-encoding").next().is_some();
        match length[..] {
            [] if !is_coded => Ok(Framing::None),
            // Anything else that is coded leaves it open where the request ends, and with both
            // headers somebody on the way may have seen another end.
            [] if !self.old && self.list("transfer-encoding") == ["chunked"] => {
                Ok(Framing::Chunked)
            }
            [value]
                if !is_coded
                    && !value.is_empty()
                    && value.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                // What 64 bits can't count is too large as well.
                Ok(Framing::Length(value.parse().unwrap_or(u64::MAX)))
            }
            _ => Err(BAD),
        }
    }

    /// Whether the client asks to be told before it sends the body.
    pub fn expects_continue(&self) -> bool {
        !self.old && self.list("expect") == ["100-continue"]
    }

    pub fn wants_close(&self) -> bool {
        let options = self.list("connection");
        let has = |option: &str| options.iter().any(|known| known == option);
        has("close") || self.old && !has("keep-alive")
    }
}

/// Name in lower case, and value, of a header line.
pub fn header(line: &[u8]) -> Result<(String, String), Refused> {
    // A space before the colon, or at the start (a folded line), is no part of a token.
    let colon = line.iter().position(|byte| *byte == b':').ok_or(BAD)?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| BAD)?;
    let value = &line[colon + 1..];
    let is_text = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7F;
    if !is_token(name) || !value.iter().all(is_text) {
        return Err(BAD);
    }
    let value: String = value.iter().copied().map(char::from).collect();
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}

/// The size that a chunk's first line tells, without its line end.
pub fn chunk_size(line: &[u8]) -> Result<u64, Refused> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, rest) = line.split_at(digits);
    let is_text = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7F;
    let extension = rest.trim_ascii_start();
    if !(extension.is_empty() && rest.is_empty() || extension.first() == Some(&b';'))
        || !rest.iter().all(is_text)
    {
        return Err(BAD);
    }
    let size = std::str::from_utf8(size).map_err(|_| BAD)?;
    u64::from_str_radix(size, 16).map_err(|_| BAD)
}

fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[&str]) -> Result<Head, Refused> {
        let mut head = Head::begin(b"POST / HTTP/1.1")?;
        head.add(b"Host: here")?;
        for line in lines {
            head.add(line.as_bytes())?;
        }
        head.finish()
    }

    #[test]
    fn request_lines() {
        assert!(Head::begin(b"GET /a?b HTTP/1.0").unwrap().old);
        for bad in [
            "",
            "GET",
            "GET /",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "G@T / HTTP/1.1",
            "GET / http/1.1",
            "GET / HTTP/11",
            "GET /\u{e9} HTTP/1.1",
            "GET /\r HTTP/1.1",
        ] {
            assert_eq!(Head::begin(bad.as_bytes()).unwrap_err(), BAD, "{bad}");
        }
        assert_eq!(Head::begin(b"PRI * HTTP/2.0").unwrap_err(), Refused(505));
    }

    #[test]
    fn framings() {
        let framing = |lines: &[&str]| head(lines).and_then(|head| head.framing());
        assert_eq!(framing(&[]), Ok(Framing::None));
        assert_eq!(framing(&["content-LENGTH:  007\t"]), Ok(Framing::Length(7)));
        assert_eq!(framing(&["Transfer-Encoding: Chunked"]), Ok(Framing::Chunked));
        assert_eq!(
            framing(&["Content-Length: 99999999999999999999999"]),
            Ok(Framing::Length(u64::MAX))
        );
        for bad in [
            &["Content-Length: 5", "Transfer-Encoding: chunked"][..],
            &["Content-Length: 5", "Content-Length: 5"],
            &["Content-Length: 5, 5"],
            &["Content-Length: +5"],
            &["Content-Length: -1"],
            &["Content-Length: 0x5"],
            &["Content-Length:"],
            &["Transfer-Encoding: gzip, chunked"],
            &["Transfer-Encoding: chunked, chunked"],
            &["Transfer-Encoding: identity"],
            &["Transfer-Encoding:"],
            &["Content-Length : 5"],
            &[" Content-Length: 5"],
            &["Content-Length"],
            &["X: a\rb"],
            &["X: a\0b"],
            &["Host: there"],
        ] {
            assert_eq!(framing(bad), Err(BAD), "{bad:?}");
        }
    }

    #[test]
    fn chunk_lines() {
        assert_eq!(chunk_size(b"1aF"), Ok(0x1AF));
        assert_eq!(chunk_size(b"000a;x=\"y\""), Ok(10));
        assert_eq!(chunk_size(b"a ; x"), Ok(10));
        for bad in ["", "-1", "+1", "0x1", "1 2", "g", ";x", "1 ", "11111111111111111", "1\r"] {
            assert_eq!(chunk_size(bad.as_bytes()), Err(BAD), "{bad}");
        }
    }
}
