//! `batchproof report`: makes the reports of a run again from its record.

use super::args::ReportArgs;
use super::run::style;
use super::{Failure, say};
use crate::contract::Problem;
use crate::record::{self, Summary};
use crate::report;

pub fn report(args: &ReportArgs) -> Result<u8, Failure> {
    let events = record::read(&args.dir)?;
    let name = args.dir.display().to_string();
    let summary = Summary::of(&events)
        .ok_or_else(|| Problem::new(&*name, "the record is empty").expected("a record of a run"))?;
    let dir = if args.dir.is_dir() {
        args.dir.clone()
    } else {
        args.dir.parent().map(std::path::Path::to_path_buf).unwrap_or_default()
    };
    report::write_all(&summary, &dir)?;
    say(&report::terminal(&summary, style(), &dir));
    Ok(summary.conclusion.exit())
}
