//! `batchproof init`: proposes a batch contract for an operation of an OpenAPI document.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use url::Url;

use super::args::InitArgs;
use super::target::{self, Connecting};
use super::{CommandError, USAGE, say, say_error};
use crate::contract::{Contract, FileError, Profile, SchemaDocument, read_document};
use crate::generate::{Generator, default_run_id};
use crate::probe::observe;
use crate::proposal::{
    self, BatchOperation, ContractFile, ItemsForm, MOST_FETCHED, ProposedText, Survey,
};
use crate::send::fetch;

/// Written, but a person has to finish it before a run can use it.
const UNFINISHED: u8 = 1;
/// Operations that are named for one reason.
const SHOWN: usize = 6;
/// Names under which a contract's document is found, in that order.
const DOCUMENTS: [&str; 3] = ["openapi.yaml", "openapi.yml", "openapi.json"];

pub fn init(args: &InitArgs) -> Result<u8, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let source = runtime.block_on(Source::read(args))?;
    let file = source.path.display().to_string();
    let document = SchemaDocument::read(&file, &source.text)?;
    let survey = Survey::of(&document);
    let Some(operation) = chosen(args, &survey)? else { return Ok(USAGE) };
    let proposal = proposal::infer(&document, operation);
    let proposed = proposal::write(&proposal, &source.name);
    let mut files = proposal::document_files(&document, &source.path, &source.text)?;
    let document_name = files[0].name.clone();
    files.push(ContractFile { name: "batch.yaml".into(), text: proposed.yaml.clone() });
    write(&args.output, &files, args.force)?;
    let loaded = load(&args.output);
    say(&found(operation));
    say(&format!(
        "wrote {} and {}: {}",
        args.output.join(document_name).display(),
        args.output.join("batch.yaml").display(),
        match proposed.decisions() {
            1 => "1 line is marked DECIDE".to_owned(),
            lines => format!("{lines} lines are marked DECIDE"),
        }
    ));
    match loaded {
        Ok(contract) => runtime.block_on(finish(args, contract, &proposed.yaml)),
        Err(problem) => {
            say(&unfinished(&problem, &proposed));
            if let Some(target) = &args.target {
                say(&format!(
                    "nothing was sent to {target}: finish batch.yaml first, then `batchproof doctor --contract {} --target {target}`",
                    args.output.display()
                ));
            }
            Ok(UNFINISHED)
        }
    }
}

/// Notes what the target does, where one was named, and says what comes next.
async fn finish(args: &InitArgs, contract: Contract, yaml: &str) -> Result<u8, CommandError> {
    let mut next = "URL".to_owned();
    let mut code = 0;
    if let Some(target) = &args.target {
        let profile = match &args.profile {
            Some(path) => target::profile(path, &contract)?,
            None => Profile::default(),
        };
        let contract = Arc::new(contract.for_target(&profile));
        let connecting =
            Connecting { target: Some(target), jobs: Some(1), sending: &args.sending, sends: true };
        let run_id = default_run_id(chrono::Utc::now());
        let (environment, _) = connecting.environment(contract, profile, &run_id).await?;
        if let Some(why) = target::wait(&environment, &args.sending).await {
            say(&format!("observed nothing: {why}"));
            return Ok(UNFINISHED);
        }
        let seen = observe(&environment).await;
        let base = environment.sender.target.base.clone();
        let today = chrono::Utc::now().format("%Y-%m-%d");
        let mut text = format!(
            "{yaml}\n# Observed on {today} at {base}: what it did, not what it promises.\n"
        );
        for line in &seen {
            let line =
                environment.sender.token().redactor(&environment.profile.secrets).clean(line);
            say(&format!("observed: {line}"));
            let _ = writeln!(text, "# - {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        std::fs::write(args.output.join("batch.yaml"), text)?;
        code = if seen.len() > 1 { 0 } else { UNFINISHED };
        next = base;
    }
    say(&format!(
        "next: batchproof run --contract {} --depth quick --target {next}",
        args.output.display()
    ));
    Ok(code)
}

/// What keeps a run from using the folder.
fn unfinished(problem: &FileError, proposed: &ProposedText) -> String {
    let mut text = "not usable yet:".to_owned();
    for reason in &proposed.cannot {
        text.push_str("\n  - ");
        text.push_str(reason);
    }
    if proposed.cannot.is_empty() {
        format!("{text} {problem}")
    } else {
        format!("{text}\n{problem}")
    }
}

/// Loads what was written, as `run` would.
fn load(dir: &Path) -> Result<Contract, FileError> {
    // The generator keeps the contract that it is made for.
    Generator::new(Arc::new(Contract::load(dir)?), &Profile::default())?;
    Contract::load(dir)
}

/// The operation that was asked for, or that stands out; none where a person has to say, which was printed.
fn chosen<'a>(
    args: &InitArgs,
    survey: &'a Survey,
) -> Result<Option<&'a BatchOperation>, CommandError> {
    if let Some(name) = &args.operation {
        if let Some(found) = survey.named(name) {
            return Ok(Some(found));
        }
        let known: Vec<String> = survey.names().collect();
        let (found, expected) = match survey.why_not(name) {
            Some(why) => (
                format!("`{name}` takes no batch: {why}"),
                "an operation whose request has a list of objects",
            ),
            None => (
                format!("the document has no operation `{name}`"),
                "an operationId, or \"METHOD PATH\"",
            ),
        };
        return Err(FileError::new(&*args.openapi, found)
            .expected(expected)
            .nearest(name, known)
            .into());
    }
    if let Some(clear) = survey.clear() {
        return Ok(Some(clear));
    }
    if survey.batch.is_empty() {
        say_error(&nothing(&args.openapi, survey));
    } else {
        for operation in &survey.batch {
            say(&listed(operation));
        }
        say_error(&format!(
            "{} has {} operations that take batches, the likeliest first: name one with --operation, by its id or as \"METHOD PATH\"",
            args.openapi,
            survey.batch.len()
        ));
    }
    Ok(None)
}

