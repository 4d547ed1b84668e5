//! Which file of a crate uses names that which other one defines, by the paths in its text.
//!
//! A re-export is no use of what it exports: a name that another file reaches through it counts as that file's use
//! of the one that defines it. A file is part of the modules that contain it, so what it takes from their files is
//! no use either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Module = Vec<String>;

/// The files of one crate.
pub struct Crate {
    modules: BTreeMap<Module, Source>,
}

struct Source {
    file: PathBuf,
    /// The text without `use` declarations.
    body: String,
    /// What names of this file mean; those that it exports too.
    names: BTreeMap<String, Vec<String>>,
    exports: BTreeSet<String>,
}

impl Crate {
    /// From the texts of its files, by their paths below its source directory.
    pub fn new(files: &[(PathBuf, String)]) -> Crate {
        let modules = files.iter().map(|(path, text)| (module_of(path), Source::new(path, text)));
        Crate { modules: modules.collect() }
    }

    /// Each file with those that it uses, its own parents left aside.
    pub fn uses(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
        let mut uses = BTreeMap::new();
        for (module, source) in &self.modules {
            let mut used: BTreeSet<PathBuf> = self.used_by(module, source);
            used.remove(&source.file);
            for length in 0..module.len() {
                if let Some(parent) = self.modules.get(&module[..length]) {
                    used.remove(&parent.file);
                }
            }
            uses.insert(source.file.clone(), used);
        }
        uses
    }

    fn used_by(&self, module: &Module, source: &Source) -> BTreeSet<PathBuf> {
        let imported = source.names.iter().filter(|(name, _)| {
            !source.exports.contains(*name) || words(&source.body).contains(name.as_str())
        });
        let mut paths: Vec<Vec<String>> = imported.map(|(_, path)| path.clone()).collect();
        for path in body_paths(&source.body) {
            match path.first().and_then(|first| source.names.get(first)) {
                Some(full) => paths.push(full.iter().chain(&path[1..]).cloned().collect()),
                None => paths.push(path),
            }
        }
        paths.iter().filter_map(|path| self.defining(module, path, 0)).collect()
    }

    /// The file that defines what a path in `module` names; nothing for a module, or what is not of this crate.
    fn defining(&self, module: &Module, path: &[String], depth: usize) -> Option<PathBuf> {
        let mut at = module.clone();
        let mut rest = path;
        if rest.first()? == "crate" {
            at = Vec::new();
            rest = &rest[1..];
        } else if rest[0] != "self" && rest[0] != "super" && !self.is_module(&at, &rest[0]) {
            return None;
        }
        while let Some((step, further)) = rest.split_first() {
            let source = self.modules.get(&at)?;
            if step == "super" {
                at.pop()?;
            } else if step == "self" {
            } else if self.is_module(&at, step) {
                at.push(step.clone());
            } else if source.exports.contains(step) && depth < 8 {
                let full: Vec<String> = source.names[step].iter().chain(further).cloned().collect();
                return self.defining(&at, &full, depth + 1);
            } else {
                return Some(source.file.clone());
            }
            rest = further;
        }
        None
    }

    fn is_module(&self, at: &Module, name: &str) -> bool {
        let child: Module = at.iter().cloned().chain([name.to_owned()]).collect();
        self.modules.contains_key(&child)
    }
}

impl Source {
    fn new(path: &Path, text: &str) -> Source {
        let mut names = BTreeMap::new();
        let mut exports = BTreeSet::new();
        let mut body = String::new();
        let mut rest = text;
        while let Some((before, public, tree, after)) = next_use(rest) {
            body.push_str(before);
            for (name, path) in expanded(tree) {
                if public {
                    exports.insert(name.clone());
                }
                names.insert(name, path);
            }
            rest = after;
        }
        body.push_str(rest);
        Source { file: path.to_owned(), body, names, exports }
    }
}

