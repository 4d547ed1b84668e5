//! Nobody is accused wrongly: an independent server, written by hand from the specification, is judged clean
//! in both refusal modes, whatever other legitimate choices it makes.
//!
//! One trial a choice and refusal mode; `BATCHPROOF_SEEDS=20` repeats each with this number of seeds.

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
    trials.push(Trial::test("null-is-invalid", null_is_invalid));
    trials.push(Trial::test("batch-limit-20", small_limit));
    trials.push(Trial::test("errors-without-verdict", errors_without_verdict));
    for refusal_mode in ["request", "item"] {
        let label = format!("registered-accounts/{refusal_mode}");
        trials.push(Trial::test(label, move || registered_accounts(refusal_mode)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn clean(name: &str, refusal_mode: &str) -> Result<(), Failed> {
    for seed in seeds() {
        // A quick run sends other batches than a standard one.
        for depth in [Depth::Quick, Depth::Standard] {
            let asked = Asked { depth, ..Asked::new(name) };
            let summary = judge_cases(asked, refusal_mode, seed, |c| !c.spec.only_when_named)?;
            if summary.conclusion != Conclusion::Conformant || !summary.findings.is_empty() {
                return Err(format!("{depth}, {}", told(&summary, seed)).into());
            }
        }
    }
    Ok(())
}

/// Cases that run only when they are named, and runs that are enough to have them judged as soaks are.
const SOAKS: [(&str, u64); 2] = [("soak/ten-items", 3_000), ("giant/million-items", 1)];

fn soak(case: &str, runs: u64, refusal_mode: &str) -> Result<(), Failed> {
    let wanted = |c: &Case| c.id == case;
    let asked = Asked { runs: Some(runs), ..Asked::new("as it is") };
    let summary = judge_cases(asked, refusal_mode, 1, wanted)?;
    if summary.conclusion != Conclusion::Conformant || !summary.findings.is_empty() {
        return Err(told(&summary, 1).into());
    }
    Ok(())
}

/// Each choice that deserves SHOULD findings, a refusal mode in which it shows, and the one rule under which it has
/// them: one setting is one thing to change.
const EARNED: [(&str, &str, Option<&str>); 15] = [
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
    ("twice-in-a-batch-refused", "request", Some("UNIQUE-007")),
    ("chunked-taken-for-empty", "item", Some("HTTP-016")),
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

/// What a gateway answers now and then proves nothing (INTERPRETATION-07): it is reported, and no more.
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

/// Shipped cases that do not apply where a profile fixes accounts, classifiers and amounts, and names no other tenant;
/// the document demands no second API key, and the contract has neither a second unique key nor a read.
const NOT_RUN: [&str; 36] = [
    "accept/numbers",
    "auth/without-the-further-key",
    "echo/alike",
    "echo/alike-in-a-second-field",
    "echo/alike-or-like-another-type",
    "echo/equal-fields",
    "race/other-key",
    "race/same-key-returned",
    "refuse/other-keywords",
    "robust/lines",
    "store/accepted",
    "store/chunked",
    "store/large",
    "store/larger",
    "store/not-accepted",
    "store/not-accepted-in-a-large-batch",
    "store/simultaneous",
    "store/twice-in-one-batch",
    "store/used-key",
    "store/without-credentials",
    "tenant/keys",
    "unique/every-kind-of-item-at-once",
    "unique/like-another-field",
    "unique/look-alikes-returned",
    "unique/other-content-returned",
    "unique/other-key-in-another-letter-case",
    "unique/other-key-of-a-refused-request",
    "unique/other-key-of-a-rejected-item",
    "unique/other-key-twice-in-one-batch",
    "unique/other-key-used-again",
    "unique/other-key-with-other-fields",
    "unique/repeated-in-a-large-batch",
    "unique/repeated-item",
    "unique/used-again",
    "unique/used-again-broken",
    "unique/with-an-empty-text",
];

/// No request that must be accepted leaves the profile, whatever the cases write out.
fn registered_accounts(refusal_mode: &str) -> Result<(), Failed> {
    let accounts: Vec<String> = (0..50).map(|n| format!("ACC-{n:02}")).collect();
    let text = format!(
        "values:\n  accountExtId: [{}]\n  businessUnit: [RETAIL, TREASURY]\n  balanceType: [CLOSING, OPENING]\n  \
         requester: [core-banking, ledger]\n  value: {{ min: 0, max: 1000000 }}\n  \
         equivalentValue: {{ min: 0, max: 1000000 }}\nrequired: [businessUnit]\nerror-codes:\n  \
         B017: {{ means: unknown, cause: invalid }}\n  \
         B018: {{ means: no business unit, cause: missing, field: businessUnit }}\n",
        accounts.join(", ")
    );
    let profile = profile(&text)?;
    for seed in seeds() {
        let wanted = |c: &Case| !c.spec.only_when_named;
        let asked = Asked { profile: profile.clone(), ..Asked::new("registered-accounts") };
        let summary = judge_cases(asked, refusal_mode, seed, wanted)?;
        let not_run: Vec<&str> = summary.head.not_run.keys().map(String::as_str).collect();
        let clean = summary.conclusion == Conclusion::Conformant && summary.findings.is_empty();
        if !clean || not_run != NOT_RUN {
            return Err(format!("{}\nnot run: {not_run:?}", told(&summary, seed)).into());
        }
        if !summary.head.notes.contains_key("spec/mandatory-fields-example") {
            return Err(format!("not reported: {:?}", summary.head.notes).into());
        }
    }
    Ok(())
}

/// A profile of the shipped contract from its text.
fn profile(text: &str) -> Result<Profile, Failed> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("profile.yaml");
    std::fs::write(&file, text)?;
    Ok(Profile::load(&file, &Contract::shipped()?)?)
}

/// Whether nothing is wrong but that these SHOULD rules have findings.
fn only(summary: &Summary, rules: &[&str]) -> Result<(), Failed> {
    let found: BTreeSet<&str> = summary.findings.iter().map(|(f, _)| f.rule.as_str()).collect();
    let expected = rules.iter().copied().collect::<BTreeSet<&str>>();
    if summary.conclusion != Conclusion::Conformant || found != expected {
        return Err(told(summary, 1).into());
    }
    Ok(())
}

/// A service may call null in a mandatory field invalid: that is reported, and no more.
fn null_is_invalid() -> Result<(), Failed> {
    let profile = profile("error-codes: { B001: { means: not valid, cause: invalid } }\n")?;
    let asked = Asked { profile, ..Asked::new("null-is-invalid") };
    only(&judge_cases(asked, "item", 1, |c| !c.spec.only_when_named)?, &["CODE-008"])
}

/// From a tenth of the documented size a batch may be too large, whatever its framing.
fn small_limit() -> Result<(), Failed> {
    let asked = Asked { batch_items: Some(200), ..Asked::new("batch-limit-20") };
    only(&judge_cases(asked, "request", 1, |c| !c.spec.only_when_named)?, &["ACCEPT-005"])
}

/// A 400 that says nothing of acceptance has judged the rule that none may: a certificate does not wait for it.
fn errors_without_verdict() -> Result<(), Failed> {
    let summary = judge("framework-400,bare-400", "request", 1)?;
    only(&summary, &["CODE-006"])?;
    let unjudged: Vec<&str> = summary
        .rules
        .iter()
        // The rule about what case files of users expect has no case here.
        .filter(|r| r.rule.id != "CASE-001")
        .filter(|r| r.rule.level == Level::Must && r.not_tested().is_some())
        .map(|r| r.rule.id.as_str())
        .collect();
    // They need lost answers, keys that may be used again, further unique keys, a read, or a second tenant.
    let lacking = [
        "STATUS-004",
        "UNIQUE-008",
        "UNIQUE-009",
        "UNIQUE-015",
        "UNIQUE-011",
        "UNIQUE-012",
        "UNIQUE-014",
        "RACE-004",
        "STORE-001",
        "STORE-002",
        "TENANT-001",
    ];
    if unjudged != lacking {
        return Err(format!("not tested: {unjudged:?}").into());
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
    judge_cases(Asked::new(name), refusal_mode, seed, |c| !c.spec.only_when_named)
}

/// What is asked of a server.
struct Asked<'a> {
    /// The choice that it makes.
    name: &'a str,
    /// What it is known to accept.
    profile: Profile,
    /// Executions of each case, instead of its own.
    runs: Option<u64>,
    /// How much is sent.
    depth: Depth,
    /// The batch size that the contract documents, instead of its own.
    batch_items: Option<usize>,
}

impl Asked<'_> {
    fn new(name: &str) -> Asked<'_> {
        Asked {
            name,
            profile: Profile::default(),
            runs: None,
            depth: Depth::Standard,
            batch_items: None,
        }
    }
}

fn judge_cases(
    asked: Asked<'_>,
    refusal_mode: &str,
    seed: u64,
    wanted: impl Fn(&Case) -> bool,
) -> Result<Summary, Failed> {
    let Asked { name, profile, runs, depth, batch_items } = asked;
    let mut words: Vec<&str> = Vec::new();
    if refusal_mode == "item" {
        words.push("refusal-mode-item");
    }
    if name != "as it is" {
        words.extend(name.split(','));
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
        let mut contract = Contract::shipped()?.for_target(&profile);
        contract.batch.limits.batch_items =
            batch_items.unwrap_or(contract.batch.limits.batch_items);
        let contract = Arc::new(contract);
        let target = Target::parse(&url, &contract.operation.path)?;
        let source = TokenSource::Given(SecretString::from("test-token".to_owned()));
        let token = Arc::new(Token::read(source, profile.credential_scheme(&contract))?);
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
            ..RunOptions::new(depth, seed, "bptest-clean")
        };
        let report = Box::pin(run(environment, selected, options, Arc::new(NoObserver))).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(report.summary)
    })?;
    drop(running);
    Ok(summary)
}
