//! `batchproof replay`: sends the failures of a run again.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::args::ReplayArgs;
use super::pauses::announce_pauses;
use super::replay_hooks::ReplayHooks;
use super::target::{self, Connecting};
use super::{CommandError, say, say_error};
use crate::case::{self, Case};
use crate::check::rules;
use crate::contract::file_error::nearest;
use crate::contract::{Contract, FileError, Profile};
use crate::generate::default_run_id;
use crate::record::{self, Conclusion, Summary};
use crate::replay::{ReplayVerdict, cases_of_whole_runs, replay as replay_findings};
use crate::report::{visible, visible_block};

/// What a replay exits with that could not be made.
const CANT_TELL: u8 = 3;
/// Ids that are listed where the one given names nothing.
const LISTED: usize = 8;

pub fn replay(args: &ReplayArgs) -> Result<u8, CommandError> {
    let events = record::read(&args.dir)?;
    let name = args.dir.display().to_string();
    let summary = Summary::from_events(&events).ok_or_else(|| {
        FileError::new(&*name, "the record is empty").expected("a record of a run")
    })?;
    let wanted = wanted(&summary, args.id.as_deref(), &name)?;
    let contract = target::contract(args.contract.as_deref())?;
    let profile = match &args.profile {
        Some(path) => target::profile(path, &contract)?,
        None => replayed_profile(&summary, &name)?,
    };
    let recorded = &summary.head.specification;
    let endpoint = format!("{} {}", contract.operation.method, contract.operation.path);
    if endpoint != recorded.endpoint {
        let hint = format!("--contract {}", recorded.dir.as_deref().unwrap_or("DIR"));
        return Err(FileError::new(
            &*name,
            format!("the run was made with the contract of {}", visible(&recorded.endpoint)),
        )
        .expected(format!("the same contract, and not that of {endpoint}"))
        .hint(hint)
        .into());
    }
    if contract.hash != recorded.hash {
        let _ = writeln!(
            std::io::stderr(),
            "note: the specification differs from that of the run; --contract DIR selects another one"
        );
    }
    if wanted.is_empty() {
        if summary.conclusion == Conclusion::Inconclusive {
            say("Nothing to replay: the run was inconclusive, and has no findings.");
            return Ok(Conclusion::Inconclusive.exit());
        }
        say("Nothing to replay: the run has no findings.");
        return Ok(0);
    }
    let contract = Arc::new(contract.for_target(&profile));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(sent(args, &summary, &wanted, contract, profile))
}

async fn sent(
    args: &ReplayArgs,
    summary: &Summary,
    wanted: &[usize],
    contract: Arc<Contract>,
    profile: Profile,
) -> Result<u8, CommandError> {
    let recorded = Some(summary.head.target.as_str()).filter(|t| t.starts_with("http"));
    let connecting = Connecting {
        target: args.target.as_deref().or(recorded),
        jobs: None,
        sending: &args.sending,
        sends: true,
    };
    let run_id = default_run_id(chrono::Utc::now());
    let (environment, _server) = connecting.environment(contract, profile, &run_id).await?;
    announce_pauses(&environment, say_error);
    let cases = cases(summary, wanted, &args.variable)?;
    let mut secrets: Vec<String> = environment.profile.headers.values().cloned().collect();
    secrets.extend(environment.profile.secrets.iter().cloned());
    let redactor = environment.sender.token().redactor(&secrets);
    let mut print = |replayed: &crate::replay::ReplayedFinding| {
        let Some((finding, _)) = summary.findings.get(replayed.index) else { return };
        // An answer of the run beside "fixed" would read as its opposite.
        let about = match replayed.verdict {
            ReplayVerdict::Fixed => rules::find(&finding.rule).map_or("", |rule| rule.title),
            ReplayVerdict::StillFailing | ReplayVerdict::CantTell => &finding.message,
        };
        let line = format!(
            "{:13}  {} {:12}  {}  {}: {about}",
            replayed.verdict.words(),
            finding.id,
            finding.rule,
            finding.case,
            replayed.why,
        );
        say(&visible(&redactor.clean(&line)));
    };
    let mut hooks = ReplayHooks::new(&environment, &args.dir, &run_id);
    if let Err(why) = hooks.set_up().await {
        say_error(&visible_block(&format!("the setup failed: {why}")));
        return Ok(CANT_TELL);
    }
    let replayed = replay_findings(&environment, summary, wanted, cases, &mut print).await;
    hooks.clean_up().await;
    let verdicts: Vec<ReplayVerdict> = replayed.iter().map(|r| r.verdict).collect();
    let count = |verdict: ReplayVerdict| verdicts.iter().filter(|f| **f == verdict).count();
    say(&format!(
        "{} still failing, {} fixed, {} unknown",
        count(ReplayVerdict::StillFailing),
        count(ReplayVerdict::Fixed),
        count(ReplayVerdict::CantTell)
    ));
    Ok(ReplayVerdict::exit(&verdicts))
}

