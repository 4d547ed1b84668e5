//! Every file that a page shows is one that batchproof reads: cases, profiles, waivers.

use batchproof::contract::Contract;
use batchproof::contract::profile::Profile;

use crate::harness::Desk;
use crate::text::{Block, pages, root};

/// What a block of YAML is, by the key that it begins with.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Case,
    Profile,
    Waivers,
    Other,
}

fn shown(block: &Block) -> Shown {
    let lines = || block.text.lines().filter(|line| !line.starts_with('#'));
    let has = |key: &str| lines().any(|line| line.starts_with(key));
    if has("title:") && (has("steps:") || has("generate:")) {
        Shown::Case
    } else if has("- rule:") || has("- { rule:") {
        Shown::Waivers
    } else if ["values:", "auth:", "setup:", "limits:"].iter().any(|key| has(key)) {
        Shown::Profile
    } else {
        Shown::Other
    }
}

#[test]
fn every_file_that_a_page_shows_can_be_read() {
    let contract = Contract::shipped().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shown.yaml");
    std::fs::write(dir.path().join("friday.json"), "{\"accountBalances\":[]}").unwrap();
    let accounts = "account,currency,amount,outcome\nA-1,EUR,10.5,accepted\nA-2,,-3,rejected\n";
    std::fs::write(dir.path().join("accounts.csv"), accounts).unwrap();
    let (mut cases, mut profiles, mut waivers) = (0, 0, 0);
    let mut wrong = Vec::new();
    let blocks = pages().into_iter().flat_map(|page| page.blocks());
    for block in blocks.filter(|block| block.kind == "yaml") {
        // What a profile takes from the environment is not there.
        let text = block
            .text
            .replace("${env:TENANT}", "acme")
            .replace("\"${env:CLIENT_SECRET}\"", "{ file: shown.yaml }");
        std::fs::write(&file, &text).unwrap();
        let read = match shown(&block) {
            Shown::Case => {
                cases += 1;
                let name = [file.display().to_string()];
                batchproof::case::load_paths(&name, &batchproof::case::Variables::default())
                    .map(drop)
            }
            Shown::Profile => {
                profiles += 1;
                Profile::load(&file, &contract).map(drop)
            }
            Shown::Waivers => {
                waivers += 1;
                batchproof::waiver::load(&file).map(drop)
            }
            Shown::Other => Ok(()),
        };
        if let Err(error) = read {
            wrong.push(format!("{}: {error}", block.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 15 && profiles >= 4 && waivers >= 1, "{cases} {profiles} {waivers}");
}

#[test]
fn the_examples_run() {
    let desk = Desk::new();
    let example = |name: &str| root().join("examples").join(name).display().to_string();
    let (case, profile, waivers) =
        (example("friday.yaml"), example("profile.yaml"), example("waivers.yaml"));
    desk.batchproof(&["run", &case, "--profile", &profile, "--waivers", &waivers]).ends(0);
}
