//! `batchproof doctor`: what a target looks like, in at most ten requests.

use std::fmt::Write as _;
use std::sync::Arc;

use super::args::DoctorArgs;
use super::target::{self, Connecting};
use super::{CommandError, say, say_error};
use crate::contract::Profile;
use crate::contract::text::counted;
use crate::doctor::{Examination, ExaminedPoint, examine};
use crate::generate::default_run_id;
use crate::report::visible_block;
use crate::session::CancelReason;

/// Something has to be mended before a run.
const WRONG: u8 = 1;
/// The target could not be reached.
const UNREACHED: u8 = 3;
/// Columns of the topics.
const TOPICS: usize = 12;

pub fn doctor(args: &DoctorArgs) -> Result<u8, CommandError> {
    let contract = target::contract(args.contract.as_deref())?;
    let profile = match &args.profile {
        Some(path) => target::profile(path, &contract)?,
        None => Profile::default(),
    };
    let contract = Arc::new(contract.for_target(&profile));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let connecting = Connecting {
            target: Some(&args.target),
            jobs: Some(1),
            sending: &args.sending,
            sends: true,
        };
        let run_id = default_run_id(chrono::Utc::now());
        let (environment, _) = connecting.environment(contract, profile, &run_id).await?;
        let redactor = environment.sender.token().redactor(&environment.profile.secrets);
        if let Some(CancelReason::Requested(why) | CancelReason::TargetUnusable(why)) =
            environment.cancellation.reason()
        {
            say_error(&redactor.clean(&why));
            return Ok(UNREACHED);
        }
        if let Some(why) = target::wait(&environment, &args.sending).await {
            say_error(&redactor.clean(&why));
            return Ok(UNREACHED);
        }
        let connection = environment.sender.inspect().await;
        let examination = examine(&environment, &connection).await;
        for point in &examination.points {
            say(&visible_block(&redactor.clean(&line(point))));
        }
        let (requests, items) = environment.sender.sent();
        say(&format!(
            "\n{}; {}, {} sent{}",
            verdict(&examination),
            counted(requests, "request"),
            counted(items, "item"),
            kept(items > 0 && examination.stores, &run_id)
        ));
        Ok(match (examination.unreached, examination.is_wrong()) {
            (true, _) => UNREACHED,
            (_, true) => WRONG,
            _ => 0,
        })
    })
}

/// A point, its remedy below it.
fn line(point: &ExaminedPoint) -> String {
    let mut text =
        format!("{:<5}  {:<TOPICS$}  {}", point.readiness.word(), point.topic, point.seen);
    for remedy in point.remedy.lines() {
        let _ = write!(text, "\n{:1$}{remedy}", "", TOPICS + 9);
    }
    text
}

fn verdict(examination: &Examination) -> &'static str {
    match (examination.unreached, examination.is_wrong()) {
        (true, _) => "not reached: nothing else could be looked at",
        (_, true) => "not ready: fix the lines marked `wrong` first",
        _ => "ready for a run",
    }
}

/// What stays in the target.
fn kept(stores: bool, run_id: &str) -> String {
    if stores {
        format!("; accepted ones stay in the target (keys start with {run_id}-)")
    } else {
        String::new()
    }
}
