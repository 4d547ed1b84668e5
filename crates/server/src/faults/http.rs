//! Faults of methods, media types, headers and framing.

use serde_json::{Value, json};

use super::edit;
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily, RefusedBody};
use crate::reply::{Reply, ReplyFraming, ReplyReason};
use crate::request_head::{BodyLength, RequestHead};

const HTTP: FaultFamily = FaultFamily("HTTP");

pub(super) static FAULTS: &[Fault] = &[
    HTTP.fault("content-type-text", "successful answers are labelled text/plain")
        .must(&["HTTP-001"])
        .answer(|_, answer| label(answer, &[200], Some("text/plain;charset=UTF-8"))),
    HTTP.fault("content-type-missing-on-error", "refusals carry no Content-Type")
        .must(&["HTTP-001"])
        .answer(|_, answer| label(answer, &[400, 404], None)),
    HTTP.fault("get-processed", "a GET is processed like the documented method")
        .must(&["HTTP-002"])
        .may(&["HTTP-003", "HTTP-015"])
        .head(|call, head, _| {
            if head.method == "GET" {
                as_documented(call, head);
            }
        })
        .body(|call, body| {
            if call.head.method == "GET" && body.is_empty() {
                *body = json!({ call.batch().items.as_str(): [] }).to_string().into_bytes();
            }
            Ok(())
        }),
    HTTP.fault("put-processed", "PUT and PATCH are processed like the documented method")
        .must(&["HTTP-002"])
        .may(&["HTTP-003", "HTTP-015"])
        .head(|call, head, _| {
            if matches!(head.method.as_str(), "PUT" | "PATCH") {
                as_documented(call, head);
            }
        }),
    HTTP.fault("delete-answered-ok", "a DELETE is answered 200 though nothing is done")
        .must(&["HTTP-002"])
        .may(&["HTTP-003"])
        .answer(|call, answer| {
            if answer.why == ReplyReason::Method && call.head.method == "DELETE" {
                answer.status = 200;
            }
        }),
    HTTP.fault("method-server-error", "another method ends in a 500")
        .must(&["STATUS-002"])
        .may(&["ROBUST-001"])
        .answer(|_, answer| {
            if answer.why == ReplyReason::Method {
                answer.status = 500;
            }
        }),
    HTTP.fault("allow-missing", "a 405 does not say what is allowed").must(&["HTTP-003"]).answer(
        |_, answer| {
            if answer.status == 405 {
                answer.remove("Allow");
            }
        },
    ),
    HTTP.fault("allow-wrong", "the Allow of a 405 names GET and HEAD only")
        .must(&["HTTP-003"])
        .answer(|_, answer| {
            if answer.status == 405 {
                answer.set("Allow", "GET, HEAD");
            }
        }),
    HTTP.fault("media-type-unprocessable", "a body that is not labelled as JSON is answered 422")
        .must(&["HTTP-004"])
        .answer(|_, answer| {
            if answer.status == 415 {
                answer.status = 422;
            }
        }),
    HTTP.fault("charset-refused", "application/json with a charset parameter is refused")
        .must(&["HTTP-005"])
        .head(|_, head, _| {
            if head.get("content-type").is_some_and(|t| t.to_lowercase().contains("charset")) {
                head.set("Content-Type", "text/plain");
            }
        }),
    HTTP.fault("header-names-case-sensitive", "header names are known in two letter cases only")
        .must(&["HTTP-006"])
        .head(|_, head, _| {
            head.headers.retain(|(name, _)| {
                let title = name.split('-').all(|part| {
                    let mut letters = part.chars();
                    letters.next().is_none_or(|c| !c.is_ascii_lowercase())
                        && letters.all(|c| !c.is_ascii_uppercase())
                });
                title || name.chars().all(|c| !c.is_ascii_uppercase())
            });
        }),
    HTTP.fault("chunked-taken-for-empty", "a chunked body is taken for an empty one")
        .must(&["HTTP-016"])
        .body(|call, body| {
            if call.head.length() == BodyLength::Chunked {
                body.clear();
            }
            Ok(())
        }),
    HTTP.fault("chunked-first-read-only", "of a chunked body only the first kilobyte is read")
        .must(&["HTTP-017"])
        .body(|call, body| {
            if call.head.length() == BodyLength::Chunked {
                body.truncate(1024);
            }
            Ok(())
        }),
    HTTP.fault("chunked-server-error", "a chunked body ends in a 500")
        .must(&["HTTP-007"]).may(&["STATUS-002", "ROBUST-001"])
        .body(|call, _| {
            let chunked = call.head.length() == BodyLength::Chunked;
            if chunked { Err(EarlyEnd::status(call, 500)) } else { Ok(()) }
        }),
    HTTP.fault("length-in-characters", "Content-Length counts characters instead of bytes")
        .must(&["HTTP-008"])
        .may(&["SCHEMA-001", "SCHEMA-003", "STATUS-003", "ORDER-001", "ROBUST-001", "ROBUST-004"])
        .answer(|_, answer| {
            let text = String::from_utf8_lossy(&answer.body);
            let over = text.len() - text.chars().count();
            if over > 0 {
                answer.framing = ReplyFraming::Off(-i64::try_from(over).unwrap_or(0));
                answer.close = true;
            }
        }),
    HTTP.fault("length-too-long-on-error", "the Content-Length of a 400 promises a byte too many")
        .must(&["HTTP-008"])
        .may(&["STATUS-003", "ROBUST-001", "ROBUST-004"])
        .answer(|_, answer| {
            if answer.status == 400 {
                answer.framing = ReplyFraming::Off(1);
                answer.close = true;
            }
        }),
    HTTP.fault("bytes-after-body", "line breaks follow the body beyond its length")
        .must(&["HTTP-008"])
        .may(&["STATUS-003", "RACE-003"])
        .answer(|_, answer| {
            answer.tail = b"\r\n\r\n";
            answer.close = true;
        }),
    HTTP.fault("last-chunk-missing", "refusals come in chunks of which the last is missing")
        .must(&["HTTP-008"])
        .may(&["STATUS-003", "ROBUST-001", "ROBUST-004"])
        .answer(|_, answer| {
            if answer.status == 400 {
                answer.framing = ReplyFraming::Chunked { ended: false };
                answer.close = true;
            }
        }),
    HTTP.fault(
        "gzip-unasked",
        "answers of more than a kilobyte are compressed though nobody asked",
    )
    .must(&["HTTP-009"])
    .may(&["SCHEMA-001", "SCHEMA-003", "HTTP-001", "ORDER-001", "ACCEPT-005"])
    .answer(|_, answer| {
        if answer.body.len() > 1024 {
            answer.body = gzip(&answer.body);
            answer.set("Content-Encoding", "gzip");
        }
    }),
    HTTP.fault("stack-trace-in-error", "a 400 shows a stack trace").must(&["HTTP-010"]).answer(
        |_, answer| {
            if answer.status == 400 {
                edit(answer, |body| {
                    let trace = "java.lang.IllegalArgumentException: bad\n\tat \
                                 com.vendor.batch.Batches.register(Batches.java:87)\n\tat \
                                 java.base/java.lang.Thread.run(Thread.java:840)";
                    body.insert("trace".to_owned(), Value::from(trace));
                });
            }
        },
    ),
    HTTP.fault("exception-name-in-error", "a refusal names the class of the exception behind it")
        .must(&["HTTP-010"])
        .answer(|_, answer| {
            if answer.status == 400 {
                edit(answer, |body| {
                    let name = "org.springframework.http.converter.HttpMessageNotReadableException";
                    body.insert("exception".to_owned(), Value::from(name));
                });
            }
        }),
    HTTP.fault("cacheable-answer", "answers may be kept by caches for an hour")
        .must(&["HTTP-011"])
        .answer(|_, answer| {
            if answer.status == 200 {
                answer.set("Cache-Control", "public, max-age=3600");
            }
        }),
    HTTP.fault("expires-later", "answers may be kept by caches until an hour from now")
        .must(&["HTTP-011"])
        .answer(|_, answer| {
            if answer.status == 200 {
                let hour = chrono::Utc::now() + chrono::Duration::hours(1);
                answer.set("Expires", &hour.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
            }
        }),
    HTTP.fault("class-name-in-error", "a refusal names the class that could not be made")
        .must(&["HTTP-010"])
        .answer(|_, answer| {
            if answer.status == 400 {
                edit(answer, |body| {
                    let text = "no value of type `com.vendor.batch.AccountBalance` from a string";
                    body.insert("detail".to_owned(), Value::from(text));
                });
            }
        }),
    HTTP.fault("head-with-body", "a HEAD is answered with a body")
        .must(&["HTTP-008"])
        .answer(|call, answer| {
            if call.head.method == "HEAD" {
                answer.framing = ReplyFraming::Unasked;
            }
        }),
    HTTP.fault("chunks-for-old-clients", "an HTTP/1.0 request is answered in chunks")
        .must(&["HTTP-008"])
        .answer(|call, answer| {
            if call.head.minor == 0 {
                answer.framing = ReplyFraming::Chunked { ended: true };
            }
        }),
    HTTP.fault(
        "endless-when-large",
        "nothing tells where an answer of more than 4,096 bytes ends, and the connection stays open",
    )
    .must(&["HTTP-008"])
    .may(&["STATUS-003", "STATUS-004", "ROBUST-001", "RACE-003", "ACCEPT-005", "HTTP-007", "ROBUST-004", "HTTP-016", "ROBUST-003"])
    .answer(|_, answer| {
        if answer.body.len() > 4_096 {
            answer.framing = ReplyFraming::Open;
        }
    }),
    HTTP.fault("path-below-processed", "paths below the documented one are processed")
        .must(&["HTTP-012"])
        .may(&["HTTP-015"])
        .head(|call, head, _| {
            let path = &call.contract().operation.path;
            if head.path.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                head.path.clone_from(path);
            }
        }),
    HTTP.fault("path-prefix-processed", "paths that begin like the documented one are processed")
        .must(&["HTTP-012"])
        .may(&["HTTP-015"])
        .head(|call, head, _| {
            let path = &call.contract().operation.path;
            if head.path.starts_with(path.as_str()) {
                head.path.clone_from(path);
            }
        }),
    HTTP.fault("expect-ignored", "a client that waits for 100 Continue is left waiting")
        .must(&["HTTP-013"])
        .head(|_, _, handling| handling.continues = false),
    HTTP.fault("expect-server-error", "a request with Expect ends in a 500")
        .must(&["STATUS-002"])
        .answer(|call, answer| {
            if call.head.waits() && answer.status == 200 {
                answer.status = 500;
            }
        }),
    HTTP.fault("accept-server-error", "an Accept that can't be satisfied ends in a 500")
        .must(&["STATUS-002"])
        .answer(|_, answer| {
            if answer.why == ReplyReason::Accept {
                answer.status = 500;
            }
        }),
    HTTP.fault("accept-answered-as-text", "a client that asks for text gets a 200 with text")
        .must(&["HTTP-014"])
        .may(&["HTTP-001", "SCHEMA-001", "SCHEMA-003", "STATUS-001"])
        .answer(|_, answer| {
            if answer.why == ReplyReason::Accept {
                answer.status = 200;
                answer.set("Content-Type", "text/plain");
                answer.body = b"OK".to_vec();
            }
        }),
    HTTP.fault("stored-though-not-acceptable", "a batch is processed before its Accept is refused")
        .must(&["HTTP-015"])
        .head(|_, _, handling| handling.refused = Some((ReplyReason::Accept, RefusedBody::Processed))),
    HTTP.fault(
        "stored-though-wrong-media",
        "a batch is processed before its media type is refused",
    )
    .must(&["HTTP-015"])
    .head(|_, _, handling| handling.refused = Some((ReplyReason::Media, RefusedBody::Processed))),
    HTTP.fault("stored-though-wrong-method", "a batch is processed before its method is refused")
        .must(&["HTTP-015"])
        .head(|_, _, handling| handling.refused = Some((ReplyReason::Method, RefusedBody::Processed))),
];

