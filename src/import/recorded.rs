//! Findings of a report: the minimal example that it has as a case file, or the exchanges that show the finding.

use serde_json::Value;

use super::{ImportedFile, ImportedRequest};
use crate::exchange::REDACTED;
use crate::record::{AnswerRecord, BodyRecord, ExchangeRecord};

/// Reads the finding with that id, the beginning of one, or a rule; without a name the first.
///
/// # Errors
/// Which findings there are, or why the exchanges can't be written.
pub fn read(report: &Value, name: Option<&str>) -> Result<ImportedFile, String> {
    let findings: Vec<&Value> =
        report.get("findings").and_then(Value::as_array).into_iter().flatten().collect();
    let text = |finding: &Value, key: &str| {
        finding.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_it = |finding: &&&Value| {
        name.is_none_or(|name| {
            text(finding, "id").starts_with(name) || text(finding, "rule") == name
        })
    };
    let Some(finding) = findings.iter().find(is_it) else {
        let known: Vec<String> =
            findings.iter().map(|f| format!("{} ({})", text(f, "id"), text(f, "rule"))).collect();
        return Err(if known.is_empty() {
            "the report has no findings".to_owned()
        } else {
            format!(
                "no finding is `{}`\n  expected: one of {}",
                name.unwrap_or_default(),
                known.join(", ")
            )
        });
    };
    let minimal = finding.pointer("/minimal/case_file").and_then(Value::as_str);
    if let Some(case) = minimal.filter(|case| !case.trim().is_empty()) {
        return Ok(ImportedFile::CaseFile(case.to_owned()));
    }
    let evidence = finding.get("evidence").cloned().unwrap_or_default();
    let evidence: Vec<ExchangeRecord> = serde_json::from_value(evidence).map_err(|error| {
        format!("the exchanges of finding {} can't be read: {error}", text(finding, "id"))
    })?;
    evidence
        .iter()
        .map(request)
        .collect::<Option<Vec<_>>>()
        .filter(|all| !all.is_empty())
        .map(ImportedFile::Requests)
        .ok_or_else(|| {
            format!(
                "the report does not hold all that finding {} was sent\n  hint: run --export-cases DIR writes findings as case files",
                text(finding, "id")
            )
        })
}

fn request(exchange: &ExchangeRecord) -> Option<ImportedRequest> {
    let request = &exchange.request;
    let body = match &request.body {
        BodyRecord::None => None,
        BodyRecord::Text(text) => Some(text.clone()),
        BodyRecord::Hex(_) | BodyRecord::Excerpt { .. } => return None,
    };
    if request.framing == "raw" || request.url.contains(REDACTED) {
        return None;
    }
    let answer = match &exchange.answer {
        AnswerRecord::Received { status, body, .. } => {
            Some((*status, body.text().map(str::to_owned)))
        }
        AnswerRecord::Lost { .. } => None,
    };
    Some(ImportedRequest {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.clone(),
        body,
        answer,
        credential: Some(request.credential.clone()),
        variables: Vec::new(),
    })
}
