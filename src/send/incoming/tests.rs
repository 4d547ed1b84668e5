//! What is read of answers in pieces, and what is not read at all.

use super::*;

/// Reads an answer in pieces of `size` bytes: status, header lines, body, what is left over.
fn read(text: &str, size: usize) -> Result<(u16, String, String, usize), String> {
    let mut incoming = Incoming::new(1000);
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
            "NoHttp `x` is not a chunk size",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "NoHttp two different Content-Length headers",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", "NoHttp Content-Length is `+1`"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "Reset status 200, then"),
        ("SSH-2.0\r\n\r\n", "NoHttp not an HTTP answer"),
    ] {
        let error = read(answer, 1000).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}

/// What an observer sees of the answer to a request with that method.
fn observe(text: &str, method: &str) -> (Option<String>, String) {
    let mut incoming = Incoming::observed(1000, method, false);
    incoming.take(text.as_bytes()).unwrap();
    if !incoming.is_done() {
        incoming.end().unwrap();
    }
    let body = String::from_utf8(incoming.body.clone()).unwrap();
    (incoming.fault().map(str::to_owned), body)
}

#[test]
fn an_observer_is_told_what_contradicts_the_framing_and_keeps_what_came() {
    for (headers, rest, fault, body) in [
        ("Content-Length: 3", "abc", None, "abc"),
        ("Content-Length: 3\r\nContent-Length: 3", "abc", None, "abc"),
        (
            "Content-Length: 3\r\nContent-Length: 4",
            "abc",
            Some("two different Content-Length headers"),
            "abc",
        ),
        ("Content-Length: 3, 3", "abc", Some("Content-Length is `3, 3`"), "abc"),
        ("Content-Length: 9", "abc", Some("Content-Length says 9, but 3 bytes came"), "abc"),
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "3\r\nabc\r\n0\r\n\r\n",
            Some("both Content-Length and Transfer-Encoding"),
            "abc",
        ),
        (
            "Transfer-Encoding: chunked",
            "4\r\nabc",
            Some("the connection ended inside a chunk"),
            "abc",
        ),
        (
            "Transfer-Encoding: chunked",
            "2\r\nabc\r\n",
            Some("a chunk is longer than its size"),
            "ab",
        ),
        ("Transfer-Encoding: chunked", "-2\r\nab\r\n", Some("`-2` is not a chunk size"), ""),
        ("Transfer-Encoding: chunked", "1\r\na\r\n0\r\n", Some("the last chunk has no end"), "a"),
        // Neither is the chunked coding.
        ("Transfer-Encoding: xchunked", "abc", None, "abc"),
        ("Transfer-Encoding: chunked, identity", "abc", None, "abc"),
        ("Transfer-Encoding: gzip, Chunked", "1\r\na\r\n0\r\n\r\n", None, "a"),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{rest}");
        let wanted = (fault.map(str::to_owned), body.to_owned());
        assert_eq!(observe(&answer, "POST"), wanted, "{answer}");
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(observe(head, "HEAD"), (None, String::new()));
}

#[test]
fn nothing_that_comes_is_without_bounds() {
    let many = |text: &str| text.repeat(2000);
    for (answer, why) in [
        (format!("HTTP/1.1 200 OK\r\n{}", "a".repeat(LARGEST_HEAD + 4096)), "NoHttp the headers"),
        (format!("HTTP/1.1 200 OK\r\n{}", many("a: b\r\n")), "NoHttp more than 128 headers"),
        ("HTTP/1.1 103 Hint\r\n\r\n".repeat(10_001), "TooLarge more than 10000 interim answers"),
        (format!("HTTP/1.1 200 OK\r\n\r\n{}", many("a")), "TooLarge status 200, then more than"),
        (
            format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{}", many("a")),
            "TooLarge status 200, then more than 1000 bytes",
        ),
        (
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", many("1\r\na\r\n")),
            "TooLarge",
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{}",
                many("a: b\r\n")
            ),
            "TooLarge",
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                "0".repeat(LARGEST_HEAD + 1)
            ),
            "NoHttp the size of a chunk",
        ),
    ] {
        let error = read(&answer, 1000).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}
