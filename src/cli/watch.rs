//! `run --watch`: the named files are run again at each save, one line for each run.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::args::RunArgs;
use super::signals::Signals;
use super::{CommandError, say, say_error};

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_millis(200);
/// Files that are looked at, at most.
const MOST_FILES: usize = 2000;
/// Nothing was run to its end.
const NOTHING: u8 = 3;
/// Letters of a line.
const LETTERS: usize = 200;

pub fn watch(args: &RunArgs) -> Result<u8, CommandError> {
    if let Some(missing) = args.cases.iter().find(|name| !Path::new(name).exists()) {
        return Err(format!("--watch {missing}: the file does not exist\n  expected: case files, or directories of them").into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(until_signal(args))
}

async fn until_signal(args: &RunArgs) -> Result<u8, CommandError> {
    let mut signals = Signals::new();
    let mut last = NOTHING;
    say_error(&format!("runs {} at each save; Ctrl-C ends it", args.cases.join(", ")));
    loop {
        // A file that is saved while they are run is run again.
        let seen = states(args);
        tokio::select! {
            _ = signals.next() => return Ok(last),
            code = run_once(args) => last = code?,
        }
        while states(args) == seen {
            tokio::select! {
                _ = signals.next() => return Ok(last),
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }
}

/// When each file was changed, and its length: editors write some twice, and clocks are coarse.
type FileStates = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

fn states(args: &RunArgs) -> FileStates {
    let named = args.cases.iter().map(PathBuf::from);
    let beside = [&args.profile, &args.waivers, &args.contract].into_iter().flatten().cloned();
    let mut states = FileStates::new();
    let mut open: Vec<PathBuf> = named.chain(beside).collect();
    // What a case reads (`batch-from`, `for-each`) is beside it.
    let beside_cases = args.cases.iter().filter(|name| Path::new(name).is_file());
    open.extend(beside_cases.flat_map(|name| data_beside(Path::new(name))));
    while let Some(path) = open.pop() {
        if states.len() >= MOST_FILES {
            break;
        }
        if path.is_dir() {
            let inside = std::fs::read_dir(&path).into_iter().flatten().flatten();
            open.extend(inside.map(|entry| entry.path()).filter(|inner| is_input(inner)));
            continue;
        }
        let state = std::fs::metadata(&path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
        states.insert(path, state);
    }
    states
}

fn data_beside(case: &Path) -> Vec<PathBuf> {
    let dir = case.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| is_data(path)).take(MOST_FILES).collect()
}

/// Whether a run may read it: reports are left out.
fn is_input(path: &Path) -> bool {
    path.is_dir() || is_data(path) || path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// Whether it may be what `batch-from` or `for-each` names.
fn is_data(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "json" || e == "csv" || e == "jsonl" || e == "ndjson")
}

/// Runs the command without `--watch`, in a process of its own: what one run leaves cannot change the next.
async fn run_once(args: &RunArgs) -> Result<u8, CommandError> {
    let start = Instant::now();
    let arguments = std::env::args_os().skip(1).filter(|argument| argument != "--watch");
    let child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut child = EndedWithUs(child);
    let stderr = child.0.stderr.take();
    let errors = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut text));
        text
    });
    let errors = errors.await?;
    let status = child.0.wait()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(NOTHING);
    let report = if code == 2 { None } else { report(args) };
    let errors = String::from_utf8_lossy(&errors);
    let said = match report {
        Some(report) => verdict(&report),
        None => format!("not run: {}", first_lines(&errors)),
    };
    let time = chrono::Local::now().format("%H:%M:%S");
    let line: String = format!("{time}  {said}  ({:.1} s)", start.elapsed().as_secs_f64());
    say(&line);
    Ok(code)
}

/// A run that ends when nobody waits for it any more.
struct EndedWithUs(Child);

impl Drop for EndedWithUs {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn report(args: &RunArgs) -> Option<Value> {
    let text = std::fs::read(args.report_dir.join("report.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// What a report says, in one line.
fn verdict(report: &Value) -> String {
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let conclusion = text(report, "conclusion").to_uppercase();
    let findings: Vec<&Value> =
        report.get("findings").and_then(Value::as_array).into_iter().flatten().collect();
    let problems = report.get("problems").and_then(Value::as_array).map_or(0, Vec::len);
    let mut said = conclusion;
    if let Some(first) = findings.first() {
        let more = problems.saturating_sub(1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        said = format!("{said}  {} {}{more}", text(first, "rule"), text(first, "message"));
    } else if let Some(reason) =
        report.pointer("/reasons/0").and_then(Value::as_str).filter(|_| said != "CONFORMANT")
    {
        said = format!("{said}  {reason}");
    } else {
        let sent =
            |name: &str| report.pointer(&format!("/stats/{name}")).cloned().unwrap_or_default();
        said = format!("{said}  {} requests, {} items", sent("requests"), sent("items"));
    }
    one_line(&said)
}

/// The mistake, and what was meant, without all that might stand there.
fn first_lines(errors: &str) -> String {
    let mut lines = errors.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("batchproof: ").unwrap_or(first);
    let hint = lines.find_map(|line| line.strip_prefix("hint: "));
    one_line(&hint.map_or_else(|| first.to_owned(), |hint| format!("{first}; {hint}")))
}

fn one_line(text: &str) -> String {
    let flat = text.lines().map(str::trim_end).collect::<Vec<_>>().join(" ");
    let mut short: String = flat.chars().take(LETTERS).collect();
    if short.len() < flat.len() {
        short.push('…');
    }
    short
}
