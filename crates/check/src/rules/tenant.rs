//! TENANT: tenants of one target do not meet each other.

use crate::contract::Level;
use crate::exchange_view::{ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::prediction::{Prediction, UnusedReason};
use crate::rule::{Check, Explains, Rule};

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[Rule {
    id: "TENANT-001",
    level: Level::Must,
    title: "A key that another tenant used is not rejected as used",
    cite: "INTERPRETATION-05",
    doc: "Tenants choose their keys without knowing each other's. A tenant that gets `used` for a fresh key learns what \
          another one sent, and can't store its own balance. Judged where the profile names another tenant (`tenants`), \
          and the contract does not say that keys are unique across tenants (`unique-across-tenants`).",
    example: include_str!("examples/TENANT-001.txt"),
    needs: NEEDS,
    check: Check::Item(is_free),
    explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
    may_lack_occasion: true,
    ..Rule::BASE
}];

fn is_free(view: &ItemView<'_>) -> Verdict {
    let Prediction::Accept { because: UnusedReason::OtherTenant, .. } = view.predicted else {
        return Verdict::NotApplicable("no other tenant used its key");
    };
    match view.verdict {
        None => Verdict::NotApplicable("no verdict"),
        Some(ItemVerdict::Rejected) if view.is_called_used() => Verdict::fail(
            Finding::new(
                "used by another tenant",
                view.at(&view.within.contract.batch.error.code),
                "accepted: only another tenant used its key",
                view.said(),
            )
            .item(view.index),
        ),
        Some(_) => Verdict::Pass,
    }
}
