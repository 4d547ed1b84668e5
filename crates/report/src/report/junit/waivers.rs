//! A suite of the waivers that hold: a stale one fails where it fails the run.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::skipped;
use crate::record::{Fate, Summary};
use crate::report::text::visible;
use crate::report::waiver::fate;

pub(super) fn suite(summary: &Summary) -> Option<TestSuite> {
    if summary.waivers.is_empty() {
        return None;
    }
    let mut suite = TestSuite::new("waivers");
    for waiver in &summary.waivers {
        let entry = &waiver.waiver;
        let told = format!("{}. {}, {}", fate(waiver), entry.told(), entry.at);
        let name = entry.scope();
        if matches!(waiver.fate, Fate::Expired | Fate::NotRun) {
            suite.add_test_case(skipped(&name, "waivers", &told));
            continue;
        }
        let status = if waiver.fate == Fate::Stale && summary.head.strict {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("stale");
            status.set_message(visible(&told));
            status
        } else {
            TestCaseStatus::success()
        };
        let mut test = TestCase::new(visible(&name), status);
        test.set_classname("waivers");
        test.set_system_out(visible(&told));
        suite.add_test_case(test);
    }
    Some(suite)
}
