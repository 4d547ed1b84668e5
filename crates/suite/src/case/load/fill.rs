//! Puts the cells of a row, and the values of variables, into the text of a case file, before it is read as YAML.
//!
//! What stands alone without quotes keeps its type; in quotes it is a text, whatever it holds.

use std::ops::Range;

use serde_json::Value;

use super::rows::Cell;

/// A place of a text that can't be filled in.
pub(super) struct Unfilled {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// The name between `${` and `}`.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// Why a place can't be filled in.
pub(super) enum Why {
    /// Nothing has that name.
    Unknown,
    /// The value has a line end or another control character, where only double quotes can hold it.
    Control,
}

/// What a name stands for.
pub(super) enum Meaning {
    /// It is left as it is.
    Other,
    /// It has no value.
    Unknown,
    /// This.
    Is(Cell),
}

/// Where in YAML a place is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum YamlContext {
    Plain,
    Double,
    Single,
}

/// Fills in `lines` of `text` (from 0), the others stay.
pub(super) fn fill(
    text: &str,
    lines: &Range<usize>,
    meaning: &dyn Fn(&str) -> Meaning,
) -> Result<String, Unfilled> {
    let mut out = String::with_capacity(text.len());
    // How many brackets and braces are open.
    let mut depth = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let here = lines.contains(&number);
        let meaning = |name: &str| if here { meaning(name) } else { Meaning::Other };
        fill_line(line, number as u64 + 1, &meaning, (&mut depth, &mut out))?;
    }
    Ok(out)
}

fn fill_line(
    line: &str,
    number: u64,
    meaning: &dyn Fn(&str) -> Meaning,
    (depth, out): (&mut usize, &mut String),
) -> Result<(), Unfilled> {
    let mut within = YamlContext::Plain;
    let mut at = 0;
    // Whether a value may begin here: where a quote would open one.
    let mut begins = true;
    let mut before = ' ';
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        if let Some(inside) = rest.strip_prefix("${").filter(|_| before != '$')
            && let Some(end) = inside.find(['}', '\n']).filter(|e| inside[*e..].starts_with('}'))
        {
            let (name, after) = (&inside[..end], &inside[end + 1..]);
            let unfilled = |why| Unfilled {
                line: number,
                column: line[..at].chars().count() as u64 + 1,
                name: name.to_owned(),
                why,
            };
            match meaning(name) {
                Meaning::Other => out.push_str(&rest[..end + 3]),
                Meaning::Unknown => return Err(unfilled(Why::Unknown)),
                Meaning::Is(cell) => {
                    let alone =
                        within == YamlContext::Plain && begins && ends_value(after, *depth > 0);
                    let written = written(&cell, within, alone);
                    out.push_str(&written.ok_or_else(|| unfilled(Why::Control))?);
                }
            }
            at += end + 3;
            (begins, before) = (false, '}');
            continue;
        }
        out.push(c);
        match within {
            YamlContext::Plain if c == '#' && before.is_whitespace() => {
                out.push_str(&rest[1..]);
                return Ok(());
            }
            YamlContext::Plain if c == '"' && begins => within = YamlContext::Double,
            YamlContext::Plain if c == '\'' && begins => within = YamlContext::Single,
            YamlContext::Double if c == '\\' => {
                if let Some(escaped) = rest[1..].chars().next() {
                    out.push(escaped);
                    at += escaped.len_utf8();
                }
            }
            YamlContext::Double if c == '"' => within = YamlContext::Plain,
            // A doubled one closes and opens again.
            YamlContext::Single if c == '\'' && !rest[1..].starts_with('\'') => {
                within = YamlContext::Plain;
            }
            YamlContext::Single if c == '\'' => {
                out.push('\'');
                at += 1;
            }
            _ => {}
        }
        if within == YamlContext::Plain {
            let in_flow = *depth > 0;
            match c {
                '[' | '{' if begins || in_flow => *depth += 1,
                ']' | '}' => *depth = depth.saturating_sub(1),
                _ => {}
            }
            begins = match c {
                '[' | '{' => begins || in_flow,
                ',' => in_flow,
                // As JSON writes it.
                ':' => matches!(before, '"' | '\''),
                c if c.is_whitespace() => {
                    begins || matches!(before, ':' | '?') || (before == '-' && is_dash(&line[..at]))
                }
                _ => false,
            };
        }
        before = c;
        at += c.len_utf8();
    }
    Ok(())
}

/// Whether a line so far is nothing but the dash of a list.
fn is_dash(before: &str) -> bool {
    before.chars().all(|c| c.is_whitespace() || c == '-')
}

/// Whether a value ends before `rest`.
fn ends_value(rest: &str, in_flow: bool) -> bool {
    let next = rest.trim_start();
    next.is_empty()
        || (in_flow && next.starts_with([',', '}', ']']))
        || (next.starts_with('#') && next != rest)
}

