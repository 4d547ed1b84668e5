//! `junit.xml` for CI systems: a suite for each rule, a test for each case that checked it.
//!
//! A test fails only where a run would: confirmed findings that no waiver covers, SHOULD findings in a strict
//! run alone. XML 1.0 has no place for control characters, so they are spelled out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::bytes::readable;
use super::curl::CommandContext;
use super::formats::file_of_case;
use super::minimal::{reproduction, shrunk_finding};
use super::text::{counted, excerpt, visible, visible_block, visible_body, visible_value};
use super::waiver::waiver;
use super::wording::{
    answer_line, confirmation, found_line, not_tested, other_reasons, state_word, tested_line,
    unanswered,
};
use crate::check::RuleCounts;
use crate::contract::Level;
use crate::record::{
    AnswerRecord, BodyRecord, Conclusion, ExchangeRecord, FindingRecord, RecordedFinding,
    RuleOutcome, RuleSummary, Summary,
};
use crate::triage::{ProblemState, problems};

mod against;
mod waivers;

/// Characters of a body.
const BODY: usize = 4_000;
/// Exchanges of a finding.
const EXCHANGES: usize = 6;
/// Findings of a test that are shown whole.
const WHOLE: usize = 5;

/// What `junit.xml` holds beside what every reader takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct JunitOptions {
    /// The case file of each test, as its attribute `file`: GitLab and `CircleCI` show it, and `junit-10.xsd` has no place for
    /// it.
    pub files: bool,
}

/// `junit.xml`.
///
/// # Errors
/// Where it can't be written as XML, which no run brings about.
pub fn junit(summary: &Summary, options: JunitOptions) -> std::io::Result<String> {
    let head = &summary.head;
    let mut report = Report::new("batchproof");
    let seconds = summary.stats().seconds;
    if let Ok(time) = Duration::try_from_secs_f64(seconds) {
        report.set_time(time);
    }
    let mut first = run(summary);
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(&head.started) {
        first.set_timestamp(time);
    }
    report.add_test_suite(first);
    if let Some(suite) = against::suite(summary) {
        report.add_test_suite(suite);
    }
    if let Some(suite) = waivers::suite(summary) {
        report.add_test_suite(suite);
    }
    let how = CommandContext::from_summary(summary);
    for rule in &summary.rules {
        if let Some(suite) = suite(summary, rule, &how, options) {
            report.add_test_suite(suite);
        }
    }
    Ok(without_skipped(&report.to_string().map_err(std::io::Error::other)?))
}

/// The number of skipped tests is not an attribute of the outermost element in the schema of Jenkins' xUnit plugin
/// (`junit-10.xsd`); each suite says its own.
fn without_skipped(xml: &str) -> String {
    let outermost = xml.find("<testsuites").unwrap_or(0);
    let end = xml[outermost..].find('>').map_or(xml.len(), |at| outermost + at);
    let attribute = xml[outermost..end].find(" skipped=\"").map(|at| outermost + at);
    let Some(from) = attribute else { return xml.to_owned() };
    let value = from + " skipped=\"".len();
    let to = xml[value..].find('"').map_or(value, |at| value + at + 1);
    format!("{}{}", &xml[..from], &xml[to..])
}

