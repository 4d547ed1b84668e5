//! `batchproof run`: the main job.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::{ColorName, FormatName, OutputArgs, RunArgs};
use super::pauses::announce_pauses;
use super::progress::{ProgressDisplay, amounts};
use super::signals::end_on_signal;
use super::target::{self, Connecting, POLITE_JOBS, POLITE_RATE};
use super::{CommandError, say, say_error, variables};
use crate::case::{self, Case, Depth};
use crate::contract::file_error::nearest;
use crate::contract::{Contract, Profile};
use crate::embedded::{self, LOOPBACK_JOBS};
use crate::execution::{SelectedCase, select};
use crate::generate::default_run_id;
use crate::har::HarFile;
use crate::lockstep::Against;
use crate::record::{RUN, Summary};
use crate::report::{self, number};
use crate::run::{RunReport, not_run, notes, plan, run_against};
use crate::session::{Amount, Environment, RunOptions};

use crate::waiver::{self, Day, Waiver};

pub fn run(args: &RunArgs) -> Result<u8, CommandError> {
    Ok(summary(args)?.map_or(0, |summary| summary.exit()))
}

/// Runs, reports, and prints; nothing where only the plan was asked for.
pub(super) fn summary(args: &RunArgs) -> Result<Option<Summary>, CommandError> {
    let contract = target::contract(args.contract.as_deref())?;
    let mut profile = match &args.profile {
        Some(path) => target::profile(path, &contract)?,
        None => Profile::default(),
    };
    if let Some(file) = &args.auth_file {
        profile.use_auth_file(file, args.auth_user.as_deref(), &contract)?;
    }
    let contract = Arc::new(contract.for_target(&profile));
    if args.duration.is_some() && args.cases.is_empty() {
        return Err("--for needs the cases that are to run again and again\n  expected: batchproof run --for TIME CASE".into());
    }
    let cases = cases(args)?;
    let waivers = args.waivers.as_deref().map(waiver::load).transpose()?.unwrap_or_default();
    if args.partition.is_some() && (args.seed.is_none() || args.run_id.is_none()) {
        return Err("--partition needs --seed and --run-id: all parts of a run share them".into());
    }
    let notes = notes_on_unknown_cases(&waivers, &cases)?;
    let run_id = match &args.run_id {
        Some(id) => checked_run_id(id)?,
        None => default_run_id(chrono::Utc::now()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(trial(args, contract, profile, cases, (waivers, notes), run_id))
}

fn cases(args: &RunArgs) -> Result<Vec<Case>, CommandError> {
    let mut cases: Vec<Case> = if args.cases.is_empty() {
        case::shipped()?.into_iter().filter(|c| !c.spec.only_when_named).collect()
    } else {
        case::load_paths(&args.cases, &variables(&args.variable))?
    };
    cases.retain(|case| {
        args.include.as_ref().is_none_or(|filter| filter.fits(case))
            && args.exclude.as_ref().is_none_or(|filter| !filter.fits(case))
    });
    if cases.is_empty() {
        return Err("--include and --exclude leave no case\n  expected: a term that fits one of `batchproof list`".into());
    }
    Ok(cases)
}

/// Notes on waivers that name a case which exists neither in this run nor in the suite: a misspelt one, or of another run.
fn notes_on_unknown_cases(waivers: &[Waiver], cases: &[Case]) -> Result<Vec<String>, CommandError> {
    if waivers.is_empty() {
        return Ok(Vec::new());
    }
    let shipped = case::shipped()?;
    let known = || shipped.iter().chain(cases).map(|c| c.id.as_str()).chain([RUN]);
    let unknown = waivers.iter().filter(|w| !known().any(|case| w.covers_case(case)));
    Ok(unknown
        .map(|waiver| {
            let case = waiver.case.as_deref().unwrap_or_default();
            let near = nearest(case, known())
                .map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
            format!(
                "{}: the waiver of {} names the case `{case}`, which does not exist{near}",
                waiver.at, waiver.rule
            )
        })
        .collect())
}

fn checked_run_id(id: &str) -> Result<String, CommandError> {
    let fine = (1..=24).contains(&id.len())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fine {
        Ok(id.to_owned())
    } else {
        Err(format!("--run-id {id}: unusable\n  expected: 1 to 24 letters, digits, `-` or `_`")
            .into())
    }
}

async fn trial(
    args: &RunArgs,
    contract: Arc<Contract>,
    profile: Profile,
    cases: Vec<Case>,
    (waivers, notes): (Vec<Waiver>, Vec<String>),
    run_id: String,
) -> Result<Option<Summary>, CommandError> {
    let shipped = cases.iter().any(|c| c.dir.is_none());
    let limits = profile.limits.clone();
    let connecting = Connecting {
        target: args.target.as_deref(),
        jobs: args.jobs.map(usize::from),
        sending: &args.sending,
        sends: !args.plan,
    };
    let (environment, server) = connecting.environment(contract, profile, &run_id).await?;
    let (environment, _control) = embedded::with_control(environment).await?;
    let against = target::against(args, &environment).await?;
    let selected = select(cases, &environment.generator)?;
    warn_of(&selected);
    let loopback = environment.sender.target.is_loopback();
    let jobs = args.jobs.map(usize::from).or(limits.jobs);
    let options = RunOptions {
        depth: args.depth.unwrap_or(Depth::Standard),
        seed: args.seed.unwrap_or_else(random_seed),
        run_id,
        run_id_given: args.run_id.is_some(),
        runs: args.runs,
        refusal_mode: args.refusal_mode,
        jobs: jobs.unwrap_or(if loopback { LOOPBACK_JOBS } else { POLITE_JOBS }),
        max_time: args.max_time,
        duration: args.duration,
        wait: args.sending.wait,
        max_findings: args.max_findings,
        strict: args.strict,
        partition: args.partition,
        report_dir: Some(args.report_dir.clone()),
        save_cases: args.export_cases.clone(),
        target: if server.is_some() {
            "embedded reference server".to_owned()
        } else {
            environment.sender.target.base.clone()
        },
        whole_suite: args.cases.is_empty() && args.include.is_none() && args.exclude.is_none(),
        preflight: shipped,
        verdicts_only: false,
        waivers,
        notes,
    };
    let planned = plan(&environment, &options, &selected);
    if args.plan {
        say(&plan_text(args, &environment, &options, &selected));
        return Ok(None);
    }
    let (executions, requests, items) = planned.totals();
    if limits.items.is_some_and(|max| items > max) {
        return Err(format!(
            "the run would send {} items, but the profile allows {}\n  hint: a smaller --depth or --runs, or fewer cases",
            number(items),
            number(limits.items.unwrap_or(0))
        )
        .into());
    }
    let har = har_file(args.har.as_deref(), &environment, &options.run_id)?;
    let estimate = Estimate::of(args, &environment, requests);
    let keys =
        if loopback { String::new() } else { format!(", keys start with {}-", options.run_id) };
    let what = amounts(executions, requests, items);
    // What a run that goes on for a time will send nobody knows beforehand.
    let what = if planned.endless { format!("each round {what}") } else { what };
    if !args.output.quiet {
        let _ = writeln!(
            std::io::stderr(),
            "{}: {what}{keys}{estimate}{}",
            options.target,
            beside(against.as_ref())
        );
    }
    if let Some(warning) = estimate.warning() {
        say_error(&warning);
    }
    end_on_signal(
        environment.cancellation.clone(),
        "ending the run and writing its reports",
        ", without reports",
    );
    let progress = Arc::new(ProgressDisplay::new(args.output.quiet));
    let display = Arc::clone(&progress);
    announce_pauses(&environment, move |text| display.line(text));
    let dir = args.report_dir.clone();
    let observer = Arc::clone(&progress) as Arc<_>;
    let running = run_against(environment, selected, options, observer, against);
    let RunReport { summary } = Box::pin(running).await?;
    progress.end();
    drop(server);
    if let Some(Err(error)) = har.as_ref().map(|har| har.finish()) {
        let path = args.har.as_deref().unwrap_or(Path::new("")).display();
        say_error(&format!("{path}: {error}: it does not hold all exchanges"));
    }
    report::write_all_with(&summary, &dir, args.output.junit())
        .map_err(|e| format!("{}: {e}\n  expected: a writable directory", dir.display()))?;
    print_summary(&summary, &args.output, &dir)?;
    if let Some(file) = &args.write_waivers {
        write_waivers(&summary, file, args.expires)?;
    }
    Ok(Some(summary))
}

/// Says what the files of cases allow, and may be a slip.
fn warn_of(selected: &[SelectedCase]) {
    for warning in selected.iter().flat_map(|case| &case.warnings) {
        let _ = writeln!(std::io::stderr(), "warning: {warning}");
    }
}

/// That a second target gets the same, where one does.
fn beside(against: Option<&Against>) -> String {
    let base = against.map(|against| &against.sender.target.base);
    base.map_or_else(String::new, |base| format!("; the same to {base}"))
}

/// Begins the log of all exchanges, where one was asked for.
fn har_file(
    path: Option<&Path>,
    environment: &Environment,
    run_id: &str,
) -> Result<Option<Arc<HarFile>>, CommandError> {
    let Some(path) = path else { return Ok(None) };
    let redactor = environment.sender.token().redactor(&environment.profile.secrets);
    let base = &environment.sender.target.base;
    let har = HarFile::create(path, redactor, (run_id, base.as_str(), environment.keys.prefix()))
        .map_err(|e| format!("--har {}: {e}\n  expected: a writable file", path.display()))?;
    let har = Arc::new(har);
    environment.sender.log_traffic(Arc::clone(&har) as Arc<_>);
    Ok(Some(har))
}

/// Prints a run in the form that was asked for.
pub(super) fn print_summary(
    summary: &Summary,
    output: &OutputArgs,
    dir: &Path,
) -> Result<(), CommandError> {
    let style = colored(output.color);
    let text = report::formatted(summary, output.format.into(), style, dir)?;
    if output.format != FormatName::Human {
        say(text.trim_end());
    } else if output.quiet {
        // The conclusion, and why: what stands before the first empty line.
        let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        say(&lines.join("\n"));
    } else {
        say(text.trim_end());
        if output.verbose {
            say(&format!("\n{}", report::terminal_cases(summary, style).trim_end()));
        }
    }
    Ok(())
}

/// Writes a baseline. A run that tested nothing has none: it would take nothing for everything.
fn write_waivers(summary: &Summary, file: &Path, expires: Day) -> Result<(), CommandError> {
    if summary.rules_tested().0 == 0 {
        say_error(&format!("{}: not written, because nothing was tested", file.display()));
        return Ok(());
    }
    let text = report::waiver::baseline(summary, expires);
    let unwritable =
        |e: std::io::Error| format!("{}: {e}\n  expected: a writable file", file.display());
    if let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).map_err(unwritable)?;
    }
    std::fs::write(file, text).map_err(unwritable)?;
    let _ = writeln!(
        std::io::stderr(),
        "waivers until {expires}: {0}; a later run accepts them with --waivers {0}",
        file.display()
    );
    Ok(())
}

