//! How a comparison with an older target is worded: what all reports share. It must not know how any of them looks.

use super::fact::Fact;
use super::pair::elements;
use super::text::{counted, excerpt, number, visible, visible_body, visible_value};
use super::wording::{answer_line, exchange_line, host, rule_of};
use crate::record::{
    AgainstSummary, AnswerRecord, BodyRecord, DifferenceKind, DifferenceVerdict, ExchangeRecord,
    Summary,
};
use crate::triage::{DifferenceGroup, verdict_counts};

/// Characters of a value.
const VALUE: usize = 300;
/// Characters of a body.
const BODY: usize = 600;
/// Kinds of input that are named.
const INPUTS: usize = 6;
/// Cases that are named.
const CASES: usize = 3;

/// `http://new against http://old`.
pub(super) fn targets(summary: &Summary, against: &AgainstSummary) -> String {
    let old = visible(&host(&against.head.target));
    format!("{} against {old}", visible(&host(&summary.head.target)))
}

/// `2 differences (1 regression, 1 allowed), 1 not seen again`.
pub(super) fn differences_line(groups: &[DifferenceGroup<'_>]) -> String {
    let counting = groups.iter().filter(|group| group.counts()).count();
    let parts = verdict_counts(groups);
    let parts: Vec<String> = parts
        .iter()
        .map(|(verdict, count)| match verdict {
            DifferenceVerdict::Regression => counted(*count as u64, "regression"),
            verdict => format!("{count} {}", verdict.words()),
        })
        .collect();
    let mut line = match counting {
        0 => "no differences".to_owned(),
        _ => format!("{} ({})", counted(counting as u64, "difference"), parts.join(", ")),
    };
    let others = groups.len() - counting;
    if others > 0 {
        line = format!("{line}, {others} not confirmed");
    }
    line
}

/// `1,234 requests compared`.
pub(super) fn compared_line(against: &AgainstSummary) -> String {
    format!("{} compared", counted(against.record.requests, "request"))
}

/// What else a reader must know of a comparison, in sentences.
pub(super) fn remarks(against: &AgainstSummary) -> Vec<String> {
    let record = &against.record;
    let mut remarks = Vec::new();
    if record.distinct_keys {
        remarks.push("the keys of both targets differ, because they share a database".to_owned());
    }
    if !record.volatile.is_empty() {
        remarks.push(format!(
            "not compared, because it changes from answer to answer: {}",
            record.volatile.join(", ")
        ));
    }
    if !against.head.ignored.is_empty() {
        remarks.push(format!("ignored on request: {}", against.head.ignored.join(", ")));
    }
    for (why, count) in &record.not_compared {
        remarks.push(format!("{} not compared: {why}", counted(*count, "execution")));
    }
    remarks
}

/// `error code at /results/*/errorCode: O001 → O002`.
pub(super) fn title(group: &DifferenceGroup<'_>) -> String {
    let lead = group.lead;
    let place = if lead.place.is_empty() || lead.kind == DifferenceKind::Status {
        String::new()
    } else if lead.kind == DifferenceKind::Header {
        format!(" {}", visible(&lead.place))
    } else {
        format!(" at {}", visible(&lead.place))
    };
    let (old, new) = (visible(&excerpt(&lead.old, 80)), visible(&excerpt(&lead.new, 80)));
    format!("{}{place}: {old} → {new}", lead.kind.words())
}

/// What the specification says of a group.
pub(super) fn decision(summary: &Summary, group: &DifferenceGroup<'_>) -> String {
    let lead = group.lead;
    let Some(id) = &lead.rule else {
        return "no rule decides: the specification allows both answers".to_owned();
    };
    let title = rule_of(summary, id).map(|rule| visible(&rule.rule.title)).unwrap_or_default();
    let who = match lead.verdict {
        DifferenceVerdict::Regression => "the newer target violates it, the older one does not",
        DifferenceVerdict::Fixed => "the older target violates it, the newer one does not",
        DifferenceVerdict::BothViolate => "both targets violate it",
        DifferenceVerdict::Allowed => "it allows both answers",
    };
    let level = lead.level.map(|level| format!(" {level}")).unwrap_or_default();
    format!("{}{level} ({title}): {who}", visible(id))
}

/// The lines about a group, in the order in which a reader needs them.
pub(super) fn difference_facts(summary: &Summary, group: &DifferenceGroup<'_>) -> Vec<Fact> {
    let lead = group.lead;
    let mut facts = Vec::new();
    let mut add = |label: &'static str, text: String| {
        facts.push(Fact { label: label.into(), text });
    };
    let value = |token: &str, value: &str| {
        let shown = visible_value(&excerpt(value, VALUE));
        match (value.is_empty() || value == token, token) {
            (true, token) => visible(token),
            (false, token) => format!("{}: {shown}", visible(token)),
        }
    };
    add("old", value(&lead.old, &lead.old_value));
    add("new", value(&lead.new, &lead.new_value));
    let mut inputs: Vec<String> = Vec::new();
    for member in group.members.iter().take(INPUTS) {
        inputs.push(format!("{} ({})", visible(&member.input), number(member.count)));
    }
    if group.members.len() > INPUTS {
        inputs.push(format!("{} more", group.members.len() - INPUTS));
    }
    add("input", inputs.join("; "));
    add("decided", decision(summary, group));
    add("repeated", repeated(group));
    if let Some(pair) = lead.evidence.last() {
        let first = lead.evidence.len();
        let steps =
            if first > 1 { format!(" (request {first} of the example)") } else { String::new() };
        let line = exchange_line(&pair.new);
        let line = line.lines().next().unwrap_or_default().rsplit_once(" → ");
        let request = line.map_or("", |(request, _)| request);
        add("request", format!("{request}{steps}, case {}", visible(&lead.case)));
        if let Some(item) = lead.item
            && let (Some(text), _) = elements(&pair.new, item)
        {
            add("item", format!("{item}: {}", visible_value(&excerpt(text, VALUE))));
        }
        add("old answer", answer_text(&pair.old, lead.item));
        add("new answer", answer_text(&pair.new, lead.item));
    }
    facts
}

