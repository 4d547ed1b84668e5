//! What is signed: an in-toto Statement v1 with a `test-result` predicate, made from the statement of a run.
//!
//! It must not know how it is signed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::statement::Statement;
use crate::record::{Conclusion, RuleOutcome};

/// in-toto Statement v1.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The predicate, as in-toto's attestation framework publishes it.
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// An in-toto Statement v1 about the test of a target.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "batchproof certificate: the payload")]
pub struct Attestation {
    /// `https://in-toto.io/Statement/v1`.
    #[serde(rename = "_type")]
    pub kind: String,
    /// The artifacts that `--artifact` names, then the files that the certificate rests on.
    pub subject: Vec<ResourceDescriptor>,
    /// `https://in-toto.io/attestation/test-result/v0.1`.
    pub predicate_type: String,
    /// The result of the test.
    pub predicate: TestResult,
}

/// A resource, as in-toto describes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceDescriptor {
    /// Its name.
    pub name: String,
    /// Its digests, in hexadecimal, by algorithm.
    pub digest: BTreeMap<String, String>,
}

/// in-toto's `test-result` predicate, v0.1.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// `PASSED`; `WARNED` where a rule in `warnedTests` was broken; `FAILED`, for which no certificate is issued.
    pub result: String,
    /// Specification, cases and profile, with their digests.
    pub configuration: Vec<ResourceDescriptor>,
    /// Rules that were tested and held.
    pub passed_tests: Vec<String>,
    /// Rules that were broken without preventing a certificate: SHOULD, waived or unconfirmed.
    pub warned_tests: Vec<String>,
    /// MUST rules that failed: none.
    pub failed_tests: Vec<String>,
    /// What only batchproof states.
    pub batchproof: Statement,
}

impl Attestation {
    /// The attestation of what a run showed.
    #[must_use]
    pub fn new(statement: Statement) -> Attestation {
        let artifacts = statement.about.artifacts.iter().map(|a| resource(&a.name, &a.sha256));
        let evidence = statement.evidence.iter().map(|e| resource(&e.file, &e.sha256));
        let rules = |fits: fn(RuleOutcome) -> bool| -> Vec<String> {
            let fitting = statement.rules.iter().filter(|(_, outcome)| fits(**outcome));
            fitting.map(|(id, _)| id.clone()).collect()
        };
        let must_failed = |id: &String| {
            let confirmed = statement.findings.iter().filter(|f| f.state == "confirmed");
            confirmed.filter(|f| f.level == crate::contract::Level::Must).any(|f| f.rule == *id)
        };
        let (failed_tests, warned_tests): (Vec<String>, Vec<String>) = rules(|outcome| {
            matches!(outcome, RuleOutcome::Failed | RuleOutcome::Waived | RuleOutcome::Unconfirmed)
        })
        .into_iter()
        .partition(must_failed);
        let result = match statement.conclusion {
            Conclusion::Conformant if warned_tests.is_empty() => "PASSED",
            Conclusion::Conformant => "WARNED",
            Conclusion::NonConformant | Conclusion::Inconclusive => "FAILED",
        };
        Attestation {
            kind: STATEMENT.to_owned(),
            subject: artifacts.chain(evidence).collect(),
            predicate_type: PREDICATE.to_owned(),
            predicate: TestResult {
                result: result.to_owned(),
                configuration: vec![
                    resource("specification", &statement.specification.hash),
                    resource("cases", &statement.suite.hash),
                    resource("profile", &statement.configuration.profile_hash),
                ],
                passed_tests: rules(|outcome| outcome == RuleOutcome::Passed),
                warned_tests,
                failed_tests,
                batchproof: statement,
            },
        }
    }

    /// The statement of the run.
    #[must_use]
    pub fn statement(self) -> Statement {
        self.predicate.batchproof
    }

    /// The payload of a certificate.
    ///
    /// # Errors
    /// Where it can't be written as JSON, which no attestation brings about.
    pub fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

fn resource(name: &str, sha256: &str) -> ResourceDescriptor {
    ResourceDescriptor {
        name: name.to_owned(),
        digest: BTreeMap::from([("sha256".to_owned(), sha256.to_owned())]),
    }
}

/// `schemas/certificate.schema.json`: that of the payload.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Attestation);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
