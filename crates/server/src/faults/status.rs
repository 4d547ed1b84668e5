//! Faults of statuses, and requests that get no answer.

use std::time::Duration;

use serde_json::Value;

use crate::fault::{EarlyEnd, Fault, FaultFamily, linger};
use crate::received::Rejection;
use crate::reply::ReplyReason;

const STATUS: FaultFamily = FaultFamily("STATUS");

pub(super) static FAULTS: &[Fault] = &[
    STATUS
        .fault("created-instead-of-ok", "a processed batch is answered 201")
        .must(&["STATUS-001"])
        .answer(|_, answer| {
            if answer.status == 200 && answer.why == ReplyReason::Processed {
                answer.status = 201;
            }
        }),
    STATUS
        .fault("accepted-when-large", "batches of more than 100 items are answered 202")
        .must(&["STATUS-001"])
        .may(&["ACCEPT-005", "ACCEPT-001"])
        .decided(|call, decision| {
            if decision.refused.is_none() && decision.items.len() > 100 {
                super::give_back(call, &decision.items);
                return Err(EarlyEnd::status(call, 202));
            }
            Ok(())
        }),
    STATUS
        .fault(
            "multi-status-when-mixed",
            "a batch with accepted and rejected items is answered 207",
        )
        .must(&["STATUS-001"])
        .answer(|call, answer| {
            let verdict = &call.batch().verdict;
            let text = String::from_utf8_lossy(&answer.body);
            if answer.why == ReplyReason::Processed
                && text.contains(&verdict.accepted)
                && text.contains(&verdict.rejected)
            {
                answer.status = 207;
            }
        }),
    STATUS
        .fault(
            "unprocessable-instead-of-bad",
            "a request that is valid JSON but refused is answered 422",
        )
        .must(&["STATUS-001"])
        .answer(|_, answer| {
            if answer.status == 400
                && matches!(answer.why, ReplyReason::Item | ReplyReason::Envelope)
            {
                answer.status = 422;
            }
        }),
    STATUS
        .fault("conflict-for-used", "a batch whose numbers were all used is answered 409")
        .must(&["STATUS-001"])
        .decided(|call, decision| {
            let used = |fail: &Option<Rejection>| fail.as_ref().is_some_and(|f| f.used);
            let all = decision.items.iter().all(|item| used(&item.fail));
            if all && decision.refused.is_none() && !decision.items.is_empty() {
                return Err(EarlyEnd::status(call, 409));
            }
            Ok(())
        }),
    STATUS
        .fault("no-content-for-empty", "an empty batch is answered 204")
        .must(&["STATUS-001"])
        .may(&["ACCEPT-004"])
        .judged(
            |call, batch| {
                if batch.items.is_empty() { Err(EarlyEnd::status(call, 204)) } else { Ok(()) }
            },
        ),
    STATUS
        .fault("error-as-ok", "a refused request is answered 200 with the error in its body")
        .must(&["SCHEMA-003"])
        .may(&[
            "REFUSE-005",
            "REFUSE-001",
            "REFUSE-002",
            "REFUSE-003",
            "REFUSE-004",
            "REFUSE-006",
            "REFUSE-007",
        ])
        .answer(|_, answer| {
            if answer.status == 400 && answer.why != ReplyReason::Protocol {
                answer.status = 200;
            }
        }),
    STATUS
        .fault("one-answer-in-fifty-lost", "one request in fifty ends with its connection")
        .must(&["STATUS-004"])
        .may(&[
            "STATUS-003",
            "ROBUST-001",
            "RACE-003",
            "AUTH-001",
            "AUTH-002",
            "HTTP-005",
            "HTTP-006",
            "HTTP-007",
            "HTTP-008",
            "HTTP-013",
            "ROBUST-004",
            "HTTP-016",
        ])
        .body(|call, _| if call.every(50) { Err(EarlyEnd::Drop) } else { Ok(()) }),
    STATUS
        .fault(
            "server-error-for-used",
            "a used number ends in an integrity error that is answered 500",
        )
        .must(&["STATUS-002"])
        .may(&["ROBUST-001"])
        .decided(|call, decision| {
            if decision.items.iter().any(|item| item.fail.as_ref().is_some_and(|f| f.used)) {
                super::give_back(call, &decision.items);
                return Err(EarlyEnd::status(call, 500));
            }
            Ok(())
        }),
    STATUS
        .fault("server-error-now-and-then", "every 40th batch ends in a 500")
        .must(&["STATUS-002"])
        .may(&[
            "ROBUST-003",
            "STATUS-001",
            "ACCEPT-001",
            "ACCEPT-002",
            "ROBUST-001",
            "RACE-003",
            "ROBUST-004",
        ])
        .judged(|call, _| if call.every(40) { Err(EarlyEnd::status(call, 500)) } else { Ok(()) }),
    STATUS
        .fault(
            "server-error-after-used-last",
            "a rejected last item after an accepted one ends in a 500",
        )
        .must(&["STATUS-002"])
        .may(&["ROBUST-001"])
        .decided(|call, decision| {
            if let [.., before, last] = &decision.items[..]
                && decision.refused.is_none()
                && before.fail.is_none()
                && last.fail.is_some()
            {
                return Err(EarlyEnd::status(call, 500));
            }
            Ok(())
        }),
    STATUS
        .fault(
            "drops-batches-over-30",
            "a batch of more than 30 items ends the connection unanswered",
        )
        .must(&["STATUS-003"])
        .may(&["ACCEPT-005", "ACCEPT-001", "ROBUST-001", "RACE-003", "ROBUST-004"])
        .judged(|_, batch| if batch.items.len() > 30 { Err(EarlyEnd::Drop) } else { Ok(()) }),
    STATUS
        .fault("drops-half-answer", "the answer to a batch with a rejected item breaks off halfway")
        .must(&["STATUS-003"])
        .may(&[
            "HTTP-008",
            "UNIQUE-001",
            "UNIQUE-002",
            "RACE-003",
            "ROBUST-001",
            "UNIQUE-007",
            "ROBUST-004",
        ])
        .answer(|call, answer| {
            let text = String::from_utf8_lossy(&answer.body);
            if answer.why == ReplyReason::Processed && text.contains(&call.batch().verdict.rejected)
            {
                answer.cut = Some(answer.body.len() / 2);
            }
        }),
    STATUS
        .fault(
            "hangs-without-optional",
            "a batch whose first item has only its mandatory fields hangs",
        )
        .must(&["STATUS-003"])
        .may(&["ACCEPT-001", "ROBUST-001", "RACE-003", "ROBUST-004", "ROBUST-003"])
        .judged(|call, batch| {
            let mut optional = call.contract().fields().iter().filter(|f| !f.required);
            let hangs = batch.items.first().is_some_and(|item| {
                item.fail.is_none()
                    && optional.all(|f| item.value.get(&f.name).is_none_or(Value::is_null))
            });
            if hangs {
                linger(Duration::from_secs(3));
                return Err(EarlyEnd::Drop);
            }
            Ok(())
        }),
    STATUS
        .fault(
            "mixed-results-as-bad-request",
            "a batch with accepted and rejected items is answered 400, with its results",
        )
        .must(&["STATUS-005"])
        .may(&[
            "ACCEPT-002",
            "ACCEPT-005",
            "ATOM-001",
            "CODE-006",
            "HTTP-016",
            "RACE-001",
            "REFUSE-011",
            "SCHEMA-002",
            "UNIQUE-001",
            "UNIQUE-002",
            "UNIQUE-007",
        ])
        .answer(|call, answer| {
            let verdict = &call.batch().verdict;
            let text = String::from_utf8_lossy(&answer.body);
            let is_mixed = text.contains(&verdict.accepted) && text.contains(&verdict.rejected);
            if answer.why == ReplyReason::Processed && is_mixed {
                answer.status = 400;
            }
        }),
];
