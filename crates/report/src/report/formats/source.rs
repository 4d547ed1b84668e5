//! Where a problem has its place in a repository: the case file that shows it.

use crate::record::{FindingRecord, RUN, Summary};
use crate::triage::Problem;

/// The file of a case: the user's own as they named it, a shipped one in the source of batchproof; none for what is
/// seen over the whole run.
pub(in crate::report) fn file_of_case(summary: &Summary, case: &str) -> Option<String> {
    if case == RUN {
        return None;
    }
    let own = summary.head.files.get(case).cloned();
    Some(own.unwrap_or_else(|| format!("cases/{case}.yaml")))
}

/// The user's own file that shows a problem, where one does.
pub(super) fn own_file<'a>(summary: &'a Summary, group: &Problem<'_>) -> Option<&'a str> {
    group.cases().into_iter().find_map(|case| summary.head.files.get(case)).map(String::as_str)
}

/// A path as a URI reference: relative ones stay relative, whatever the machine.
pub(super) fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.replace('\\', "/");
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'/'
            | b'@'
            | b'+' => out.push(char::from(byte)),
            _ => {
                use std::fmt::Write as _;
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// What a problem's finding shares from run to run, whatever case shows it first.
pub(super) fn fingerprint(finding: &FindingRecord) -> String {
    crate::record::finding_id(&finding.rule, "", &finding.place, kind(&finding.kind))
}

/// A kind without its variety.
fn kind(kind: &str) -> &str {
    kind.split_once(": ").map_or(kind, |(kind, _)| kind)
}
