//! What a certificate states: a run added up, with everything that it depends on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::evidence::Evidence;
use crate::case::Depth;
use crate::contract::{Level, hex};
use crate::record::{Conclusion, Fate, Odds, Outcome, SpecInfo, Summary};
use crate::report::unjudged;
use crate::waiver::Waiver;

/// Version of the statement's format.
const FORMAT: u32 = 1;
/// What the text is, so that a signature over it can be taken for nothing else.
const KIND: &str = "batchproof certificate";

/// What can't be seen through such an endpoint, or was not looked for.
const NOT_SAID: [&str; 4] = [
    "What the target stored can't be seen through this endpoint; only the numbers that it called used betray it.",
    "It says that the rules held on what was sent, with this seed; it is no proof that no other input fails.",
    "It speaks of the target as it answered between the two times above, not of other versions or installations.",
    "Load, availability, and security beyond the credentials of this endpoint were not on trial.",
];

/// Who is certified by whom, in their own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// What is certified: product, version, installation.
    pub subject: Option<String>,
    /// Who certifies.
    pub issuer: Option<String>,
}

/// What a certificate states.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "batchproof certificate: the payload")]
pub struct Statement {
    /// `batchproof certificate`.
    pub kind: String,
    /// Version of this format.
    pub format: u32,
    /// The verdict; a certificate is issued for no other than `conformant`.
    pub conclusion: Conclusion,
    /// Who is certified by whom.
    #[serde(flatten)]
    pub about: About,
    /// The target's URL, credentials taken out.
    pub target: String,
    /// When the run began, RFC 3339.
    pub started: String,
    /// When the run ended.
    pub finished: String,
    /// The specification that answers were held against, with the SHA-256 of its files.
    pub specification: SpecInfo,
    /// What they were held against it with.
    pub suite: SuiteInfo,
    /// How the run was configured.
    pub configuration: Configuration,
    /// What was sent.
    pub figures: Figures,
    /// What became of each rule.
    pub rules: BTreeMap<String, Outcome>,
    /// SHOULD findings, which don't stand against a certificate, and what was seen once.
    pub findings: Vec<Told>,
    /// What the profile skips, by rule or family, each with its reason.
    pub skipped: BTreeMap<String, String>,
    /// Rules that were not judged.
    pub unjudged: BTreeMap<String, Unjudged>,
    /// Cases that could not run against this target or contract.
    pub not_run: Vec<String>,
    /// Waivers of the run, with what became of each.
    pub waivers: Vec<WaiverFate>,
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
pub struct Figures {
    /// Requests, repeats and opening included.
    pub requests: u64,
    /// Items.
    pub items: u64,
    /// How often answers were held against a rule.
    pub judged: u64,
    /// Unique numbers that were accepted and stay behind.
    pub left_behind: u64,
    /// How rare a fault may be before this run misses it.
    pub odds: Odds,
}

/// A rule that was not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unjudged {
    /// Its level.
    pub level: Level,
    /// Why, in a few words.
    pub why: String,
}

/// A finding that does not stand against a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
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
    /// `confirmed`, `waived` or `seen once`.
    pub state: String,
}

/// A waiver of the run, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverFate {
    /// The entry.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// What became of it.
    pub fate: Fate,
}

impl Statement {
    /// What `summary` allows to state, resting on `evidence`.
    #[must_use]
    pub fn of(summary: &Summary, about: About, evidence: Vec<Evidence>) -> Statement {
        let head = &summary.head;
        let stats = summary.stats();
        let rules = || summary.rules.iter().filter(|r| certified(&r.rule.id));
        Statement {
            kind: KIND.to_owned(),
            format: FORMAT,
            conclusion: summary.conclusion,
            about,
            target: head.target.clone(),
            started: head.started.clone(),
            finished: summary.tail.as_ref().map(|t| t.finished.clone()).unwrap_or_default(),
            specification: head.specification.clone(),
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
            figures: Figures {
                requests: stats.requests,
                items: stats.items,
                judged: rules().map(|r| r.counts.judged()).sum(),
                left_behind: summary.tail.as_ref().map_or(0, |t| t.left_behind),
                odds: summary.odds(),
            },
            rules: rules().map(|r| (r.rule.id.clone(), r.outcome)).collect(),
            findings: told(summary),
            skipped: head.skipped.clone(),
            unjudged: rules()
                .filter(|r| r.counts.judged() == 0)
                .map(|r| {
                    let why = unjudged(r).unwrap_or_default();
                    (r.rule.id.clone(), Unjudged { level: r.rule.level, why })
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
                .map(|w| WaiverFate { waiver: w.waiver.clone(), fate: w.fate })
                .collect(),
            does_not_say: NOT_SAID.iter().map(|text| (*text).to_owned()).collect(),
            evidence,
        }
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// Where it can't be written as JSON, which no statement brings about.
    pub fn payload(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// Whether it is what it is called, in a format that this version knows.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.kind == KIND && self.format <= FORMAT
    }
}

/// `schemas/certificate.schema.json`: that of the payload.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Statement);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether a rule has a part in certificates: what a user's own case expects has none.
pub(super) fn certified(rule: &str) -> bool {
    !rule.starts_with("CASE-")
}

/// Findings by rule and state, in the order of the rules.
fn told(summary: &Summary) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for rule in &summary.rules {
        for (finding, update) in summary.findings.iter().filter(|(f, _)| f.rule == rule.rule.id) {
            let state = match (&update.waived, update.confirmed) {
                (Some(_), _) => "waived",
                (None, true) => "confirmed",
                (None, false) => "seen once",
            };
            let known = told.iter_mut().find(|t| t.rule == finding.rule && t.state == state);
            if let Some(known) = known {
                known.findings += 1;
                known.count += update.count;
                continue;
            }
            told.push(Told {
                rule: finding.rule.clone(),
                level: finding.level,
                title: rule.rule.title.clone(),
                findings: 1,
                count: update.count,
                state: state.to_owned(),
            });
        }
    }
    told
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