fn as_documented(call: &Call<'_>, head: &mut RequestHead) {
    head.method.clone_from(&call.contract().operation.method);
    head.set("Content-Type", "application/json");
}

fn label(answer: &mut Reply, statuses: &[u16], media: Option<&str>) {
    if statuses.contains(&answer.status) {
        answer.remove("Content-Type");
        if let Some(media) = media {
            answer.set("Content-Type", media);
        }
    }
}

/// A gzip member of stored blocks (RFC 1951 section 3.2.4): valid, and no larger a program than it
/// must be.
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = data.len().div_ceil(0xffff).max(1);
    for (at, part) in data.chunks(0xffff).enumerate() {
        let size = u16::try_from(part.len()).unwrap_or(u16::MAX);
        out.push(u8::from(at + 1 == blocks));
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&(!size).to_le_bytes());
        out.extend_from_slice(part);
    }
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    out.extend_from_slice(&(!crc).to_le_bytes());
    out.extend_from_slice(&u32::try_from(data.len()).unwrap_or(0).to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn stored_blocks_make_a_member() {
        let member = super::gzip(b"123456789");
        assert_eq!(member[10..15], [1, 9, 0, 246, 255]);
        assert_eq!(member[15..24], *b"123456789");
        assert_eq!(member[24..], [0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0]);
    }
}
