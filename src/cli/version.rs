//! `--version`: the version, and the hashes of what it judges by. `-V` prints the version alone.

use super::CommandError;
use super::say;
use crate::case;
use crate::check::rules;
use crate::contract::Contract;

/// Prints what reports state as `suite`: version, specification, cases.
pub fn print() -> Result<u8, CommandError> {
    let contract = Contract::shipped()?;
    let shipped = case::shipped()?;
    let cases: Vec<&case::Case> = shipped.iter().filter(|c| !c.spec.only_when_named).collect();
    say(&format!("batchproof {}", env!("CARGO_PKG_VERSION")));
    say(&format!("specification  sha256:{}  {}", contract.hash, contract.batch.title));
    let hash = case::hash_of_cases(cases.iter().copied());
    say(&format!(
        "suite          sha256:{hash}  {} cases, {} rules",
        cases.len(),
        rules::all().iter().filter(|rule| rules::is_of_suite(rule.id)).count()
    ));
    Ok(0)
}
