//! TLS itself: handshakes that stall or are none, a chain of a megabyte, an end that is not announced.

use std::io::{Read as _, Result, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::behaviours::Behaviour;
use super::server::{HEAD, Plays, Talk};

pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour::of("a_handshake_that_stalls", Plays::Bare(stall)).exits(&[3]),
    Behaviour::of("a_handshake_that_stalls_halfway", Plays::Bare(stall_halfway)).exits(&[3]),
    Behaviour::of("noise_for_a_handshake", Plays::Bare(noise)).exits(&[3]),
    Behaviour::of("http_for_a_handshake", Plays::Bare(http)).exits(&[3]),
    Behaviour::of("closed_in_the_handshake", Plays::Bare(closed)).exits(&[3]),
    Behaviour::of("records_without_end", Plays::Bare(records)).exits(&[3]),
    Behaviour::of("a_handshake_message_without_end", Plays::Bare(endless_message)).exits(&[3]),
    Behaviour::of("warnings_without_end", Plays::Bare(warnings)).exits(&[3]),
    Behaviour {
        certificates: 1000,
        ..Behaviour::always("a_certificate_chain_of_a_megabyte", right).exits(&[0, 1, 3]).tls_only()
    },
    Behaviour::later("an_end_that_is_not_announced", until_the_end).exits(&[0, 1, 3]).tls_only(),
    Behaviour::later("an_end_that_is_not_announced_behind_a_length", sized_and_end)
        .exits(&[0, 1, 3])
        .tls_only(),
];

fn hello(stream: &mut TcpStream) -> Result<usize> {
    stream.read(&mut [0; 4096])
}

fn wait() {
    std::thread::sleep(Duration::from_mins(2));
}

fn stall(stream: &mut TcpStream) -> Result<()> {
    hello(stream)?;
    wait();
    Ok(())
}

fn stall_halfway(stream: &mut TcpStream) -> Result<()> {
    hello(stream)?;
    // The beginning of a record that holds a ServerHello.
    stream.write_all(&[0x16, 3, 3, 0, 0x7a, 2, 0, 0, 0x76, 3, 3])?;
    wait();
    Ok(())
}

fn noise(stream: &mut TcpStream) -> Result<()> {
    hello(stream)?;
    stream.write_all(&[0xde, 0xad, 0xbe, 0xef].repeat(1000))
}

fn http(stream: &mut TcpStream) -> Result<()> {
    hello(stream)?;
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
}

fn closed(stream: &mut TcpStream) -> Result<()> {
    hello(stream).map(|_| ())
}

fn for_ever(stream: &mut TcpStream, record: &[u8]) -> Result<()> {
    hello(stream)?;
    let records = record.repeat(1000);
    loop {
        stream.write_all(&records)?;
    }
}

/// Empty records.
fn records(stream: &mut TcpStream) -> Result<()> {
    for_ever(stream, &[0x16, 3, 3, 0, 0])
}

/// A handshake message that says it has sixteen megabytes.
fn endless_message(stream: &mut TcpStream) -> Result<()> {
    hello(stream)?;
    stream.write_all(&[0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff])?;
    stream.write_all(&[0; 0x3ffc])?;
    for_ever(stream, &[&[0x16, 3, 3, 0x10, 0][..], &[0; 0x1000]].concat())
}

fn warnings(stream: &mut TcpStream) -> Result<()> {
    for_ever(stream, &[0x15, 3, 3, 0, 2, 1, 90])
}

fn right(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.answer("", right.as_bytes())
}

/// The connection ends with its socket, and without the end that TLS has for it.
fn until_the_end(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.say(format!("{HEAD}\r\n{right}"))?;
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

fn sized_and_end(talk: &mut Talk<'_>) -> Result<()> {
    right(talk)?;
    Err(std::io::ErrorKind::ConnectionAborted.into())
}
