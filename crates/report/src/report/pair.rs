//! Item *i* beside result *i*: what a reader of a finding wants to see first.
//!
//! Knows no field of any endpoint: the items are the first array of the request's object, the results the
//! first of the answer's.

use serde_json::{Map, Value};

use super::wording::shown;
use crate::record::{AnswerRecord, ExchangeRecord, FindingRecord};

/// An item and its result, field by field.
pub(super) struct ItemAndResult {
    /// Position in the batch, from 0.
    pub(super) index: usize,
    /// Whether there is a result at that position.
    pub(super) answered: bool,
    /// Fields of both first, then the item's, then the result's.
    pub(super) fields: Vec<PairField>,
}

/// One field of an item and of its result.
pub(super) struct PairField {
    pub(super) name: String,
    /// As JSON.
    pub(super) item: Option<String>,
    /// As JSON.
    pub(super) result: Option<String>,
    /// Both have it, and not the same.
    pub(super) differs: bool,
    /// The finding's pointer ends here.
    pub(super) named: bool,
}

/// The item and the result that a finding is about.
pub(super) fn pair(finding: &FindingRecord) -> Option<ItemAndResult> {
    let (_, exchange) = shown(finding)?;
    let items = array(exchange.request.body.text()?)?;
    let results = match &exchange.answer {
        AnswerRecord::Received { body, .. } => body.text().and_then(array),
        AnswerRecord::Lost { .. } => None,
    };
    let index = finding.position.item.or_else(|| index_in(&finding.position.pointer))?;
    let within = index.checked_sub(exchange.first)?;
    let item = items.get(within)?;
    let result = results.as_ref().and_then(|r| r.get(within));
    let last = finding.position.pointer.rsplit('/').next().unwrap_or("");
    let empty = Map::new();
    let item = item.as_object().unwrap_or(&empty);
    let answer = result.and_then(Value::as_object).unwrap_or(&empty);
    let mut fields: Vec<PairField> = Vec::new();
    let both = item.keys().filter(|k| answer.contains_key(*k));
    let first = item.keys().filter(|k| !answer.contains_key(*k));
    let second = answer.keys().filter(|k| !item.contains_key(*k));
    for name in both.chain(first).chain(second) {
        let (left, right) = (item.get(name), answer.get(name));
        fields.push(PairField {
            name: name.clone(),
            item: left.map(Value::to_string),
            result: right.map(Value::to_string),
            differs: matches!((left, right), (Some(l), Some(r)) if l != r),
            named: name == last,
        });
    }
    (!fields.is_empty()).then_some(ItemAndResult { index, answered: result.is_some(), fields })
}

/// The item that a pointer names: `/results/3/…` is item 3.
pub(super) fn index_in(pointer: &str) -> Option<usize> {
    pointer.split('/').nth(2)?.parse().ok()
}

/// The items of a request, as far as its record holds them.
pub(super) fn items(exchange: &ExchangeRecord) -> Option<Vec<Value>> {
    array(exchange.request.body.text()?)
}

fn array(text: &str) -> Option<Vec<Value>> {
    match serde_json::from_str(text).ok()? {
        Value::Object(map) => map.into_iter().find_map(|(_, v)| match v {
            Value::Array(list) => Some(list),
            _ => None,
        }),
        _ => None,
    }
}

/// A line of a body.
pub(super) struct BodyRow<'a> {
    /// Which element of the array it is.
    pub(super) index: Option<usize>,
    pub(super) text: &'a str,
}

/// A body with one element of its first array a line, byte for byte as it was; nothing where it is not such
/// a document.
pub(super) fn rows(text: &str) -> Option<Vec<BodyRow<'_>>> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut rows = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut start = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if quoted {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match c {
            '"' => quoted = true,
            '{' | '[' => {
                if c == '[' && depth == 1 && rows.is_empty() && text.trim_start().starts_with('{') {
                    rows.push(BodyRow { index: None, text: &text[start..=at] });
                    start = at + 1;
                    inside = true;
                }
                depth += 1;
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if inside && depth == 1 {
                    inside = false;
                    let last = text[start..at].trim();
                    if !last.is_empty() {
                        rows.push(BodyRow { index: Some(rows.len() - 1), text: last });
                    }
                    start = at;
                }
            }
            ',' if inside && depth == 2 => {
                rows.push(BodyRow { index: Some(rows.len() - 1), text: text[start..=at].trim() });
                start = at + 1;
            }
            _ => {}
        }
    }
    if rows.is_empty() {
        return None;
    }
    rows.push(BodyRow { index: None, text: text[start..].trim() });
    Some(rows)
}

/// Which of `len` elements are shown where one of them is looked at: the first two, it with its
/// neighbours, and the last.
pub(super) fn in_view(at: usize, len: usize, focus: Option<usize>) -> bool {
    let near = focus.is_some_and(|f| at.abs_diff(f) <= 1);
    len <= 8 || at < 2 || at + 1 == len || near || (focus.is_none() && at < 6)
}

/// The item and the result at a position, byte for byte as they were.
pub(super) fn elements(exchange: &ExchangeRecord, index: usize) -> (Option<&str>, Option<&str>) {
    let index = index.wrapping_sub(exchange.first);
    let request = exchange.request.body.text();
    let answer = match &exchange.answer {
        AnswerRecord::Received { body, .. } => body.text(),
        AnswerRecord::Lost { .. } => None,
    };
    (request.and_then(|t| element(t, index)), answer.and_then(|t| element(t, index)))
}

fn element(text: &str, index: usize) -> Option<&str> {
    let row = rows(text)?.into_iter().find(|r| r.index == Some(index))?;
    Some(row.text.trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn rows_keep_every_byte_that_is_no_space() {
        let text = r#"{ "x": {"y":[1,2]}, "a\"[": [ {"b":"],["}, 1.10 ,[2,3], "," ], "c": [4] }"#;
        let rows = rows(text).unwrap();
        let all: String = rows.iter().map(|r| r.text).collect();
        assert_eq!(all.replace(' ', ""), text.replace(' ', ""));
        let elements: Vec<&str> =
            rows.iter().filter(|r| r.index.is_some()).map(|r| r.text).collect();
        assert_eq!(elements, [r#"{"b":"],["},"#, "1.10 ,", "[2,3],", "\",\""]);
        assert!(super::rows("[1,2]").is_none());
        assert!(super::rows("{").is_none());
        assert_eq!(super::rows(r#"{"a":[]}"#).unwrap().len(), 2);
    }

    #[test]
    fn an_item_stands_beside_its_result() {
        let summary = sample::hostile();
        let (order, _) = summary.findings.iter().find(|(f, _)| f.rule == "ORDER-002").unwrap();
        let pair = pair(order).unwrap();
        assert_eq!(pair.index, 1);
        let differing: Vec<&str> =
            pair.fields.iter().filter(|f| f.differs).map(|f| f.name.as_str()).collect();
        assert_eq!(differing, ["communicationNumber", "accountExtId"]);
        let (item, result) = elements(&order.evidence[0], 1);
        assert!(item.unwrap().contains("q4z8ab-1") && result.unwrap().contains("q4z8ab-4"));
    }
}
