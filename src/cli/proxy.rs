//! `batchproof proxy`: judges what goes through it.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::args::ProxyArgs;
use super::judge::{judged_by, options};
use super::run::print_summary;
use super::signals::end_on_signal;
use super::{CommandError, say_aside};
use crate::contract::{CredentialScheme, Profile};
use crate::judge::{TrafficJudge, TrafficOptions};
use crate::proxy::{TrafficProxy, proxy as pass_on};
use crate::report::{self, visible};
use crate::send::{Pace, SendOptions, Sender, Target, Token, TokenSource};
use crate::session::{CancelReason, Cancellation, Observer, Progress};

/// What the traffic of a proxy is called in reports.
const SOURCE: &str = "proxy";

pub fn proxy(args: &ProxyArgs) -> Result<u8, CommandError> {
    let (contract, profile) = judged_by(&args.judging)?;
    let target = Target::parse(&args.target, &contract.operation.path)?;
    let base = target.base.clone();
    let sending = SendOptions {
        ca: args.tls.ca.clone(),
        cert: args.tls.cert.clone(),
        insecure: args.tls.insecure,
        ..SendOptions::default()
    };
    let options = TrafficOptions {
        target: base.clone(),
        sources: vec![SOURCE.to_owned()],
        ..options(&args.judging)?
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let summary = runtime.block_on(async {
        // Clients show their own credentials.
        let token = Arc::new(Token::read(TokenSource::None, CredentialScheme::None)?);
        let sender = Sender::new(target, sending, token, &Profile::default(), Pace::new(None))?;
        let listener = TcpListener::bind(("127.0.0.1", args.port)).await.map_err(|e| {
            format!(
                "port {} of the loopback interface: {e}\n  expected: a free port (0 takes one)",
                args.port
            )
        })?;
        let address = listener.local_addr()?;
        let observer = Arc::new(FoundPrinter { is_quiet: args.output.quiet });
        let mut judge =
            TrafficJudge::new(Arc::clone(&contract), profile, &base, &options, observer)?;
        judge.begin(&options)?;
        say_aside(&format!("listening on http://{address}, handing on to {base}"));
        let cancellation = Cancellation::default();
        end_on_signal(
            cancellation.clone(),
            "ending the proxy and writing its reports",
            ", without reports",
        );
        if let Some(time) = args.duration {
            let cancellation = cancellation.clone();
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                cancellation.cancel(CancelReason::Requested("--for is over".to_owned()));
            });
        }
        let passed =
            pass_on(TrafficProxy { listener, sender, contract }, judge, &cancellation).await;
        Ok::<_, CommandError>(passed?)
    })?;
    let summary = summary.ok_or("the record does not add up: a defect of batchproof")?;
    let dir = &args.judging.report_dir;
    report::write_all_with(&summary, dir, args.output.junit())
        .map_err(|e| format!("{}: {e}\n  expected: a writable directory", dir.display()))?;
    print_summary(&summary, &args.output, dir)?;
    Ok(summary.conclusion.exit())
}

/// Prints each finding of a new kind when it is found.
struct FoundPrinter {
    is_quiet: bool,
}

impl Observer for FoundPrinter {
    fn see(&self, progress: Progress<'_>) {
        let Progress::Found(finding) = progress else { return };
        if self.is_quiet {
            return;
        }
        let unconfirmed = if finding.proven { "" } else { " (unconfirmed)" };
        let place = finding.evidence.get(finding.position.exchange).map_or("", |e| e.step.as_str());
        say_aside(&format!(
            "{} {} {place}: {}{unconfirmed}",
            finding.level,
            finding.rule,
            visible(&finding.message)
        ));
    }
}
