//! The harness against load generators, side by side: `cargo bench --bench versus`.
//!
//! A load generator sends one fixed body again and again and looks at the status; the harness sends fresh,
//! generated batches and checks every answer completely. Both against the same `batchproof serve`, on the same
//! cores, in turns; what counts is the ratio. `oha` is installed into the target directory where it is
//! missing; `wrk`, which sends fresh numbers too, is used where it is installed.
//!
//! `VERSUS_ROUNDS` (default 5) and `VERSUS_SECONDS` (default 4) say how long. Nothing else should run meanwhile: each
//! round fills all cores, and what other work takes of them falls on the two sides unequally.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const HARNESS: &str = env!("CARGO_BIN_EXE_batchproof");
const TOKEN: &str = "versus";
const CONNECTIONS: &str = "16";

fn main() {
    // `cargo test --benches` and `cargo nextest` only want to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let desk = Desk::new();
    println!(
        "{} rounds of {} s, {CONNECTIONS} connections, {} cores\n",
        desk.rounds,
        desk.seconds,
        std::thread::available_parallelism().map_or(0, usize::from)
    );
    println!("| what | requests/s | ratio to oha: median (lowest to highest) | peak memory |");
    println!("|---|--:|---|--:|");
    desk.throughput("ten", 10, "soak/ten-items", Scheme::Plain);
    desk.throughput("a thousand", 1000, "soak/thousand-items", Scheme::Plain);
    desk.throughput("ten over TLS,", 10, "soak/ten-items", Scheme::Tls);
    println!("\n| a million items | seconds | peak memory |");
    println!("|---|--:|--:|");
    for case in ["giant/million-items", "giant/million-items-chunked"] {
        let serving = Serving::start(Scheme::Plain);
        let begun = Instant::now();
        let (report, peak) = desk.harness(&serving, case, &[]);
        assert_eq!(report["conclusion"], "conformant", "{case}: {report}");
        println!("| {case} | {:.1} | {peak:.0} MB |", begun.elapsed().as_secs_f64());
    }
}

struct Desk {
    dir: PathBuf,
    oha: PathBuf,
    wrk: bool,
    rounds: usize,
    seconds: u64,
}

impl Desk {
    fn new() -> Desk {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("versus");
        fs::create_dir_all(&dir).expect("a directory to work in");
        Desk {
            oha: oha(&dir),
            wrk: Command::new("wrk").arg("-v").output().is_ok(),
            dir,
            rounds: number("VERSUS_ROUNDS").unwrap_or(5),
            seconds: number("VERSUS_SECONDS").unwrap_or(4) as u64,
        }
    }

    /// Prints a row for each contestant.
    fn throughput(&self, size: &str, items: usize, case: &str, scheme: Scheme) {
        let serving = Serving::start(scheme);
        let mut rows: Vec<(&str, Vec<f64>)> = vec![("oha, one fixed body", Vec::new())];
        if self.wrk {
            rows.push(("wrk, fresh numbers, nothing checked", Vec::new()));
        }
        rows.push(("batchproof, fresh items, all checked", Vec::new()));
        let mut peak = 0.0_f64;
        for _ in 0..self.rounds {
            for (name, rates) in &mut rows {
                rates.push(match *name {
                    name if name.starts_with("oha") => self.load(&serving, items),
                    name if name.starts_with("wrk") => self.fresh(&serving, items),
                    _ => {
                        let seconds = format!("{}s", self.seconds);
                        let runs = "1000000000";
                        let limits = ["--max-time", &seconds, "--runs", runs];
                        let (report, most) = self.harness(&serving, case, &limits);
                        assert_eq!(report["findings"], json!([]), "{case}");
                        peak = peak.max(most);
                        let stats = &report["stats"];
                        let of = |name: &str| stats[name].as_f64().unwrap_or(f64::NAN);
                        of("requests") / of("seconds")
                    }
                });
            }
        }
        let fixed = rows[0].1.clone();
        for (name, rates) in rows {
            let mut ratios: Vec<f64> = rates.iter().zip(&fixed).map(|(a, b)| a / b).collect();
            ratios.sort_by(f64::total_cmp);
            let spread = match ratios.as_slice() {
                [low, .., high] => format!("{:.2} ({low:.2} to {high:.2})", median(&ratios)),
                _ => format!("{:.2}", median(&ratios)),
            };
            let memory = if name.starts_with("batchproof") {
                format!("{peak:.0} MB")
            } else {
                String::new()
            };
            println!("| {size} items: {name} | {:.0} | {spread} | {memory} |", median(&rates));
        }
    }

    fn load(&self, serving: &Serving, items: usize) -> f64 {
        let body = self.dir.join(format!("{items}.json"));
        fs::write(&body, batch(items, |at| format!("fixed-{at}"))).expect("a body");
        let output = Command::new(&self.oha)
            .args(["-z", &format!("{}s", self.seconds), "-c", CONNECTIONS, "--no-tui"])
            .args(["--output-format", "json", "-m", "POST", "-T", "application/json"])
            .args(["-H", &format!("Authorization: Bearer {TOKEN}"), "-D"])
            .arg(&body)
            .args(serving.scheme.options("--insecure", &[]))
            .arg(&serving.url)
            .output()
            .expect("oha");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report of oha");
        let good = report["statusCodeDistribution"]["200"].as_u64();
        assert!(good > Some(0), "{report}");
        report["summary"]["requestsPerSec"].as_f64().expect("a rate")
    }

