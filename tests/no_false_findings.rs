//! Nobody is accused wrongly: an independent server, written by hand from the specification, is judged clean
//! in both refusal modes, whatever other legitimate choices it makes.
//!
//! One trial a choice and refusal mode; `BATCHPROOF_SEEDS=20` repeats each with so many seeds.

mod independent;

use std::collections::BTreeSet;
use std::sync::Arc;

use batchproof::case::{self, Case, Depth};
use batchproof::contract::{Contract, Level, Profile};
use batchproof::execution::select;
use batchproof::record::{Conclusion, Summary};
use batchproof::run::run;
use batchproof::send::{Pace, SendOptions, Sender, Target, Token, TokenSource};
use batchproof::session::{Environment, NoObserver, RunOptions};
use libtest_mimic::{Arguments, Failed, Trial};
use secrecy::SecretString;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let plain = [("as it is", "")];
    let all = plain.iter().chain(independent::ALL.iter().map(|pair| pair as &(&str, &str)));
    for (name, _) in all {
        for refusal_mode in ["request", "item"] {
            let label = format!("clean/{name}/{refusal_mode}");
            let name = (*name).to_owned();
            trials.push(Trial::test(label, move || clean(&name, refusal_mode)));
        }
    }
    for refusal_mode in ["request", "item"] {
        for (case, runs) in SOAKS {
            let label = format!("clean/{case}/{refusal_mode}");
            trials.push(Trial::test(label, move || soak(case, runs, refusal_mode)));
        }
    }
    for (name, _) in independent::SHOULD {
        let label = format!("should-at-most/{name}");
        let name = (*name).to_owned();
        trials.push(Trial::test(label, move || should_at_most(&name)));
    }
    for (name, _) in independent::UNRELIABLE {
        for refusal_mode in ["request", "item"] {
            let label = format!("nothing-that-counts/{name}/{refusal_mode}");
            let name = (*name).to_owned();
            trials.push(Trial::test(label, move || nothing_that_counts(&name, refusal_mode)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn clean(name: &str, refusal_mode: &str) -> Result<(), Failed> {
    for seed in seeds() {
        let summary = judge(name, refusal_mode, seed)?;
        if summary.conclusion != Conclusion::Conformant || !summary.findings.is_empty() {
            return Err(told(&summary, seed).into());
        }
    }
    Ok(())
}

/// Cases that run only when they are named, and runs that are enough to have them judged as soaks are.
const SOAKS: [(&str, u64); 2] = [("soak/ten-items", 3_000), ("giant/million-items", 1)];

fn soak(case: &str, runs: u64, refusal_mode: &str) -> Result<(), Failed> {
    let wanted = |c: &Case| c.id == case;
    let summary = judge_cases("as it is", refusal_mode, 1, wanted, Some(runs))?;
    if summary.conclusion != Conclusion::Conformant || !summary.findings.is_empty() {
        return Err(told(&summary, 1).into());
    }
    Ok(())
}

/// Each choice that deserves SHOULD findings, a refusal mode in which it shows, and the one rule under which it has
/// them: one setting is one thing to change.
const EARNED: [(&str, &str, Option<&str>); 13] = [
    ("text-after-accepted", "request", Some("REFUSE-007")),
    ("scalars-coerced", "request", Some("REFUSE-008")),
    ("empty-batch-400", "request", Some("ACCEPT-004")),
    ("no-descriptions", "request", Some("CODE-005")),
    ("no-elapsed", "request", Some("SCHEMA-005")),
    ("no-www-authenticate", "request", Some("AUTH-004")),
    ("undocumented-code", "request", Some("CODE-004")),
    ("bare-400", "request", Some("CODE-006")),
    ("controls-refused", "request", Some("ACCEPT-003")),
    ("no-offset-accepted", "request", Some("REFUSE-009")),
    ("rejected-numbers-stay", "item", Some("ATOM-002")),
    ("body-limit-1m", "request", None),
    ("body-limit-100k", "request", Some("ACCEPT-005")),
];

fn should_at_most(name: &str) -> Result<(), Failed> {
    let earned = EARNED.iter().find(|(known, ..)| *known == name);
    let (_, refusal_mode, rule) = earned.ok_or("it stands in no line of EARNED")?;
    for seed in seeds() {
        let summary = judge(name, refusal_mode, seed)?;
        let must = summary.findings.iter().any(|(f, _)| f.level == Level::Must);
        let confirmed = summary.findings.iter().filter(|(_, update)| update.confirmed);
        let rules: BTreeSet<&str> = confirmed.map(|(f, _)| f.rule.as_str()).collect();
        let as_earned = rules == rule.iter().copied().collect();
        if summary.conclusion != Conclusion::Conformant || must || !as_earned {
            return Err(told(&summary, seed).into());
        }
    }
    Ok(())
}

/// What a gateway answers now and then proves nothing (INTERPRETATION-07): it is told, and no more.
fn nothing_that_counts(name: &str, refusal_mode: &str) -> Result<(), Failed> {
    for seed in seeds() {
        let summary = judge(name, refusal_mode, seed)?;
        let seen = summary.tally.statuses.keys().any(|status| matches!(status, 502 | 504));
        let counts = summary.findings.iter().any(|(_, update)| update.confirmed);
        if !seen || summary.conclusion != Conclusion::Conformant || counts {
            return Err(told(&summary, seed).into());
        }
    }
    Ok(())
}

fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("BATCHPROOF_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    1..1 + count
}

fn told(summary: &Summary, seed: u64) -> String {
    let findings: Vec<String> = summary
        .findings
        .iter()
        .map(|(f, u)| {
            format!("{} {} in {}: {} ({} times)", f.level, f.rule, f.case, f.message, u.count)
        })
        .collect();
    format!("seed {seed}: {} {:?}\n{}", summary.conclusion, summary.reasons, findings.join("\n"))
}

fn judge(name: &str, refusal_mode: &str, seed: u64) -> Result<Summary, Failed> {
    judge_cases(name, refusal_mode, seed, |c| !c.spec.only_when_named, None)
}

fn judge_cases(
    name: &str,
    refusal_mode: &str,
    seed: u64,
    wanted: impl Fn(&Case) -> bool,
    runs: Option<u64>,
) -> Result<Summary, Failed> {
    let mut words: Vec<&str> = Vec::new();
    if refusal_mode == "item" {
        words.push("refusal-mode-item");
    }
    if name != "as it is" {
        words.push(name);
    }
    let choices = independent::Choices::parse(words)?;
    let running = independent::start_in_background(independent::Config {
        choices,
        ..independent::Config::default()
    })?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let url = running.url().clone();
    let summary = runtime.block_on(async move {
        let contract = Arc::new(Contract::shipped()?);
        let profile = Profile::default();
        let target = Target::parse(&url, &contract.operation.path)?;
        let source = TokenSource::Given(SecretString::from("test-token".to_owned()));
        let token = Arc::new(Token::read(source, profile.auth)?);
        let sender = Sender::new(target, SendOptions::default(), token, &profile, Pace::new(None))?;
        let environment = Arc::new(Environment::new(contract, profile, sender, "bptest-clean")?);
        let cases = case::shipped()?.into_iter().filter(wanted).collect();
        let selected = select(cases, &environment.generator)?;
        let options = RunOptions {
            runs,
            jobs: 16,
            target: "independent server".to_owned(),
            whole_suite: runs.is_none(),
            verdicts_only: true,
            ..RunOptions::new(Depth::Standard, seed, "bptest-clean")
        };
        let report = run(environment, selected, options, Arc::new(NoObserver)).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(report.summary)
    })?;
    drop(running);
    Ok(summary)
}
