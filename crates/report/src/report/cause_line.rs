//! What the findings of a problem have in common, in one sentence: the root that no single finding names.

use crate::check::TextChange;
use crate::record::Summary;
use crate::report::text::visible;
use crate::triage::{Problem, names_ignore_case, remembers_credentials};

/// The root of a problem in words, where its findings tell.
pub(super) fn cause_line(summary: &Summary, group: &Problem<'_>) -> Option<String> {
    let lead = &group.lead.0;
    if remembers_credentials(summary, lead) {
        return Some(
            "credentials are remembered per connection: after a request with good ones, the next one on the same \
             connection needs none (the commands send both)"
                .to_owned(),
        );
    }
    if names_ignore_case(lead) {
        return Some("names of fields are compared ignoring letter case".to_owned());
    }
    if let Some(change) = lead.change() {
        return changed_texts(group, change);
    }
    if depends_on_connection(summary, group) {
        return Some(
            "it shows only where requests use different connections: the target remembers something per connection"
                .to_owned(),
        );
    }
    if group.comes_whatever_is_sent() {
        return Some("it is flaky, whatever is sent".to_owned());
    }
    group.input.map(|input| format!("the input: {}", visible(input)))
}

/// Whether the smallest requests that show it need connections of their own.
fn depends_on_connection(summary: &Summary, group: &Problem<'_>) -> bool {
    let lead = &group.lead.0;
    summary.minimal_example(lead).is_some_and(|minimal| {
        let always = minimal.shown > 0 && minimal.shown == minimal.of;
        always
            && minimal.evidence.len() > 1
            && minimal.evidence.iter().any(|exchange| exchange.request.new_connection)
    })
}

fn changed_texts(group: &Problem<'_>, change: TextChange) -> Option<String> {
    let mut fields: Vec<&str> = Vec::new();
    let mut keys = false;
    for (finding, _) in &group.findings {
        if finding.kind == change.word() {
            let field = finding.place.rsplit('/').next().unwrap_or_default();
            if !fields.contains(&field) {
                fields.push(field);
            }
        } else {
            keys = true;
        }
    }
    let compared = match change {
        TextChange::WhiteSpace => "keys are compared without the white space around them",
        TextChange::LetterCase => "keys are compared ignoring letter case",
        TextChange::Normalised => {
            "keys are compared in a Unicode normalisation form: different characters that it makes one are taken for \
             the same"
        }
        TextChange::Shortened => "keys are compared by their beginning alone",
        TextChange::Escaped => "keys are compared without the escapes of markup",
        TextChange::Replaced => "keys are compared with `?` in the place of some characters",
    };
    let what = match change {
        TextChange::WhiteSpace => "white space around texts is lost",
        TextChange::LetterCase => "the letter case of texts is changed",
        TextChange::Normalised => "texts are brought into a Unicode normalisation form",
        TextChange::Shortened => "texts lose their end",
        TextChange::Escaped => "markup in texts is escaped",
        TextChange::Replaced => "characters of texts are replaced by `?` or U+FFFD",
    };
    let fields: Vec<String> = fields.iter().map(|field| visible(field)).collect();
    match (fields.as_slice(), keys) {
        ([], true) => Some(compared.to_owned()),
        ([] | [_], false) => None,
        (fields, false) => Some(format!("{what}, in {}", fields.join(", "))),
        (fields, true) => Some(format!("{what}, in {}; {compared}", fields.join(", "))),
    }
}
