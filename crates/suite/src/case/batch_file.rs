//! The JSON files that `batch-from` names: reading them, and finding the keys in their bytes.
//!
//! It must not know what is made of them.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Case, Step};
use crate::contract::FileError;

/// Bytes of a file that is sent.
const LARGEST: u64 = 256 * 1024 * 1024;

impl Case {
    /// Reads the files that `batch-from` names, and checks those whose keys are to be found.
    ///
    /// # Errors
    /// A [`FileError`] where one can't be read, or is not JSON although it gets fresh keys.
    pub fn read_batches(&mut self) -> Result<(), FileError> {
        let place = self.clone();
        self.spec.steps.iter_mut().flatten().try_for_each(|step| read_batch(&place, step))
    }

    /// The case as far as mistakes in such a file go: they are in that file.
    pub(super) fn within_batch(&self, file: &str, text: &Arc<str>) -> Case {
        Case {
            file: self.batch_path(file).display().to_string(),
            text: Arc::clone(text),
            lines: None,
            ..self.clone()
        }
    }

    fn batch_path(&self, file: &str) -> std::path::PathBuf {
        self.dir.as_ref().map_or_else(|| file.into(), |dir| dir.join(file))
    }
}

fn read_batch(case: &Case, step: &mut Step) -> Result<(), FileError> {
    if let Some(file) = &step.batch_from {
        let path = case.batch_path(file);
        let text = read(&path).map_err(|why| {
            FileError::new(path.display().to_string(), why)
                .expected(format!("a readable file with a JSON body, as {} says", case.file))
        })?;
        if step.fresh_keys {
            serde_json::from_str::<serde::de::IgnoredAny>(&without_templates(&text)).map_err(
                |e| {
                    FileError::new(path.display().to_string(), e.to_string())
                        .at(e.line() as u64, e.column() as u64)
                        .expected(format!("JSON, as {} says `fresh-keys: true`", case.file))
                },
            )?;
        }
        step.batch_text = Some(text.into());
    }
    step.simultaneously.iter_mut().flatten().try_for_each(|inner| read_batch(case, inner))
}

/// The text of a regular file: a device or a pipe may have no end.
fn read(path: &Path) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|e| e.to_string())?;
    if !about.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if about.len() > LARGEST {
        return Err(format!("it has {} bytes, more than {LARGEST}", about.len()));
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}

/// The text with a digit in the place of each `${…}`: JSON where the filled-in text can be.
fn without_templates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = inside.split_once('}') else { return text.to_owned() };
        // Lines stay where they are.
        out.push('0');
        out.extend(name.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where in `text` the items of a batch have their keys, in order, each with its value: texts and numbers.
#[must_use]
pub fn keys_in_batch(text: &str, items: &[String], key: &str) -> Vec<(Range<usize>, Value)> {
    let place = |raw: &RawValue| {
        // A raw value is a piece of the text itself.
        let start = (raw.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        let range = start..start + raw.get().len();
        (text.get(range.clone())? == raw.get()).then_some(range)
    };
    let mut lists = vec![text];
    for step in items {
        let inner = lists.into_iter().flat_map(members).filter(|(name, _)| name == step);
        lists = inner.map(|(_, value)| value.get()).collect();
    }
    let listed = lists
        .into_iter()
        .flat_map(|list| serde_json::from_str::<Vec<&RawValue>>(list).unwrap_or_default());
    let keys = listed.flat_map(|item| keys_within(item.get(), key));
    keys.filter_map(|raw| {
        let value: Value = serde_json::from_str(raw.get()).ok()?;
        (value.is_string() || value.is_number()).then_some((place(raw)?, value))
    })
    .collect()
}

/// The values of a field of an item; the name of a nested one holds the way to it.
fn keys_within<'t>(item: &'t str, name: &str) -> Vec<&'t RawValue> {
    let mut keys = Vec::new();
    for (member, value) in members(item) {
        if member == name {
            keys.push(value);
        } else if let Some(inner) = name.strip_prefix(&*member).and_then(|n| n.strip_prefix('/')) {
            keys.extend(keys_within(value.get(), inner));
        }
    }
    keys
}

/// The members of an object, repeated names included; none where it is not one.
fn members(text: &str) -> Vec<(String, &RawValue)> {
    struct RawMembers<'a>(Vec<(String, &'a RawValue)>);

    impl<'de> Deserialize<'de> for RawMembers<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(RawMembersVisitor)
        }
    }

    struct RawMembersVisitor;

    impl<'de> Visitor<'de> for RawMembersVisitor {
        type Value = RawMembers<'de>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawMembers<'de>, A::Error> {
            let mut list = Vec::new();
            while let Some(member) = map.next_entry()? {
                list.push(member);
            }
            Ok(RawMembers(list))
        }
    }

    serde_json::from_str::<RawMembers<'_>>(text).map(|members| members.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_are_and_nowhere_else() {
        let text = r#"{"x":{"items":[{"key":"a"}]}, "items" : [ {"key":"a","v":1.10}, 5, {"k\u0065y" : "\u0061" ,"key":7}, {"key":null}]}"#;
        let found = keys_in_batch(text, &["items".to_owned()], "key");
        let tokens: Vec<&str> = found.iter().map(|(place, _)| &text[place.clone()]).collect();
        assert_eq!(tokens, [r#""a""#, r#""\u0061""#, "7"]);
        assert_eq!(found[0].1, found[1].1, "equal keys, however they are written");
        assert!(keys_in_batch("[", &["items".to_owned()], "key").is_empty());
    }
}
