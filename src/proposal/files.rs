//! The files of a contract's folder: the document, what it refers to, and `batch.yaml`.
//!
//! It must not know what is in a proposal.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use url::Url;

use crate::contract::{FileError, SchemaDocument};

/// Member of a document that holds the parts of other files.
const OTHER_FILES: &str = "x-files";
/// Files of one document that are fetched, at most.
pub const MOST_FETCHED: usize = 200;

/// A file to write, relative to the folder.
#[derive(Debug, Clone)]
pub struct ContractFile {
    /// Its name; `/` between directories.
    pub name: PathBuf,
    /// Its content.
    pub text: String,
}

/// The document and the files that it refers to, at the same places relative to each other. Where one of them lies
/// outside the document's own directory, all of it becomes one file.
///
/// # Errors
/// A [`FileError`] where a file can't be read.
pub fn document_files(
    document: &SchemaDocument,
    path: &Path,
    text: &str,
) -> Result<Vec<ContractFile>, FileError> {
    let json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let name = if json { "openapi.json" } else { "openapi.yaml" };
    let main = ContractFile { name: name.into(), text: text.to_owned() };
    let others = document.value().get(OTHER_FILES).and_then(Value::as_object);
    let Some(others) = others.filter(|others| !others.is_empty()) else { return Ok(vec![main]) };
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = whole.parent().unwrap_or(Path::new("/"));
    let mut files = vec![main];
    for other in others.keys() {
        let read = |problem: std::io::Error| {
            FileError::new(other, problem.to_string()).expected("a readable file")
        };
        let place = std::fs::canonicalize(other).map_err(read)?;
        let Ok(inside) = place.strip_prefix(directory) else { return Ok(vec![bundled(document)]) };
        let is_taken =
            ["openapi.yaml", "openapi.yml", "openapi.json", "batch.yaml", "interpretations.yaml"]
                .iter()
                .any(|taken| inside == Path::new(taken));
        if is_taken {
            return Ok(vec![bundled(document)]);
        }
        let text = std::fs::read_to_string(&place).map_err(read)?;
        files.push(ContractFile { name: inside.to_owned(), text });
    }
    // What refers back to the document does so by its own name.
    if let Some(own) = whole.file_name().filter(|own| *own != name)
        && files.iter().skip(1).any(|file| file.text.contains(&*own.to_string_lossy()))
    {
        files.push(ContractFile { name: own.into(), text: text.to_owned() });
    }
    Ok(files)
}

/// The document as one file, its references pointers into it: `OpenAPI` 3.1, whatever it was.
fn bundled(document: &SchemaDocument) -> ContractFile {
    let mut value = document.value().clone();
    if let Value::Object(map) = &mut value {
        map.shift_remove("swagger");
        map.shift_remove("$self");
        map.insert("openapi".to_owned(), "3.1.0".into());
    }
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    ContractFile { name: "openapi.json".into(), text }
}

/// Where a fetched file is kept: the path of its URL below `root`.
#[must_use]
pub fn place_of(root: &Path, url: &Url) -> PathBuf {
    let mut place = root.to_owned();
    for part in url.path().split('/') {
        if let Some(Component::Normal(part)) = Path::new(part).components().next() {
            place.push(part);
        }
    }
    if place == root || url.path().ends_with('/') {
        place.push("openapi");
    }
    place
}

/// The files that a document refers to, by URLs of the same host.
#[must_use]
pub fn referred(base: &Url, document: &Value) -> BTreeSet<Url> {
    let mut found = BTreeSet::new();
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                let target = map.get("$ref").and_then(Value::as_str);
                if let Some(target) = target.filter(|target| !target.starts_with('#'))
                    && let Ok(mut url) = base.join(target)
                    && url.origin() == base.origin()
                {
                    url.set_fragment(None);
                    if url != *base {
                        found.insert(url);
                    }
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    found
}
