//! Bodies: endless, huge, compressed, deeply nested, late, slow.

use std::io::Result;
use std::time::Duration;

use super::behaviours::Behaviour;
use super::server::{HEAD, Talk};

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n";
const MIB: usize = 1024 * 1024;
const SMALL: &[&str] = &["--max-body", "256KiB"];
const LARGE: &[&str] =
    &["--max-body", "1GiB", "--timeout", "60s", "--jobs", "2", "--max-time", "80s"];

pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour::always("endless_sized_body", endless_sized)
        .exits(&[3])
        .says("larger than it may be"),
    Behaviour::always("endless_chunked_body", endless_chunked).exits(&[3]).plain_only(),
    Behaviour::always("endless_chunked_body_small", endless_chunked)
        .with(SMALL)
        .exits(&[3])
        .says("256"),
    Behaviour::always("a_chunk_that_never_ends", endless_chunk).exits(&[3]),
    Behaviour::always("endless_blanks", endless_blanks).exits(&[3]),
    Behaviour::always("endless_body_until_the_end", endless_until_closed).with(SMALL).exits(&[3]),
    Behaviour::later("endless_body_later", endless_until_closed).plain_only(),
    Behaviour::always("a_string_of_a_gigabyte", huge_string)
        .exits(&[3])
        .says("64 MiB")
        .plain_only(),
    Behaviour::later("a_huge_string_that_is_allowed", large_string).with(LARGE).plain_only(),
    Behaviour::later("huge_strings_at_once", medium_string).plain_only(),
    Behaviour::later("a_million_results", a_million_results)
        .with(LARGE)
        .exits(&[1])
        .says("1,000,000 results")
        .plain_only(),
    Behaviour::later("millions_of_numbers_as_results", millions_of_numbers)
        .with(LARGE)
        .exits(&[1])
        .plain_only(),
    Behaviour::always("millions_of_numbers_at_once", millions_of_numbers).plain_only(),
    Behaviour::always("gzip_bomb", gzip_bomb),
    Behaviour::later("deflate_bomb", deflate_bomb),
    Behaviour::later("unclosed_arrays", unclosed_arrays),
    Behaviour::later("unclosed_objects", unclosed_objects).plain_only(),
    Behaviour::later("closed_arrays_in_arrays", closed_arrays).plain_only(),
    Behaviour::later("a_key_a_million_times", repeated_keys).plain_only(),
    Behaviour::later("a_million_different_keys", different_keys).plain_only(),
    Behaviour::later("a_number_of_a_million_digits", long_number).plain_only(),
    Behaviour::later("an_exponent_of_a_million_digits", long_exponent).plain_only(),
    Behaviour::later("a_result_with_a_million_members", many_members).plain_only(),
    Behaviour::later("a_million_escapes", many_escapes).plain_only(),
    Behaviour::always("one_byte_a_second", byte_by_byte)
        .exits(&[3])
        .says("no whole answer in time"),
    Behaviour::later("one_byte_a_second_later", byte_by_byte).plain_only(),
    Behaviour::always("silence_behind_the_head", silent_body).exits(&[3]),
    Behaviour::later("silence_later", silence),
    Behaviour::always("silence", silence).exits(&[3]).says("no whole answer in time"),
    Behaviour::later("answers_behind_the_time_limit", late),
    Behaviour::later("late_answers_to_single_items", late_where_single)
        .exits(&[3])
        .says("gave no good answer for")
        .plain_only(),
    Behaviour::later("gateway_errors_to_single_items", bad_gateway_where_single)
        .exits(&[3])
        .says("plain batches before the repeats of a finding was accepted"),
    Behaviour::later("half_a_body_and_silence", half).plain_only(),
    Behaviour::later("half_a_body_and_the_end", half_and_end),
];

fn for_ever(talk: &mut Talk<'_>, framing: &str, piece: &str) -> Result<()> {
    talk.say(format!("{HEAD}{framing}"))?;
    talk.for_ever(piece.as_bytes())
}

fn endless_sized(talk: &mut Talk<'_>) -> Result<()> {
    for_ever(talk, "Content-Length: 999999999999\r\n\r\n", "hello")
}

fn endless_chunked(talk: &mut Talk<'_>) -> Result<()> {
    for_ever(talk, CHUNKED, "a\r\n{\"a\":[1,2,\r\n")
}

fn endless_chunk(talk: &mut Talk<'_>) -> Result<()> {
    let piece = "a".repeat(64 * 1024);
    for_ever(talk, &format!("{CHUNKED}FFFFFFFFFFFFFFF\r\n"), &piece)
}

fn endless_blanks(talk: &mut Talk<'_>) -> Result<()> {
    let piece = " ".repeat(64 * 1024);
    for_ever(talk, "Connection: close\r\n\r\n", &piece)
}

fn endless_until_closed(talk: &mut Talk<'_>) -> Result<()> {
    for_ever(talk, "Connection: close\r\n\r\n", "[1,")
}

