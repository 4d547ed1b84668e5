//! `batchproof judge`: recorded exchanges against the rules.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::args::{JudgeArgs, JudgingArgs};
use super::run::print_summary;
use super::{CommandError, target};
use crate::contract::text::counted;
use crate::contract::{Contract, FileError, Profile};
use crate::generate::default_run_id;
use crate::har::{self, TimeSpan, TrafficAnswer, TrafficBody, TrafficEntry};
use crate::judge::{TrafficJudge, TrafficOptions, base_of};
use crate::report;
use crate::send::Target;
use crate::session::NoObserver;
use crate::waiver;

/// Microseconds by which the times of one exchange in two files may differ.
const APART: i64 = 2_000_000;

pub fn judge(args: &JudgeArgs) -> Result<u8, CommandError> {
    let (contract, profile) = judged_by(&args.judging)?;
    let mut entries = Vec::new();
    for (source, file) in args.files.iter().enumerate() {
        let name = file.display().to_string();
        let text = std::fs::read(file).map_err(|e| {
            FileError::new(&*name, e.to_string()).expected(
                "a HAR (HTTP archive 1.2), as browsers, mitmproxy and `run --har` write it",
            )
        })?;
        let read = har::read(&name, source as u64, &text)?;
        entries.extend(read.into_iter().map(|entry| (source, entry)));
    }
    let base = base(args, &contract, &entries)?;
    let sources = names(&args.files);
    if let [_, _, ..] = sources.as_slice() {
        for (source, entry) in &mut entries {
            entry.place = format!("{}{}", sources[*source], entry.place);
        }
    }
    entries.sort_by_key(|(_, entry)| entry.span.begun);
    let twice = without_copies(&mut entries);
    let options =
        TrafficOptions { is_live: false, target: base.clone(), sources, ..options(&args.judging)? };
    let mut judge = TrafficJudge::new(contract, profile, &base, &options, Arc::new(NoObserver))?;
    let unwritable = |e: std::io::Error| -> CommandError {
        let dir = args.judging.report_dir.display();
        format!("{dir}: {e}\n  expected: a directory that can be written to").into()
    };
    judge.survey(entries.iter().map(|(_, entry)| entry));
    judge.begin(&options).map_err(unwritable)?;
    for (source, entry) in entries {
        judge.take(source, &entry).map_err(unwritable)?;
    }
    let summary = judge.finish(&twice).map_err(unwritable)?;
    let summary = summary.ok_or("the record does not add up: a defect of batchproof")?;
    let dir = &args.judging.report_dir;
    report::write_all_with(&summary, dir, args.output.junit()).map_err(unwritable)?;
    print_summary(&summary, &args.output, dir)?;
    Ok(summary.conclusion.exit())
}

/// Takes out exchanges that two files hold, such as those of a client and of its proxy: the same bodies at the same time.
/// What to say of them.
fn without_copies(entries: &mut Vec<(usize, TrafficEntry)>) -> Vec<String> {
    let mut kept: HashMap<(Bytes, Bytes), Vec<(usize, TimeSpan)>> = HashMap::new();
    let before = entries.len();
    entries.retain(|(source, entry)| {
        let TrafficAnswer::Received { body: TrafficBody::Whole(answer), .. } = &entry.answer else {
            return true;
        };
        let TrafficBody::Whole(body) = &entry.body else { return true };
        let same = kept.entry((body.clone(), answer.clone())).or_default();
        let is_copy = same.iter().any(|(other, span)| {
            other != source
                && span.begun <= entry.span.ended.saturating_add(APART)
                && entry.span.begun <= span.ended.saturating_add(APART)
        });
        if !is_copy {
            same.push((*source, entry.span));
        }
        !is_copy
    });
    let copies = (before - entries.len()) as u64;
    let text = || format!("left out: {} that two files hold", counted(copies, "exchange"));
    if copies > 0 { vec![text()] } else { Vec::new() }
}

/// Contract and profile.
pub(super) fn judged_by(args: &JudgingArgs) -> Result<(Arc<Contract>, Profile), CommandError> {
    let contract = target::contract(args.contract.as_deref())?;
    let profile = match &args.profile {
        Some(path) => target::profile(path, &contract)?,
        None => Profile::default(),
    };
    Ok((Arc::new(contract.for_target(&profile)), profile))
}

/// What is the same for files and for a proxy.
pub(super) fn options(args: &JudgingArgs) -> Result<TrafficOptions, CommandError> {
    Ok(TrafficOptions {
        run_id: default_run_id(chrono::Utc::now()),
        target: String::new(),
        sources: Vec::new(),
        is_live: true,
        fresh_store: args.fresh_store,
        strict: args.strict,
        waivers: args.waivers.as_deref().map(waiver::load).transpose()?.unwrap_or_default(),
        report_dir: Some(args.report_dir.clone()),
    })
}

/// The one target of the exchanges: one report is about one target.
fn base(
    args: &JudgeArgs,
    contract: &Contract,
    entries: &[(usize, TrafficEntry)],
) -> Result<String, CommandError> {
    const SHOWN: usize = 5;
    if let Some(url) = &args.target {
        return Ok(Target::parse(url, &contract.operation.path)?.base);
    }
    let mut found: Vec<String> = Vec::new();
    // A run knows its target, and tries paths below others.
    let target = |entry: &TrafficEntry| match &entry.own {
        Some(own) => Some(own.base.clone()),
        None => base_of(contract, entry),
    };
    for base in entries.iter().filter_map(|(_, entry)| target(entry)) {
        if !found.contains(&base) {
            found.push(base);
        }
    }
    match found.as_slice() {
        [] => Ok("no target".to_owned()),
        [base] => Ok(base.clone()),
        several => {
            let shown = several.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = if several.len() > SHOWN { ", …" } else { "" };
            Err(format!(
                "the exchanges are with {} targets: {shown}{more}\n  expected: --target URL, which names one of them",
                several.len()
            )
            .into())
        }
    }
}

/// The names of files; whole paths where two are called the same.
fn names(files: &[std::path::PathBuf]) -> Vec<String> {
    let name = |file: &Path| file.file_name().map(|name| name.to_string_lossy().into_owned());
    let is_sole = |file: &Path| files.iter().filter(|f| name(f) == name(file)).count() == 1;
    files
        .iter()
        .map(|file| match name(file) {
            Some(name) if is_sole(file) => name,
            _ => file.display().to_string(),
        })
        .collect()
}
