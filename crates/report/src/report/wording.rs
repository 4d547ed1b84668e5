//! How problems are worded: what all reports share. It must not know how any of them looks.

use std::fmt::Write as _;

use crate::contract::Interpretation;
use crate::record::{
    AnswerRecord, ExchangeRecord, FindingRecord, NotTested, RUN, Reason, RecordedFinding,
    RuleOutcome, RuleSummary, RunHead, Summary, WaiverStatus, is_of_threshold, is_of_time,
};

use crate::triage::{Problem, ProblemState, ProblemTotals, problems};

use super::text::{counted, millis, number, visible};

/// What a state is called.
pub(super) fn state_word(state: ProblemState) -> &'static str {
    match state {
        ProblemState::Confirmed => "confirmed",
        ProblemState::Unconfirmed => "unconfirmed",
        ProblemState::Waived => "waived",
    }
}

/// What follows a level if the problem does not count.
pub(super) fn state_mark(state: ProblemState) -> String {
    match state {
        ProblemState::Confirmed => String::new(),
        state => format!(" ({})", state_word(state)),
    }
}

/// The other causes of a problem in a line, the first few of them.
pub(super) fn also(problem: &Problem<'_>) -> Option<String> {
    const NAMED: usize = 8;
    let others = problem.other_causes();
    if problem.comes_whatever_is_sent() {
        // What was sent says nothing then; other rules that saw it do.
        return other_rules(problem, &others);
    }
    let mut named: Vec<String> = others.iter().take(NAMED).map(|o| variant(problem, o)).collect();
    if others.len() > NAMED {
        named.push(format!("{} more", others.len() - NAMED));
    }
    (!named.is_empty()).then(|| named.join(", "))
}

