//! `junit.xml` is what CI servers accept: the elements, attributes and order of the schema that Jenkins' xUnit
//! plugin validates with (`junit-10.xsd`), which is the strictest in use.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::harness::{Desk, Serving};

type Names = &'static [&'static str];
/// An element: its required attributes, further ones, and what may stand in it; `#` is text.
type Row = (&'static str, Names, Names, Names);

const ELEMENTS: &[Row] = &[
    ("", &[], &[], &["testsuites"]),
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["time", "skipped", "timestamp", "hostname", "id", "package"],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &[], &["property"]),
    ("property", &["name", "value"], &[], &[]),
    (
        "testcase",
        &["name"],
        &["time", "classname"],
        &["skipped", "error", "failure", "system-out", "system-err"],
    ),
    ("failure", &[], &["type", "message"], &["#"]),
    ("error", &[], &["type", "message"], &["#"]),
    ("skipped", &[], &["type", "message"], &["#"]),
    ("system-out", &[], &[], &["#"]),
    ("system-err", &[], &[], &["#"]),
];

/// What a document counts, and what it says it counts.
#[derive(Debug, Default)]
struct Counts {
    said: [usize; 3],
    seen: [usize; 3],
    skipped: usize,
}

fn conforming(xml: &str) -> Counts {
    let mut counts = Counts::default();
    let mut open: Vec<String> = vec![String::new()];
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => open.push(enter(&element, open.last().unwrap(), &mut counts)),
            Event::Empty(element) => drop(enter(&element, open.last().unwrap(), &mut counts)),
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => {
                let text = String::from_utf8(text.to_vec()).unwrap();
                let (.., inside) = row(open.last().unwrap());
                assert!(text.trim().is_empty() || inside.contains(&"#"), "{text} in {open:?}");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open.len(), 1, "{open:?} stay open");
    counts
}

#[track_caller]
fn row(name: &str) -> &'static Row {
    ELEMENTS.iter().find(|row| row.0 == name).unwrap_or_else(|| panic!("no such element: {name}"))
}

/// Holds an element against its place and its attributes.
fn enter(element: &BytesStart<'_>, around: &str, counts: &mut Counts) -> String {
    let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
    assert!(row(around).3.contains(&name.as_str()), "{name} in {around}");
    let (_, required, further, _) = row(&name);
    let mut names = Vec::new();
    for attribute in element.attributes() {
        let attribute = attribute.unwrap();
        let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
        let value = String::from_utf8(attribute.value.to_vec()).unwrap();
        assert!([*required, *further].concat().contains(&key.as_str()), "{key} of {name}");
        let place = ["tests", "failures", "errors"].iter().position(|n| *n == key);
        if let (Some(place), "testsuite") = (place, name.as_str()) {
            counts.said[place] += value.parse::<usize>().unwrap();
        }
        names.push(key);
    }
    assert!(required.iter().all(|n| names.iter().any(|k| k == n)), "{name} has {names:?}");
    match name.as_str() {
        "testcase" => counts.seen[0] += 1,
        "failure" => counts.seen[1] += 1,
        "error" => counts.seen[2] += 1,
        "skipped" => counts.skipped += 1,
        _ => {}
    }
    name
}

#[test]
fn what_a_failing_run_leaves_is_accepted_by_ci_servers() {
    let desk = Desk::new();
    let faults = ["--fault", "number-control-stripped", "--fault", "cacheable-answer"];
    let serving = Serving::start(&faults, Some("demo"));
    let cases = ["run", "--target", &serving.url, "--depth", "quick", "echo", "order", "code"];
    desk.with_token(&cases, Some("demo")).ends(1);
    let xml = std::fs::read_to_string(desk.reports().join("junit.xml")).unwrap();
    let counts = conforming(&xml);
    assert_eq!(counts.said, counts.seen);
    assert!(counts.seen[1] > 0 && counts.skipped > 0, "{counts:?}");
    // What was run can be told from it, and each failure brings its evidence.
    for property in ["seed", "run_id", "specification", "cases", "conclusion", "target"] {
        assert!(xml.contains(&format!("<property name=\"{property}\" value=")), "{property}");
    }
    assert!(xml.contains("curl ") && xml.contains("expected "));
}

#[test]
fn what_a_conformant_and_an_unreachable_run_leave_is_accepted_too() {
    let desk = Desk::new();
    desk.batchproof(&["run", "--depth", "quick", "echo"]).ends(0);
    let path = desk.reports().join("junit.xml");
    let counts = conforming(&std::fs::read_to_string(&path).unwrap());
    assert_eq!((counts.said, counts.seen[1]), (counts.seen, 0));
    let url = format!("http://127.0.0.1:{}", crate::harness::closed_port());
    desk.with_token(&["run", "--target", &url, "echo"], Some("demo")).ends(3);
    let counts = conforming(&std::fs::read_to_string(&path).unwrap());
    assert_eq!(counts.said, counts.seen);
    assert_eq!(counts.seen[2], 1, "inconclusive is an error");
}

/// Name and message of each failed test of a run with this run id.
fn failures(url: &str, run_id: &str, further: &[&str]) -> (String, Vec<String>) {
    let desk = Desk::new();
    let cases = ["run", "--target", url, "--depth", "quick", "--seed", "7", "order", "echo"];
    desk.batchproof(&[&cases[..], &["--run-id", run_id], further].concat()).ends(1);
    let xml = std::fs::read_to_string(desk.reports().join("junit.xml")).unwrap();
    let messages = xml.split("<failure message=\"").skip(1);
    let messages = messages.map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    (xml, messages)
}

#[test]
fn a_failure_has_the_same_message_in_each_run_and_a_time() {
    let serving = Serving::start(&["--fault", "results-reversed"], None);
    let (xml, first) = failures(&serving.url, "bptest-first", &[]);
    let (_, second) = failures(&serving.url, "bptest-other", &[]);
    assert!(!first.is_empty());
    assert_eq!(first, second);
    assert!(!first.concat().contains("bptest"), "{first:?}");
    for test in xml.split("<testcase ").skip(1) {
        let head = test.split('>').next().unwrap();
        let timed = head.contains("time=\"");
        assert!(timed || test.contains("<skipped") || head.contains("\"run\""), "{head}");
    }
}

#[test]
fn case_files_are_named_where_asked() {
    let serving = Serving::start(&["--fault", "results-reversed"], None);
    let (plain, _) = failures(&serving.url, "bptest-plain", &[]);
    assert!(!plain.contains(" file=\""));
    let (named, _) = failures(&serving.url, "bptest-named", &["--junit-files"]);
    assert!(named.contains(" file=\"cases/order/sizes.yaml\""));
}