/// `a/b.rs` and `a/b/mod.rs` are `[a, b]`, and `lib.rs` is the root.
fn module_of(path: &Path) -> Module {
    let mut steps: Module =
        path.with_extension("").iter().map(|step| step.to_string_lossy().into_owned()).collect();
    if matches!(steps.last().map(String::as_str), Some("mod" | "lib")) {
        steps.pop();
    }
    steps
}

/// The text before the next `use` declaration, whether it is public, its tree, and the text after it.
fn next_use(text: &str) -> Option<(&str, bool, &str, &str)> {
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let (public, tree) = match trimmed.strip_prefix("use ") {
            Some(_) => (false, Some("use ")),
            None if trimmed.starts_with("pub") => {
                (true, trimmed.find(" use ").filter(|at| *at < 24).map(|_| " use "))
            }
            None => (false, None),
        };
        if let Some(word) = tree {
            let start = from + line.find(word)? + word.len();
            let end = start + text[start..].find(';')?;
            return Some((&text[..from], public, &text[start..end], &text[end + 1..]));
        }
        from += line.len();
    }
    None
}

/// The names that a tree brings, with their paths.
fn expanded(tree: &str) -> Vec<(String, Vec<String>)> {
    let tree = tree.trim();
    if let Some((head, list)) = tree.split_once('{') {
        let prefix: Vec<String> = steps(head.trim().trim_end_matches("::"));
        let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
        let inner = split_list(list).into_iter().flat_map(|part| expanded(&part));
        return inner
            .map(|(name, path)| {
                let is_self = path == ["self"];
                let name = if is_self && name == "self" {
                    prefix.last().cloned().unwrap_or_default()
                } else {
                    name
                };
                let rest = if is_self { Vec::new() } else { path };
                (name, prefix.iter().cloned().chain(rest).collect())
            })
            .collect();
    }
    let (path, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim().to_owned())),
        None => (tree, None),
    };
    let path = steps(path);
    match path.last() {
        Some(last) => vec![(alias.unwrap_or_else(|| last.clone()), path.clone())],
        None => Vec::new(),
    }
}

fn steps(path: &str) -> Vec<String> {
    path.split("::").map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

fn split_list(list: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// The paths of two steps or more in a text.
fn body_paths(text: &str) -> Vec<Vec<String>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.split(|c| !is_part(c)).filter(|word| word.contains("::")).map(steps).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

#[test]
fn every_spelling_of_an_import_is_seen() {
    let texts = [
        ("lib.rs", "pub mod a;\npub mod b;\nmod c;\npub use c::Top;\n"),
        (
            "a/mod.rs",
            "mod inner;\npub use inner::{Deep, other as renamed};\nfn f() { crate::b::go() }\n",
        ),
        ("a/inner.rs", "use super::super::b::{self, Thing};\npub fn other() { b::go(); }\n"),
        ("b.rs", "use crate::a::{Deep};\nuse crate::Top;\nuse std::fmt;\n"),
        ("c.rs", "fn g() { let x = crate::a::renamed(); }\n"),
        ("d.rs", "mod below;\npub struct Above;\n"),
        ("d/below.rs", "use super::Above;\nfn h() { crate::d::x() }\n"),
    ];
    let files: Vec<(PathBuf, String)> =
        texts.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let uses = Crate::new(&files).uses();
    let of = |file: &str| -> Vec<String> {
        uses[Path::new(file)].iter().map(|p| p.display().to_string()).collect()
    };
    assert_eq!(of("lib.rs"), Vec::<String>::new());
    assert_eq!(of("a/mod.rs"), ["b.rs"]);
    assert_eq!(of("a/inner.rs"), ["b.rs"]);
    assert_eq!(of("b.rs"), ["a/inner.rs", "c.rs"]);
    assert_eq!(of("c.rs"), ["a/inner.rs"]);
    assert_eq!(of("d/below.rs"), Vec::<String>::new());
}
