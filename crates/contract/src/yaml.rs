//! Values as YAML on one line, for the files that we write. Must not know what the files are about.

use std::fmt::Write as _;

use serde_json::Value;

/// A scalar that is read as exactly this text: plain where it cannot be taken for anything else, in single quotes
/// where nothing in it is hidden, else in double ones.
#[must_use]
pub fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if !text.chars().any(is_hidden) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value on one line, its texts as `text` makes them.
#[must_use]
pub fn flow(value: &Value, text: &dyn Fn(&str) -> String) -> String {
    match value {
        Value::String(string) => scalar(&text(string)),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(|v| flow(v, text)).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(map) => {
            let members: Vec<String> =
                map.iter().map(|(k, v)| format!("{}: {}", scalar(k), flow(v, text))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether every reader takes the text for itself, also one of YAML 1.1.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.*-".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a reader could not see the character, or YAML would take it for something else.
fn is_hidden(c: char) -> bool {
    c.is_control() || !(c.is_ascii() || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    #[test]
    fn yaml_reads_the_same_text() {
        let all: String = (1..0x3000).chain(0xfe00..0x1_0040).filter_map(char::from_u32).collect();
        for text in [
            "",
            "it's",
            "- a: b # c",
            "null",
            "No",
            "12",
            "1e3",
            "*x",
            "/results/*/x",
            "/a #b",
            " x ",
            "\u{1f600}\u{10fffd}",
            &all,
        ] {
            let yaml = format!("- {}\n", super::scalar(text));
            let read: Vec<String> = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(read, [text]);
            assert_eq!(yaml.lines().count(), 1);
        }
    }
}
