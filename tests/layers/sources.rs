//! Source files, as far as the layers are about them.

use std::path::{Path, PathBuf};

/// The source directories of the workspace.
pub const CRATES: &[&str] = &[
    "crates/contract/src",
    "crates/suite/src",
    "crates/server/src",
    "crates/check/src",
    "crates/report/src",
    "src",
];

/// All Rust files under a directory of the workspace but tests, with their paths below it.
pub fn files(root: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let relative = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_owned();
    let is_test = |path: &Path| {
        path.components().any(|c| c.as_os_str() == "tests" || c.as_os_str() == "tests.rs")
    };
    paths
        .iter()
        .map(|path| (relative(path), code(&std::fs::read_to_string(path).unwrap())))
        .filter(|(path, _)| !is_test(path))
        .collect()
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
}

/// The text without comments, and without the inline test module that ends a file; lines keep their numbers.
pub fn code(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line.trim() == "mod tests {" {
            break;
        }
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
        }
        code.push('\n');
    }
    code
}
