//! Heads of answers that the judge had nothing to say about.

/// Headers that differ from answer to answer and that no rule looks at in a plain 200.
const VARYING: &[&str] = &[
    "content-length",
    "correlation-id",
    "date",
    "keep-alive",
    "request-id",
    "traceparent",
    "x-correlation-id",
    "x-request-id",
    "x-trace-id",
];

/// So many different heads are kept; a target with more of them is judged the long way.
const MOST: usize = 8;

/// The header lines of plain answers that the judge has passed.
#[derive(Debug, Clone, Default)]
pub struct HeaderCache {
    known: Vec<Vec<u8>>,
}

impl HeaderCache {
    /// Whether a header says nothing that is judged in a plain answer.
    #[must_use]
    pub fn is_varying(name: &str) -> bool {
        VARYING.iter().any(|v| v.eq_ignore_ascii_case(name))
    }

    /// Keeps the header lines of an answer that was judged and is right.
    pub fn learn(&mut self, head: &[u8]) {
        if self.known.len() < MOST && !self.knows(head) {
            self.known.push(lines(head).flatten().copied().collect());
        }
    }

    /// Whether an answer with these header lines was judged and is right.
    #[must_use]
    pub fn knows(&self, head: &[u8]) -> bool {
        self.known.iter().any(|known| {
            let mut rest = known.as_slice();
            lines(head).all(|line| {
                let next = rest.strip_prefix(line);
                rest = next.unwrap_or_default();
                next.is_some()
            }) && rest.is_empty()
        })
    }
}

/// The header lines that matter, each with its line feed where it has one.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split_inclusive(|b| *b == b'\n').filter(|line| {
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        !VARYING.iter().any(|v| v.as_bytes().eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_known_but_for_what_varies() {
        let mut heads = HeaderCache::default();
        let plain = b"Date: x\r\nContent-Type: application/json\r\nServer: a\r\n";
        assert!(!heads.knows(plain) && !heads.knows(b""));
        heads.learn(plain);
        assert!(heads.knows(plain));
        assert!(heads.knows(b"Content-Type: application/json\r\ndate: y\r\nServer: a\r\n"));
        for other in [
            &b"Content-Type: application/json\r\n"[..],
            b"Content-Type: application/json\r\nServer: a\r\nX: y\r\n",
            b"Content-Type: text/html\r\nServer: a\r\n",
            b"Content-Type: application/json\r\nServer: ab\r\n",
            b"",
        ] {
            assert!(!heads.knows(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