/// `3 of 3 repeats; seen 12 times in 3 cases (a, b, …)`.
fn repeated(group: &DifferenceGroup<'_>) -> String {
    let lead = group.lead;
    let cases = group.cases();
    let shown = cases.iter().take(CASES).map(|case| visible(case)).collect::<Vec<_>>().join(", ");
    let more = if cases.len() > CASES { ", …" } else { "" };
    let state = if lead.of == 0 {
        lead.state.words().to_owned()
    } else {
        format!("{}: {} of {} repeats", lead.state.words(), lead.shown, lead.of)
    };
    format!(
        "{state}; seen {} in {} ({shown}{more})",
        counted(group.count(), "time"),
        counted(cases.len() as u64, "case")
    )
}

/// An answer in a line: its status, and its body or the result of one item.
pub(super) fn answer_text(exchange: &ExchangeRecord, item: Option<usize>) -> String {
    let AnswerRecord::Received { status, body, .. } = &exchange.answer else {
        return answer_line(&exchange.answer);
    };
    let result = item.and_then(|item| Some((item, elements(exchange, item).1?)));
    match (result, body) {
        (Some((item, result)), _) => {
            format!("{status}, result {item}: {}", visible_value(&excerpt(result, BODY)))
        }
        (None, BodyRecord::Text(text)) => {
            format!("{status} {}", visible_body(&excerpt(text, BODY)))
        }
        (None, BodyRecord::None) => format!("{status}, no body"),
        (None, BodyRecord::Hex(_)) => format!("{status}, bytes that are not UTF-8"),
        (None, BodyRecord::Excerpt { bytes, .. }) => format!("{status}, {bytes} bytes"),
    }
}