/// A suite that says whether the run itself came to an end that counts, and what was run.
fn run(summary: &Summary) -> TestSuite {
    let head = &summary.head;
    let mut suite = TestSuite::new("run");
    let depth = head.depth.to_string();
    let seed = head.seed.to_string();
    let conclusion = summary.conclusion.to_string();
    let properties = [
        ("conclusion", conclusion.as_str()),
        ("tool", &head.tool),
        ("target", &head.target),
        ("seed", &seed),
        ("run_id", &head.run_id),
        ("depth", &depth),
        ("specification", &head.specification.hash),
        ("cases", &head.suite),
    ];
    for (name, value) in properties {
        suite.add_property((name, visible(value).as_str()));
    }
    let reasons = visible_block(&other_reasons(summary).join("\n"));
    let status = match summary.conclusion {
        Conclusion::Inconclusive => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("inconclusive");
            status.set_message("the run is inconclusive");
            status.set_description(reasons.as_str());
            status
        }
        _ => TestCaseStatus::success(),
    };
    let mut test = TestCase::new("conclusion", status);
    test.set_classname("run");
    if summary.conclusion != Conclusion::Inconclusive {
        let groups = problems(summary);
        let text = format!(
            "{}: {}, {}\n{reasons}",
            summary.conclusion,
            found_line(summary, &groups),
            tested_line(summary)
        );
        test.set_system_out(text.trim_end());
    }
    suite.add_test_case(test);
    for (case, not) in &head.not_run {
        suite.add_test_case(skipped(case, "run", &not.why));
    }
    for (case, changes) in &head.notes {
        let name = format!("note {case}");
        suite.add_property((visible(&name).as_str(), visible(&changes.join("; ")).as_str()));
    }
    for (case, text) in unanswered(summary) {
        suite.add_property((visible(&format!("no response {case}")).as_str(), text.as_str()));
    }
    suite
}

fn suite(
    summary: &Summary,
    rule: &RuleSummary,
    how: &CommandContext,
    options: JunitOptions,
) -> Option<TestSuite> {
    let id = &rule.rule.id;
    let mut suite = TestSuite::new(visible(&format!("{id} {}", rule.rule.title)));
    suite.add_property(("level", rule.rule.level.to_string().as_str()));
    suite.add_property(("cite", visible(&rule.rule.cite).as_str()));
    let mut names: Vec<&str> = Vec::new();
    for case in &summary.cases {
        let judged = case
            .record
            .as_ref()
            .and_then(|r| r.rules.get(id))
            .is_some_and(|c| c.judged() + c.errored + c.unanswered + c.masked > 0);
        if judged {
            names.push(&case.id);
        }
    }
    // A killed run, or a rule of the run's scope, has findings where no case was counted.
    let known: BTreeSet<&str> = names.iter().copied().collect();
    let further: BTreeSet<&str> = summary
        .findings
        .iter()
        .filter(|(f, _)| f.rule == *id && !known.contains(f.case.as_str()))
        .map(|(f, _)| f.case.as_str())
        .collect();
    names.extend(further);
    if names.is_empty() {
        // One line for a rule that says nothing, not one for each case that it does not apply to.
        let reason = not_tested(rule)?;
        suite.add_test_case(skipped("(no case)", id, &reason));
        return Some(suite);
    }
    for name in names {
        let findings: Vec<&RecordedFinding> =
            summary.findings.iter().filter(|(f, _)| f.rule == *id && f.case == name).collect();
        let counts = summary
            .cases
            .iter()
            .find(|c| c.id == name)
            .and_then(|c| c.record.as_ref())
            .and_then(|r| r.rules.get(id))
            .copied()
            .unwrap_or_default();
        let mut test = test(summary, rule, name, &findings, counts, how);
        if let Some(time) = share(summary, name) {
            test.set_time(time);
        }
        if options.files
            && let Some(file) = file_of_case(summary, name)
        {
            test.extra.insert("file".into(), visible(&file).into());
        }
        suite.add_test_case(test);
    }
    Some(suite)
}

fn skipped(name: &str, rule: &str, reason: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(visible(reason));
    let mut test = TestCase::new(visible(name), status);
    test.set_classname(visible(rule));
    test
}

