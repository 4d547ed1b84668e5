//! `--version` states what a build judges by, as a run does.

use crate::harness::Desk;

#[test]
fn the_long_version_has_the_hashes_that_reports_state() {
    let desk = Desk::new();
    let short = desk.batchproof(&["-V"]).ends(0).out;
    assert_eq!(short, format!("batchproof {}\n", env!("CARGO_PKG_VERSION")));
    let long = desk.batchproof(&["--version"]).ends(0).out;
    assert!(long.starts_with(&short), "{long}");
    desk.batchproof(&["run", "--depth", "quick", "--seed", "7"]).ends(0);
    let suite = &desk.report()["suite"];
    for hash in [&suite["specification"]["hash"], &suite["cases"]] {
        assert!(long.contains(&format!("sha256:{} ", hash.as_str().unwrap())), "{hash} in {long}");
    }
}