/// The failures of other rules for which a problem accounts, where it is the first with the rule that explains them.
pub(super) fn explained(summary: &Summary, problem: &Problem<'_>) -> Option<String> {
    let by = |by: &str| problem.finding_of_rule(by).is_some();
    if !summary.explained.keys().any(|(rule, _)| by(rule)) {
        return None;
    }
    let problems = problems(summary);
    let is_first = |rule: &str| {
        let first = problems.iter().find(|other| other.finding_of_rule(rule).is_some());
        first.is_some_and(|first| first.lead.0.id == problem.lead.0.id)
    };
    let of_it = summary.explained.iter().filter(|((rule, _), _)| by(rule) && is_first(rule));
    let named: Vec<String> = of_it
        .map(|((_, rule), failures)| {
            let (count, cases) = (failures.count, failures.cases.len() as u64);
            let rule = visible(rule);
            format!("{rule} ({} in {})", counted(count, "time"), counted(cases, "case"))
        })
        .collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// The rules of other causes in a line, each with how often it failed.
fn other_rules(problem: &Problem<'_>, others: &[&RecordedFinding]) -> Option<String> {
    let mut rules: Vec<&str> = Vec::new();
    for (finding, _) in others {
        if finding.rule != problem.rule() && !rules.contains(&finding.rule.as_str()) {
            rules.push(&finding.rule);
        }
    }
    let told = rules.iter().map(|rule| {
        let same = problem.findings.iter().filter(|(f, _)| f.rule == **rule);
        let times = counted(same.map(|(_, u)| u.count).sum::<u64>(), "time");
        format!("{} ({times})", visible(rule))
    });
    (!rules.is_empty()).then(|| told.collect::<Vec<_>>().join(", "))
}

/// Another cause by its difference from the one that leads.
fn variant(problem: &Problem<'_>, (other, _): &RecordedFinding) -> String {
    let same = problem.findings.iter().filter(|(f, _)| f.cause() == other.cause());
    let times = counted(same.map(|(_, u)| u.count).sum::<u64>(), "time");
    let lead = &problem.lead.0;
    let what = match (other.rule == lead.rule, other.place == lead.place) {
        (false, _) => visible(&other.rule),
        (true, true) => visible(&other.kind),
        (true, false) => format!("{} {}", visible(&other.kind), visible(&other.place)),
    };
    format!("{what} ({times})")
}

/// The first few cases of a problem.
pub(super) fn cases_shown(problem: &Problem<'_>, most: usize) -> String {
    let cases = problem.cases();
    let shown = cases.iter().take(most).map(|c| visible(c)).collect::<Vec<_>>().join(", ");
    if cases.len() > most { format!("{shown}, …") } else { shown }
}

/// The option that names the contract of a run again, with a blank before it; nothing for the shipped one.
pub(super) fn contract_option(head: &RunHead) -> String {
    let Some(dir) = &head.specification.dir else { return String::new() };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let dir = visible(dir);
    if dir.chars().all(is_plain) {
        format!(" --contract {dir}")
    } else {
        format!(" --contract '{}'", dir.replace('\'', "'\\''"))
    }
}

/// Whether the run says nothing at all of the target.
pub(super) fn nothing_tested(summary: &Summary) -> bool {
    summary.findings.is_empty() && summary.rules.iter().all(|r| r.counts.judged() == 0)
}

/// `3 problems (2 MUST, 1 SHOULD), 1 unconfirmed`.
pub(super) fn totals_line(totals: ProblemTotals) -> String {
    let confirmed = totals.must + totals.should;
    let problems = counted(confirmed as u64, "problem");
    let mut words = match (totals.must, totals.should) {
        (0, 0) => "no problems".to_owned(),
        (_, 0) => format!("{problems} (MUST)"),
        (0, _) => format!("{problems} (SHOULD)"),
        (must, should) => format!("{problems} ({must} MUST, {should} SHOULD)"),
    };
    for (count, word) in [(totals.unconfirmed, "unconfirmed"), (totals.waived, "waived")] {
        if count > 0 {
            let _ = write!(words, ", {count} {word}");
        }
    }
    words
}

/// What the run found, in a line: problems, waivers that match nothing, the part of a divided run.
pub(super) fn found_line(summary: &Summary, groups: &[Problem<'_>]) -> String {
    if nothing_tested(summary) {
        return "nothing was tested".to_owned();
    }
    let mut line = totals_line(ProblemTotals::from_problems(groups));
    let stale = summary.waivers_with(WaiverStatus::Stale).count();
    if stale > 0 {
        let _ = write!(line, ", {}", counted(stale as u64, "stale waiver"));
    }
    if let Some(part) = part(summary) {
        let _ = write!(line, ", in {part} only");
    }
    line
}

/// Scheme, host and port of the target; all of it where it is not a URL.
pub(super) fn host(target: &str) -> String {
    let origin = url::Url::parse(target).ok().map(|url| url.origin());
    match origin {
        Some(origin) if origin.is_tuple() => origin.ascii_serialization(),
        _ => target.to_owned(),
    }
}

/// `70 of 78 rules tested`.
pub(super) fn tested_line(summary: &Summary) -> String {
    let (tested, all) = summary.rules_tested();
    format!("{tested} of {all} rules tested")
}

/// The requirement that a problem breaks, and that it does so now and then only, where it does.
pub(super) fn headline(summary: &Summary, group: &Problem<'_>) -> String {
    let title = rule_of(summary, group.rule()).map_or("", |r| r.rule.title.as_str());
    let is_intermittent = group.lead.0.case != RUN && group.is_intermittent();
    if is_intermittent { format!("{title} (broken now and then)") } else { title.to_owned() }
}

/// Why the run is not conformant, without what the problems say already.
pub(super) fn other_reasons(summary: &Summary) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut told: Vec<&NotTested> = Vec::new();
    for reason in &summary.reasons {
        match reason {
            Reason::Findings { .. } => {}
            Reason::RuleNotTested { why, .. } if told.contains(&why) => {}
            Reason::RuleNotTested { why, .. } => {
                told.push(why);
                sentences.extend(not_tested_for(summary, why));
            }
            other => sentences.push(other.to_string()),
        }
    }
    sentences
}

/// The rules that were not tested for one reason: a sentence for each, or one for many.
fn not_tested_for(summary: &Summary, wanted: &NotTested) -> Vec<String> {
    const FEW: usize = 3;
    let mut sentences = Vec::new();
    let mut rules = Vec::new();
    for reason in &summary.reasons {
        if let Reason::RuleNotTested { rule, why } = reason
            && why == wanted
        {
            sentences.push(reason.to_string());
            rules.push(rule.as_str());
        }
    }
    if rules.len() <= FEW {
        return sentences;
    }
    let count = counted(rules.len() as u64, "rule");
    vec![format!("{count} were not tested: {wanted} ({})", rules.join(", "))]
}

/// `part 3 of 3`, where the run is a part of a divided one.
pub(super) fn part(summary: &Summary) -> Option<String> {
    summary.head.partition.map(|(part, of)| format!("part {part} of {of}"))
}

/// `68 of 165 cases (4 do not apply, 93 run at a greater depth)`.
pub(super) fn cases_at_depth(summary: &Summary) -> String {
    let head = &summary.head;
    let all = head.cases.len() as u64;
    let not_run = head.cases.iter().filter(|(id, _)| head.not_run.contains_key(id)).count() as u64;
    let deeper = head.deeper.iter().filter(|id| !head.not_run.contains_key(*id)).count() as u64;
    let here = number(all.saturating_sub(not_run + deeper));
    let why = match (not_run, deeper) {
        (0, 0) => return counted(all, "case"),
        (0, _) => "the others run at a greater depth".to_owned(),
        (_, 0) => "the others do not apply".to_owned(),
        _ => format!("{not_run} do not apply, {deeper} run at a greater depth"),
    };
    format!("{here} of {} ({why})", counted(all, "case"))
}

/// Where the traffic came from, where nothing was sent.
pub(super) fn traffic(head: &RunHead) -> Option<String> {
    let names: Vec<String> = head.traffic.iter().map(|name| visible(name)).collect();
    (!names.is_empty()).then(|| format!("recorded traffic: {}", names.join(", ")))
}

/// What the run left on the target, after its clean-up.
pub(super) fn left_on_target(summary: &Summary) -> String {
    let Some(tail) = &summary.tail else {
        return "an unknown number of accepted items on the target, as the run was killed"
            .to_owned();
    };
    let accepted = counted(tail.left_behind, "accepted item");
    match tail.cleaned_up {
        Some(_) => format!("nothing, if the clean-up did its work ({accepted} before it)"),
        None => format!("{accepted} on the target"),
    }
}

/// The rule of a finding, where the record knows it.
pub(super) fn rule_of<'a>(summary: &'a Summary, id: &str) -> Option<&'a RuleSummary> {
    summary.rules.iter().find(|r| r.rule.id == id)
}

