//! `batchproof verify`: checks a certificate offline.

use std::path::Path;

use super::args::VerifyArgs;
use super::{CommandError, say};
use crate::certificate::{self, EVIDENCE, FILE, PublicKey};
use crate::report::visible;

pub fn verify(args: &VerifyArgs) -> Result<u8, CommandError> {
    let key = PublicKey::load(&args.key)?;
    let file = if args.certificate.is_dir() {
        args.certificate.join(FILE)
    } else {
        args.certificate.clone()
    };
    let bytes = std::fs::read(&file).map_err(|e| {
        format!("{}: {e}\n  expected: a {FILE}, or the directory that holds it", file.display())
    })?;
    let dir = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut verified = certificate::verify(&bytes, dir, &key);
    if let (Some(statement), Some(expected)) = (&verified.statement, &args.challenge)
        && let Some(mismatch) = statement.challenge_mismatch(Some(expected))
        && !verified.mismatches.contains(&mismatch)
    {
        verified.mismatches.push(mismatch);
    }
    if let (Some(statement), []) = (&verified.statement, verified.mismatches.as_slice()) {
        let subject = statement.about.subject.as_deref().unwrap_or(&statement.target);
        say(&visible(&format!("✓ {}: {}, {}", file.display(), subject, statement.conclusion)));
        say(&visible(&format!(
            "  {} against {}, {} to {}",
            statement.specification.endpoint,
            statement.target,
            statement.started,
            statement.finished
        )));
        if let Some(text) = &statement.about.challenge {
            say(&visible(&format!(
                "  the seed {} answers the challenge {text:?}",
                statement.configuration.seed
            )));
        }
        say(&format!("  signed with the key {key}; {} match", EVIDENCE.join(" and ")));
        return Ok(0);
    }
    say(&visible(&format!("✗ {} is not valid:", file.display())));
    for mismatch in &verified.mismatches {
        say(&format!("  · {}", visible(mismatch)));
    }
    Ok(1)
}