fn test(
    summary: &Summary,
    rule: &RuleSummary,
    name: &str,
    findings: &[&RecordedFinding],
    counts: RuleCounts,
    how: &CommandContext,
) -> TestCase {
    let id = &rule.rule.id;
    let counting = rule.rule.level == Level::Must || summary.head.strict;
    let of = |state: ProblemState| {
        findings.iter().filter(move |(_, u)| ProblemState::from_status(u) == state)
    };
    let confirmed: Vec<&RecordedFinding> = of(ProblemState::Confirmed).copied().collect();
    let mut test = if counts.errored > 0 {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("panic");
        status.set_message(crate::record::NotTested::Panicked.to_string());
        TestCase::new(visible(name), status)
    } else if counting && !confirmed.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(id.as_str());
        let message = confirmed.first().map_or_else(String::new, |(f, _)| stable(f, rule));
        status.set_message(visible(&excerpt(&message, 400)));
        status.set_description(evidence(summary, &confirmed, how));
        TestCase::new(visible(name), status)
    } else if confirmed.is_empty() && of(ProblemState::Waived).next().is_some() {
        let reason = of(ProblemState::Waived).next().and_then(|(_, u)| u.waived.clone());
        return skipped(name, id, &format!("waived: {}", reason.unwrap_or_default()));
    } else if findings.is_empty() && counts.judged() == 0 {
        let reason = match (counts.unanswered, counts.masked) {
            (0, _) => "masked by the failure of another rule",
            _ => "no answer came that could be judged",
        };
        return skipped(name, id, reason);
    } else {
        TestCase::new(visible(name), TestCaseStatus::success())
    };
    test.set_classname(visible(id));
    let others: Vec<&RecordedFinding> = findings
        .iter()
        .filter(|(_, u)| !counting || ProblemState::from_status(u) != ProblemState::Confirmed)
        .copied()
        .collect();
    if !others.is_empty() && rule.outcome != RuleOutcome::Passed {
        test.set_system_out(evidence(summary, &others, how));
    }
    test
}

/// What failed, without values of one run, so that CI servers group the failures of several: what was expected and what
/// came is in the text.
fn stable(finding: &FindingRecord, rule: &RuleSummary) -> String {
    let place = if finding.place.is_empty() { "" } else { " at " };
    format!("{}: {}{place}{}", rule.rule.title, finding.kind, finding.place)
}

/// The share of a case's time that each of its tests is said to take: all of them add up to the case.
fn share(summary: &Summary, case: &str) -> Option<Duration> {
    let record = summary.cases.iter().find(|c| c.id == case)?.record.as_ref()?;
    let rules = record.rules.values();
    let tests = rules.filter(|c| c.judged() + c.errored + c.unanswered + c.masked > 0).count();
    let tests = u32::try_from(tests.max(1)).ok()?;
    Some(Duration::from_millis(record.millis) / tests)
}

/// What findings of one test say, with what shows them.
fn evidence(summary: &Summary, findings: &[&RecordedFinding], how: &CommandContext) -> String {
    let mut out = String::new();
    for (at, found) in findings.iter().enumerate() {
        let (finding, update) = *found;
        if at == WHOLE {
            let _ = writeln!(out, "… and {} more, in report.html", findings.len() - WHOLE);
            break;
        }
        let mut line = |label: &str, text: &str| {
            let _ = writeln!(out, "{label:<9} {text}");
        };
        line("finding", &visible(&finding.id));
        let confirmed = confirmation(found).map(|by| format!(", {by}")).unwrap_or_default();
        let state = state_word(ProblemState::from_status(update));
        line("state", &format!("{} {state}{confirmed}", finding.level));
        line("expected", &visible_value(&excerpt(&finding.expected, BODY)));
        line("got", &visible_value(&excerpt(&finding.actual, BODY)));
        line("at", &visible(&finding.position.pointer));
        line("seen", &counted(update.count, "time"));
        for exchange in finding.evidence.iter().take(EXCHANGES) {
            out.push_str(&exchange_text(exchange));
        }
        if finding.evidence.len() > EXCHANGES {
            let _ = writeln!(out, "… {} more exchanges", finding.evidence.len() - EXCHANGES);
        }
        out.push('\n');
        let shrunk = shrunk_finding(summary, finding);
        if shrunk.id != finding.id {
            let _ = writeln!(
                out,
                "# minimal example of the same problem: finding {}",
                visible(&shrunk.id)
            );
        }
        let lines = reproduction(summary, shrunk, how);
        if lines.iter().map(String::len).sum::<usize>() <= 2 * BODY {
            for line in lines {
                out.push_str(&visible(&line));
                out.push('\n');
            }
        } else {
            out.push_str("# the commands are long: see report.json\n");
        }
        out.push('\n');
        out.push_str(&visible_block(&waiver(finding)));
        out.push('\n');
    }
    out
}