/// The interpretations that a citation names.
pub(super) fn cited<'a>(summary: &'a Summary, cite: &str) -> Vec<&'a Interpretation> {
    cite.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter_map(|word| summary.head.specification.interpretations.iter().find(|r| r.id == word))
        .collect()
}

/// A rule's family.
pub(super) use crate::check::family_of as family;

/// The name of an outcome.
pub(super) fn outcome_word(outcome: RuleOutcome) -> &'static str {
    match outcome {
        RuleOutcome::Passed => "passed",
        RuleOutcome::Failed => "failed",
        RuleOutcome::Waived => "waived",
        RuleOutcome::Unconfirmed => "unconfirmed",
        RuleOutcome::NotApplicable => "not applicable",
        RuleOutcome::Masked => "masked",
        RuleOutcome::Unanswered => "no response",
        RuleOutcome::Errored => "errored",
    }
}

/// Why a rule was not tested, in a few words.
#[must_use]
pub fn not_tested(rule: &RuleSummary) -> Option<String> {
    rule.not_tested().map(|why| why.to_string())
}

/// What confirms a finding; nothing where it is not confirmed.
pub(super) fn confirmation((finding, update): &RecordedFinding) -> Option<String> {
    if !update.confirmed {
        return None;
    }
    if finding.case == RUN {
        return Some("over the whole run".to_owned());
    }
    if is_of_threshold(&finding.kind) {
        return Some("over all runs of the case".to_owned());
    }
    Some(match (update.of, finding.proven) {
        (0, true) => "by the response itself".to_owned(),
        (0, false) => "by repeats".to_owned(),
        (of, true) if update.shown < of => {
            format!("by the response itself; {} of {of} repeats showed it again", update.shown)
        }
        (of, _) => format!("{} of {} repeats", update.shown, of),
    })
}

/// How often a problem was seen: `seen 17 times in 2 cases (order/permute, order/large)`.
pub(super) fn seen(group: &Problem<'_>, cases: usize) -> String {
    let (finding, update) = group.lead;
    let count = group.count();
    let times = if count == 1 { "once".to_owned() } else { counted(count, "time") };
    let mut text = format!("seen {times}");
    if finding.case != RUN {
        let number = group.cases().len() as u64;
        let _ = write!(text, " in {} ({})", counted(number, "case"), cases_shown(group, cases));
    }
    // A flaky one is a finding with its rate.
    if update.shown < update.of && update.runs > 1 {
        let runs = counted(update.runs, "execution");
        // What a clock measures varies by itself.
        let word = if is_of_time(&finding.kind) { "slow" } else { "flaky" };
        let _ = write!(text, "; {word}: in {} of {runs} of this case", update.runs_shown);
    }
    if !update.confirmed {
        text = match update.of {
            0 => format!("{text}; not repeated"),
            of => format!("{text}; {} of {} repeats showed it again", update.shown, of),
        };
    }
    text
}

/// The exchange that shows a finding, with its position in the evidence.
pub(super) fn shown(finding: &FindingRecord) -> Option<(usize, &ExchangeRecord)> {
    let last = finding.evidence.len().checked_sub(1)?;
    let at = finding.position.exchange.min(last);
    finding.evidence.get(at).map(|e| (at, e))
}

