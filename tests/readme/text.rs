//! The pages, and the blocks of code in them.

use std::path::{Path, PathBuf};

/// A page, by its path below the repository's root.
pub struct Page {
    pub file: String,
    pub text: String,
}

/// A block of code in a page.
pub struct Block {
    /// What stands behind the three backquotes.
    pub kind: String,
    pub text: String,
    /// `FILE:LINE` of its first line.
    pub place: String,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages at the top, and those of the manual.
pub fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]
            .map(|name| root().join(name))
            .into();
    collect(&root().join("docs/src"), &mut files);
    files.sort();
    let page = |path: &PathBuf| Page {
        file: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
        text: std::fs::read_to_string(path).unwrap(),
    };
    files.iter().map(page).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "md") {
            files.push(path);
        }
    }
}

impl Page {
    pub fn is_of_manual(&self) -> bool {
        self.file.starts_with("docs/")
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open) {
                (Some(kind), false) => {
                    let place = format!("{}:{}", self.file, number + 2);
                    blocks.push(Block { kind: kind.to_owned(), text: String::new(), place });
                    open = true;
                }
                (Some(_), true) => open = false,
                (None, true) => {
                    let text = &mut blocks.last_mut().unwrap().text;
                    text.push_str(line);
                    text.push('\n');
                }
                (None, false) => {}
            }
        }
        blocks
    }

    /// The text without blocks of code.
    pub fn prose(&self) -> String {
        let mut open = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.starts_with("```") {
                open = !open;
            } else if !open {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        prose
    }
}
