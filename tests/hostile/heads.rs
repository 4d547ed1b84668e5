//! Heads: status lines, headers, interim answers, load, redirects.

use std::io::Result;

use super::behaviours::Behaviour;
use super::server::{HEAD, Talk};

pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour::always("a_header_without_end", |talk| {
        talk.say("HTTP/1.1 200 OK\r\nX-Long: ")?;
        talk.for_ever(b"endless ")
    })
    .exits(&[3])
    .says("does not answer in HTTP"),
    Behaviour::always("headers_without_end", |talk| {
        talk.say("HTTP/1.1 200 OK\r\n")?;
        talk.for_ever(b"X-More: hello\r\n")
    })
    .exits(&[3])
    .says("does not answer in HTTP"),
    Behaviour::later("headers_without_end_later", |talk| {
        talk.say("HTTP/1.1 200 OK\r\n")?;
        talk.for_ever(b"X-More: hello\r\n")
    })
    .plain_only(),
    Behaviour::always("early_hints_without_end", |talk| {
        talk.for_ever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    })
    .exits(&[3]),
    Behaviour::later("continue_without_end", |talk| {
        talk.for_ever(b"HTTP/1.1 100 Continue\r\n\r\n")
    }),
    Behaviour::always("load_for_ever", |talk| status(talk, "429 Too Many Requests", ""))
        .exits(&[3])
        .says("no good answer"),
    Behaviour::always("come_back_tomorrow", |talk| retry_after(talk, "86400"))
        .exits(&[3])
        .with(PAUSES),
    Behaviour::later("come_back_tomorrow_later", |talk| retry_after(talk, "86400"))
        .exits(&[3])
        .with(PAUSES)
        .plain_only(),
    Behaviour::always("come_back_yesterday", |talk| {
        retry_after(talk, "Sun, 06 Nov 1994 08:49:37 GMT")
    })
    .exits(&[3]),
    Behaviour::later("come_back_never", |talk| retry_after(talk, "99999999999999999999"))
        .plain_only(),
    Behaviour::later("come_back_before_now", |talk| retry_after(talk, "-5")).plain_only(),
    Behaviour::always("errors_for_ever", |talk| status(talk, "500 Broken", "")).plain_only(),
    Behaviour::always("unavailable_for_ever", |talk| {
        status(talk, "503 Busy", "Retry-After: 0\r\n")
    })
    .exits(&[3])
    .plain_only(),
    Behaviour::always("redirects_to_another_host", |talk| redirect(talk, "307 Temporary Redirect"))
        .exits(&[3]),
    Behaviour::later("redirects_to_another_host_later", |talk| redirect(talk, "302 Found")),
    Behaviour::later("redirects_for_good", |talk| redirect(talk, "308 Permanent Redirect"))
        .plain_only(),
    Behaviour::later("redirects_in_a_circle", |talk| {
        status(talk, "307 Temporary Redirect", "Location: /\r\n")
    }),
    Behaviour::later("another_service", another_service).exits(&[0, 1, 3]).plain_only(),
    Behaviour::later("proxy_authentication", |talk| {
        let line = format!("Proxy-Authenticate: Basic realm=\"{}\"\r\n", talk.elsewhere);
        status(talk, "407 Proxy Authentication Required", &line)
    })
    .plain_only(),
    Behaviour::later("credentials_refused", |talk| {
        status(talk, "401 Unauthorized", "WWW-Authenticate: Bearer realm=\"\x1b[2J\"\r\n")
    })
    .plain_only(),
    Behaviour::always("another_protocol", |talk| {
        talk.say(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        )?;
        talk.for_ever(b"\x81\x05hello")
    }),
    Behaviour::later("nul_in_the_head", |talk| line(talk, "X-Nul: a\0b\r\n")),
    Behaviour::later("nul_in_a_name", |talk| line(talk, "X-\0Nul: ab\r\n")).plain_only(),
    Behaviour::later("a_header_without_a_colon", |talk| line(talk, "hello there\r\n")).plain_only(),
    Behaviour::later("folded_headers", |talk| line(talk, "X-Folded: a\r\n b\r\n\tc\r\n"))
        .exits(&[0, 1, 3])
        .plain_only(),
    Behaviour::later("a_bare_cr_in_a_header", |talk| line(talk, "X-Cr: a\rSet-Cookie: b\r\n"))
        .plain_only(),
    Behaviour::later("mixed_line_ends", mixed_line_ends).exits(&[0, 1, 3]),
    Behaviour::later("bare_line_feeds", bare_line_feeds).exits(&[0, 1, 3]),
    Behaviour::later("cookies_by_the_thousand", |talk| {
        line(talk, &"Set-Cookie: a=b; Path=/; HttpOnly\r\n".repeat(5000))
    }),
    Behaviour::later("cookies_by_the_dozen", |talk| {
        line(talk, &format!("Set-Cookie: a={}\r\n", "b".repeat(2000)).repeat(60))
    })
    .exits(&[0, 1, 3])
    .plain_only(),
    Behaviour::later("a_header_of_200_kilobytes", |talk| {
        line(talk, &format!("X-Long: {}\r\n", "x".repeat(200_000)))
    })
    .exits(&[0, 1, 3]),
    Behaviour::later("a_huge_status_line", |talk| {
        status(talk, &format!("200 {}", "OK ".repeat(100_000)), "")
    })
    .exits(&[0, 1, 3]),
    Behaviour::later("status_999", |talk| status(talk, "999 Beyond", "")),
    Behaviour::later("status_099", |talk| status(talk, "099 Below", "")),
    Behaviour::later("status_000", |talk| status(talk, "000 Nothing", "")).plain_only(),
    Behaviour::later("status_65536", |talk| status(talk, "65536 Much", "")).plain_only(),
    Behaviour::later("status_199", |talk| status(talk, "199 Interim", "")).plain_only(),
    Behaviour::later("status_204_with_a_body", |talk| status(talk, "204 No Content", ""))
        .plain_only(),
    Behaviour::later("status_304", |talk| status(talk, "304 Not Modified", "")).plain_only(),
    Behaviour::later("http_3_0", |talk| talk.say("HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
        .plain_only(),
    Behaviour::later("http_1_999", |talk| {
        talk.say("HTTP/1.999 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    })
    .plain_only(),
];

const PAUSES: &[&str] = &["--max-time", "80s"];

fn status(talk: &mut Talk<'_>, status: &str, lines: &str) -> Result<()> {
    let right = talk.right();
    talk.say(format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{lines}\r\n{right}",
        right.len()
    ))
}

fn retry_after(talk: &mut Talk<'_>, value: &str) -> Result<()> {
    status(talk, "429 Too Many Requests", &format!("Retry-After: {value}\r\n"))
}

fn redirect(talk: &mut Talk<'_>, answer: &str) -> Result<()> {
    let line = format!("Location: http://{}/amlyze-ws-rest\r\n", talk.elsewhere);
    status(talk, answer, &line)
}

/// Every header by which an answer may point to another host.
fn another_service(talk: &mut Talk<'_>) -> Result<()> {
    let host = talk.elsewhere;
    let lines = format!(
        "Alt-Svc: http/1.1=\"{host}\"; ma=1\r\nRefresh: 0; url=http://{host}/\r\nContent-Location: http://{host}/\r\n\
         Link: <http://{host}/>; rel=preload\r\nReport-To: {{\"endpoints\":[{{\"url\":\"http://{host}\"}}]}}\r\n"
    );
    let right = talk.right();
    talk.answer(&lines, right.as_bytes())
}

/// A right answer with something between its headers.
fn line(talk: &mut Talk<'_>, line: &str) -> Result<()> {
    let right = talk.right();
    talk.answer(line, right.as_bytes())
}

fn mixed_line_ends(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    let length = right.len();
    talk.say(format!(
        "HTTP/1.1 200 OK\nContent-Type: application/json\r\nX: y\nContent-Length: {length}\r\n\n{right}"
    ))
}

fn bare_line_feeds(talk: &mut Talk<'_>) -> Result<()> {
    let right = talk.right();
    let head = HEAD.replace('\r', "");
    talk.say(format!("{head}Content-Length: {}\n\n{right}", right.len()))
}
