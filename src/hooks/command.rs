//! A hook that is a shell command: in a process group of its own, which ends when nobody waits for it any more.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{HookContext, HookKind};
use crate::contract::hook::fill;
use crate::session::{KEYS_FILE, locked};

/// Bytes of what it prints that are kept: the last ones.
const KEPT: usize = 2000;
/// How often it is asked whether it has ended.
const POLL: Duration = Duration::from_millis(20);
/// What is left open by something that it started in the background is not waited for.
const DRAIN: Duration = Duration::from_millis(500);

/// Ends the command when the future that waits for it is dropped.
struct EndOnDrop(Arc<AtomicBool>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs the command.
///
/// # Errors
/// How it ended, with the end of what it printed.
pub(super) async fn run(
    context: &HookContext<'_>,
    kind: HookKind,
    text: &str,
    keys: usize,
) -> Result<u64, String> {
    let run_id = context.run_id;
    let text = fill(text, &|name| match name.strip_prefix("env:") {
        // The shell reads it, so that no value is ever part of the command.
        Some(variable) => Some(format!("${{{variable}}}")),
        None => (name == "run-id").then(|| run_id.to_owned()),
    });
    let dir = std::path::absolute(context.dir).unwrap_or_else(|_| context.dir.to_owned());
    let mut command = shell(&text);
    command
        .env("BATCHPROOF_HOOK", kind.name())
        .env("BATCHPROOF_RUN_ID", run_id)
        .env("BATCHPROOF_TARGET", &context.environment.sender.target.base)
        .env("BATCHPROOF_REPORT_DIR", &dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if kind == HookKind::Cleanup {
        let file = dir.join(KEYS_FILE);
        command.env("BATCHPROOF_KEYS", keys.to_string()).env("BATCHPROOF_KEYS_FILE", file);
    }
    let over = Arc::new(AtomicBool::new(false));
    let _end = EndOnDrop(Arc::clone(&over));
    match tokio::task::spawn_blocking(move || wait(command, &over)).await {
        Ok(ended) => ended.map(|()| 0),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(unix)]
fn shell(text: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new("sh");
    // A Ctrl-C at the terminal is for batchproof, which runs the clean-up then.
    command.arg("-c").arg(text).process_group(0);
    command
}

#[cfg(not(unix))]
fn shell(text: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(text);
    command
}

fn wait(mut command: Command, over: &AtomicBool) -> Result<(), String> {
    let mut child = command.spawn().map_err(|error| format!("it can't be started: {error}"))?;
    let printed = Arc::new(Mutex::new(Vec::new()));
    let readers = [
        child.stdout.take().map(|out| keep(out, &printed)),
        child.stderr.take().map(|err| keep(err, &printed)),
    ];
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if over.load(Ordering::Relaxed) => {
                end(&mut child);
                return Err("it was ended".to_owned());
            }
            Ok(None) => std::thread::sleep(POLL),
            Err(error) => return Err(error.to_string()),
        }
    };
    let until = Instant::now() + DRAIN;
    for reader in readers.into_iter().flatten() {
        while !reader.is_finished() && Instant::now() < until {
            std::thread::sleep(POLL);
        }
    }
    if status.success() {
        return Ok(());
    }
    let printed = locked(&printed);
    let text = String::from_utf8_lossy(&printed);
    let text = text.trim();
    let printed = if text.is_empty() {
        "it printed nothing".to_owned()
    } else {
        format!("it printed:\n{text}")
    };
    Err(format!("{status}; {printed}"))
}

fn keep(
    mut stream: impl Read + Send + 'static,
    printed: &Arc<Mutex<Vec<u8>>>,
) -> std::thread::JoinHandle<()> {
    let printed = Arc::clone(printed);
    std::thread::spawn(move || {
        let mut piece = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut piece) {
            let mut kept = locked(&printed);
            kept.extend_from_slice(&piece[..count]);
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
    })
}

/// Ends a command with all that it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}
