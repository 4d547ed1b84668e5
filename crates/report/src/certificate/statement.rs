//! What a certificate states: a run added up, with everything that it depends on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::artifact::Artifact;
use super::challenge::challenge_seed;
use super::evidence::Evidence;
use crate::case::Depth;
use crate::check::rules::is_of_suite;
use crate::contract::{Level, hex};
use crate::record::{
    Conclusion, DetectionLimit, RuleOutcome, RunTail, SpecInfo, Summary, WaiverStatus,
};
use crate::report::not_tested;
use crate::waiver::Waiver;

/// Version of the statement's format.
const FORMAT: u32 = 3;
/// What the text is, so that a signature over it can be taken for nothing else.
const KIND: &str = "batchproof certificate";

/// What a certificate does not say.
const NOT_SAID: [&str; 4] = [
    "What the target stored is invisible through this endpoint; only the keys that it called used reveal it.",
    "The rules held on what was sent, with this seed. That does not prove that no other input fails.",
    "It is about the target as it responded between the two times above, not about other versions or installations.",
    "Load, availability, and security beyond the credentials of this endpoint were not tested.",
];

/// Who is certified by whom, in their own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateSubject {
    /// What is certified: product, version, installation.
    pub subject: Option<String>,
    /// Who certifies.
    pub issuer: Option<String>,
    /// The issuer's text from which the seed was derived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The artifacts that the target runs, by their digests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// What a certificate states.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// `batchproof certificate`.
    pub kind: String,
    /// Version of this format.
    pub format: u32,
    /// The verdict; a certificate is issued for no other than `conformant`.
    pub conclusion: Conclusion,
    /// Who is certified by whom.
    #[serde(flatten)]
    pub about: CertificateSubject,
    /// The target's URL, credentials taken out.
    pub target: String,
    /// When the run began, RFC 3339.
    pub started: String,
    /// When the run ended.
    pub finished: String,
    /// The specification that answers were checked against, with the SHA-256 of its files.
    pub specification: SpecInfo,
    /// What they were checked with.
    pub suite: SuiteInfo,
    /// How the run was configured.
    pub configuration: Configuration,
    /// What was sent.
    pub figures: RunFigures,
    /// The outcome of each rule.
    pub rules: BTreeMap<String, RuleOutcome>,
    /// SHOULD findings, which do not prevent a certificate, and unconfirmed ones.
    pub findings: Vec<CertificateFinding>,
    /// What the profile skips, by rule or family, each with its reason.
    pub skipped: BTreeMap<String, String>,
    /// Rules that were not tested.
    pub not_tested: BTreeMap<String, UntestedRule>,
    /// Cases that could not run against this target or contract.
    pub not_run: Vec<String>,
    /// Waivers of the run with their status.
    pub waivers: Vec<CertificateWaiver>,
    /// What the certificate does not say.
    pub does_not_say: Vec<String>,
    /// The files that it rests on.
    pub evidence: Vec<Evidence>,
}

/// The rules and cases that judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteInfo {
    /// Version of batchproof.
    pub version: String,
    /// How many cases.
    pub cases: u64,
    /// SHA-256 over all of them, in hexadecimal.
    pub hash: String,
}

/// How the run was configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// How much was spent.
    pub depth: Depth,
    /// Seed that all cases' seeds are derived from.
    pub seed: u64,
    /// Unique numbers begin with it.
    pub run_id: String,
    /// Whether SHOULD findings would have failed the run.
    pub strict: bool,
    /// What was known of the target, header values taken out.
    pub profile: Option<serde_json::Value>,
    /// SHA-256 of the profile as compact JSON with sorted keys, in hexadecimal.
    pub profile_hash: String,
}

/// What was sent and judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunFigures {
    /// Requests, repeats and opening included.
    pub requests: u64,
    /// Items.
    pub items: u64,
    /// How often a rule was checked.
    pub judged: u64,
    /// Accepted items that stay on the target.
    pub left_behind: u64,
    /// The rarest intermittent faults that this run would have shown.
    pub detection_limit: DetectionLimit,
}

/// A rule that was not tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UntestedRule {
    /// Its level.
    pub level: Level,
    /// Why, in a few words.
    pub why: String,
}

/// A finding that does not prevent a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateFinding {
    /// The rule.
    pub rule: String,
    /// Its level.
    pub level: Level,
    /// The requirement.
    pub title: String,
    /// How many findings.
    pub findings: u64,
    /// How often they were seen.
    pub count: u64,
    /// `confirmed`, `waived` or `unconfirmed`.
    pub state: String,
}

/// A waiver of the run with its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateWaiver {
    /// The entry.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// Its status in this run.
    pub status: WaiverStatus,
}

