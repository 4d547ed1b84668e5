//! Commands of the user that print credentials.
//!
//! It must not know what they print; what goes wrong never shows their standard output.

use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What a command gets to do its work.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Characters of its error output that are shown.
const SHOWN: usize = 600;

/// A command for the system's shell.
pub(super) fn shell(text: &str) -> Command {
    let (program, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(program);
    command.args([flag, text]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end and gives what it printed. `input` goes to its standard input.
///
/// # Errors
/// How it ended, with what it printed on standard error.
pub(super) async fn output(mut command: Command, input: Option<String>) -> Result<Vec<u8>, String> {
    let run = tokio::task::spawn_blocking(move || {
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().map_err(|error| format!("it cannot be run: {error}"))?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // A command that does not read its input may be gone already.
            let _ = stdin.write_all(input.as_bytes());
        }
        finish(child)
    });
    run.await.unwrap_or_else(|error| Err(error.to_string()))
}

fn finish(mut child: Child) -> Result<Vec<u8>, String> {
    let printed = gathered(child.stdout.take());
    let complaint = gathered(child.stderr.take());
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                let why = format!("it did not end within {} s", PATIENCE.as_secs());
                return Err(with_complaint(&why, &received(&complaint)));
            }
            None => std::thread::sleep(LOOK),
        }
    };
    if status.success() {
        return Ok(received(&printed));
    }
    let why = match status.code() {
        Some(code) => format!("it ended with exit code {code}"),
        None => format!("it was ended ({status})"),
    };
    Err(with_complaint(&why, &received(&complaint)))
}

/// Reads in a thread of its own: a process that the command left behind may hold the pipe for ever.
pub(super) fn gathered(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    if let Some(mut pipe) = pipe {
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count) = pipe.read(&mut piece) {
                if count == 0 || sender.send(piece[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// What was read until the pipe ended, or nothing came for a while.
fn received(pieces: &Receiver<Vec<u8>>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(piece) = pieces.recv_timeout(Duration::from_millis(500)) {
        all.extend(piece);
    }
    all
}

/// How a command ended, with the end of what it printed on standard error.
pub(super) fn with_complaint(why: &str, complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(SHOWN);
    let shown: String = text.chars().skip(skipped).collect();
    match (shown.is_empty(), skipped > 0) {
        (true, _) => format!("{why}, and printed nothing on standard error"),
        (false, true) => format!("{why}: …{shown}"),
        (false, false) => format!("{why}: {shown}"),
    }
}
