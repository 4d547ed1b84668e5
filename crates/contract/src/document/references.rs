//! References of a document: all of them become pointers into one document, whatever files, anchors and identifiers
//! they were written with.
//!
//! Reads files beside the document, and nothing else: what lies on other hosts is an error. It must not know what is
//! referred to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use serde_json::{Map, Value};
use url::Url;

use super::walk::{Position, position_at, walk};
use crate::file_error::FileError;
use crate::validity::escape;

/// Member of the document that holds the parts of other files that it refers to.
pub const OTHER_FILES: &str = "x-files";
/// Files that one document may consist of.
const MOST_FILES: usize = 2000;
/// Where the validator has its own copy.
const META_SCHEMAS: &str = "json-schema.org";

/// What a reference to a file reads: its text.
pub type ReadLinked<'a> = dyn Fn(&str) -> Result<Value, FileError> + 'a;

/// One file of a document.
struct Part {
    /// As messages name it.
    name: String,
    value: Value,
    /// Where its content will stand in the one document.
    prefix: String,
}

/// A place in one of the files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FilePlace {
    file: usize,
    pointer: String,
}

/// All files of a document, and what their identifiers stand for.
struct Parts<'a> {
    files: Vec<Part>,
    /// What each URI identifies.
    identified: HashMap<String, FilePlace>,
    /// Anchors, by the URI of what holds them.
    anchors: HashMap<(String, String), FilePlace>,
    /// How many schemas have a dynamic anchor of that name.
    dynamic: HashMap<String, Vec<FilePlace>>,
    /// References that are pointers already, by the pointer of what has them.
    rewritten: HashSet<FilePlace>,
    broken: BTreeMap<String, FileError>,
    ambiguous: Option<FileError>,
    /// What the document itself is.
    position: Position,
    read: &'a ReadLinked<'a>,
}

/// A document whose references are pointers into it.
pub struct Resolved {
    /// What it refers to in other files, by their names.
    pub others: Map<String, Value>,
    /// Where a walk from its root does not reach what is referred to: the pointer, and what stands there.
    pub beside: Vec<(String, Position)>,
    /// References that lead nowhere, as they are written: what reaches one gets its problem.
    pub broken: BTreeMap<String, FileError>,
    /// Set where what a `$dynamicRef` means depends on the way to it.
    pub dynamic: Option<FileError>,
}

/// Makes every reference of `value` a pointer into the one document, where `value` will stand at `prefix`. `file` is
/// where it was read from.
///
/// # Errors
/// A [`FileError`] where a reference leads nowhere, or to another host.
pub fn resolve_all(
    file: &str,
    value: &mut Value,
    position: Position,
    prefix: &str,
    read: &ReadLinked<'_>,
) -> Result<Resolved, FileError> {
    let own = base_of(file);
    // OpenAPI 3.2: the document says by itself what its references are relative to.
    let named = value.get("$self").and_then(Value::as_str).and_then(|uri| own.join(uri).ok());
    let base = named.unwrap_or_else(|| own.clone());
    let root = FilePlace { file: 0, pointer: String::new() };
    let first = Part { name: file.to_owned(), value: value.take(), prefix: prefix.to_owned() };
    let mut parts = Parts {
        files: vec![first],
        identified: HashMap::from([
            (own.to_string(), root.clone()),
            (base.to_string(), root.clone()),
        ]),
        anchors: HashMap::new(),
        dynamic: HashMap::new(),
        rewritten: HashSet::new(),
        broken: BTreeMap::new(),
        ambiguous: None,
        position,
        read,
    };
    parts.index(0, &base, position)?;
    let mut waiting = vec![(root.clone(), position, base)];
    let mut done: HashSet<(FilePlace, Position)> = HashSet::new();
    while let Some((place, position, base)) = waiting.pop() {
        if done.insert((place.clone(), position)) {
            waiting.extend(parts.rewrite(&place, position, &base));
        }
    }
    done.remove(&(root, position));
    let in_one = |(place, position): (FilePlace, Position)| {
        (format!("{}{}", parts.files[place.file].prefix, place.pointer), position)
    };
    let mut beside: Vec<(String, Position)> = done.into_iter().map(in_one).collect();
    beside.sort_by(|a, b| a.0.cmp(&b.0));
    let (broken, dynamic) = (std::mem::take(&mut parts.broken), parts.ambiguous.take());
    let mut rest = parts.files.into_iter();
    if let Some(main) = rest.next() {
        *value = main.value;
    }
    let others = rest.map(|part| (part.name, part.value)).collect();
    Ok(Resolved { others, beside, broken, dynamic })
}

/// The URI of a file; a relative name is taken from the root, which makes no difference for what is beside it.
fn base_of(file: &str) -> Url {
    let path = std::fs::canonicalize(file).or_else(|_| std::path::absolute(file));
    let path = path.unwrap_or_else(|_| PathBuf::from("/").join(file));
    Url::from_file_path(path).unwrap_or_else(|()| everywhere())
}