/// The response in a few words.
pub(super) fn answer_line(answer: &AnswerRecord) -> String {
    match answer {
        AnswerRecord::Received { status, millis: took, .. } => {
            format!("{status} in {}", millis(*took))
        }
        AnswerRecord::Lost { kind, message, millis: took } => {
            format!("{} after {}", lost(kind, message), millis(*took))
        }
    }
}

/// How a response was lost; the transport's own words only where they say more.
fn lost(kind: &str, message: &str) -> String {
    let status = message.strip_prefix("status ").and_then(|rest| rest.split(", then").next());
    match (kind, status) {
        ("reset", Some(status)) => {
            format!("{} whose body does not end: connection closed", visible(status))
        }
        ("timeout", Some(status)) => format!("{} whose body does not end in time", visible(status)),
        ("reset", None) => "no response: connection closed".to_owned(),
        ("timeout", None) => "no response in time".to_owned(),
        ("hung-up", _) => "no response: the client disconnected".to_owned(),
        _ => format!("no response ({}: {})", visible(kind), visible(message)),
    }
}

/// An exchange in one line.
pub(super) fn exchange_line(exchange: &ExchangeRecord) -> String {
    let trace = exchange
        .request
        .trace
        .as_deref()
        .map_or_else(String::new, |trace| format!("\ntraceparent: {}", visible(trace)));
    format!(
        "{} {} → {}{trace}",
        visible(&exchange.request.method),
        visible(&exchange.request.url),
        answer_line(&exchange.answer)
    )
}

/// An exchange of this run in one line: the path alone where the host is the target's, and the beginning of the span by which
/// the logs of the target name the request.
pub(super) fn request_line(exchange: &ExchangeRecord, target: &str) -> String {
    let request = &exchange.request;
    let origin = |url: &str| url::Url::parse(url).ok().map(|url| url.origin());
    let path = url::Url::parse(&request.url)
        .ok()
        .filter(|url| Some(url.origin()) == origin(target) || origin(target).is_none())
        .map_or(request.url.clone(), |url| url[url::Position::BeforePath..].to_owned());
    let traced = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("traceparent"));
    let traced = request.trace.as_deref().or(traced.map(|(_, value)| value.as_str()));
    // The span is the request's, the trace the run's.
    let trace = traced.and_then(|value| value.split('-').nth(2)).map(|id| {
        let short: String = id.chars().take(8).collect();
        format!("  (trace {})", visible(&short))
    });
    let recorded = recorded_place(&exchange.step);
    let recorded = recorded.map_or(String::new(), |place| format!("  ({})", visible(place)));
    format!(
        "{} {} → {}{}{recorded}",
        visible(&request.method),
        visible(&path),
        answer_line(&exchange.answer),
        trace.unwrap_or_default()
    )
}

/// Where an exchange that somebody else made was found: the entry of an archive, or its number in a proxy. What a case
/// sends has steps with other names.
fn recorded_place(step: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let entry = step.rsplit_once("/log/entries/").map(|(_, number)| number);
    let number = entry.or_else(|| step.strip_prefix("exchange "));
    number.filter(|number| is_number(number)).map(|_| step)
}

/// Cases that were not run, by the reason: what the contract lacks, or what profile or transport exclude.
pub(super) fn cases_not_run(summary: &Summary) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (case, not) in &summary.head.not_run {
        match reasons.iter_mut().find(|(why, _)| *why == not.why) {
            Some((_, cases)) => cases.push(case),
            None => reasons.push((&not.why, vec![case])),
        }
    }
    reasons
}

/// What is to be known of cases beside their results, each with the cases that it is about.
pub(super) fn notes(summary: &Summary) -> Vec<(String, Vec<&str>)> {
    let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
    let mut note = |what: String, case| match notes.iter_mut().find(|(known, _)| *known == what) {
        Some((_, cases)) => cases.push(case),
        None => notes.push((what, vec![case])),
    };
    for (case, all) in &summary.head.notes {
        for change in all {
            note(change.clone(), case);
        }
    }
    for (case, text) in unanswered(summary) {
        note(text, case);
    }
    notes
}

/// Cases of which the target answered some executions with load alone, each with how many.
pub(super) fn unanswered(summary: &Summary) -> impl Iterator<Item = (&str, String)> {
    summary.cases.iter().filter_map(|case| {
        let record = case.record.as_ref().filter(|record| record.unanswered > 0)?;
        let of = counted(record.runs, "execution");
        let text = format!(
            "not judged in {} of {of}: no answer but load (408, 429, 503)",
            record.unanswered
        );
        Some((case.id.as_str(), text))
    })
}
