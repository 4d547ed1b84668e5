use super::*;
use crate::report::sample;
use serde_json::Value;

#[test]
fn a_report_fits_its_schema() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for summary in [sample::hostile(), sample::clean(), sample::killed()] {
        let report: Value = serde_json::from_str(&json(&summary).unwrap()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({ "format": 1 })));
}

#[test]
fn what_design_promises_is_there() {
    let report: Value = serde_json::from_str(&json(&sample::hostile()).unwrap()).unwrap();
    assert_eq!(report["conclusion"], "nonconformant");
    assert_eq!(report["stats"]["left_behind"], 1342);
    assert_eq!(report["seed"], 4_242_424_242_u64);
    assert!(report["run_id"].is_string() && report["target"].is_string());
    assert!(report["suite"]["specification"]["hash"].is_string());
    let finding = report["findings"].as_array().unwrap().iter().find(|f| f["id"] == "0badcafe");
    let finding = finding.unwrap();
    for key in ["rule", "level", "case", "message", "count", "confirmed", "place", "kind"] {
        assert!(!finding[key].is_null(), "{key}");
    }
    assert_eq!(finding["repeats"], serde_json::json!({ "shown": 3, "of": 3 }));
    assert_eq!(finding["curl"].as_array().unwrap().len(), 3);
    assert_eq!(
        report["coverage"]["statuses"][0],
        serde_json::json!({ "status": 200, "count": 150 })
    );
    assert_eq!(report["latency"][0]["mean_ms"], 4.475);
    let coverage = &report["coverage"];
    let code = |at: usize| &coverage["codes"][at];
    assert_eq!(code(1)["code"], "O005");
    assert_eq!((&code(1)["count"], &code(1)["documented"]), (&0.into(), &true.into()));
    assert_eq!((&code(2)["count"], &code(2)["documented"]), (&5.into(), &false.into()));
    assert_eq!(coverage["documented_codes"], serde_json::json!({ "covered": 1, "of": 2 }));
    let (schema, cells) = (&coverage["schema"], coverage["cells"].as_array().unwrap());
    assert!(schema["covered"].as_u64() < schema["of"].as_u64());
    let envelope = cells.iter().filter(|c| c["envelope"] == true).count() as u64;
    assert_eq!(schema["of"], envelope + 4 * (cells.len() as u64 - envelope));
    assert_eq!(
        coverage["refusal_modes"],
        serde_json::json!({ "request": 0, "item": 0, "both": 1 })
    );
    let last = report["coverage"]["provoked"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["keyword"] == "maxLength")
        .unwrap();
    assert_eq!(last["class"], "longer than its result can carry");
    assert_eq!(last["position"], "last");
}
