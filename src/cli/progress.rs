//! Progress: a bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::counted;
use crate::session::{Observer, Progress};

/// Shows a run's progress on standard error.
pub struct Shown {
    bar: Option<ProgressBar>,
    trials: AtomicU64,
    done: AtomicU64,
    found: AtomicU64,
}

impl Shown {
    pub fn new() -> Shown {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len} trials  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        });
        Shown { bar, trials: AtomicU64::new(0), done: AtomicU64::new(0), found: AtomicU64::new(0) }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{text}");
            }),
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
pub fn amounts(trials: u64, requests: u64, items: u64) -> String {
    format!(
        "{}, {}, {}",
        counted(trials, "trial"),
        counted(requests, "request"),
        counted(items, "item")
    )
}

impl Observer for Shown {
    fn see(&self, progress: Progress<'_>) {
        match progress {
            Progress::Planned { trials, requests, items } => {
                self.trials.store(trials, Ordering::Relaxed);
                match &self.bar {
                    Some(bar) => bar.set_length(trials),
                    None => {
                        self.line(&amounts(trials, requests, items));
                    }
                }
            }
            Progress::Trial { .. } => {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                if let Some(bar) = &self.bar {
                    bar.set_position(done);
                } else {
                    // Ten lines a run are enough for a log.
                    let total = self.trials.load(Ordering::Relaxed).max(1);
                    let step = total.div_ceil(10).max(200);
                    if done.is_multiple_of(step) && done < total {
                        self.line(&format!("{done} of {total} trials"));
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
                    bar.set_message("looking for the smallest trials");
                }
            }
            Progress::Confirming { findings } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!(
                        "trying {} again",
                        counted(findings as u64, "finding")
                    ));
                }
            }
        }
    }
}
