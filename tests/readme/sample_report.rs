//! The sample report of the manual is what a run writes.

use std::fmt::Write as _;

use crate::harness::{Desk, Serving};
use crate::text::root;

const PAGE: &str = "docs/src/reference/sample-report.md";
const RUN_ID: &str = "nightly-7";

#[test]
fn the_sample_report_is_what_a_run_writes() {
    let page = page();
    let path = root().join(PAGE);
    if std::env::var_os("BATCHPROOF_BLESS").is_some() {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept, page, "BATCHPROOF_BLESS=1 cargo test --test readme writes it again");
}

fn page() -> String {
    let server = Serving::start(&["--fault", "results-reversed"], Some("demo"));
    let desk = Desk::new();
    let options = ["--depth", "quick", "--seed", "7", "--run-id", RUN_ID, "--jobs", "1"];
    desk.with_token(
        &[&["run", "order", "--target", &server.url], &options[..]].concat(),
        Some("demo"),
    )
    .ends(1);
    let report = std::fs::read_to_string(desk.reports().join("report.md")).unwrap();
    let host = server.url.split('/').nth(2).expect("a host");
    let port = host.rsplit(':').next().expect("a port");
    // The rules that were not tested, and the versions, are those of the day; a waiver to fill in is not one yet.
    let report = report.split("\nA waiver, to fill in").next().unwrap();
    let steady = steady(report)
        .replace(&format!(":{port}"), ":8080")
        .replace(&format!("&#58;{port}"), "&#58;8080");
    let mut page = format!(
        "# A sample report\n\n\
         `report.md` of a run against a server that gives its results in reverse order, as a pull request shows it. Its last lines (a waiver\n\
         to fill in, the rules that were not tested, the versions) are left out. `report.html` has more: requests beside responses, rules, coverage.\n\n\
         ```console\n\
         $ export BATCHPROOF_TOKEN=demo\n\
         $ batchproof serve --port 8080 --fault results-reversed &\n\
         $ batchproof run order --target http://127.0.0.1:8080 {}\n\
         ```\n\n\
         `BATCHPROOF_BLESS=1 cargo test --release --test readme` writes this page again.\n\n---\n\n",
        options.join(" ")
    );
    // The report is a part of the page.
    for line in steady.lines() {
        let line = if line.starts_with("## ") || line.starts_with("### ") {
            format!("#{line}")
        } else {
            line.to_owned()
        };
        let _ = writeln!(page, "{line}");
    }
    page.push_str("\n</details>\n");
    page
}

/// The text with the same nonce, times and trace each time.
fn steady(text: &str) -> String {
    let nonce = format!("{RUN_ID}-");
    let key = text.split(&nonce).nth(1).expect("a key");
    let text = text.replace(&key[..6], "x7k2mq");
    let text = masked(&text, "→ 200 in ", " ms", "0.2");
    let text = masked(&text, " items, ", " s.", "0.1");
    let text = masked(&text, "(trace ", ")", "4bf92f35");
    let text = masked(
        &text,
        "traceparent: ",
        "\n",
        "00-0af7651916cd43dd8448eb211c80319c-4bf92f3577b34da6-01",
    );
    masked(&text, "\"timeElapsedMs\":", "}", "0")
}

/// Puts `steady` between each `before` and the next `after`.
fn masked(text: &str, before: &str, after: &str, steady: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(after).unwrap_or(0);
        out.push_str(before);
        out.push_str(if end == 0 { "" } else { steady });
        out.push_str(&part[end..]);
    }
    out
}
