//! Progress of a run: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{counted, number};
use crate::session::{Observer, Progress};

/// Executions from which on a run that goes on for a time says how many it has made, each time they have doubled.
const ENDLESS: u64 = 1024;

/// For so long nothing is said of a run in a log.
const SILENCE: Duration = Duration::from_secs(10);

/// Shows the progress of a run on standard error.
pub struct ProgressDisplay {
    bar: Option<ProgressBar>,
    executions: AtomicU64,
    done: AtomicU64,
    found: AtomicU64,
    /// When the last line was written.
    last: Mutex<Instant>,
    /// Nothing is shown.
    quiet: bool,
}

impl ProgressDisplay {
    pub fn new(quiet: bool) -> ProgressDisplay {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len} executions  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        });
        let zero = || AtomicU64::new(0);
        ProgressDisplay {
            bar,
            executions: zero(),
            done: zero(),
            found: zero(),
            last: Mutex::new(Instant::now()),
            quiet,
        }
    }

    /// Whether nothing was said for long: a short run may be a slow one.
    fn is_silent(&self) -> bool {
        let Ok(mut last) = self.last.try_lock() else { return false };
        let silent = last.elapsed() >= SILENCE;
        if silent {
            *last = Instant::now();
        }
        silent
    }

    /// A line of its own, above the bar where there is one.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{text}");
            }),
            None if self.quiet => {}
            None => {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is going to be sent.
pub fn amounts(executions: u64, requests: u64, items: u64) -> String {
    format!(
        "{}, {}, {}",
        counted(executions, "execution"),
        counted(requests, "request"),
        counted(items, "item")
    )
}

impl Observer for ProgressDisplay {
    fn see(&self, progress: Progress<'_>) {
        match progress {
            Progress::Planned { executions, endless } => {
                let executions = if endless { u64::MAX } else { executions };
                self.executions.store(executions, Ordering::Relaxed);
                match &self.bar {
                    Some(bar) if endless => {
                        bar.unset_length();
                        let style =
                            ProgressStyle::with_template("{spinner} {pos} executions  {msg}");
                        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                    }
                    Some(bar) => bar.set_length(executions),
                    None => {}
                }
            }
            Progress::Executed { .. } => {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(bar) = &self.bar {
                    bar.set_position(done);
                } else {
                    // Ten lines a run are enough for a log.
                    let total = self.executions.load(Ordering::Relaxed).max(1);
                    let step = total.div_ceil(10).max(200);
                    if total == u64::MAX {
                        if done >= ENDLESS && done.is_power_of_two() {
                            self.line(&counted(done, "execution"));
                        }
                    } else if (done.is_multiple_of(step) || self.is_silent()) && done < total {
                        self.line(&format!("{} of {}", number(done), counted(total, "execution")));
                    }
                }
            }
            Progress::Found(finding) => {
                let found = self.found.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(bar) = &self.bar {
                    bar.set_message(format!(
                        "{}, last {}",
                        counted(found, "finding"),
                        finding.rule
                    ));
                }
            }
            Progress::Note(text) => self.line(text),
            Progress::Shrinking => {
                if let Some(bar) = &self.bar {
                    bar.set_message("looking for minimal examples");
                }
            }
            Progress::Confirming { findings } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("repeating {}", counted(findings as u64, "finding")));
                }
            }
        }
    }
}