/// A cell as YAML; nothing where only double quotes could hold it.
fn written(cell: &Cell, within: YamlContext, alone: bool) -> Option<String> {
    if alone {
        return Some(match cell {
            Cell::Text(text) if is_literal(text) => text.clone(),
            Cell::Text(text) => quoted(text),
            Cell::Typed(Value::String(text)) => quoted(text),
            // JSON is YAML; a `${` in it is meant literally.
            Cell::Typed(value) => value.to_string().replace("${", "$${"),
        });
    }
    let text = match cell {
        Cell::Text(text) | Cell::Typed(Value::String(text)) => text.clone(),
        Cell::Typed(value) => value.to_string(),
    };
    let has_control = text.chars().any(char::is_control);
    match within {
        YamlContext::Double => {
            let quoted = quoted(&text);
            Some(quoted[1..quoted.len() - 1].to_owned())
        }
        YamlContext::Single if !has_control => Some(text.replace('\'', "''").replace("${", "$${")),
        YamlContext::Plain if !has_control => Some(text.replace("${", "$${")),
        YamlContext::Single | YamlContext::Plain => None,
    }
}

/// Text in double quotes, in which nothing is a template.
fn quoted(text: &str) -> String {
    Value::from(text.replace("${", "$${")).to_string()
}

/// Whether a text is a number, true, false or null as JSON writes it.
fn is_literal(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
        || serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// The text with every name that stands alone without quotes put into quotes, so that it can be read as YAML before it
/// is filled in.
pub(super) fn readable(text: &str) -> String {
    let quoted = |name: &str| Meaning::Is(Cell::Typed(Value::from(format!("<{name}>"))));
    let all = 0..text.lines().count();
    fill(text, &all, &quoted).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, cell: &Cell) -> Option<String> {
        let meaning = |name: &str| {
            if name == "x" { Meaning::Is(cell.clone()) } else { Meaning::Other }
        };
        fill(text, &(0..9), &meaning).ok()
    }

    #[test]
    fn a_cell_alone_keeps_its_type_and_in_quotes_is_a_text() {
        let text = "a: ${x}\nb: \"${x}\"\nc: { d: ${x}, e: '${x}' } # ${x}\n";
        let with = |written: &str, quoted: &str, single: &str| {
            format!("a: {written}\nb: {quoted}\nc: {{ d: {written}, e: {single} }} # ${{x}}\n")
        };
        let cell = Cell::Text("10.5".to_owned());
        assert_eq!(filled(text, &cell).unwrap(), with("10.5", "\"10.5\"", "'10.5'"));
        let cell = Cell::Text("007".to_owned());
        assert_eq!(filled(text, &cell).unwrap(), with("\"007\"", "\"007\"", "'007'"));
        let cell = Cell::Text("it's \"a\": b, ${y}".to_owned());
        let double = "\"it's \\\"a\\\": b, $${y}\"";
        assert_eq!(filled(text, &cell).unwrap(), with(double, double, "'it''s \"a\": b, $${y}'"));
        let cell = Cell::Typed(serde_json::json!("10"));
        assert_eq!(filled("a: ${x}", &cell).unwrap(), "a: \"10\"");
        let cell = Cell::Typed(serde_json::json!(null));
        assert_eq!(filled("a: ${x}", &cell).unwrap(), "a: null");
    }

    #[test]
    fn only_double_quotes_hold_line_ends() {
        let cell = Cell::Text("a\nb".to_owned());
        assert_eq!(filled("a: \"${x}\"", &cell).unwrap(), "a: \"a\\nb\"");
        assert_eq!(filled("a: '${x}'", &cell), None);
        assert_eq!(filled("a: in ${x}", &cell), None);
        assert_eq!(filled("a: ${x}", &cell).unwrap(), "a: \"a\\nb\"");
    }

    #[test]
    fn what_is_inside_other_text_or_literal_stays() {
        let cell = Cell::Text("7".to_owned());
        assert_eq!(filled("a: no ${x} $${x} ${fresh}", &cell).unwrap(), "a: no 7 $${x} ${fresh}");
        assert_eq!(
            filled("a: b, ${x}\n- ${x}\nc-${x}", &Cell::Text("y".to_owned())).unwrap(),
            "a: b, y\n- \"y\"\nc-y"
        );
        let body = "body: |\n  {\"a\":\"${x}\",\n  \"b\":[${x}]}";
        assert_eq!(
            filled(body, &Cell::Text("\"".to_owned())).unwrap(),
            "body: |\n  {\"a\":\"\\\"\",\n  \"b\":[\"\\\"\"]}"
        );
        assert_eq!(
            filled("a: \"\\\"${x}\" # it's ${x}", &cell).unwrap(),
            "a: \"\\\"7\" # it's ${x}"
        );
    }
}
