use std::path::Path;

use serde_json::Value;

use super::*;
use crate::report::sample;

fn text(summary: &Summary, format: OutputFormat) -> String {
    formatted(summary, format, TerminalStyle::default(), Path::new("reports")).unwrap()
}

#[test]
fn nothing_that_a_target_answered_becomes_a_command() {
    let hostile = text(&sample::hostile(), OutputFormat::Github);
    let (commands, rest): (Vec<&str>, Vec<&str>) =
        hostile.lines().partition(|line| line.starts_with("::"));
    assert!(commands.len() > 2, "{hostile}");
    for command in commands {
        let (head, _) = command[2..].split_once("::").unwrap();
        let name = head.split(' ').next().unwrap();
        assert!(["error", "warning", "notice"].contains(&name), "{command}");
    }
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(!hostile.contains('\u{1b}') && !hostile.contains('\r'));
}

#[test]
fn every_line_of_json_lines_has_its_type() {
    for summary in [sample::hostile(), sample::clean(), sample::killed()] {
        let text = text(&summary, OutputFormat::Jsonl);
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["type"], "run");
        let last = lines.last().unwrap();
        assert_eq!(last["type"], "conclusion");
        assert_eq!(last["exit"], summary.conclusion.exit());
        let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
        assert_eq!(count("finding"), summary.findings.len());
        assert_eq!(count("rule"), summary.rules.len());
        assert_eq!(count("case"), summary.cases.len());
    }
}

#[test]
fn a_tap_stream_has_as_many_tests_as_it_plans() {
    for summary in [sample::hostile(), sample::clean(), sample::killed()] {
        let text = text(&summary, OutputFormat::Tap);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("TAP version 14"));
        let plan: usize = lines.next().unwrap().strip_prefix("1..").unwrap().parse().unwrap();
        let tests: Vec<&str> =
            lines.filter(|l| l.starts_with("ok ") || l.starts_with("not ok ")).collect();
        assert_eq!(tests.len(), plan);
        for (at, test) in tests.iter().enumerate() {
            assert!(test.split(' ').any(|word| word == (at + 1).to_string()), "{test}");
        }
        let failed = tests.iter().filter(|t| t.starts_with("not ok") && !t.contains(" # TODO"));
        assert_eq!(failed.count() > 0, summary.conclusion.exit() != 0, "{text}");
    }
}

#[test]
fn results_of_sarif_name_rules_and_places_of_the_log() {
    for summary in [sample::hostile(), sample::clean(), sample::killed()] {
        let log: Value = serde_json::from_str(&text(&summary, OutputFormat::Sarif)).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(!result["locations"].as_array().unwrap().is_empty());
            for place in result["locations"].as_array().unwrap() {
                let uri = &place["physicalLocation"]["artifactLocation"]["uri"];
                assert!(uri.as_str().is_none_or(|uri| !uri.contains([' ', '<', '"'])), "{uri}");
            }
        }
        let invocation = &run["invocations"][0];
        assert_eq!(invocation["exitCode"], summary.conclusion.exit());
    }
}
