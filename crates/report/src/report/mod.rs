//! What people and machines read of a run: terminal, JSON, HTML, `JUnit`, Markdown, SARIF, annotations, TAP.
//!
//! Each report is made from a [`Summary`] and nothing else, so that `batchproof report` makes the same ones
//! again from a record alone. It must not know how a run was scheduled, and sends nothing. Whatever a target
//! answered is hostile here: it is shown as text, with control characters spelled out.

mod against;
mod bytes;
mod cause_line;
pub mod curl;
mod differences;
mod fact;
mod facts;
mod formats;
mod good_request;
pub mod html;
pub mod json;
pub mod junit;
pub mod manual;
pub mod markdown;
mod minimal;
pub(crate) mod page;
mod pair;
mod requests;
#[cfg(test)]
mod sample;
pub mod terminal;
mod text;
pub mod waiver;
mod wording;

use std::path::{Path, PathBuf};

use crate::record::Summary;

pub use formats::{OutputFormat, formatted, sarif};
pub use json::schema;
pub use junit::JunitOptions;
pub use terminal::{
    TerminalStyle, cases as terminal_cases, diff as terminal_diff, matrix as terminal_matrix,
    terminal,
};
pub use text::{counted, number, visible, visible_block};
pub use wording::not_tested;

/// Writes `report.json`, `report.html`, `junit.xml`, `report.md` and `report.sarif` into `dir`, each whole or not at all.
///
/// # Errors
/// Where the directory or a file can't be written.
pub fn write_all(summary: &Summary, dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    write_all_with(summary, dir, JunitOptions::default())
}

/// The same, with what a reader of `junit.xml` wants beside.
///
/// # Errors
/// As for [`write_all`].
pub fn write_all_with(
    summary: &Summary,
    dir: &Path,
    options: JunitOptions,
) -> std::io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(dir)?;
    let reports = [
        ("report.json", json::json(summary)?),
        ("report.html", html::html(summary, dir)),
        ("junit.xml", junit::junit(summary, options)?),
        ("report.md", markdown::markdown(summary)),
        ("report.sarif", sarif(summary)?),
    ];
    let mut written = Vec::new();
    for (name, text) in reports {
        let path = dir.join(name);
        // A reader never meets half a report, and the name of a second process's draft is another.
        let draft = dir.join(format!(".{name}.{}.tmp", std::process::id()));
        let done = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, &path));
        if let Err(error) = done {
            let _ = std::fs::remove_file(&draft);
            return Err(error);
        }
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_reports_are_written_and_no_draft_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("new/reports");
        let paths = write_all(&sample::hostile(), &place).unwrap();
        assert_eq!(paths.len(), 5);
        write_all(&sample::clean(), &place).unwrap();
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 5);
    }

    /// `BATCHPROOF_SAMPLES=DIR cargo test --lib report::tests::samples` leaves pages to look at.
    #[test]
    fn samples() {
        let Ok(dir) = std::env::var("BATCHPROOF_SAMPLES") else { return };
        let dir = Path::new(&dir);
        let samples = [
            ("hostile", sample::hostile()),
            ("clean", sample::clean()),
            ("killed", sample::killed()),
            ("large", sample::large(1000)),
        ];
        for (name, summary) in samples {
            write_all(&summary, &dir.join(name)).unwrap();
            for (colour, width) in [(true, 120), (true, 80), (false, 60)] {
                let text =
                    terminal(&summary, TerminalStyle { colour, width }, Path::new("reports"));
                std::fs::write(dir.join(name).join(format!("terminal-{width}.txt")), text).unwrap();
            }
        }
    }
}