/// The profile of the run with its hooks, as far as the record holds them: it holds no command.
fn replayed_profile(summary: &Summary, name: &str) -> Result<Profile, CommandError> {
    let recorded = summary.head.profile.clone().unwrap_or_default();
    let is_command = Profile::is_withheld(&recorded)
        && !Profile::is_withheld(&Profile::without_hooks(recorded.clone()));
    if is_command {
        let _ = writeln!(
            std::io::stderr(),
            "note: the setup or the clean-up of the run's profile is a command, which no record holds: neither runs; \
             --profile FILE has it"
        );
    }
    recorded_profile(summary, name, !is_command)
}

/// Positions of the findings to be sent: all that no waiver covers, one by its id, or those of a rule.
fn wanted(summary: &Summary, id: Option<&str>, name: &str) -> Result<Vec<usize>, CommandError> {
    let all = || summary.findings.iter().enumerate();
    let Some(id) = id else {
        return Ok(all().filter(|(_, (_, u))| u.waived.is_none()).map(|(i, _)| i).collect());
    };
    let exact: Vec<usize> =
        all().filter(|(_, (f, _))| f.id == id || f.rule == id).map(|(i, _)| i).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let begins: Vec<usize> =
        all().filter(|(_, (f, _))| id.len() >= 4 && f.id.starts_with(id)).map(|(i, _)| i).collect();
    if begins.len() == 1 {
        return Ok(begins);
    }
    let ids = || summary.findings.iter().flat_map(|(f, _)| [f.id.as_str(), f.rule.as_str()]);
    let known: Vec<String> = summary
        .findings
        .iter()
        .take(LISTED)
        .map(|(f, _)| format!("{} ({}, {})", f.id, f.rule, f.case))
        .collect();
    let found = if begins.len() > 1 {
        format!("{} findings begin with `{id}`", begins.len())
    } else {
        format!("the run has no finding `{id}`")
    };
    let expected = if known.is_empty() {
        "the run has no findings".to_owned()
    } else {
        let more = if summary.findings.len() > LISTED { ", …" } else { "" };
        format!("an id or a rule, such as {}{more}", known.join(", "))
    };
    let mut problem = FileError::new(name, found).expected(expected);
    problem.hint = nearest(id, ids()).map(|near| format!("did you mean `{near}`?"));
    Err(problem.into())
}

/// What the run's profile said, as far as the record holds it; `hooks`: with what prepares and cleans up.
pub(super) fn recorded_profile(
    summary: &Summary,
    name: &str,
    hooks: bool,
) -> Result<Profile, CommandError> {
    let Some(recorded) = &summary.head.profile else { return Ok(Profile::default()) };
    let recorded = if hooks { recorded.clone() } else { Profile::without_hooks(recorded.clone()) };
    if Profile::is_withheld(&recorded) {
        return Err(FileError::new(
            name,
            "the headers, commands or OAuth 2 settings of the run's profile are not recorded",
        )
        .expected("--profile FILE with the profile of the run")
        .into());
    }
    let profile: Profile = serde_json::from_value(recorded).map_err(|e| {
        FileError::new(name, format!("its profile cannot be read: {e}"))
            .expected("a record of this version, or --profile FILE")
    })?;
    Ok(profile)
}

/// The cases of the findings that still exist, under the ids that they had in the run.
fn cases(
    summary: &Summary,
    wanted: &[usize],
    variables: &[(String, String)],
) -> Result<Vec<Case>, CommandError> {
    let shipped = case::shipped()?;
    let mut cases: Vec<Case> = Vec::new();
    let found = wanted.iter().filter_map(|i| summary.findings.get(*i)).map(|(f, _)| f.case.clone());
    for id in found.chain(cases_of_whole_runs(summary, wanted)) {
        if cases.iter().any(|c| c.id == id) {
            continue;
        }
        let own = summary.head.files.get(&id);
        let found = match own {
            Some(file) if Path::new(file).is_file() => {
                let mut cases =
                    case::load_paths(std::slice::from_ref(file), &super::variables(variables))?;
                // A file that runs for each row of its data has several.
                let at =
                    cases.iter().position(|c| id == c.id || id.ends_with(&format!("/{}", c.id)));
                let only = if cases.len() == 1 { Some(0) } else { None };
                at.or(only).map(|at| cases.swap_remove(at))
            }
            Some(_) => None,
            None => shipped.iter().find(|c| c.id == id).cloned(),
        };
        cases.extend(found.map(|case| Case { id: id.clone(), ..case }));
    }
    Ok(cases)
}
