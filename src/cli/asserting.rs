//! Which cases are about a rule.

use crate::case::{Case, Expect, Named};

/// Whether a case names the rule: for all that it expects, or for an expectation of its own.
pub(super) fn asserts(case: &Case, id: &str) -> bool {
    let is_named = |rule: &Option<Named>| rule.as_ref().is_some_and(|rule| rule.name == id);
    let expects =
        |expect: &Option<Expect>| expect.as_ref().is_some_and(|expect| is_named(&expect.asserts));
    let steps = case.spec.steps.iter().flatten();
    let members = steps.clone().flat_map(|step| step.simultaneously.iter().flatten());
    is_named(&case.spec.asserts)
        || expects(&case.spec.expect)
        || steps.chain(members).any(|step| expects(&step.expect))
}
