//! `batchproof certify`: a run at depth deep and, if it passes, a signed certificate.

use std::path::Path;

use super::args::{CertifyArgs, FormatName, RunArgs};
use super::{CommandError, run, say, say_aside};
use crate::case::Depth;
use crate::certificate::{
    self, CertificateRefusal, CertificateSubject, FILE, PAGE, PrivateKey, public_file,
};
use crate::contract::FileError;
use crate::record::{self, NotTested, Summary};
use crate::report::counted;

pub fn certify(mut args: CertifyArgs) -> Result<u8, CommandError> {
    if let Some(file) = &args.new_key {
        let public = certificate::new_key(file)?;
        say(&format!(
            "{}: the private key, which signs; keep it secret\n{}.pub: the public key, for those who verify\nfingerprint {public}",
            file.display(),
            file.display()
        ));
        return Ok(0);
    }
    let Some(file) = args.key.clone() else {
        return Err("certify needs --key FILE, or --new-key FILE to make one".into());
    };
    // Before the run, so that an unreadable key costs no time.
    let key = PrivateKey::load(&file)?;
    only_the_whole_suite(&args.run)?;
    args.run.depth = Some(Depth::Deep);
    if let Some(text) = &args.challenge {
        args.run.seed = Some(certificate::challenge_seed(text));
    }
    let Some(summary) = run::summary(&args.run)? else { return Ok(0) };
    let refusals = certificate::refusals(&summary);
    if !refusals.is_empty() {
        return Ok(refused(&summary, &refusals, args.run.output.format));
    }
    let about = CertificateSubject {
        subject: args.subject,
        issuer: args.issuer,
        challenge: args.challenge,
        artifacts: args.artifact,
    };
    write_certificate(&args.run, about, &key, &file)?;
    Ok(summary.conclusion.exit())
}

/// A certificate is about all shipped cases, as deep as they go.
fn only_the_whole_suite(args: &RunArgs) -> Result<(), CommandError> {
    let choices = [
        (!args.cases.is_empty(), "cases named on the command line"),
        (args.depth.is_some_and(|d| d != Depth::Deep), "--depth other than deep"),
        (args.include.is_some() || args.exclude.is_some(), "--include or --exclude"),
        (args.runs.is_some(), "--runs"),
        (args.duration.is_some(), "--for"),
        (args.partition.is_some(), "--partition"),
        (args.max_findings.is_some(), "--max-findings"),
        (args.comparison.against.is_some(), "--against"),
    ];
    match choices.iter().find(|(chosen, _)| *chosen) {
        Some((_, what)) => Err(format!(
            "certify does not accept {what}\n  expected: all shipped cases at depth deep; use `batchproof run` for a selection"
        )
        .into()),
        None => Ok(()),
    }
}

/// Says why there is no certificate; the exit code, which is never that of success.
fn refused(summary: &Summary, refusals: &[CertificateRefusal], format: FormatName) -> u8 {
    let say = beside(format);
    say("\n  No certificate:");
    for line in refusal_lines(refusals) {
        say(&format!("    · {}", crate::report::visible(&line)));
    }
    match summary.conclusion.exit() {
        0 if refusals.iter().any(|r| r.against) => 1,
        0 => 3,
        code => code,
    }
}

/// Prints where it does not spoil what another program reads.
fn beside(format: FormatName) -> fn(&str) {
    if format == FormatName::Human { say } else { say_aside }
}

/// The reasons, one per line; rules that were not tested for the same reason are one.
fn refusal_lines(refusals: &[CertificateRefusal]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut untested: Vec<(&NotTested, Vec<&str>)> = Vec::new();
    for refusal in refusals {
        let Some((rule, why)) = &refusal.not_tested else {
            lines.push(refusal.why.clone());
            continue;
        };
        match untested.iter_mut().find(|(known, _)| *known == why) {
            Some((_, rules)) => rules.push(rule),
            None => untested.push((why, vec![rule])),
        }
    }
    lines.extend(untested.into_iter().map(|(why, rules)| {
        let count = counted(rules.len() as u64, "MUST rule");
        format!("{count} not tested, {why}: {}", rules.join(", "))
    }));
    lines
}

fn write_certificate(
    args: &RunArgs,
    about: CertificateSubject,
    key: &PrivateKey,
    file: &Path,
) -> Result<(), CommandError> {
    let dir = args.report_dir.as_path();
    // From the record, as a verifier will read it.
    let summary = Summary::from_events(&record::read(dir)?).ok_or_else(|| {
        FileError::new(dir.display().to_string(), "the record is empty")
            .expected("a record of a run")
    })?;
    let unwritable = |e: std::io::Error| -> CommandError {
        format!("{}: {e}\n  expected: a writable directory", dir.display()).into()
    };
    let certificate = certificate::sign(&summary, dir, about, key).map_err(unwritable)?;
    let statement = certificate.attestation()?.statement();
    std::fs::write(dir.join(PAGE), certificate::page(&certificate, &statement))
        .map_err(unwritable)?;
    std::fs::write(dir.join(FILE), certificate.text()?).map_err(unwritable)?;
    let public = public_file(file);
    let public =
        if public.exists() { public.display().to_string() } else { "PUBLIC-KEY".to_owned() };
    beside(args.output.format)(&format!(
        "\n  Certificate: {} (to print: {PAGE}), signed with the key {}\n    batchproof verify {} --key {public}",
        dir.join(FILE).display(),
        key.public(),
        dir.join(FILE).display()
    ));
    Ok(())
}
