//! The GitHub action installs what was released, and nothing else.

use std::path::Path;

use crate::harness::Desk;
use crate::text::root;

/// A release of a made-up binary, and a `gh` that fetches it; its checksums are those of `released`.
fn release(desk: &Desk, released: &str, fetched: &str) {
    let make = format!(
        "set -e
         name=batchproof-$(uname -m)-unknown-linux-musl
         mkdir -p release bin $name
         printf '#!/bin/sh\\necho {released}\\n' > $name/batchproof
         chmod +x $name/batchproof
         tar -czf release/$name.tar.gz $name
         (cd release && sha256sum $name.tar.gz > SHA256SUMS)
         printf '#!/bin/sh\\necho {fetched}\\n' > $name/batchproof
         tar -czf release/$name.tar.gz $name
         printf '#!/bin/sh\\nwhile [ \"$1\" != --dir ]; do shift; done\\ncp \"$RELEASE\"/* \"$2\"\\n' > bin/gh
         chmod +x bin/gh"
    );
    let made = std::process::Command::new("bash")
        .args(["-c", &make])
        .current_dir(desk.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Runs the script that installs; its exit code, what it said, and what it put on the PATH.
fn install(desk: &Desk) -> (i32, String, String) {
    let paths = desk.file("paths", "");
    let path = std::env::var("PATH").unwrap();
    let output = std::process::Command::new("bash")
        .arg(root().join(".github/action/install"))
        .current_dir(desk.path())
        .env("PATH", format!("{}:{path}", desk.path().join("bin").display()))
        .env("RELEASE", desk.path().join("release"))
        .env("RUNNER_TEMP", desk.path().join("temp"))
        .env("GITHUB_PATH", &paths)
        .env("ACTION_REPOSITORY", "owner/batchproof")
        .env("ACTION_REF", "v0.1.0")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), said, std::fs::read_to_string(paths).unwrap())
}

#[test]
fn the_binary_of_the_release_is_installed() {
    let desk = Desk::new();
    release(&desk, "right", "right");
    let (code, said, path) = install(&desk);
    assert_eq!((code, said.lines().last()), (0, Some("right")), "{said}");
    assert!(Path::new(path.trim()).join("batchproof").exists(), "{path}");
}

#[test]
fn a_binary_that_is_not_what_was_released_is_not_installed() {
    let desk = Desk::new();
    release(&desk, "right", "changed");
    let (code, said, path) = install(&desk);
    assert_ne!(code, 0, "{said}");
    assert!(!Path::new(path.trim()).join("batchproof").exists(), "{path}");
}
