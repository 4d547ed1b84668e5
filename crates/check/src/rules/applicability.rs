//! Which rules a contract leaves nothing to judge for, and why.
//!
//! It knows rules by their ids and families, and must not know what they look at.

use crate::contract::Contract;
use crate::contract::shape::{Again, BatchMode, KeyScope};
use crate::contract::unique_key::FurtherKey;

/// Rules about what becomes of a key after a request.
const LATER_KEYS: [&str; 5] = ["ATOM-001", "ATOM-002", "ATOM-004", "ATOM-005", "RACE-001"];

/// Rules about unique keys beside the first one.
const FURTHER_KEYS: [&str; 5] =
    ["UNIQUE-011", "UNIQUE-012", "UNIQUE-013", "UNIQUE-014", "RACE-004"];

/// Why a rule can't apply under a contract, where it can't.
#[must_use]
pub fn why_not(contract: &Contract, rule: &str) -> Option<&'static str> {
    let batch = &contract.batch;
    if FURTHER_KEYS.contains(&rule) {
        return why_no_further_key(contract, rule);
    }
    let family = crate::rule::family_of(rule);
    if family == "UNIQUE" || LATER_KEYS.contains(&rule) {
        let why = why_no_key(contract, rule);
        if why.is_some() {
            return why;
        }
    }
    if family == "STORE" && contract.read.is_none() {
        return Some("the contract names no request that shows one item (read)");
    }
    match rule {
        "CODE-001" | "CODE-003" | "CODE-004" | "CODE-008" | "CODE-010" if !batch.error.has_code => {
            return Some("the contract names no error code");
        }
        "CODE-002" if !batch.error.has_code && !batch.error.has_description => {
            return Some("the contract names neither an error code nor a description");
        }
        "CODE-004" if batch.codes.is_empty() => return Some("the contract lists no error codes"),
        "CODE-005" if !batch.error.has_description => {
            return Some("the contract names no error description");
        }
        "ECHO-001" if !batch.echoes_key() => {
            return Some("results do not repeat the unique key");
        }
        "ECHO-002" | "ECHO-003" | "RACE-002" if batch.echo.is_empty() => {
            return Some("results repeat nothing of their items");
        }
        "ORDER-002" | "ORDER-003" if batch.echo.is_empty() => {
            return Some("results repeat nothing of their items");
        }
        "SCHEMA-005" | "TIME-001"
            if batch.elapsed.item.is_none() && batch.elapsed.total.is_none() =>
        {
            return Some("the contract names no elapsed times");
        }
        "TIME-002" if batch.elapsed.item.is_none() || batch.elapsed.total.is_none() => {
            return Some("the contract names no elapsed times of items and answers");
        }
        "TIME-003" if batch.elapsed.total.is_none() => {
            return Some("the contract names no elapsed time of answers");
        }
        _ => {}
    }
    let shape = contract.shape.as_ref()?;
    match rule {
        "ORDER-002" | "ORDER-003" if !shape.is_ordered() => {
            Some("results may be in any order: they are matched by what they say")
        }
        "CODE-006" if !shape.refusal_demands_code() => {
            Some("the contract names no error code of a refused request")
        }
        "CODE-007" | "CODE-009" => Some("a refused request has no verdict in this contract"),
        "ATOM-003" if shape.mode == BatchMode::Whole => {
            Some("a batch is accepted as a whole or not at all")
        }
        _ => None,
    }
}

fn why_no_further_key(contract: &Contract, rule: &str) -> Option<&'static str> {
    let further = &contract.batch.further;
    if further.is_empty() {
        return Some("items have no further unique key");
    }
    if further.iter().all(|key| key.again == Again::Free) && rule != "UNIQUE-012" {
        return Some("the further keys may be used again");
    }
    let mode = contract.shape.as_ref().map(|shape| shape.mode).unwrap_or_default();
    let stays_used = further.iter().any(FurtherKey::stays_used);
    let rejects = further.iter().any(|key| key.again == Again::Rejected && key.stays_used());
    match rule {
        "RACE-004" | "UNIQUE-013" | "UNIQUE-014" if !stays_used => {
            Some("the further keys may be used again in another request")
        }
        "UNIQUE-013" if mode == BatchMode::Whole => {
            Some("a batch is accepted as a whole or not at all")
        }
        "UNIQUE-014" if mode == BatchMode::Whole || !rejects => {
            Some("a used further key refuses the whole request")
        }
        _ => None,
    }
}

fn why_no_key(contract: &Contract, rule: &str) -> Option<&'static str> {
    if !contract.batch.has_key() {
        return Some("items have no unique key");
    }
    let (again, within) =
        contract.shape.as_ref().map(|shape| (shape.again, shape.within)).unwrap_or_default();
    match rule {
        "UNIQUE-008" => {
            let may = matches!(again, Again::Replaced | Again::Free) || within == KeyScope::Request;
            return (!may).then_some("the contract lets no key be used again");
        }
        "UNIQUE-009" | "UNIQUE-010" | "UNIQUE-015" => {
            let why = "a used key does not get the answer of its first use in this contract";
            return (again != Again::Returned).then_some(why);
        }
        _ => {}
    }
    let shape = contract.shape.as_ref()?;
    match shape.again {
        Again::Replaced => return Some("a used key replaces what was stored before"),
        Again::Returned => return Some("a used key gets the answer that its first use got"),
        Again::Free => return Some("a key may be used again"),
        Again::Refused | Again::Rejected => {}
    }
    if shape.within == KeyScope::Request && (LATER_KEYS.contains(&rule) || rule == "UNIQUE-002") {
        return Some("a key may be used again in another request");
    }
    let refuses = shape.again == Again::Refused || shape.mode == BatchMode::Whole;
    if refuses && ["UNIQUE-002", "UNIQUE-004", "UNIQUE-006", "UNIQUE-007"].contains(&rule) {
        return Some("a used key refuses the whole request");
    }
    None
}
