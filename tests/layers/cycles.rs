//! Files of a crate never import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::imports::Crate;
use crate::sources::{CRATES, files};

/// Files that may stand in a circle: the hooks of faults name the types that they hook into.
const FAULT_TABLE: &[&str] = &[
    "crates/server/src/batch.rs",
    "crates/server/src/fast_path.rs",
    "crates/server/src/fault.rs",
    "crates/server/src/further.rs",
];

/// Files that still stand in a circle. The list only gets shorter: it names no file that stands in none.
const NOT_YET: &[&str] = &[];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut circular: BTreeSet<String> = BTreeSet::new();
    let mut shown = Vec::new();
    for root in CRATES {
        for circle in circles(&Crate::new(&files(root)).uses()) {
            let names: Vec<String> =
                circle.iter().map(|file| format!("{root}/{}", file.display())).collect();
            shown.push(names.join(" "));
            circular.extend(names);
        }
    }
    let allowed: BTreeSet<String> =
        FAULT_TABLE.iter().chain(NOT_YET).map(|file| (*file).to_owned()).collect();
    let new: Vec<&String> = circular.difference(&allowed).collect();
    assert!(new.is_empty(), "in a circle: {new:#?}\nthe circles:\n{}", shown.join("\n"));
    let gone: Vec<&String> = allowed.difference(&circular).collect();
    assert!(gone.is_empty(), "in no circle any more, so take them off the list: {gone:#?}");
}

#[test]
fn a_circle_is_found() {
    let path = PathBuf::from;
    let uses: BTreeMap<PathBuf, BTreeSet<PathBuf>> = [
        ("a", vec!["b"]),
        ("b", vec!["c", "d"]),
        ("c", vec!["a"]),
        ("d", vec![]),
        ("e", vec!["a"]),
    ]
    .into_iter()
    .map(|(file, used)| (path(file), used.into_iter().map(path).collect()))
    .collect();
    assert_eq!(circles(&uses), [vec![path("a"), path("b"), path("c")]]);
}

/// The sets of files that reach each other, each sorted.
fn circles(uses: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Vec<Vec<PathBuf>> {
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        uses.keys().map(|file| (file, reachable(uses, file))).collect();
    let mut circles: Vec<Vec<PathBuf>> = Vec::new();
    for file in uses.keys().filter(|file| reached[file].contains(file)) {
        if circles.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let both =
            |other: &&PathBuf| reached[file].contains(*other) && reached[*other].contains(file);
        circles.push(uses.keys().filter(both).cloned().collect());
    }
    circles
}

fn reachable<'a>(
    uses: &'a BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    from: &PathBuf,
) -> BTreeSet<&'a PathBuf> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&PathBuf> = uses[from].iter().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(uses.get(file).into_iter().flatten());
        }
    }
    seen
}
