//! The public test suite of JSON Schema 2020-12: every schema in it that is an object.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::Desk;
use crate::samples::checked;

/// Where the suite is installed.
pub fn installed() -> Option<PathBuf> {
    let root = PathBuf::from(std::env::var_os("JSON_SCHEMA_TEST_SUITE")?);
    root.join("tests/draft2020-12").is_dir().then_some(root)
}

/// Where the suite says that its further files are.
const HOST: &str = "http://localhost:1234/";

/// The further files as the validator finds them.
struct Remotes(PathBuf);

impl jsonschema::Retrieve for Remotes {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().strip_prefix(HOST).ok_or("another host")?;
        Ok(serde_json::from_str(&std::fs::read_to_string(self.0.join(name))?)?)
    }
}

fn files(root: &Path, inside: &Path, into: &mut Vec<(String, String)>) {
    for entry in root.join(inside).read_dir().unwrap() {
        let name = inside.join(entry.unwrap().file_name());
        if root.join(&name).is_dir() {
            files(root, &name, into);
        } else {
            let text = std::fs::read_to_string(root.join(&name)).unwrap();
            into.push((name.display().to_string(), text));
        }
    }
}

pub fn almost_everything_can_be_drawn() {
    let root = installed().unwrap();
    let dir = root.join("tests/draft2020-12");
    let mut remotes = Vec::new();
    files(&root.join("remotes"), Path::new(""), &mut remotes);
    let (mut drawn, mut broken) = (0, 0);
    let mut refused = Vec::new();
    for (name, schema) in schemas(&dir) {
        let desk = Desk::new();
        // Nothing is fetched, so the further files are put beside the schema.
        let here = format!("file://{}/", desk.path().canonicalize().unwrap().display());
        for (name, text) in &remotes {
            desk.file(name, text.replace(HOST, &here));
        }
        desk.file("schema.json", schema.to_string().replace(HOST, &here));
        let arguments =
            ["sample", "--schema", "schema.json", "-n", "20", "--mutations", "--seed", "5"];
        let ended = desk.batchproof(&arguments);
        match ended.code {
            0 => {
                drawn += 1;
                let judge = jsonschema::options()
                    .with_draft(jsonschema::Draft::Draft202012)
                    .should_validate_formats(true)
                    .with_retriever(Remotes(root.join("remotes")))
                    .build(&schema)
                    .unwrap();
                broken += checked(&desk, &judge, &arguments);
            }
            2 => refused.push(format!("{name}: {}", ended.err.lines().next().unwrap_or_default())),
            code => panic!("{name}: exit {code}: {}", ended.err),
        }
    }
    let all = drawn + refused.len();
    println!("{drawn} of {all} schemas can be drawn from, and were broken in {broken} ways");
    for one in &refused {
        println!("refused  {one}");
    }
    assert!(drawn * 100 >= all * 95, "{drawn} of {all}");
}

fn schemas(dir: &Path) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut files: Vec<PathBuf> = dir.read_dir().unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "json")) {
        let groups: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            if group["schema"].is_object() {
                let file = file.file_name().unwrap().to_string_lossy();
                all.push((
                    format!("{file}: {}", group["description"].as_str().unwrap()),
                    group["schema"].clone(),
                ));
            }
        }
    }
    all
}