fn everywhere() -> Url {
    Url::parse("file:///document").unwrap_or_else(|_| unreachable!("the URI is well-formed"))
}

/// A reference that was found: where, and in what it stands.
struct Found {
    pointer: String,
    position: Position,
    base: Url,
    dynamic: bool,
    target: String,
}

impl Parts<'_> {
    /// Notes identifiers and anchors of a file.
    fn index(&mut self, file: usize, base: &Url, position: Position) -> Result<(), FileError> {
        let mut bases: BTreeMap<String, Url> = BTreeMap::new();
        let mut wrong = None;
        let mut value = self.files[file].value.take();
        walk(&mut value, position, "", &mut |map, position, pointer| {
            if position != Position::Schema {
                return;
            }
            let place = || FilePlace { file, pointer: pointer.to_owned() };
            if let Some(Value::String(id)) = map.get("$id") {
                match around(&bases, pointer).unwrap_or(base).join(id) {
                    Ok(mut uri) => {
                        uri.set_fragment(None);
                        self.identified.entry(uri.to_string()).or_insert_with(place);
                        bases.insert(pointer.to_owned(), uri);
                    }
                    Err(_) => wrong = wrong.take().or(Some((pointer.to_owned(), id.clone()))),
                }
            }
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(Value::String(name)) = map.get(keyword) {
                    let within = around(&bases, pointer).unwrap_or(base).to_string();
                    self.anchors.entry((within, name.clone())).or_insert_with(place);
                    if keyword == "$dynamicAnchor" {
                        self.dynamic.entry(name.clone()).or_default().push(place());
                    }
                }
            }
        });
        self.files[file].value = value;
        match wrong {
            Some((pointer, id)) => {
                Err(FileError::new(&*self.files[file].name, format!("`$id: {id}` is not a URI"))
                    .pointer(format!("{pointer}/$id"))
                    .expected("an absolute URI, or one that is relative to the document's"))
            }
            None => Ok(()),
        }
    }

    /// Rewrites the references at a place and below it; what they refer to in other files is still to be done.
    fn rewrite(
        &mut self,
        place: &FilePlace,
        position: Position,
        base: &Url,
    ) -> Vec<(FilePlace, Position, Url)> {
        let mut whole = self.files[place.file].value.take();
        let mut found = Vec::new();
        if let Some(value) = whole.pointer_mut(&place.pointer) {
            gather(value, position, &place.pointer, base, &mut found);
        }
        self.files[place.file].value = whole;
        let mut more: Vec<(FilePlace, Position, Url)> = Vec::new();
        let mut targets = Vec::new();
        for one in found {
            if !self.rewritten.insert(FilePlace {
                file: place.file,
                pointer: format!("{} {}", one.pointer, one.dynamic),
            }) {
                continue;
            }
            let (to, target_base) = match self.target(place.file, &one) {
                Ok(Some(target)) => target,
                Ok(None) => continue,
                // Real documents have such references where nobody comes by.
                Err(problem) => {
                    self.broken.entry(one.target).or_insert(problem);
                    continue;
                }
            };
            let several = one.dynamic && {
                let (_, name) = one.target.split_once('#').unwrap_or_default();
                self.dynamic.get(name).is_some_and(|all| all.len() > 1)
            };
            if several && self.ambiguous.is_none() {
                let found = format!("`$dynamicRef: {}` may mean several schemas", one.target);
                self.ambiguous = Some(
                    FileError::new(&*self.files[place.file].name, found)
                        .pointer(format!("{}/$dynamicRef", one.pointer))
                        .expected("one `$dynamicAnchor` of that name, or one file for all of them"),
                );
            }
            targets.push((one.pointer, one.dynamic, several, self.reference_to(&to)));
            // Most stands where the walk from the root comes by.
            let reached = |to: &FilePlace| {
                position_at(&self.files[0].value, self.position, &to.pointer) == Some(one.position)
            };
            if to.file != 0 || place.file != 0 || !reached(&to) {
                more.push((to, one.position, target_base));
            }
        }
        let whole = &mut self.files[place.file].value;
        for (pointer, dynamic, several, target) in targets {
            let Some(Value::Object(map)) = whole.pointer_mut(&pointer) else { continue };
            let keyword = if dynamic { "$dynamicRef" } else { "$ref" };
            if let Some(reference) = map.get_mut(keyword) {
                *reference = Value::String(target);
            }
            // With one anchor of that name there is nothing dynamic about it.
            if dynamic
                && !several
                && !map.contains_key("$ref")
                && let Some(target) = map.shift_remove(keyword)
            {
                map.insert("$ref".to_owned(), target);
            }
        }
        more
    }

    /// The place that a reference names, and the URI that references there are relative to; none for what the
    /// validator knows by itself.
    fn target(
        &mut self,
        file: usize,
        found: &Found,
    ) -> Result<Option<(FilePlace, Url)>, FileError> {
        let keyword = if found.dynamic { "$dynamicRef" } else { "$ref" };
        let name = self.files[file].name.clone();
        let wrong = |why: &str| {
            FileError::new(&*name, format!("`{keyword}: {}` {why}", found.target))
                .pointer(format!("{}/{keyword}", found.pointer))
        };
        let Ok(uri) = found.base.join(&found.target) else {
            return Err(wrong("is not a reference")
                .expected("a URI reference, such as `#/components/schemas/Item`"));
        };
        let fragment = uri.fragment().map(decoded).unwrap_or_default();
        let mut whole = uri.clone();
        whole.set_fragment(None);
        let resource = match self.identified.get(whole.as_str()) {
            Some(place) => place.clone(),
            None if whole.scheme() == "file" => self.open(&whole, found.position, &wrong)?,
            None if whole.host_str() == Some(META_SCHEMAS) => return Ok(None),
            None => {
                return Err(wrong("is on another host, and nothing is fetched")
                    .expected("a reference to a file beside the document: save it there"));
            }
        };
        let nowhere = || {
            wrong("leads nowhere")
                .expected("a reference to something in this document or beside it")
        };
        if fragment.is_empty() || fragment.starts_with('/') {
            let pointer = format!("{}{fragment}", resource.pointer);
            let place = FilePlace { file: resource.file, pointer };
            return match self.files[place.file].value.pointer(&place.pointer) {
                Some(_) => Ok(Some((place, whole))),
                None => Err(nowhere()),
            };
        }
        let place =
            self.anchors.get(&(whole.to_string(), fragment)).cloned().ok_or_else(nowhere)?;
        Ok(Some((place, whole)))
    }

    /// Reads a file that is referred to.
    fn open(
        &mut self,
        uri: &Url,
        position: Position,
        wrong: &dyn Fn(&str) -> FileError,
    ) -> Result<FilePlace, FileError> {
        let path = uri.to_file_path().map_err(|()| wrong("names no file"))?;
        if self.files.len() >= MOST_FILES {
            return Err(
                wrong("is one file too many").expected(format!("at most {MOST_FILES} files"))
            );
        }
        let here = std::env::current_dir().unwrap_or_default();
        let name = path.strip_prefix(&here).unwrap_or(&path).display().to_string();
        if !path.is_file() {
            return Err(wrong(&format!("leads nowhere: there is no file {name}"))
                .expected("a reference to something in this document or beside it"));
        }
        let value = (self.read)(&name)?;
        let file = self.files.len();
        let prefix = format!("/{OTHER_FILES}/{}", escape(&name));
        self.files.push(Part { name, value, prefix });
        let place = FilePlace { file, pointer: String::new() };
        self.identified.insert(uri.to_string(), place.clone());
        self.index(file, uri, position)?;
        Ok(place)
    }

    fn reference_to(&self, place: &FilePlace) -> String {
        format!("#{}", encoded(&format!("{}{}", self.files[place.file].prefix, place.pointer)))
    }
}