/// An operation on one line.
fn listed(operation: &BatchOperation) -> String {
    let id = operation.id.as_ref().map_or_else(String::new, |id| format!("  {id}"));
    format!("{} {}{id}  ({})", operation.method, operation.path, items(operation))
}

fn items(operation: &BatchOperation) -> String {
    let at = if operation.items.is_empty() { "the whole request" } else { &operation.items };
    match operation.form {
        ItemsForm::List => format!("items: {at}"),
        ItemsForm::Map => format!("items: the map {at}"),
        ItemsForm::Lines => "items: lines".to_owned(),
    }
}

/// The operation that was taken, and why.
fn found(operation: &BatchOperation) -> String {
    let reasons = operation.reasons.join("; ");
    let because = if reasons.is_empty() { String::new() } else { format!("\n  {reasons}") };
    format!("{}{because}", listed(operation))
}

/// Why no operation takes batches.
fn nothing(openapi: &str, survey: &Survey) -> String {
    let looked: usize =
        survey.skipped.iter().map(|group| group.names.len()).sum::<usize>() + survey.doubtful.len();
    if looked == 0 {
        return format!("{openapi}: it has no operations under `paths`");
    }
    let mut text = format!("{openapi}: none of its {looked} operations takes a batch");
    let named = |names: &[String]| {
        let more = names.len().saturating_sub(SHOWN);
        let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{shown} and {more} more") } else { shown }
    };
    let doubtful: Vec<String> = survey.doubtful.iter().map(listed).collect();
    if !doubtful.is_empty() {
        let _ = write!(
            text,
            "\n  a list of objects is a part of something else ({}): {}",
            doubtful.len(),
            named(&doubtful)
        );
    }
    for group in &survey.skipped {
        let _ = write!(text, "\n  {} ({}): {}", group.why, group.names.len(), named(&group.names));
    }
    if !doubtful.is_empty() {
        text.push_str(
            "\n  hint: if one of them takes a batch all the same, name it with --operation",
        );
    }
    text
}

/// Writes the files of the folder; none where one is there already.
fn write(dir: &Path, files: &[ContractFile], force: bool) -> Result<(), CommandError> {
    let there = |name: &Path| dir.join(name).exists();
    if let Some(file) = files.iter().find(|file| !force && there(&file.name)) {
        return Err(format!(
            "{}: it exists already, and nothing was written\n  expected: another --output, or --force",
            dir.join(&file.name).display()
        )
        .into());
    }
    let names = |name: &str| files.iter().any(|file| file.name == Path::new(name));
    if let Some(other) = DOCUMENTS.iter().find(|name| there(Path::new(name)) && !names(name)) {
        return Err(format!(
            "{}: another document is in the folder, and nothing was written\n  expected: another --output, or that file removed",
            dir.join(other).display()
        )
        .into());
    }
    for file in files {
        let path = dir.join(&file.name);
        let failed = |e: std::io::Error| {
            format!("{}: {e}\n  expected: a writable directory", path.display())
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(&path, &file.text).map_err(failed)?;
    }
    Ok(())
}

/// The document, on this machine.
struct Source {
    path: PathBuf,
    text: String,
    /// As a person would name it.
    name: String,
    /// Where it was fetched to; removed at the end.
    _fetched: Option<tempfile::TempDir>,
}

impl Source {
    async fn read(args: &InitArgs) -> Result<Source, CommandError> {
        let name = &args.openapi;
        if !name.starts_with("http://") && !name.starts_with("https://") {
            let path = PathBuf::from(name);
            let text = std::fs::read_to_string(&path).map_err(|e| {
                FileError::new(name, e.to_string()).expected("a readable file, or a URL")
            })?;
            let shown =
                path.file_name().map_or_else(|| name.clone(), |n| n.to_string_lossy().into_owned());
            return Ok(Source { path, text, name: shown, _fetched: None });
        }
        let mut url = Url::parse(name)
            .map_err(|e| format!("{name}: {e}\n  expected: the URL of an OpenAPI document"))?;
        url.set_fragment(None);
        let options = args.sending.options();
        let root = tempfile::tempdir()?;
        let mut waiting = vec![url.clone()];
        let mut known = std::collections::BTreeSet::from([url.clone()]);
        let mut main = None;
        while let Some(next) = waiting.pop() {
            let text = match fetch(&next, &options).await {
                Ok(text) => text,
                // A reference that leads nowhere matters only where something needs it.
                Err(_) if main.is_some() => continue,
                Err(error) => return Err(error.into()),
            };
            let place = proposal::place_of(root.path(), &next);
            if let Some(parent) = place.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&place, &text)?;
            let value = read_document(next.as_str(), &text).unwrap_or(Value::Null);
            for other in proposal::referred(&next, &value) {
                if known.len() < MOST_FETCHED && known.insert(other.clone()) {
                    waiting.push(other);
                }
            }
            if main.is_none() {
                main = Some((place, text));
            }
        }
        let Some((path, text)) = main else {
            return Err(format!("{name}: nothing was fetched").into());
        };
        url.set_query(None);
        Ok(Source { path, text, name: url.to_string(), _fetched: Some(root) })
    }
}
