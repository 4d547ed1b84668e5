//! Framing: lengths, chunks and line ends that contradict each other, answers that nobody asked for.

use std::io::{Read as _, Result, Write as _};
use std::net::TcpStream;

use super::behaviours::Behaviour;
use super::server::{HEAD, Plays, Talk, Wire};

pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour::later("two_content_lengths", two_lengths),
    Behaviour::later("a_length_that_is_too_small", small_length),
    Behaviour::later("a_length_that_is_too_large", large_length),
    Behaviour::later("a_negative_length", negative_length),
    Behaviour::later("a_length_beyond_64_bits", overflowing_length),
    Behaviour::later("a_length_in_words", length_in_words).plain_only(),
    Behaviour::later("a_length_and_chunks", length_and_chunks).exits(&[0, 1, 3]),
    Behaviour::later("an_unknown_coding", unknown_coding).exits(&[0, 1, 3]).plain_only(),
    Behaviour::later("a_broken_chunk_size", |talk| chunks(talk, "zz\r\nabc\r\n")),
    Behaviour::later("a_negative_chunk_size", |talk| chunks(talk, "-1\r\nabc\r\n")).plain_only(),
    Behaviour::later("the_largest_chunk_size", |talk| chunks(talk, "FFFFFFFFFFFFFFFF\r\nabc\r\n")),
    Behaviour::later("a_chunk_size_beyond_64_bits", |talk| {
        chunks(talk, "FFFFFFFFFFFFFFFFF\r\nabc\r\n")
    }),
    Behaviour::later("a_chunk_longer_than_its_size", |talk| {
        chunks(talk, "1\r\nabcdef\r\n0\r\n\r\n")
    }),
    Behaviour::later("a_chunk_extension_without_end", endless_extension),
    Behaviour::later("trailers_without_end", endless_trailers),
    Behaviour::later("chunks_of_one_byte", tiny_chunks).exits(&[0, 1, 3]).plain_only(),
    Behaviour::later("empty_lines_for_a_chunk", |talk| chunks(talk, "\r\n\r\n\r\n\r\n"))
        .plain_only(),
    Behaviour::always("closed_before_an_answer", |_| closed()).exits(&[3]),
    Behaviour::later("closed_before_an_answer_later", |_| closed()),
    Behaviour::later("two_answers", two_answers).exits(&[0, 1, 3]),
    Behaviour::later("an_answer_that_nobody_asked_for", extra_answer).exits(&[0, 1, 3]),
    Behaviour::of("an_answer_before_the_request", Plays::Unasked(before)).exits(&[0, 1, 3]),
    Behaviour::of("answers_without_a_request", Plays::Unasked(flood)),
    Behaviour::of("a_reset_on_accept", Plays::Bare(reset)).without_tls(),
    Behaviour::of("a_reset_in_the_middle", Plays::Bare(reset_later)).without_tls(),
    Behaviour::of("a_reset_within_the_body", Plays::Bare(reset_in_body)).without_tls(),
    Behaviour::later("no_body_at_all", |talk| talk.say(format!("{HEAD}\r\n"))).plain_only(),
    Behaviour::later("http_2", |talk| {
        talk.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
        closed()
    }),
    Behaviour::later("frames_of_http_2", |talk| {
        talk.say(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff")?;
        closed()
    }),
    Behaviour::later("http_0_9", |talk| {
        let right = talk.right();
        talk.say(right)?;
        closed()
    }),
];

/// Ends the connection.
fn closed() -> Result<()> {
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

fn lengths(talk: &mut Talk<'_>, lines: &str) -> Result<()> {
    let right = talk.right();
    talk.say(format!("{HEAD}{lines}\r\n{right}"))
}

fn two_lengths(talk: &mut Talk<'_>) -> Result<()> {
    let length = talk.right().len();
    lengths(talk, &format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length - 1))
}

fn small_length(talk: &mut Talk<'_>) -> Result<()> {
    let length = talk.right().len() - 5;
    lengths(talk, &format!("Content-Length: {length}\r\n"))
}

fn large_length(talk: &mut Talk<'_>) -> Result<()> {
    let length = talk.right().len() + 5;
    lengths(talk, &format!("Content-Length: {length}\r\n"))
}

fn negative_length(talk: &mut Talk<'_>) -> Result<()> {
    lengths(talk, "Content-Length: -1\r\n")
}

fn overflowing_length(talk: &mut Talk<'_>) -> Result<()> {
    lengths(talk, "Content-Length: 18446744073709551617\r\n")
}

fn length_in_words(talk: &mut Talk<'_>) -> Result<()> {
    lengths(talk, "Content-Length: plenty\r\n")
}

fn length_and_chunks(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    let body = format!("{:x}\r\n{right}\r\n0\r\n\r\n", right.len());
    talk.say(format!("{HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{body}"))
}

fn unknown_coding(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.say(format!("{HEAD}Transfer-Encoding: chunked, sausage\r\n\r\n{right}"))?;
    closed()
}

fn chunks(talk: &mut Talk<'_>, body: &str) -> Result<()> {
    talk.say(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{body}"))
}

fn endless_extension(talk: &mut Talk<'_>) -> Result<()> {
    chunks(talk, "1;")?;
    talk.for_ever(b"name=value;")
}

fn endless_trailers(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    chunks(talk, &format!("{:x}\r\n{right}\r\n0\r\n", right.len()))?;
    talk.for_ever(b"X-Trailer: value\r\n")
}

fn tiny_chunks(talk: &mut Talk<'_>) -> Result<()> {
    let body: String =
        talk.right().bytes().map(|b| format!("1\r\n{}\r\n", char::from(b))).collect();
    chunks(talk, &format!("{body}0\r\n\r\n"))
}

fn two_answers(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.answer("", right.as_bytes())?;
    talk.answer("", right.as_bytes())
}

fn extra_answer(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.answer("", right.as_bytes())?;
    std::thread::sleep(std::time::Duration::from_millis(50));
    talk.say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
}

fn before(wire: &mut dyn Wire) -> Result<()> {
    wire.write_all(format!("{HEAD}Content-Length: 14\r\n\r\n{{\"results\":[]}}").as_bytes())?;
    wire.flush()?;
    let mut piece = [0; 4096];
    while wire.read(&mut piece)? > 0 {}
    Ok(())
}

fn flood(wire: &mut dyn Wire) -> Result<()> {
    let answer = format!("{HEAD}Content-Length: 2\r\n\r\n{{}}").repeat(100);
    loop {
        wire.write_all(answer.as_bytes())?;
    }
}

/// A connection that is closed with bytes unread is reset.
fn reset(stream: &mut TcpStream) -> Result<()> {
    stream.read_exact(&mut [0])
}

fn reset_later(stream: &mut TcpStream) -> Result<()> {
    stream.read_exact(&mut [0; 50])?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Ty")
}

fn reset_in_body(stream: &mut TcpStream) -> Result<()> {
    stream.read_exact(&mut [0; 50])?;
    stream.write_all(format!("{HEAD}Content-Length: 100\r\n\r\n{{\"results\":[").as_bytes())
}
