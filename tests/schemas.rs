//! The published schemas: fresh, and true of what ships and of what a run writes.
//!
//! `BATCHPROOF_BLESS=1 cargo test --test schemas` writes them again.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use jsonschema::Validator;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Fails where `schemas/NAME` is not `text`, or writes it where that is asked for.
fn fresh(name: &str, text: &str) {
    let path = root().join("schemas").join(name);
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("BATCHPROOF_BLESS").is_some() && published != text {
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert!(
        published == text,
        "schemas/{name} is stale; BATCHPROOF_BLESS=1 cargo test --test schemas writes it again"
    );
}

fn compiled(text: &str) -> Validator {
    jsonschema::draft202012::new(&serde_json::from_str(text).unwrap()).unwrap()
}

fn mistakes(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[test]
fn the_published_schema_of_case_files_is_fresh() {
    fresh("case.schema.json", &batchproof::case::schema());
}

#[test]
fn the_published_schema_of_the_report_is_fresh() {
    fresh("report.schema.json", &batchproof::report::schema());
}

#[test]
fn the_published_schema_of_waivers_is_fresh_and_refuses_what_the_reader_refuses() {
    fresh("waivers.schema.json", &batchproof::waiver::schema());
    let schema = compiled(&batchproof::waiver::schema());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("w.yaml");
    let whole = "- rule: ORDER-002\n  reason: r\n  owner: o\n  expires: 2027-01-31\n";
    for (text, fits) in [
        (whole.to_owned(), true),
        (format!("{whole}  case: order/*\n  pointer: \"\"\n  flaky: true\n"), true),
        (whole.replace("owner", "ownr"), false),
        (whole.replace("  reason: r\n", ""), false),
        (whole.replace("2027-01-31", "soon"), false),
        (format!("{whole}  flaky: sometimes\n"), false),
        (format!("waivers:\n{whole}"), false),
    ] {
        std::fs::write(&file, &text).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(schema.is_valid(&value), fits, "{text}");
        assert_eq!(batchproof::waiver::load(&file).is_ok(), fits, "{text}");
    }
}

#[test]
fn the_published_schema_of_configuration_files_is_fresh() {
    fresh("config.schema.json", &batchproof::cli::config_schema());
}

#[test]
fn the_published_schema_of_certificates_is_fresh() {
    fresh("certificate.schema.json", &batchproof::certificate::schema());
}

#[test]
fn the_published_schema_of_profiles_is_fresh_and_refuses_what_the_reader_refuses() {
    use batchproof::contract::{Contract, profile};
    fresh("profile.schema.json", &profile::schema());
    let schema = compiled(&profile::schema());
    let contract = Contract::shipped().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("p.yaml");
    for (text, fits) in [
        ("values: { balanceType: [A], value: { min: 0, max: 1 } }", true),
        ("omit: [businessUnit]\nrequired: [balanceType]\nauth: bearer", true),
        ("auth: { api-key: X-Api-Key }\nlimits: { jobs: 4, rate: 20/s }", true),
        (
            "auth: { oauth2: { token-url: \"http://x/t\", client-id: a, client-secret: { file: p.yaml } } }",
            true,
        ),
        ("auth: { command: ./sign.py, mode: lines }", true),
        ("cleanup: { requests: [{ path: \"/a/${key}\", status: [204] }] }", true),
        ("error-codes: { B1: { means: a, cause: missing } }", true),
        ("valeus: { balanceType: [A] }", false),
        ("auth: berer", false),
        ("auth: { api-key: X-Api-Key, mode: once }", false),
        ("limits: { rate: fast }", false),
        ("limits: { job: 4 }", false),
        ("setup: { comand: x }", false),
        ("error-codes: { B1: { means: a, cause: unknown } }", false),
    ] {
        std::fs::write(&file, text).unwrap();
        let value: Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(schema.is_valid(&value), fits, "{text}: {:?}", mistakes(&schema, &value));
        let read = profile::Profile::load(&file, &contract);
        assert_eq!(read.is_ok(), fits, "{text}: {read:?}");
    }
}

#[test]
fn the_published_schema_of_batch_contracts_is_fresh_and_fits_the_shipped_ones() {
    let text = batchproof::contract::batch::schema();
    fresh("batch.schema.json", &text);
    let schema = compiled(&text);
    for file in [
        "schemas/batch.yaml",
        "tests/second-contract/batch.yaml",
        "examples/contracts/action-lines/batch.yaml",
        "examples/contracts/all-or-nothing/batch.yaml",
        "examples/contracts/bulk-operations/batch.yaml",
        "examples/contracts/keyed/batch.yaml",
        "examples/contracts/keyed-by-field/batch.yaml",
        "examples/contracts/lines/batch.yaml",
        "examples/contracts/plain-documents/batch.yaml",
        "examples/contracts/read-back/batch.yaml",
        "examples/contracts/repeated/batch.yaml",
        "examples/contracts/replaced/batch.yaml",
        "examples/contracts/two-lists/batch.yaml",
        "examples/contracts/without-key/batch.yaml",
        "examples/contracts/zipped/batch.yaml",
    ] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let found = mistakes(&schema, &value);
        assert!(found.is_empty(), "{file}: {found:#?}");
        let wrong: Value = serde_saphyr::from_str(&text.replace("unique:", "uniqe:")).unwrap();
        assert!(!schema.is_valid(&wrong), "{file}");
    }
}

/// The first line of a YAML file that editors read: which schema it has.
const MODELINE: &str = "# yaml-language-server: $schema=";

#[test]
fn every_shipped_file_names_its_schema_for_editors() {
    let mut files = Vec::new();
    for dir in ["cases", "examples", "tests/second-contract", "tests/stacks"] {
        collect(&root().join(dir), &mut files);
    }
    files.push(root().join("schemas/batch.yaml"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let schema = match name {
            "batch.yaml" => "batch.schema.json",
            "profile.yaml" => "profile.schema.json",
            "waivers.yaml" => "waivers.schema.json",
            "friday.yaml" => "case.schema.json",
            _ if file.components().any(|part| part.as_os_str() == "cases") => "case.schema.json",
            _ => continue,
        };
        seen += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        let named = text.lines().next().and_then(|line| line.strip_prefix(MODELINE));
        let place = named.map(|named| file.parent().unwrap().join(named));
        let place = place.and_then(|place| place.canonicalize().ok());
        if place != Some(root().join("schemas").join(schema)) {
            wrong.push(format!("{}: {named:?}", file.display()));
        }
        let schema = std::fs::read_to_string(root().join("schemas").join(schema)).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let found = mistakes(&compiled(&schema), &value);
        if !found.is_empty() {
            wrong.push(format!("{}: {found:?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} files");
}

#[test]
fn every_shipped_case_fits_the_published_schema() {
    let schema = compiled(&batchproof::case::schema());
    let mut files = Vec::new();
    collect(&root().join("cases"), &mut files);
    collect(&root().join("tests/second-contract/cases"), &mut files);
    assert!(files.len() > 60, "{} case files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let found = mistakes(&schema, &value);
        assert!(found.is_empty(), "{}: {found:#?}", file.display());
    }
}

#[test]
fn the_published_schema_refuses_what_the_reader_refuses() {
    let schema = compiled(&batchproof::case::schema());
    for text in [
        "titel: x\ngenerate: { items: 2 }",
        "title: x\ngenerate: { item: 2 }",
        "title: x\ngenerate: { items: 2 }\nrelation: shuffled",
        "title: x\nsteps: [{ batch: 1, expct: accepted }]",
        "title: x\nsteps: [{ batch: 1, expect: acepted }]",
    ] {
        let value: Value = serde_saphyr::from_str(text).unwrap();
        assert!(!schema.is_valid(&value), "{text}");
        assert!(batchproof::case::load("x", "x.yaml", None, text).is_err(), "{text}");
    }
}

#[test]
fn the_report_of_a_run_fits_its_published_schema() {
    let schema = compiled(&batchproof::report::schema());
    let dir = tempfile::tempdir().unwrap();
    for (arguments, status) in
        [(vec!["--depth", "quick"], 0), (vec!["--depth", "quick", "--runs", "0"], 3)]
    {
        let reports = dir.path().join("reports");
        Command::cargo_bin("batchproof")
            .unwrap()
            .env_remove("BATCHPROOF_TARGET")
            .arg("run")
            .args(arguments)
            .arg("--report-dir")
            .arg(&reports)
            .assert()
            .code(status);
        let text = std::fs::read_to_string(reports.join("report.json")).unwrap();
        let found = mistakes(&schema, &serde_json::from_str(&text).unwrap());
        assert!(found.is_empty(), "{found:#?}");
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            files.push(path);
        }
    }
}