impl Statement {
    /// What `summary` allows to state, resting on `evidence`.
    #[must_use]
    pub fn from_summary(
        summary: &Summary,
        about: CertificateSubject,
        evidence: Vec<Evidence>,
    ) -> Statement {
        let head = &summary.head;
        let stats = summary.stats();
        let rules = || summary.rules.iter().filter(|r| is_of_suite(&r.rule.id));
        Statement {
            kind: KIND.to_owned(),
            format: FORMAT,
            conclusion: summary.conclusion,
            about,
            target: head.target.clone(),
            started: head.started.clone(),
            finished: summary.tail.as_ref().map(|t| t.finished.clone()).unwrap_or_default(),
            specification: SpecInfo { dir: None, ..head.specification.clone() },
            suite: SuiteInfo {
                version: head.tool.clone(),
                cases: head.cases.len() as u64,
                hash: head.suite.clone(),
            },
            configuration: Configuration {
                depth: head.depth,
                seed: head.seed,
                run_id: head.run_id.clone(),
                strict: head.strict,
                profile: head.profile.clone(),
                profile_hash: hash(head.profile.as_ref()),
            },
            figures: RunFigures {
                requests: stats.requests,
                items: stats.items,
                judged: rules().map(|r| r.counts.judged()).sum(),
                left_behind: summary.tail.as_ref().map_or(0, RunTail::left),
                detection_limit: summary.detection_limit(),
            },
            rules: rules().map(|r| (r.rule.id.clone(), r.outcome)).collect(),
            findings: certificate_findings(summary),
            skipped: head.skipped.clone(),
            not_tested: rules()
                .filter(|r| r.counts.judged() == 0)
                .map(|r| {
                    let why = not_tested(r).unwrap_or_default();
                    (r.rule.id.clone(), UntestedRule { level: r.rule.level, why })
                })
                .collect(),
            not_run: summary
                .cases
                .iter()
                .filter(|c| c.record.as_ref().is_none_or(|r| r.runs == 0))
                .map(|c| c.id.clone())
                .collect(),
            waivers: summary
                .waivers
                .iter()
                .map(|w| CertificateWaiver { waiver: w.waiver.clone(), status: w.status })
                .collect(),
            does_not_say: NOT_SAID.iter().map(|text| (*text).to_owned()).collect(),
            evidence,
        }
    }

    /// Why its run does not answer the challenge that it states, or the `expected` one.
    #[must_use]
    pub fn challenge_mismatch(&self, expected: Option<&str>) -> Option<String> {
        let stated = self.about.challenge.as_deref();
        match (stated, expected) {
            (None, Some(expected)) => {
                return Some(format!("it answers no challenge; expected `{expected}`"));
            }
            (Some(stated), Some(expected)) if stated != expected => {
                return Some(format!("it answers the challenge `{stated}`; expected `{expected}`"));
            }
            _ => {}
        }
        let wanted = stated.map(challenge_seed)?;
        let seed = self.configuration.seed;
        (seed != wanted).then(|| {
            format!("its run had the seed {seed}; the challenge that it states gives {wanted}")
        })
    }

    /// Whether it is what it is called, in a format that this version knows.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.kind == KIND && self.format <= FORMAT
    }
}

/// Findings by rule and state, in the order of the rules.
fn certificate_findings(summary: &Summary) -> Vec<CertificateFinding> {
    let mut findings: Vec<CertificateFinding> = Vec::new();
    for rule in &summary.rules {
        for (finding, update) in summary.findings.iter().filter(|(f, _)| f.rule == rule.rule.id) {
            let state = match (&update.waived, update.confirmed) {
                (Some(_), _) => "waived",
                (None, true) => "confirmed",
                (None, false) => "unconfirmed",
            };
            let known = findings.iter_mut().find(|f| f.rule == finding.rule && f.state == state);
            if let Some(known) = known {
                known.findings += 1;
                known.count += update.count;
                continue;
            }
            findings.push(CertificateFinding {
                rule: finding.rule.clone(),
                level: finding.level,
                title: rule.rule.title.clone(),
                findings: 1,
                count: update.count,
                state: state.to_owned(),
            });
        }
    }
    findings
}

fn hash(profile: Option<&serde_json::Value>) -> String {
    let mut text = String::new();
    sorted(profile.unwrap_or(&serde_json::Value::Null), &mut text);
    hex(&Sha256::digest(text.as_bytes()))
}

/// Compact JSON with the keys of every object sorted.
fn sorted(value: &serde_json::Value, out: &mut String) {
    use serde_json::Value;
    let list = |out: &mut String, parts: Vec<String>, [open, close]: [char; 2]| {
        out.push(open);
        out.push_str(&parts.join(","));
        out.push(close);
    };
    let one = |value: &Value| {
        let mut text = String::new();
        sorted(value, &mut text);
        text
    };
    match value {
        Value::Array(items) => list(out, items.iter().map(one).collect(), ['[', ']']),
        Value::Object(map) => {
            let by_key: BTreeMap<&String, &Value> = map.iter().collect();
            let members =
                by_key.iter().map(|(k, v)| format!("{}:{}", Value::from(k.as_str()), one(v)));
            list(out, members.collect(), ['{', '}']);
        }
        plain => out.push_str(&plain.to_string()),
    }
}
