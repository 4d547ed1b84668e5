//! Targets that answer without end: the run ends, says why, and holds nobody to it for long.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::harness::Desk;

/// A server that answers every connection by `answer`, which goes on until the client leaves.
fn start(answer: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut vec![0; 64 * 1024]);
                let _ = answer(&mut stream);
            });
        }
    });
    url
}

fn for_ever(stream: &mut TcpStream, head: &str, piece: &str) -> std::io::Result<()> {
    stream.write_all(head.as_bytes())?;
    let pieces = piece.repeat(1000);
    loop {
        stream.write_all(pieces.as_bytes())?;
    }
}

fn endless_chunks(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for_ever(stream, head, "5\r\nhello\r\n")
}

fn endless_body(stream: &mut TcpStream) -> std::io::Result<()> {
    for_ever(stream, "HTTP/1.1 200 OK\r\n\r\n", "hello")
}

fn huge_length(stream: &mut TcpStream) -> std::io::Result<()> {
    for_ever(stream, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", "hello")
}

fn endless_headers(stream: &mut TcpStream) -> std::io::Result<()> {
    for_ever(stream, "HTTP/1.1 200 OK\r\n", "X-More: hello\r\n")
}

fn endless_interim(stream: &mut TcpStream) -> std::io::Result<()> {
    for_ever(stream, "", "HTTP/1.1 103 Early Hints\r\n\r\n")
}

fn byte_by_byte(stream: &mut TcpStream) -> std::io::Result<()> {
    for byte in "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n".bytes().chain(std::iter::repeat(b'x')) {
        stream.write_all(&[byte])?;
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

#[test]
fn answers_without_end_end_the_run_with_the_reason() {
    let desk = Desk::new();
    let (short, small) = (["--timeout", "1s"], ["--max-body", "64KiB"]);
    for (answer, bound, says) in [
        (endless_chunks as fn(&mut TcpStream) -> _, small, "larger than it may be"),
        (endless_body, small, "larger than it may be"),
        (huge_length, small, "larger than it may be"),
        (endless_headers, small, "does not answer in HTTP"),
        (endless_interim, short, "no whole answer in time"),
        (byte_by_byte, short, "no whole answer in time"),
    ] {
        let url = start(answer);
        let run = ["run", "order/sizes", "--depth", "quick", "--target", &url];
        let ended = desk.batchproof(&[&run[..], &bound].concat());
        // Lines are broken wherever they get long.
        let text = format!("{}{}", ended.out, ended.err);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ended.code, 3, "{says}: {text}");
        assert!(text.contains(says), "{says}: {text}");
    }
}

#[test]
fn a_body_that_is_larger_than_max_body_is_a_finding() {
    let desk = Desk::new();
    desk.file("one.yaml", "title: x\nsteps: [{ batch: 20, expect: accepted }]\n");
    let run = ["run", "one.yaml", "--max-body", "1KiB"];
    desk.batchproof(&run).ends(1).says(&["larger than it may be"]);
    desk.batchproof(&["run", "one.yaml", "--max-body", "1MiB"]).ends(0);
    desk.batchproof(&["run", "one.yaml", "--max-body", "1 parsec"]).ends(2).says(&["parsec"]);
}
