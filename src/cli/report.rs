//! `batchproof report`: writes the reports of a run again from its record, merges the parts of a run, and
//! compares runs.

use std::path::{Component, Path, PathBuf};

use super::args::{FormatName, ReportArgs};
use super::run::{print_summary, style};
use super::{CommandError, say};
use crate::compare::{self, ComparisonMode, Diff, Matrix, Recorded};
use crate::record::{self, Recorder, Summary};
use crate::report::{self, TerminalStyle};

/// The file of a comparison.
const DIFF: &str = "diff.txt";

pub fn report(args: &ReportArgs) -> Result<u8, CommandError> {
    let mut runs = Vec::with_capacity(args.dirs.len());
    for dir in &args.dirs {
        runs.push(Recorded::new(dir.display().to_string(), record::read(dir)?)?);
    }
    if let [run] = runs.as_slice() {
        let dir = args.report_dir.clone().unwrap_or_else(|| place(&args.dirs[0]));
        return written(&run.summary, args, &dir);
    }
    let dir = args.report_dir.clone().unwrap_or_else(|| PathBuf::from("reports"));
    let mode = compare::comparison_mode(&runs)?;
    if args.output.format != FormatName::Human && !matches!(mode, ComparisonMode::Parts) {
        return Err("--format is about one run, or the parts of one; these are several runs\n  \
                    expected: no --format, for a comparison"
            .into());
    }
    match mode {
        ComparisonMode::Parts => merged(&runs, args, &dir),
        ComparisonMode::SameTarget => {
            let (before, after) = compare::in_time(&runs[0], &runs[1]);
            let names = (before.name.as_str(), after.name.as_str());
            let diff = Diff::between(&before.summary, &after.summary);
            say(report::terminal_diff(&diff, names, style()).trim_end());
            if let Some(dir) = &args.report_dir {
                std::fs::create_dir_all(dir).map_err(|e| unwritable(dir, &e))?;
                let text = report::terminal_diff(&diff, names, TerminalStyle::default());
                std::fs::write(dir.join(DIFF), text).map_err(|e| unwritable(dir, &e))?;
                say(&format!("\n  text       {}", dir.join(DIFF).display()));
            }
            Ok(after.summary.conclusion.exit())
        }
        ComparisonMode::Several => grid(&runs, args, &dir),
    }
}

fn written(summary: &Summary, args: &ReportArgs, dir: &Path) -> Result<u8, CommandError> {
    report::write_all_with(summary, dir, args.output.junit()).map_err(|e| unwritable(dir, &e))?;
    print_summary(summary, &args.output, dir)?;
    Ok(summary.exit())
}

fn unwritable(dir: &Path, error: &std::io::Error) -> CommandError {
    format!("{}: {error}\n  expected: a writable directory", dir.display()).into()
}

/// Merges the parts into a record of their own, and reports on that.
fn merged(parts: &[Recorded], args: &ReportArgs, dir: &Path) -> Result<u8, CommandError> {
    let events = compare::merge(parts)?;
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    if let Some(part) =
        args.dirs.iter().find(|d| whole(dir).is_some_and(|w| whole(&place(d)) == Some(w)))
    {
        return Err(format!(
            "{}: it holds one of the parts, which the merged record would replace\n  \
             expected: --report-dir with another directory",
            part.display()
        )
        .into());
    }
    let mut recorder = Recorder::new(dir);
    for event in &events {
        recorder.write(event).map_err(|e| unwritable(dir, &e))?;
    }
    let merged = Recorded::new(dir.display().to_string(), events)?;
    written(&merged.summary, args, dir)
}

/// A matrix of all runs; each cell links to the report of its run.
fn grid(runs: &[Recorded], args: &ReportArgs, dir: &Path) -> Result<u8, CommandError> {
    let mut links = Vec::with_capacity(runs.len());
    std::fs::create_dir_all(dir).map_err(|e| unwritable(dir, &e))?;
    for (run, named) in runs.iter().zip(&args.dirs) {
        let place = place(named);
        if !place.join("report.html").exists() {
            report::write_all(&run.summary, &place).map_err(|e| unwritable(&place, &e))?;
        }
        links.push(link(dir, &place.join("report.html")));
    }
    let matrix = Matrix::from_runs(runs);
    let page = dir.join("matrix.html");
    std::fs::write(&page, report::html::matrix(&matrix, &links))
        .map_err(|e| unwritable(dir, &e))?;
    say(report::terminal_matrix(&matrix, style()).trim_end());
    say(&format!("\n  page       {}", page.display()));
    Ok(matrix.conclusion().exit())
}

/// The directory of a record.
fn place(named: &Path) -> PathBuf {
    if named.is_dir() {
        return named.to_path_buf();
    }
    match named.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// A relative URL from a page in `from` to `to`, so that both can be moved together.
fn link(from: &Path, to: &Path) -> String {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (from, to) = (whole(from), whole(to));
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).filter_map(|part| match part {
        Component::Normal(name) => Some(percent(&name.to_string_lossy())),
        _ => None,
    });
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// A path segment as a URL has it.
fn percent(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                use std::fmt::Write as _;
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
