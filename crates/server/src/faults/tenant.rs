//! Faults of several tenants.

use crate::batch::OTHER_TENANT;
use crate::fault::{Fault, FaultFamily};

const TENANT: FaultFamily = FaultFamily("TENANT");

pub(super) static FAULTS: &[Fault] = &[
    TENANT
        .fault("tenants-share-numbers", "a number is unique for all tenants together")
        .must(&["TENANT-001"])
        .key(|_, _, key| key.trim_start_matches(OTHER_TENANT).to_owned()),
    TENANT
        .fault(
            "tenant-of-the-batch-before",
            "a worker keeps the tenant of the last batch of several items for those of one",
        )
        .must(&["TENANT-001"])
        .may(&["UNIQUE-001", "UNIQUE-003", "RACE-001", "ATOM-001"])
        .judged(|call, batch| {
            if batch.items.len() > 1 {
                let tenant = if call.is_other_tenant() { OTHER_TENANT } else { "" };
                call.kept().texts.insert("tenant".to_owned(), tenant.to_owned());
            }
            Ok(())
        })
        .key(|call, _, key| {
            let kept = call.kept();
            let tenant = kept.texts.get("tenant").map_or("", String::as_str);
            format!("{tenant}{}", key.trim_start_matches(OTHER_TENANT))
        }),
];
