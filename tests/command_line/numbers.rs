//! Why a number is taken for used: a finding names the cause that explains it, and weighs what that one weighs.

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::harness::Desk;
use crate::harness::hand::{Hand, Heard, Said, verdicts};

/// A correct server but for this: a rejected item uses its number. A batch of broken items alone is answered 400.
fn burning() -> Hand {
    let used = Mutex::new(HashSet::new());
    Hand::start(move |heard: &Heard| {
        let items = heard.items();
        let broken = |item: &Value| item.get("value").is_none();
        if items.iter().all(broken) {
            let refusal = json!({
                "resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": "value is mandatory",
            });
            return Said::json(400, &refusal);
        }
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        let mut answer: Value = serde_json::from_str(&said.body).unwrap();
        let mut used = used.lock().unwrap();
        for (item, result) in items.iter().zip(answer["results"].as_array_mut().unwrap()) {
            let is_new = used.insert(item["communicationNumber"].as_str().unwrap().to_owned());
            let (code, description) = match (broken(item), is_new) {
                (true, _) => ("O001", "value is mandatory"),
                (false, false) => ("O005", "communicationNumber already used"),
                (false, true) => continue,
            };
            result["resultType"] = json!("REQUEST_REJECTED");
            result["errorCode"] = json!(code);
            result["errorDescription"] = json!(description);
        }
        said.body = answer.to_string();
        said
    })
}

#[test]
fn a_rejected_twin_explains_more_than_an_earlier_refusal() {
    let desk = Desk::new();
    let hand = burning();
    // Refused with its request, which must leave it unused, then again in a broken item, whose number should stay
    // unused.
    let number = "communicationNumber: \"${one.communicationNumber}\"";
    let steps = |second: &str| {
        format!(
            "title: x\nsteps:\n  - batch: [{{ as: one, unset: [value] }}]\n    expect: refused\n  \
             - batch: [{second}{{ set: {{ {number} }} }}]\n"
        )
    };
    desk.file("twin.yaml", steps(&format!("{{ unset: [value], set: {{ {number} }} }}, ")));
    desk.batchproof(&["run", "twin.yaml", "--target", &hand.url]).ends(0);
    let report = desk.report();
    let findings: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(
        (&findings[0]["rule"], &findings[0]["level"]),
        (&json!("ATOM-002"), &json!("should"))
    );
    // Without the twin nothing but the refused request could have used it: that is no fault here.
    desk.file("refused.yaml", steps(""));
    desk.batchproof(&["run", "refused.yaml", "--target", &hand.url]).ends(0);
    assert_eq!(desk.found(), [""; 0]);
}
