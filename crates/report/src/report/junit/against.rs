//! The comparison with an older target: a test for each cause, which fails where the run does.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::record::{AgainstConclusion, Summary};
use crate::report::against::{compared_line, difference_facts, differences_line, title};
use crate::report::text::{visible, visible_block};
use crate::triage::{DifferenceGroup, difference_groups};

/// Nothing where there was no comparison.
pub(super) fn suite(summary: &Summary) -> Option<TestSuite> {
    let against = summary.against.as_ref()?;
    let mut suite = TestSuite::new("against the older target");
    suite.add_property(("against", visible(&against.head.target).as_str()));
    let groups = difference_groups(against);
    let text = format!("{}, {}", differences_line(&groups), compared_line(against));
    let status = if against.conclusion == AgainstConclusion::NotCompared {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("not-compared");
        status.set_message("the targets could not be compared");
        status.set_description(visible_block(&against.reasons.join("\n")));
        status
    } else {
        TestCaseStatus::success()
    };
    let mut test = TestCase::new("comparison", status);
    test.set_classname("against");
    test.set_system_out(visible_block(&text));
    suite.add_test_case(test);
    for group in &groups {
        suite.add_test_case(test_of(summary, group));
    }
    Some(suite)
}

fn test_of(summary: &Summary, group: &DifferenceGroup<'_>) -> TestCase {
    let mut text = String::new();
    for fact in difference_facts(summary, group) {
        let _ = writeln!(text, "{:<11}{}", fact.label, fact.text);
    }
    let text = visible_block(&text);
    let title = format!("{}: {}", group.lead.verdict.words(), title(group));
    let status = if group.counts() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(group.lead.rule.as_deref().unwrap_or("difference"));
        status.set_message(visible(&title));
        status.set_description(text.as_str());
        status
    } else {
        let mut status = TestCaseStatus::skipped();
        status.set_message(group.state().words());
        status
    };
    let mut test = TestCase::new(visible(&title), status);
    test.set_classname("against");
    test
}
