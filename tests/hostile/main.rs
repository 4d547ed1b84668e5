//! Hostile servers, plain and over TLS: whatever comes back, a run ends in time with 1 or 3 and the reason, within
//! 200 MB, and the token reaches no other host and no output.

#![expect(clippy::format_collect, reason = "a few bytes, spelt in several ways")]

#[path = "../harness/mod.rs"]
mod harness;

mod behaviours;
mod below_tls;
mod bodies;
mod framing;
mod heads;
mod server;
mod texts;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use libtest_mimic::{Arguments, Failed, Trial};

use behaviours::{Behaviour, all};
use harness::files;
use server::{Plays, Stage};

/// The token, whose every form must stay out of sight.
pub const TOKEN: &str = "hostile-Canary+t0ken/7Qx";

/// No run takes longer, on however slow a machine.
const WATCHDOG: Duration = Duration::from_secs(100);
/// Kilobytes that no run takes.
const PEAK: u64 = 200 * 1024;
/// Runs that are under way at once: most of them wait.
const AT_ONCE: usize = 6;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let mut trials = Vec::new();
    for behaviour in all() {
        if !behaviour.only_tls {
            trials.push(trial(behaviour, false));
        }
        if behaviour.only_tls || behaviour.tls_too {
            trials.push(trial(behaviour, true));
        }
    }
    trials.push(Trial::test("schemas_that_refer_to_each_other", || {
        schemas_that_refer_to_each_other().map_err(Failed::from)
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(behaviour: Behaviour, tls: bool) -> Trial {
    let name = format!("{}_{}", behaviour.name, if tls { "over_tls" } else { "plain" });
    Trial::test(name, move || play(&behaviour, tls).map_err(Failed::from))
}

fn play(behaviour: &Behaviour, tls: bool) -> Result<(), String> {
    let config = tls.then(|| server::config(behaviour.certificates));
    let stage = Stage::open(behaviour.plays, config);
    let desk = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchproof"));
    command
        .args(["run", "order/sizes", "--depth", "quick", "--runs", "2"])
        .args(["--patience", "4s", "--target", &stage.url])
        .args(["--ca", &server::file("ca.pem")])
        .args(behaviour.arguments)
        .current_dir(desk.path())
        .env("BATCHPROOF_TOKEN", TOKEN)
        .env("NO_PROXY", "*")
        .env_remove("COLUMNS")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("FORCE_COLOR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !behaviour.arguments.contains(&"--timeout") {
        command.args(["--timeout", "2s"]);
    }
    let ended = watch(command.spawn().map_err(|e| e.to_string())?)?;
    let text = format!("{}\n{}", ended.out, ended.err);
    let demand = |fine: bool, what: &str| {
        if fine { Ok(()) } else { Err(format!("{what}\nexit {}\n{text}", ended.code)) }
    };
    let exits: &[i32] = if behaviour.exits.is_empty() { &[1, 3] } else { behaviour.exits };
    demand(exits.contains(&ended.code), &format!("the exit status is not among {exits:?}"))?;
    demand(ended.peak <= PEAK, &format!("it took {} kB", ended.peak))?;
    demand(!ended.err.contains("panicked"), "it panicked")?;
    demand(
        behaviour.says.is_empty() || flat(&text).contains(behaviour.says),
        &format!("`{}` is not said", behaviour.says),
    )?;
    let control = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'));
    demand(!control, "control characters reached the terminal")?;
    let elsewhere = stage.elsewhere.lock().map_err(|e| e.to_string())?.clone();
    demand(
        elsewhere.is_empty(),
        &format!("another host heard: {}", String::from_utf8_lossy(&elsewhere)),
    )?;
    let mut outputs = files(&desk.path().join("reports"));
    demand(outputs.iter().any(|(path, _)| path.ends_with("report.json")), "there is no report")?;
    outputs.push(("the terminal".into(), text.clone().into_bytes()));
    for (path, bytes) in &outputs {
        let what = |what: &str| format!("{} holds {what}", path.display());
        for secret in forms(TOKEN) {
            demand(!holds(bytes, secret.as_bytes()), &what("the token"))?;
        }
        let page = page(path, bytes);
        demand(!holds(&page, b"<script>alert"), &what("a script of the target"))?;
        demand(!holds(&page, b"<img src=x"), &what("an element of the target"))?;
    }
    // Where nothing is claimed, the reason is reported.
    demand(ended.code != 3 || ended.out.contains("INCONCLUSIVE"), "it says no reason")
}

/// Five optional objects, each holding all five, in a document of our own.
fn schemas_that_refer_to_each_other() -> Result<(), String> {
    let desk = tempfile::tempdir().map_err(|e| e.to_string())?;
    let text = include_str!("../../fuzz/corpus/contract/schemas-that-refer-to-each-other");
    let (openapi, batch) = text.split_once("\n-.-.-\n").ok_or("two files")?;
    for (name, text) in [("openapi.json", openapi), ("batch.yaml", batch)] {
        std::fs::write(desk.path().join(name), text).map_err(|e| e.to_string())?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchproof"));
    command
        .args(["run", "--plan", "--depth", "quick", "--contract"])
        .arg(desk.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = watch(command.spawn().map_err(|e| e.to_string())?)?;
    if ended.code != 0 || ended.peak > PEAK / 2 {
        return Err(format!("exit {}, {} kB\n{}", ended.code, ended.peak, ended.err));
    }
    Ok(())
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a browser would take for markup: of Markdown, all but its blocks of code.
fn page(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let is = |extension: &str| path.extension().is_some_and(|e| e == extension);
    if is("html") {
        return bytes.to_vec();
    }
    if !is("md") {
        return Vec::new();
    }
    let mut fence = None;
    let text = String::from_utf8_lossy(bytes);
    let outside = text.lines().filter(|line| {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(open) if ticks >= open && line.trim_end().len() == ticks => fence = None,
            _ => return fence.is_none(),
        }
        false
    });
    outside.collect::<Vec<_>>().join("\n").into_bytes()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// The token as it could be read again.
fn forms(token: &str) -> Vec<String> {
    let percent: String = token.bytes().map(|b| format!("%{b:02x}")).collect();
    let hex: String = token.bytes().map(|b| format!("{b:02x}")).collect();
    let encoded = BASE64.encode(token);
    vec![
        token.to_owned(),
        token.replace('/', "\\/"),
        percent,
        hex,
        encoded.trim_end_matches('=').to_owned(),
        // Most of it is as good as all of it.
        token.chars().take(token.len() - 1).collect(),
    ]
}

struct Run {
    code: i32,
    out: String,
    err: String,
    /// Kilobytes at most.
    peak: u64,
}

/// Waits for a run to end, and takes note of its memory meanwhile.
fn watch(mut child: Child) -> Result<Run, String> {
    let pipe = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stream.map(|mut s| s.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = pipe(child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
    let err = pipe(child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>));
    let status = format!("/proc/{}/status", child.id());
    let started = Instant::now();
    let mut peak = 0;
    let code = loop {
        peak = peak.max(kilobytes(&status).unwrap_or(0));
        if let Some(ended) = child.try_wait().map_err(|e| e.to_string())? {
            break ended.code().unwrap_or(-1);
        }
        if started.elapsed() > WATCHDOG {
            let _ = child.kill();
            let _ = child.wait();
            let text =
                format!("{}\n{}", out.join().unwrap_or_default(), err.join().unwrap_or_default());
            return Err(format!("it has not ended after {} s\n{text}", WATCHDOG.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = |thread: std::thread::JoinHandle<String>| thread.join().unwrap_or_default();
    Ok(Run { code, out: text(out), err: text(err), peak })
}

/// The peak of a process's memory; nothing where the system does not tell.
fn kilobytes(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a behaviour is one of TLS itself.
#[must_use]
pub const fn is_below(plays: Plays) -> bool {
    matches!(plays, Plays::Bare(_))
}