    fn fresh(&self, serving: &Serving, items: usize) -> f64 {
        let body = batch(items, |_| "NUMBER".to_owned());
        let script = self.dir.join(format!("{items}.lua"));
        // Each of the two threads counts by itself; what it counts from differs from run to run.
        let text = format!(
            "local threads = 0\n\
             function setup(thread) thread:set(\"id\", threads); threads = threads + 1 end\n\
             local count = 0\n\
             local body = [==[{body}]==]\n\
             local parts = {{}}\n\
             for part in (body .. \"NUMBER\"):gmatch(\"(.-)NUMBER\") do parts[#parts + 1] = part end\n\
             wrk.method = \"POST\"\n\
             wrk.headers[\"Content-Type\"] = \"application/json\"\n\
             wrk.headers[\"Authorization\"] = \"Bearer {TOKEN}\"\n\
             function request()\n\
               local out = {{}}\n\
               for i = 1, #parts - 1 do\n\
                 count = count + 1\n\
                 out[2 * i - 1] = parts[i]\n\
                 out[2 * i] = \"w{}-\" .. id .. \"-\" .. count\n\
               end\n\
               out[#out + 1] = parts[#parts]\n\
               return wrk.format(nil, nil, nil, table.concat(out))\n\
             end\n",
            Instant::now().elapsed().as_nanos()
                + u128::from(std::process::id()) * 1_000_003
                + std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(0, |t| t.as_nanos())
        );
        fs::write(&script, text).expect("a script");
        let output = Command::new("wrk")
            .args(["-t", "2", "-c", CONNECTIONS, "-d", &format!("{}s", self.seconds), "-s"])
            .arg(&script)
            .arg(&serving.url)
            .output()
            .expect("wrk");
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
        rate.and_then(|rate| rate.trim().parse().ok()).unwrap_or_else(|| panic!("{text}"))
    }

    /// Runs a case: its report, and the most memory that it took, in megabytes.
    fn harness(&self, serving: &Serving, case: &str, limits: &[&str]) -> (Value, f64) {
        let reports = self.dir.join("reports");
        let _ = fs::remove_dir_all(&reports);
        let mut child = Command::new(HARNESS)
            .args(["run", case, "--target", &serving.url, "--jobs", CONNECTIONS])
            .args(serving.scheme.options("--ca", &[tls("ca.pem")]))
            .args(limits)
            .arg("--report-dir")
            .arg(&reports)
            .env("BATCHPROOF_TOKEN", TOKEN)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the harness");
        let mut peak = 0.0_f64;
        while child.try_wait().expect("the harness").is_none() {
            peak = peak.max(memory(child.id()));
            std::thread::sleep(Duration::from_millis(20));
        }
        let report = fs::read(reports.join("report.json")).expect("a report");
        (serde_json::from_slice(&report).expect("a report"), peak)
    }
}

/// The most memory that a process took so far, in megabytes; 0 where the system does not say.
fn memory(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

fn batch(items: usize, number: impl Fn(usize) -> String) -> String {
    let items: Vec<Value> = (0..items)
        .map(|at| {
            json!({
                "accountExtId": format!("ACC{at:011}"),
                "balanceAt": "2023-09-05T08:07:34.605Z",
                "balanceType": "DAILY_BALANCE",
                "businessUnit": "sandbox",
                "communicationNumber": number(at),
                "equivalentValue": 33333,
                "requester": "financial_institution",
                "value": 1_111_111.25,
            })
        })
        .collect();
    json!({ "accountBalances": items }).to_string()
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The `oha` on the path, or one that is installed for this.
fn oha(dir: &Path) -> PathBuf {
    if Command::new("oha").arg("--version").output().is_ok() {
        return PathBuf::from("oha");
    }
    let own = dir.join("bin/oha");
    if !own.exists() {
        eprintln!("installing oha into {}", dir.display());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let installed =
            Command::new(cargo).args(["install", "oha", "--locked", "--root"]).arg(dir).status();
        assert!(installed.is_ok_and(|status| status.success()), "oha can't be installed");
    }
    own
}

/// How the server is spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Plain,
    Tls,
}

impl Scheme {
    /// An option that only TLS needs, with its values.
    fn options(self, name: &str, values: &[String]) -> Vec<String> {
        match self {
            Scheme::Plain => Vec::new(),
            Scheme::Tls => [&[name.to_owned()][..], values].concat(),
        }
    }
}

/// A file of the certificates that the tests use.
fn tls(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name).display().to_string()
}

struct Serving {
    child: Child,
    url: String,
    scheme: Scheme,
}

impl Serving {
    fn start(scheme: Scheme) -> Serving {
        let mut child = Command::new(HARNESS)
            .args(["serve", "--port", "0"])
            .args(scheme.options("--tls-cert", &[tls("server.pem")]))
            .args(scheme.options("--tls-key", &[tls("server.key")]))
            .env("BATCHPROOF_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its first line");
        let url = line.trim().strip_prefix("listening on ").expect("its URL").to_owned();
        Serving { child, url, scheme }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
