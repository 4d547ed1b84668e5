//! `batchproof import`: a case file of recorded requests.

use std::io::Read as _;
use std::path::Path;

use super::args::ImportArgs;
use super::target;
use super::{CommandError, say, say_error};
use crate::case;
use crate::contract::FileError;
use crate::import::{ImportedFile, case_text, for_operation, read};

pub fn import(args: &ImportArgs) -> Result<u8, CommandError> {
    let contract = target::contract(args.contract.as_deref())?;
    let (name, text) = source(&args.file)?;
    let wrong = |why: String| -> CommandError { format!("{name}: {why}").into() };
    let (case, found) = match read(&text, args.finding.as_deref()).map_err(wrong)? {
        ImportedFile::CaseFile(case) => (case, "the minimal example of a finding".to_owned()),
        ImportedFile::Requests(requests) => {
            let all = requests.len();
            let requests = for_operation(&contract, requests).map_err(wrong)?;
            let shown =
                Path::new(&name).file_name().map_or(name.as_str().into(), |n| n.to_string_lossy());
            let found = format!("{} of {all} requests", requests.len());
            (case_text(&contract, &requests, &shown), found)
        }
    };
    let out = args.output.as_deref();
    let shown = out.map_or_else(|| "case.yaml".to_owned(), |path| path.display().to_string());
    // What is written is a case that loads once its variables have values, or nothing is.
    case::load("imported", &shown, None, &case.replace("${variable:", "${repeat:1:"))?;
    match out {
        None => say(case.trim_end()),
        Some(path) => {
            if path.exists() && !args.force {
                return Err(format!("{shown}: it exists already, and nothing was written\n  expected: another name, or --force").into());
            }
            let failed =
                |e: std::io::Error| format!("{shown}: {e}\n  expected: a writable directory");
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).map_err(failed)?;
            }
            std::fs::write(path, &case).map_err(failed)?;
            say_error(&format!("wrote {shown}: {found}"));
        }
    }
    Ok(0)
}

/// The file, or standard input.
fn source(file: &Path) -> Result<(String, String), CommandError> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(("standard input".to_owned(), text));
    }
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|e| {
        FileError::new(&*name, e.to_string())
            .expected("a HAR, a file with a curl command, a Postman collection, or report.json")
    })?;
    Ok((name, text))
}
