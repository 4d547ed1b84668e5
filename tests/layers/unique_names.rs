//! No two types of the workspace share a name, so that a name says which one is meant. One for each platform, in one
//! file, is one type.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{CRATES, files};

/// Names that are shared still. The list only gets shorter: it names none that is unique.
const NOT_YET: &[&str] = &[];

#[test]
fn no_two_types_share_a_name() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for root in CRATES {
        for (path, text) in files(root) {
            for name in defined(&text) {
                places.entry(name).or_default().insert(format!("{root}/{}", path.display()));
            }
        }
    }
    places.retain(|_, files| files.len() > 1);
    let allowed: BTreeSet<&str> = NOT_YET.iter().copied().collect();
    let new: Vec<_> = places.iter().filter(|(name, _)| !allowed.contains(name.as_str())).collect();
    assert!(new.is_empty(), "shared: {new:#?}");
    let gone: Vec<_> = allowed.iter().filter(|name| !places.contains_key(**name)).collect();
    assert!(gone.is_empty(), "unique, so take them off the list: {gone:?}");
}

/// The types and traits that a text defines at the top of a module.
fn defined(text: &str) -> Vec<String> {
    let definition = |line: &str| {
        let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_kind = |word: &str| matches!(word, "struct" | "enum" | "trait" | "type" | "union");
        let is_visibility = |word: &str| matches!(word, "pub" | "crate" | "super" | "in" | "");
        let kind = words.by_ref().find(|word| !is_visibility(word))?;
        if !is_kind(kind) {
            return None;
        }
        words.find(|word| !word.is_empty()).map(str::to_owned)
    };
    text.lines().filter(|line| !line.starts_with(' ')).filter_map(definition).collect()
}

#[test]
fn every_kind_of_definition_is_seen() {
    let text = "pub struct A;\nenum B<T> {\n    type Inner = u8;\npub(super) trait C {\ntype D = u8;\nuse x::E;\n";
    assert_eq!(defined(text), ["A", "B", "C", "D"]);
}
