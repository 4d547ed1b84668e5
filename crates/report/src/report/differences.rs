//! In which way two texts differ, in words: what was sent and what came back, or the keys of two items.
//!
//! It must not know rules.

use serde_json::Value;

use super::pair::{index_in, items, pair};
use super::text::{excerpt, number, visible};
use super::wording::shown;
use crate::check::TextChange;
use crate::record::FindingRecord;

/// Characters that two keys share before that is worth saying: run id and nonce are shorter.
const ALIKE: usize = 64;
/// Characters of a value that is quoted.
const VALUE: usize = 60;
/// Fields that are named.
const FIELDS: usize = 4;

/// In which way two texts differ; nothing where they are equal.
pub(super) fn difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let spaceless = |text: &str| text.split_whitespace().collect::<String>();
    if one.trim() == other.trim() {
        let end = one.trim_end() == other.trim_end();
        let start = one.trim_start() == other.trim_start();
        let place = match (start, end) {
            (_, true) => "at the end",
            (true, _) => "at the beginning",
            _ => "around the text",
        };
        return Some(format!("only in white space {place}"));
    }
    if spaceless(one) == spaceless(other) {
        return Some("only in white space".to_owned());
    }
    if one.to_lowercase() == other.to_lowercase() {
        return Some("only in letter case".to_owned());
    }
    if TextChange::between(one, other) == Some(TextChange::Normalised) {
        return Some("only in their Unicode normalisation".to_owned());
    }
    if one.trim_start_matches('0') == other.trim_start_matches('0') {
        return Some("only in leading zeros".to_owned());
    }
    if unescaped(one) == unescaped(other) {
        return Some("only in how markup is escaped".to_owned());
    }
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    if same == short && same > 0 {
        let lacking = number((long - same) as u64);
        let first = match same {
            1 => "character".to_owned(),
            _ => format!("{} characters", number(same as u64)),
        };
        return Some(format!("after their first {first}: one has {lacking} more"));
    }
    if a.len() == b.len() {
        let unlike: Vec<usize> = (0..a.len()).filter(|i| a[*i] != b[*i]).collect();
        if let [first, rest @ ..] = unlike.as_slice()
            && (rest.is_empty() || unlike.len() * 4 <= a.len())
        {
            let pair = format!("{} and {}", spelt(a[*first]), spelt(b[*first]));
            return Some(match rest.len() {
                0 => format!("only in character {}: {pair}", first + 1),
                more => format!("in {} characters, the first of them {pair}", more + 1),
            });
        }
    }
    (same > 0).then(|| format!("from character {} on", number(same as u64 + 1)))
}

/// A character that may look like another one.
fn spelt(c: char) -> String {
    if c.is_ascii_graphic() {
        format!("`{c}`")
    } else {
        format!("U+{:04X} `{}`", u32::from(c), visible(&c.to_string()))
    }
}

