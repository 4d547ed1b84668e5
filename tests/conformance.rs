//! The suite under Cargo: one trial a case file, against the embedded reference server or `BATCHPROOF_TARGET`.
//!
//! `BATCHPROOF_TOKEN`, `BATCHPROOF_PROFILE` and `BATCHPROOF_DEPTH` say what a target needs. Nothing is started
//! before the first trial runs, so that listing the trials costs nothing.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

use batchproof::case::{self, Case, Depth};
use batchproof::contract::AuthScheme;
use batchproof::contract::{Contract, Level, Profile, RefusalMode};
use batchproof::embedded;
use batchproof::execution::select;
use batchproof::generate::default_run_id;
use batchproof::record::{Conclusion, RuleOutcome, Summary};
use batchproof::run;
use batchproof::send::{Pace, SendOptions, Sender, Target, Token, TokenSource};
use batchproof::server::RunningServer;
use batchproof::session::{Environment, NoObserver, RunOptions};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::runtime::Runtime;

type Failure = Box<dyn Error + Send + Sync>;

/// What all trials share.
struct Site {
    runtime: Runtime,
    environment: Arc<Environment>,
    run_id: String,
    target: String,
    _server: Option<RunningServer>,
}

static SITE: LazyLock<Result<Site, String>> = LazyLock::new(|| site().map_err(|e| e.to_string()));

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = case::shipped()
        .expect("shipped cases are readable")
        .into_iter()
        .filter(|case| !case.spec.only_when_named)
        .map(|case| {
            Trial::ignorable_test(case.id.clone(), move || held(case).map_err(Failed::from))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn site() -> Result<Site, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let contract = Contract::shipped()?;
    let profile = match set("BATCHPROOF_PROFILE") {
        Some(path) => Profile::load(Path::new(&path), &contract)?,
        None => Profile::default(),
    };
    let contract = Arc::new(contract.for_target(&profile));
    let run_id = default_run_id(chrono::Utc::now());
    let options = SendOptions::default();
    let Some(url) = set("BATCHPROOF_TARGET") else {
        let started = runtime.block_on(embedded::start(
            contract,
            profile,
            RefusalMode::Request,
            Vec::new(),
            options,
            &run_id,
        ))?;
        return Ok(Site {
            runtime,
            environment: started.environment,
            run_id,
            target: "embedded reference server".to_owned(),
            _server: Some(started.server),
        });
    };
    let target = Target::parse(&url, &contract.operation.path)?;
    let source = match set("BATCHPROOF_TOKEN") {
        Some(token) if profile.auth != AuthScheme::None => TokenSource::Given(token.into()),
        _ => TokenSource::None,
    };
    let token = Arc::new(Token::read(source, profile.credential_scheme(&contract))?);
    let polite = (!target.is_loopback()).then_some(20.0);
    let pace = Pace::new(profile.limits.rate.map(|rate| rate.0).or(polite));
    let name = target.base.clone();
    let sender = {
        let _inside = runtime.enter();
        Sender::new(target, options, token, &profile, pace)?
    };
    let environment = Arc::new(Environment::new(contract, profile, sender, &run_id)?);
    Ok(Site { runtime, environment, run_id, target: name, _server: None })
}

fn depth() -> Result<Depth, String> {
    match set("BATCHPROOF_DEPTH").as_deref() {
        None | Some("standard") => Ok(Depth::Standard),
        Some("quick") => Ok(Depth::Quick),
        Some("deep") => Ok(Depth::Deep),
        Some(other) => {
            Err(format!("BATCHPROOF_DEPTH is {other}: expected quick, standard or deep"))
        }
    }
}

/// One case, run and judged.
fn held(case: Case) -> Result<Completion, Failure> {
    let site = SITE.as_ref().map_err(String::as_str)?;
    let asserts = case.spec.asserts.as_ref().map(|named| named.name.clone());
    let depth = depth()?;
    if case.runs(depth) == 0 {
        return Ok(Completion::ignored_with(format!("it has no run at depth {depth}")));
    }
    let selected = select(vec![case], &site.environment.generator)?;
    if let Some(reason) = selected.iter().find_map(|s| s.not_applicable.clone()) {
        return Ok(Completion::ignored_with(reason));
    }
    if let Some(not_run) = run::not_run(&site.environment, &selected).into_values().next() {
        return Ok(Completion::ignored_with(not_run.why));
    }
    if let Some(reason) =
        asserts.as_ref().and_then(|rule| site.environment.profile.skip_reason(rule))
    {
        return Ok(Completion::ignored_with(reason));
    }
    let options = RunOptions {
        jobs: site.environment.profile.limits.jobs.unwrap_or(4),
        target: site.target.clone(),
        whole_suite: false,
        ..RunOptions::new(depth, 1, site.run_id.clone())
    };
    let environment = Arc::clone(&site.environment);
    let report =
        site.runtime.block_on(run::run(environment, selected, options, Arc::new(NoObserver)))?;
    let told = told(&report.summary);
    if report.summary.conclusion != Conclusion::Conformant {
        return Err(told.into());
    }
    // A SHOULD finding is reported, and fails nothing.
    eprint!("{told}");
    let unjudged = asserts.filter(|id| {
        report
            .summary
            .rules
            .iter()
            .any(|rule| &rule.rule.id == id && rule.outcome == RuleOutcome::NotApplicable)
    });
    Ok(match unjudged {
        Some(rule) => Completion::ignored_with(format!("{rule} had nothing to judge here")),
        None => Completion::Completed,
    })
}

/// What was found, as a reader of the test's output wants it.
fn told(summary: &Summary) -> String {
    let mut text = String::new();
    if summary.conclusion != Conclusion::Conformant {
        let _ = writeln!(
            text,
            "{}: {}",
            summary.conclusion,
            summary.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        );
    }
    for level in [Level::Must, Level::Should] {
        for (finding, _) in summary.confirmed(level) {
            let _ =
                writeln!(text, "{} ({level}), {}: {}", finding.rule, finding.case, finding.message);
        }
    }
    if let Some(advice) = summary.tail.as_ref().and_then(|t| t.advice.as_ref()) {
        let _ = writeln!(text, "{advice}");
    }
    text
}