/// How long a run takes at least, where that is known.
struct Estimate {
    /// Seconds, rounded up, and requests a second.
    paced: Option<(u64, f64)>,
    duration: Option<Duration>,
    max_time: Option<Duration>,
}

impl Estimate {
    fn of(args: &RunArgs, environment: &Environment, requests: u64) -> Estimate {
        let polite = (!environment.sender.target.is_loopback()).then_some(POLITE_RATE);
        let limit = args.sending.rate.or(environment.profile.limits.rate).map(|rate| rate.0);
        let paced = limit.or(polite).map(|rate| {
            let time = Duration::try_from_secs_f64(requests as f64 / rate).unwrap_or(Duration::MAX);
            (time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)), rate)
        });
        Estimate { paced, duration: args.duration, max_time: args.max_time }
    }

    /// What to say where `--max-time` ends the run before it can have ended by itself.
    fn warning(&self) -> Option<String> {
        let most = self.max_time?;
        let needed = match (self.duration, self.paced) {
            (Some(duration), _) => duration,
            (None, Some((seconds, _))) => Duration::from_secs(seconds),
            (None, None) => return None,
        };
        (most < needed).then(|| {
            format!(
                "warning: --max-time {} is shorter than the run takes ({}): it will be cut short, and exits with 3 \
                 unless it finds a problem",
                humantime::format_duration(most),
                rounded_up(needed.as_secs())
            )
        })
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.duration, self.paced) {
            (Some(duration), _) => {
                write!(f, ", round after round for {}", humantime::format_duration(duration))
            }
            (None, Some((seconds, rate))) => {
                write!(f, ", about {} at {rate}/s", rounded_up(seconds))
            }
            (None, None) => Ok(()),
        }
    }
}

