//! The registry: every rule, one file a family. A new rule stands in its family's file and nowhere else.

mod accept;
mod again;
mod applicability;
mod atom;
mod auth;
mod case;
mod code;
mod common;
mod echo;
mod further;
mod http;
pub(super) mod order;
mod race;
mod refuse;
mod robust;
pub(super) mod schema;
mod status;
mod store;
mod tenant;
mod time;
mod unique;

use std::sync::LazyLock;

pub use applicability::why_not;
pub(super) use common::must_be_processed;
pub use robust::exempt_words;

use super::finding::Symptom;
use super::rule::{By, Reach, Rule};

/// Families in the order in which reports show them, each with what it is about.
pub const FAMILIES: &[(&str, &str)] = &[
    ("SCHEMA", "bodies fit their schemas"),
    ("STATUS", "statuses are the documented ones"),
    ("HTTP", "media types, methods, headers, framing"),
    ("AUTH", "credentials"),
    ("ORDER", "one result per item, in request order"),
    ("ECHO", "results identify their items"),
    ("CODE", "result types and error codes"),
    ("UNIQUE", "the life of the unique key"),
    ("REFUSE", "invalid input is refused"),
    ("ACCEPT", "valid input is accepted"),
    ("ATOM", "effects of a refused batch"),
    ("RACE", "simultaneous requests"),
    ("STORE", "what can be read back"),
    ("TENANT", "tenants of one target"),
    ("TIME", "elapsed fields"),
    ("ROBUST", "unusual, huge or broken input"),
    ("CASE", "what a user's own case expects"),
];

/// Whether a rule is of the suite: users' own cases have a rule of their own, which no total counts.
#[must_use]
pub fn is_of_suite(id: &str) -> bool {
    case::RULES.iter().all(|rule| rule.id != id)
}

static ALL: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    [
        schema::RULES,
        status::RULES,
        http::RULES,
        auth::RULES,
        order::RULES,
        echo::RULES,
        code::RULES,
        unique::RULES,
        again::RULES,
        further::RULES,
        refuse::RULES,
        accept::RULES,
        atom::RULES,
        race::RULES,
        further::OF_RACES,
        store::RULES,
        tenant::RULES,
        time::RULES,
        robust::RULES,
        case::RULES,
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// Every rule, family by family.
#[must_use]
pub fn all() -> &'static [&'static Rule] {
    &ALL
}

/// A rule by its id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|r| r.id == id)
}

/// The position of a rule in [`all`].
#[must_use]
pub fn index(id: &str) -> Option<usize> {
    ALL.iter().position(|r| r.id == id)
}

/// Whether `rule` needs the rule `id`, itself or by way of others.
#[must_use]
pub fn relies_on(rule: &Rule, id: &str) -> bool {
    let mut needed: Vec<&str> = rule.needs.to_vec();
    let mut at = 0;
    while let Some(next) = needed.get(at).copied() {
        for further in find(next).map_or(&[][..], |rule| rule.needs) {
            if !needed.contains(further) {
                needed.push(further);
            }
        }
        at += 1;
    }
    needed.contains(&id)
}

/// The rules whose confirmed failure anywhere in the run accounts for what `rule` found: never one of a lower level.
#[must_use]
pub fn explaining(rule: &Rule, symptom: Symptom) -> Vec<&'static Rule> {
    let explains = |other: &Rule| {
        other.explains.iter().any(|explains| {
            explains.reach != Reach::Execution
                && explains.symptom.is_none_or(|shown| shown == symptom)
                && match explains.by {
                    By::Any => true,
                    By::Dependents => relies_on(rule, other.id),
                    By::Rules(rules) => rules.contains(&rule.id),
                }
        })
    };
    let other = |other: &&Rule| other.id != rule.id && other.level <= rule.level;
    all().iter().copied().filter(other).filter(|other| explains(other)).collect()
}

/// Whether `rule` says nothing of results that can't be matched with their items: what stands in another part of
/// the answer is not another request's either.
#[must_use]
pub fn needs_order(rule: &Rule) -> bool {
    let is_order = |rule: &Rule| rule.family() == "ORDER";
    rule.concerns_whole_answer
        || rule.family() == "RACE"
        || rule.needs.iter().filter_map(|id| find(id)).any(is_order)
}

/// The rule for what users' own cases expect without naming one.
#[must_use]
pub fn of_user_cases() -> &'static Rule {
    &case::RULES[0]
}

/// A rule that is judged once for each answer to an ordinary request.
pub const JUDGED_PER_REQUEST: &str = "STATUS-001";
/// A rule that is judged once for each item with a result.
pub const JUDGED_PER_ITEM: &str = "ECHO-001";
/// A rule that is judged once for each group of simultaneous requests with one key.
pub const JUDGED_PER_RACE: &str = "RACE-001";

impl Rule {
    /// Whether it is about credentials: what a target remembers of a connection may decide it.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        self.family() == "AUTH"
    }

    /// Whether it is about simultaneous requests: one that is sent alone does not show its failure.
    #[must_use]
    pub fn is_about_races(&self) -> bool {
        self.family() == "RACE"
    }
}
