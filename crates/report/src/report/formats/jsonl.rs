//! The report in JSON lines, for programs that read line by line: `type` says what a line is.

use serde::Serialize;
use serde_json::{Value, json};

use crate::record::Summary;
use crate::report::json::Report;

/// One line for the run, each problem, finding, rule and case, and last the conclusion.
pub(super) fn jsonl(summary: &Summary) -> std::io::Result<String> {
    let report = Report::from_summary(summary);
    let mut out = String::new();
    line(
        &mut out,
        "run",
        &json!({
            "format": report.format, "run_id": report.run_id, "seed": report.seed, "depth": report.depth,
            "strict": report.strict, "partition": report.partition, "started": report.started,
            "suite": report.suite, "target": report.target,
        }),
    )?;
    lines(&mut out, "problem", &report.problems)?;
    lines(&mut out, "finding", &report.findings)?;
    lines(&mut out, "rule", &report.rules)?;
    lines(&mut out, "case", &report.cases)?;
    lines(&mut out, "waiver", &report.waivers)?;
    line(
        &mut out,
        "conclusion",
        &json!({
            "conclusion": report.conclusion, "exit": report.exit, "reasons": report.reasons,
            "notes": report.notes, "stats": report.stats, "finished": report.finished,
        }),
    )?;
    Ok(out)
}

fn lines<T: Serialize>(out: &mut String, kind: &str, list: &[T]) -> std::io::Result<()> {
    list.iter().try_for_each(|value| line(out, kind, value))
}

fn line<T: Serialize>(out: &mut String, kind: &str, value: &T) -> std::io::Result<()> {
    let mut whole = serde_json::Map::new();
    whole.insert("type".to_owned(), Value::from(kind));
    if let Value::Object(fields) = serde_json::to_value(value)? {
        whole.extend(fields);
    }
    out.push_str(&serde_json::to_string(&whole)?);
    out.push('\n');
    Ok(())
}
