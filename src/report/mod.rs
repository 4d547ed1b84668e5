//! stub
#![allow(missing_docs)]
use crate::record::Summary;
use std::path::{Path, PathBuf};
pub struct Style {
    pub colour: bool,
    pub width: usize,
}
pub fn terminal_width() -> usize {
    100
}
pub fn terminal(summary: &Summary, _style: &Style, _dir: &Path) -> String {
    let mut out = format!("{} {:?}\n", summary.conclusion, summary.reasons);
    for (f, u) in &summary.findings {
        out.push_str(&format!(
            "{} {} {} x{} conf={} {}of{} {} | {}\n",
            f.level, f.rule, f.case, u.count, u.confirmed, u.shown, u.of, f.kind, f.message
        ));
    }
    for r in &summary.rules {
        if r.outcome != crate::record::Outcome::Passed {
            out.push_str(&format!("{} {:?} {:?}\n", r.rule.id, r.outcome, r.counts));
        }
    }
    out.push_str(&format!("{:?}", summary.stats()));
    out
}
pub fn write_all(_summary: &Summary, _dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    Ok(vec![])
}
