//! The registry: every rule, one file a family. A new rule stands in its family's file and nowhere else.

mod accept;
mod atom;
mod auth;
mod case;
mod code;
mod echo;
mod http;
pub(super) mod order;
mod race;
mod refuse;
mod robust;
mod schema;
mod status;
mod time;
mod unique;

use std::sync::LazyLock;

use super::rule::Rule;

/// Families in the order in which reports show them, each with what it is about.
pub const FAMILIES: &[(&str, &str)] = &[
    ("SCHEMA", "bodies fit their schemas"),
    ("STATUS", "statuses are the documented ones"),
    ("HTTP", "media types, methods, headers, framing"),
    ("AUTH", "credentials"),
    ("ORDER", "one result an item, in request order"),
    ("ECHO", "results identify their items"),
    ("CODE", "result types and error codes"),
    ("UNIQUE", "the unique number's life"),
    ("REFUSE", "invalid input is refused"),
    ("ACCEPT", "valid input is accepted"),
    ("ATOM", "what a refused batch leaves behind"),
    ("RACE", "simultaneous requests"),
    ("TIME", "elapsed fields"),
    ("ROBUST", "odd, huge or broken input"),
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
        refuse::RULES,
        accept::RULES,
        atom::RULES,
        race::RULES,
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