fn exchange_text(exchange: &ExchangeRecord) -> String {
    let request = &exchange.request;
    let mut out = format!("\n> {} {}\n", visible(&request.method), visible(&request.url));
    for (name, value) in &request.headers {
        let _ = writeln!(out, "> {}: {}", visible(name), visible(value));
    }
    out.push_str(&body(&request.body));
    let _ = writeln!(out, "< {}", answer_line(&exchange.answer));
    if let AnswerRecord::Received { headers, body: answer, .. } = &exchange.answer {
        for (name, value) in headers {
            let _ = writeln!(out, "< {}: {}", visible(name), visible(value));
        }
        out.push_str(&body(answer));
    }
    out
}

fn body(record: &BodyRecord) -> String {
    match record {
        BodyRecord::None => String::new(),
        BodyRecord::Text(text) => format!("{}\n", visible_body(&excerpt(text, BODY))),
        BodyRecord::Hex(hex) => format!("{}\n", excerpt(&readable(hex), BODY)),
        BodyRecord::Excerpt { bytes, sha256, begins } => format!(
            "{}\n({bytes} bytes, SHA-256 {})\n",
            visible_block(&excerpt(begins, BODY)),
            visible(sha256)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_fails_a_run_fails_a_test_and_nothing_else_does() {
        let report = Report::deserialize_from_str(
            &junit(&sample::hostile(), JunitOptions::default()).unwrap(),
        )
        .unwrap();
        let find = |rule: &str, case: &str| {
            let suite = report.test_suites.iter().find(|s| s.name.starts_with(rule)).unwrap();
            suite.test_cases.iter().find(|t| t.name.as_str() == case).unwrap().status.clone()
        };
        let fails = |s: TestCaseStatus| matches!(s, TestCaseStatus::NonSuccess { .. });
        assert!(fails(find("ORDER-002", "order/permute")));
        assert!(fails(find("UNIQUE-001", "unique/twice")));
        assert!(!fails(find("ORDER-002", "unique/twice")));
        assert!(!fails(find("STATUS-003", "race/pairs")), "unconfirmed");
        assert!(!fails(find("HTTP-010", "refuse/lengths")), "SHOULD");
        let waived = find("CODE-004", "unique/twice");
        assert!(matches!(waived, TestCaseStatus::Skipped { .. }));
        let skipped = find("RACE-001", "(no case)");
        assert!(matches!(skipped, TestCaseStatus::Skipped { message: Some(m), .. }
            if m.contains("shared staging")));
        let mut strict = sample::hostile();
        strict.head.strict = true;
        let report =
            Report::deserialize_from_str(&junit(&strict, JunitOptions::default()).unwrap())
                .unwrap();
        let suite = report.test_suites.iter().find(|s| s.name.starts_with("HTTP-010")).unwrap();
        assert!(suite.test_cases.iter().any(|t| fails(t.status.clone())));
    }

    #[test]
    fn no_control_character_reaches_the_xml() {
        for summary in [sample::hostile(), sample::killed(), sample::large(30)] {
            let xml = junit(&summary, JunitOptions::default()).unwrap();
            assert!(!xml.contains(|c: char| c != '\n' && super::super::text::is_hidden(c)));
            assert!(Report::deserialize_from_str(&xml).is_ok());
            assert!(!xml.contains("<img"));
        }
    }

    #[test]
    fn an_inconclusive_run_is_an_error() {
        let xml = junit(&sample::killed(), JunitOptions::default()).unwrap();
        assert!(xml.contains("errors=\"1\""), "{xml}");
    }
}