/// The URI that holds for a pointer: that of the nearest schema around it that has one.
fn around<'a>(bases: &'a BTreeMap<String, Url>, pointer: &str) -> Option<&'a Url> {
    if bases.is_empty() {
        return None;
    }
    let mut outer = pointer;
    loop {
        if let Some(base) = bases.get(outer) {
            return Some(base);
        }
        outer = outer.rsplit_once('/')?.0;
    }
}

/// All references at a value and below it; identifiers and anchors are taken away, for a pointer needs none.
fn gather(value: &mut Value, position: Position, at: &str, base: &Url, found: &mut Vec<Found>) {
    let mut bases: BTreeMap<String, Url> = BTreeMap::new();
    walk(value, position, at, &mut |map, position, pointer| {
        if position == Position::Schema {
            if let Some(Value::String(id)) = map.get("$id")
                && let Ok(mut uri) = around(&bases, pointer).unwrap_or(base).join(id)
            {
                uri.set_fragment(None);
                bases.insert(pointer.to_owned(), uri);
            }
            for keyword in ["$id", "$anchor", "$schema"] {
                if map.get(keyword).is_some_and(Value::is_string) {
                    map.shift_remove(keyword);
                }
            }
        }
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(Value::String(target)) = map.get(keyword) {
                found.push(Found {
                    pointer: pointer.to_owned(),
                    position,
                    base: around(&bases, pointer).unwrap_or(base).clone(),
                    dynamic: keyword == "$dynamicRef",
                    target: target.clone(),
                });
            }
        }
    });
}

/// Without the escapes of a URI: `%7B` is `{`.
pub fn decoded(fragment: &str) -> String {
    if !fragment.contains('%') {
        return fragment.to_owned();
    }
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        let escaped = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        if let Some(byte) = escaped.filter(|_| first == b'%') {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| fragment.to_owned())
}

/// As a fragment of a URI: everything but what RFC 3986 allows there is escaped.
fn encoded(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/~-._!$&'()*+,;=:@?".contains(&byte) {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
