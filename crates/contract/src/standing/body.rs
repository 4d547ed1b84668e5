//! The standing of a whole body, from its bytes (INTERPRETATION-02, INTERPRETATION-15).

use serde_json::Value;

use super::{Cause, Edge, Standing, edge, type_name};
use crate::batch::CodeCause;
use crate::repeated::repeated_key;
use crate::{Contract, Level};

/// What the contract says of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyStanding {
    /// Answered 400, by the cause's level.
    Broken(Cause),
    /// Any answer but a 5xx, a dropped connection or a hang.
    Open(Edge),
    /// A batch; each item as it was read, and its standing.
    Items {
        /// The items with their standings, in order.
        items: Vec<(Value, Standing)>,
        /// Set where text follows the document, which should be answered 400.
        trailing: Option<Cause>,
    },
}

impl Contract {
    /// What the contract says of `body`, when it is sent as the documented media type.
    #[must_use]
    pub fn judge_body(&self, body: &[u8]) -> BodyStanding {
        if let Some(early) = judge_bytes(body) {
            return early;
        }
        let mut stream = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
        let document = match stream.next() {
            Some(Ok(document)) => document,
            Some(Err(error)) => return judge_syntax(body, &error),
            None => return BodyStanding::Broken(not_json("an empty body")),
        };
        let rest = &body[stream.byte_offset()..];
        let trailing = rest
            .iter()
            .any(|b| !b.is_ascii_whitespace())
            .then(|| Cause { level: Level::Should, ..not_json("text after the document") });
        let repeated = repeated_key(body).is_some();
        let Value::Object(mut envelope) = document else {
            return BodyStanding::Broken(envelope_cause("", "type", type_name(&document)));
        };
        let pointer = format!("/{}", self.batch.items);
        match envelope.get(&self.batch.items) {
            None => return BodyStanding::Broken(envelope_cause(&pointer, "required", "missing")),
            Some(Value::Array(_)) => {}
            Some(other) => {
                return BodyStanding::Broken(envelope_cause(&pointer, "type", type_name(other)));
            }
        }
        if repeated {
            return BodyStanding::Open(edge("", "repeated keys", "INTERPRETATION-15"));
        }
        let Some(Value::Array(list)) = envelope.shift_remove(&self.batch.items) else {
            return BodyStanding::Broken(envelope_cause(&pointer, "required", "missing"));
        };
        let items = list
            .into_iter()
            .map(|item| {
                let standing = self.judge_item(&item);
                (item, standing)
            })
            .collect();
        BodyStanding::Items { items, trailing }
    }
}

fn not_json(class: &str) -> Cause {
    Cause {
        pointer: String::new(),
        keyword: "json".to_owned(),
        class: class.to_owned(),
        level: Level::Must,
        code: CodeCause::Invalid,
        source: "INTERPRETATION-02".to_owned(),
    }
}

fn envelope_cause(pointer: &str, keyword: &str, class: &str) -> Cause {
    Cause {
        pointer: pointer.to_owned(),
        keyword: keyword.to_owned(),
        class: class.to_owned(),
        level: Level::Must,
        code: if class == "missing" || (class == "null" && !pointer.is_empty()) {
            CodeCause::Missing
        } else {
            CodeCause::Invalid
        },
        source: "INTERPRETATION-02".to_owned(),
    }
}

fn judge_bytes(body: &[u8]) -> Option<BodyStanding> {
    let open = |what| Some(BodyStanding::Open(edge("", what, "INTERPRETATION-02")));
    if body.starts_with(&[0xef, 0xbb, 0xbf]) {
        return open("a byte-order mark");
    }
    if body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]) || body.contains(&0) {
        return open("UTF-16");
    }
    let error = std::str::from_utf8(body).err()?;
    let bad = &body[error.valid_up_to()..];
    let lenient = match bad {
        [0xc0 | 0xc1, ..] => true,
        [0xe0, second, ..] => (0x80..0xa0).contains(second),
        [0xf0, second, ..] => (0x80..0x90).contains(second),
        [0xed, second, ..] => (0xa0..=0xbf).contains(second),
        _ => false,
    };
    if lenient {
        return Some(BodyStanding::Open(edge(
            "",
            "overlong or surrogate UTF-8",
            "INTERPRETATION-15",
        )));
    }
    Some(BodyStanding::Broken(Cause {
        source: "INTERPRETATION-15".to_owned(),
        ..not_json("broken UTF-8")
    }))
}

fn judge_syntax(body: &[u8], error: &serde_json::Error) -> BodyStanding {
    let message = error.to_string();
    let open = |what| BodyStanding::Open(edge("", what, "INTERPRETATION-15"));
    if message.starts_with("number out of range") {
        return open("a number beyond every range");
    }
    if message.starts_with("recursion limit") {
        return open("very deep nesting");
    }
    let text = String::from_utf8_lossy(body).to_lowercase();
    let surrogate = ["\\ud8", "\\ud9", "\\uda", "\\udb", "\\udc", "\\udd", "\\ude", "\\udf"];
    if (message.contains("surrogate") || message.contains("hex escape"))
        && surrogate.iter().any(|s| text.contains(s))
    {
        return open("a lone surrogate");
    }
    BodyStanding::Broken(not_json(if error.is_eof() { "truncated" } else { "no JSON" }))
}
