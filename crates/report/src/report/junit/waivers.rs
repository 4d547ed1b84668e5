//! A suite of the waivers: a stale one fails if it fails the run.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::skipped;
use crate::record::{Summary, WaiverStatus};
use crate::report::text::visible;
use crate::report::waiver::status;

pub(super) fn suite(summary: &Summary) -> Option<TestSuite> {
    if summary.waivers.is_empty() {
        return None;
    }
    let mut suite = TestSuite::new("waivers");
    for waiver in &summary.waivers {
        let entry = &waiver.waiver;
        let text = format!("{}. {}, {}", status(waiver), entry.told(), entry.at);
        let name = entry.scope();
        if matches!(waiver.status, WaiverStatus::Expired | WaiverStatus::NotRun) {
            suite.add_test_case(skipped(&name, "waivers", &text));
            continue;
        }
        let status = if waiver.status == WaiverStatus::Stale && summary.head.strict {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("stale");
            status.set_message(visible(&text));
            status
        } else {
            TestCaseStatus::success()
        };
        let mut test = TestCase::new(visible(&name), status);
        test.set_classname("waivers");
        test.set_system_out(visible(&text));
        suite.add_test_case(test);
    }
    Some(suite)
}