/// A body that ends with its connection: a number of bytes of one piece between two others.
fn long(talk: &mut Talk<'_>, before: &str, piece: &[u8], bytes: usize, behind: &str) -> Result<()> {
    talk.say(format!("{HEAD}Connection: close\r\n\r\n{before}"))?;
    let pieces = piece.repeat((64 * 1024 / piece.len()).max(1));
    for _ in 0..bytes.div_ceil(pieces.len()) {
        talk.wire.write_all(&pieces)?;
    }
    talk.say(behind)?;
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

fn huge_string(talk: &mut Talk<'_>) -> Result<()> {
    long(talk, "{\"results\":[{\"errorDescription\":\"", b"a", 1024 * MIB, "\"}]}")
}

fn large_string(talk: &mut Talk<'_>) -> Result<()> {
    long(talk, "{\"results\":[{\"errorDescription\":\"", b"a", 150 * MIB, "\"}]}")
}

fn medium_string(talk: &mut Talk<'_>) -> Result<()> {
    long(talk, "{\"results\":[{\"errorDescription\":\"", b"a", 30 * MIB, "\"}]}")
}

fn a_million_results(talk: &mut Talk<'_>) -> Result<()> {
    let result = b"{\"resultType\":\"REQUEST_ACCEPTED\"},";
    talk.say(format!("{HEAD}Connection: close\r\n\r\n{{\"results\":["))?;
    let pieces = result.repeat(999);
    for _ in 0..1001 {
        talk.wire.write_all(&pieces)?;
    }
    talk.say("{}]}")?;
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

fn millions_of_numbers(talk: &mut Talk<'_>) -> Result<()> {
    long(talk, "{\"results\":[1", b",1", 20 * MIB, "]}")
}

/// A mebibyte of zeros, packed to a kilobyte, as often as it takes.
fn packed() -> Vec<u8> {
    const BEGIN: &[u8] =
        &[0xed, 0xc1, 0x31, 0x01, 0, 0, 0, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x08, 0x5f, 0xa0];
    const END: &[u8] = &[0x3e, 0x03];
    let mut bytes = BEGIN.to_vec();
    bytes.resize(1033 - END.len(), 0);
    bytes.extend_from_slice(END);
    bytes
}

fn gzip_bomb(talk: &mut Talk<'_>) -> Result<()> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];
    member.extend(packed());
    member.extend([0; 8]);
    talk.answer("Content-Encoding: gzip\r\n", &member.repeat(200))
}

fn deflate_bomb(talk: &mut Talk<'_>) -> Result<()> {
    talk.answer("Content-Encoding: deflate\r\n", &packed())
}

fn unclosed_arrays(talk: &mut Talk<'_>) -> Result<()> {
    talk.answer("", &b"[".repeat(1_000_000))
}

fn unclosed_objects(talk: &mut Talk<'_>) -> Result<()> {
    talk.answer("", &b"{\"results\":".repeat(1_000_000))
}

fn closed_arrays(talk: &mut Talk<'_>) -> Result<()> {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    talk.answer("", format!("{{\"results\":{nested}}}").as_bytes())
}

fn repeated_keys(talk: &mut Talk<'_>) -> Result<()> {
    talk.answer("", format!("{{{}\"b\":1}}", "\"results\":[],".repeat(1_000_000)).as_bytes())
}

fn members(count: usize) -> String {
    (0..count).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",")
}

fn different_keys(talk: &mut Talk<'_>) -> Result<()> {
    talk.answer("", format!("{{{}}}", members(1_000_000)).as_bytes())
}

fn many_members(talk: &mut Talk<'_>) -> Result<()> {
    talk.answer("", format!("{{\"results\":[{{{}}}]}}", members(1_000_000)).as_bytes())
}

fn long_number(talk: &mut Talk<'_>) -> Result<()> {
    let digits = "7".repeat(1_000_000);
    talk.answer("", format!("{{\"results\":[],\"timeElapsedMs\":{digits}}}").as_bytes())
}

fn long_exponent(talk: &mut Talk<'_>) -> Result<()> {
    let digits = "7".repeat(1_000_000);
    talk.answer("", format!("{{\"results\":[],\"timeElapsedMs\":1e-{digits}}}").as_bytes())
}

fn many_escapes(talk: &mut Talk<'_>) -> Result<()> {
    let text = "\\ud800\\u0000".repeat(500_000);
    talk.answer("", format!("{{\"results\":[{{\"resultType\":\"{text}\"}}]}}").as_bytes())
}

fn byte_by_byte(talk: &mut Talk<'_>) -> Result<()> {
    for byte in format!("{HEAD}Content-Length: 9000\r\n\r\n").into_bytes().iter().cycle() {
        talk.say([*byte])?;
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Longer than any run waits; the client leaves before.
fn wait() {
    std::thread::sleep(Duration::from_mins(2));
}

fn silent_body(talk: &mut Talk<'_>) -> Result<()> {
    talk.say(format!("{HEAD}Content-Length: 90\r\n\r\n"))?;
    wait();
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a behaviour like the others")]
fn silence(_: &mut Talk<'_>) -> Result<()> {
    wait();
    Ok(())
}

fn late(talk: &mut Talk<'_>) -> Result<()> {
    std::thread::sleep(Duration::from_millis(4500));
    let right = talk.right();
    talk.answer("", right.as_bytes())
}

fn late_where_single(talk: &mut Talk<'_>) -> Result<()> {
    if talk.heard.items().len() == 1 {
        return late(talk);
    }
    let right = talk.right();
    talk.answer("", right.as_bytes())
}

fn bad_gateway_where_single(talk: &mut Talk<'_>) -> Result<()> {
    if talk.heard.items().len() == 1 {
        return talk.say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    }
    let right = talk.right();
    talk.answer("", right.as_bytes())
}

fn half(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.say(format!(
        "{HEAD}Content-Length: {}\r\n\r\n{}",
        right.len(),
        &right[..right.len() / 2]
    ))?;
    wait();
    Ok(())
}

fn half_and_end(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    talk.say(format!(
        "{HEAD}Content-Length: {}\r\n\r\n{}",
        right.len(),
        &right[..right.len() / 2]
    ))?;
    Err(std::io::ErrorKind::ConnectionAborted.into())
}