/// Seconds, or minutes that are not fewer.
fn rounded_up(seconds: u64) -> String {
    if seconds > 60 { format!("{} min", seconds.div_ceil(60)) } else { format!("{seconds} s") }
}

fn plan_text(
    args: &RunArgs,
    environment: &Environment,
    options: &RunOptions,
    selected: &[SelectedCase],
) -> String {
    let planned = plan(environment, options, selected);
    let (executions, requests, items) = planned.totals();
    let mut builder = tabled::builder::Builder::default();
    builder.push_record(["case", "executions", "requests", "items", "kB"]);
    let kilobytes = |bytes: u64| number(bytes / 1024);
    for case in &planned.cases {
        builder.push_record([
            case.case.clone(),
            number(if planned.endless { case.runs.len().min(1) } else { case.runs.len() }),
            number(case.requests),
            number(case.items),
            kilobytes(case.bytes),
        ]);
    }
    if planned.preflight != Amount::default() && !planned.endless {
        let Amount { requests, items } = planned.preflight;
        builder.push_record(["(preflight)", "", &number(requests), &number(items), ""]);
    }
    let bytes: u64 = planned.cases.iter().map(|c| c.bytes).sum();
    builder.push_record([
        "total".to_owned(),
        number(executions),
        number(requests),
        number(items),
        kilobytes(bytes),
    ]);
    let mut table = builder.build();
    table.with(tabled::settings::Style::blank());
    let mut left = String::new();
    for (case, not) in not_run(environment, selected) {
        let _ = write!(left, "\nnot run: {case} ({})", not.why);
    }
    for (case, changes) in notes(selected) {
        let _ = write!(left, "\nnote: {case} ({})", changes.join("; "));
    }
    if !left.is_empty() {
        left.push('\n');
    }
    let estimate = Estimate::of(args, environment, requests);
    let warning = estimate.warning().map_or_else(String::new, |warning| format!("\n{warning}"));
    format!(
        "{table}\n{left}\ndepth {}, {}, seed {}, keys start with {}-{estimate}; nothing was sent{warning}",
        options.depth, options.target, options.seed, options.run_id,
    )
}

pub(super) fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish() % 1_000_000_007
}

/// Colour and width of standard output, as the user wants it.
pub(super) fn colored(when: ColorName) -> report::TerminalStyle {
    let colour = match when {
        ColorName::Auto => return style(),
        ColorName::Always => true,
        ColorName::Never => false,
    };
    report::TerminalStyle { colour, ..style() }
}

/// Colour and width of standard output.
pub(super) fn style() -> report::TerminalStyle {
    use std::io::IsTerminal;
    let terminal = std::io::stdout().is_terminal();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var("TERM").is_ok_and(|t| t == "dumb");
    report::TerminalStyle { colour: terminal && !refused, width: width() }
}

/// Columns of the terminal; 0 where there is none.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    columns.unwrap_or_else(|| {
        usize::from(console::Term::stdout().size_checked().map_or(0, |(_, w)| w))
    })
}