/// Without the escapes of markup.
fn unescaped(text: &str) -> String {
    let escapes = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// How what came back in a field differs from what was sent in it, and whose value it is.
pub(super) fn echo_difference(finding: &FindingRecord) -> Option<String> {
    let pair = pair(finding)?;
    let field = pair.fields.iter().find(|f| f.named && f.differs)?;
    let text = |json: Option<&str>| serde_json::from_str::<Value>(json?).ok();
    let (sent, came) = (text(field.item.as_deref())?, text(field.result.as_deref())?);
    let (Some(sent), Some(came)) = (sent.as_str(), came.as_str()) else { return None };
    let (_, exchange) = shown(finding)?;
    let others = items(exchange)?;
    let whose = others.iter().enumerate().find(|(at, item)| {
        *at + exchange.first != pair.index
            && item.get(&field.name).and_then(Value::as_str) == Some(came)
    });
    let difference =
        difference(sent, came).filter(|_| whose.is_none() || sent.eq_ignore_ascii_case(came));
    let mut words: Vec<String> =
        difference.map(|d| format!("sent and got differ {d}")).into_iter().collect();
    if let Some((at, _)) = whose {
        words.push(format!("got is the {} of item {}", visible(&field.name), at + exchange.first));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// Another item whose key has something in common with that of a finding's item.
pub(super) struct RelatedItem {
    /// Position of its request in the evidence.
    pub(super) exchange: usize,
    /// Its position in the batch.
    pub(super) item: usize,
    /// What the two have in common, in a sentence.
    pub(super) words: String,
}

/// The item that a finding's item shares its key with, or nearly.
pub(super) fn related_item(finding: &FindingRecord, key: &str) -> Option<RelatedItem> {
    let (showing, exchange) = shown(finding)?;
    let own = finding.position.item.or_else(|| index_in(&finding.position.pointer))?;
    let own_items = items(exchange)?;
    let item = own_items.get(own.checked_sub(exchange.first)?)?;
    let own_key = item.get(key)?;
    let mut best: Option<(u8, usize, usize, Value)> = None;
    for (position, other) in finding.evidence.iter().enumerate().rev() {
        let simultaneous = other.group.is_some() && other.group == exchange.group;
        if position > showing && !simultaneous {
            continue;
        }
        for (at, candidate) in items(other).unwrap_or_default().into_iter().enumerate() {
            let at = at + other.first;
            if (position, at) == (showing, own) {
                continue;
            }
            let Some(rank) = candidate.get(key).and_then(|k| rank(own_key, k)) else { continue };
            if best.as_ref().is_none_or(|(best, ..)| rank < *best) {
                best = Some((rank, position, at, candidate));
            }
        }
    }
    let (rank, position, at, other) = best?;
    let keys = match (own_key.as_str(), other.get(key).and_then(Value::as_str)) {
        _ if rank == 0 => "the keys are equal".to_owned(),
        (Some(one), Some(two)) if rank > 1 => {
            let same = one.chars().zip(two.chars()).take_while(|(a, b)| a == b).count();
            format!("the keys are equal in their first {} characters", number(same as u64))
        }
        (Some(one), Some(two)) => format!("the keys differ {}", difference(one, two)?),
        _ => return None,
    };
    let whose = if position == showing {
        format!("items {} and {}", at.min(own), at.max(own))
    } else {
        format!("item {at} of request {} and item {own} of request {}", position + 1, showing + 1)
    };
    let rest =
        if rank == 0 { format!("; {}", other_fields(&other, item, key)) } else { String::new() };
    Some(RelatedItem { exchange: position, item: at, words: format!("{whose}: {keys}{rest}") })
}

/// How much two keys have in common: 0 where they are equal, nothing where no more than all keys of a run.
fn rank(one: &Value, other: &Value) -> Option<u8> {
    if one == other {
        return Some(0);
    }
    let (one, other) = (one.as_str()?, other.as_str()?);
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    match difference(one, other) {
        Some(words) if words.starts_with("only") && !words.starts_with("only in character") => {
            Some(1)
        }
        Some(words) if words.starts_with("only") && !(one.is_ascii() && other.is_ascii()) => {
            Some(1)
        }
        _ if common >= ALIKE => Some(2),
        _ => None,
    }
}

/// In which other fields two items differ.
fn other_fields(one: &Value, other: &Value, key: &str) -> String {
    let (Some(a), Some(b)) = (one.as_object(), other.as_object()) else {
        return "the items differ".to_owned();
    };
    let shown = |value: Option<&Value>| {
        value.map_or("absent".to_owned(), |v| visible(&excerpt(&v.to_string(), VALUE)))
    };
    let mut names: Vec<&String> =
        a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))).collect();
    names.retain(|name| *name != key && a.get(*name) != b.get(*name));
    if names.is_empty() {
        return "all other fields are equal too".to_owned();
    }
    let differ = |name: &&String| {
        format!("{} ({} and {})", visible(name), shown(a.get(*name)), shown(b.get(*name)))
    };
    let mut list: Vec<String> = names.iter().take(FIELDS).map(differ).collect();
    if names.len() > FIELDS {
        list.push(format!("{} more fields", names.len() - FIELDS));
    }
    format!("the items differ in {}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_said_in_words() {
        let differs = |one: &str, other: &str| difference(one, other).unwrap();
        assert_eq!(difference("a", "a"), None);
        assert_eq!(differs("key-1 ", "key-1"), "only in white space at the end");
        assert_eq!(differs("\tkey-1", "key-1"), "only in white space at the beginning");
        assert_eq!(differs("Key-1", "kEY-1"), "only in letter case");
        assert_eq!(differs("e\u{301}", "\u{e9}"), "only in their Unicode normalisation");
        assert_eq!(differs("007", "7"), "only in leading zeros");
        assert_eq!(differs("a<b", "a&lt;b"), "only in how markup is escaped");
        let long = "x".repeat(65);
        assert_eq!(differs(&long, &long[..64]), "after their first 64 characters: one has 1 more");
        assert_eq!(differs("key-ж", "key-?"), "only in character 5: U+0436 `ж` and `?`");
        assert_eq!(differs("key-1-abc", "key-2-xyz-9"), "from character 5 on");
    }
}
