//! CASE: what a user's own case expects without naming a rule. No part of a certificate.

use crate::contract::Level;
use crate::rule::{Check, Rule};

pub(super) const RULES: &[Rule] = &[Rule {
    id: "CASE-001",
    level: Level::Must,
    title: "What a user's own case expects is met",
    cite: "the case file, with its line",
    doc: "A case that pins a status, a header, a result or a value without `asserts:` is judged under this \
          rule. It says nothing about the specification, so certificates leave it out.",
    example: include_str!("examples/CASE-001.txt"),
    needs: &[],
    check: Check::Asserted,
    ..Rule::BASE
}];
