//! What is said to case files that can't be used.

use crate::harness::Desk;
use crate::said::{commands, texts};

/// The whole file: its keys, and what fits together.
const FILE: &[&str] = &[
    "",
    "title: [x\n",
    "title: x\n\tsteps: []\n",
    "- title: x\n",
    "generate: { items: 2 }\n",
    "title: x\ntitle: y\ngenerate: { items: 2 }\n",
    "title:\ngenerate: { items: 2 }\n",
    "title: x\nabuot: y\ngenerate: { items: 2 }\n",
    "title: x\nalone: maybe\ngenerate: { items: 2 }\n",
    "title: x\n",
    "title: x\nsteps: [{ batch: 1 }]\ngenerate: { items: 2 }\n",
    "title: x\nsteps: [{ batch: 1 }]\nmutate: drop-required\n",
    "title: x\nsteps: [{ batch: 1 }]\nrelation: permute\n",
    "title: x\nsteps: [{ batch: 1 }]\nexpect: accepted\n",
    "title: x\nsteps: []\n",
    "title: x\nasserts: UNIQEU-001\ngenerate: { items: 2 }\n",
    "title: x\nasserts: PERFECT-001\ngenerate: { items: 2 }\n",
    "title: x\nruns: often\ngenerate: { items: 2 }\n",
    "title: x\nruns: { quick: 1, slow: 2 }\ngenerate: { items: 2 }\n",
    "title: x\nruns: -1\ngenerate: { items: 2 }\n",
];

/// Generated batches.
const GENERATED: &[&str] = &[
    "title: x\ngenerate: {}\n",
    "title: x\ngenerate: { items: 9..2 }\n",
    "title: x\ngenerate: { items: many }\n",
    "title: x\ngenerate: { items: [1] }\n",
    "title: x\ngenerate: { items: 2, itmes: 3 }\n",
    "title: x\ngenerate: { items: 2, values: odd }\n",
    "title: x\ngenerate: { items: 2, framing: chunky }\n",
    "title: x\ngenerate: { items: 2 }\nmutate: drop-requierd\n",
    "title: x\ngenerate: { items: 2 }\nmutate: [drop-required, bend]\n",
    "title: x\ngenerate: { items: 2 }\nmutate: 7\n",
    "title: x\ngenerate: { items: 2 }\nmutate: { at: first }\n",
    "title: x\ngenerate: { items: 2 }\nmutate: { by: drop-required, at: second }\n",
    "title: x\ngenerate: { items: 2 }\nmutate: { by: drop-required, on: first }\n",
    "title: x\ngenerate: { items: 2 }\nrelation: shuffle\n",
    "title: x\ngenerate: { items: 30000 }\nmutate: drop-required\n",
    "title: x\ngenerate: { items: 30000 }\nrelation: permute\n",
    "title: x\ngenerate: { items: 2, steps: 3 }\nmutate: drop-required\n",
    "title: x\ngenerate: { items: 2, steps: 3 }\nrelation: permute\n",
    "title: x\ngenerate: { items: 2, steps: 3 }\nexpect: accepted\n",
];

/// Requests written out.
const STEPS: &[&str] = &[
    "title: x\nsteps: [{ batsh: 1 }]\n",
    "title: x\nsteps: [{ batch: many }]\n",
    "title: x\nsteps: [{ batch: { items: 1 } }]\n",
    "title: x\nsteps: [{ batch: [{ sett: {} }] }]\n",
    "title: x\nsteps: [{ batch: [{ times: few }] }]\n",
    "title: x\nsteps: [{ batch: 1, body: x }]\n",
    "title: x\nsteps: [{ as: first }]\n",
    "title: x\nsteps: [{ simultaneously: [{ simultaneously: [{ batch: 1 }] }] }]\n",
    "title: x\nsteps: [{ as: first, batch: 1 }, { resend: frist }]\n",
    "title: x\nsteps: [{ resend: nothing }]\n",
    "title: x\nsteps: [{ body-hex: \"7b 7\" }]\n",
    "title: x\nsteps: [{ body-hex: \"7b xx\" }]\n",
    "title: x\nsteps: [{ batch: [{ as: first }, { like: frist }] }]\n",
    "title: x\nsteps: [{ batch: [{ mutate: drop-requierd }] }]\n",
    "title: x\nsteps: [{ batch: 1, credential: stolen }]\n",
    "title: x\nsteps: [{ batch: 1, disconnect: soon }]\n",
    "title: x\nsteps: [{ batch: 1, pause: 2s }]\n",
    "title: x\nsteps: [{ batch: 1, headers: [X-A] }]\n",
    "title: x\nsteps: [{ batch: 1, at-end: 1 }]\n",
    "title: x\nsteps: [{ batch-from: friday.json }]\n",
    "title: x\nsteps: [{ batch-from: broken.json, renumber: true }]\n",
];

/// What stands in `${…}`, each as a body.
const TEMPLATES: &[&str] = &[
    "title: x\nsteps: [{ body: \"${fresh\" }]\n",
    "title: x\nsteps: [{ body: \"${}\" }]\n",
    "title: x\nsteps: [{ body: \"${nothing}\" }]\n",
    "title: x\nsteps: [{ body: \"${fresh:long}\" }]\n",
    "title: x\nsteps: [{ body: \"${repeat:9}\" }]\n",
    "title: x\nsteps: [{ body: \"${repeat:many:x}\" }]\n",
    "title: x\nsteps: [{ body: \"${byte:xyz}\" }]\n",
    "title: x\nsteps: [{ body: \"${number:}\" }]\n",
    "title: x\nsteps: [{ body: \"${number:one|louder}\" }]\n",
    "title: x\nsteps: [{ body: \"${first.}\" }]\n",
    "title: x\nsteps: [{ body: \"${item:first}\" }]\n",
    "title: x\nsteps: [{ batch: [{ as: first }, { set: { value: \"${frist.value}\" } }] }]\n",
    "title: x\nsteps: [{ batch: [{ as: first, raw: \"${first.value|smaller}\" }] }]\n",
    "title: x\nsteps: [{ batch: 1, path: \"${path\" }]\n",
    "title: x\nsteps: [{ batch: 1, headers: { X-A: \"${nobody.status}\" } }]\n",
    "title: x\nsteps: [{ raw: \"GET ${way} HTTP/1.1\" }]\n",
];

/// What an answer must be, each of a batch with one item.
const EXPECTATIONS: &[&str] = &[
    "acepted",
    "3",
    "[accepted]",
    "{ resluts: accepted }",
    "{ asserts: RACE-991 }",
    "{ status: 99 }",
    "{ status: [] }",
    "{ status: 7xx }",
    "{ status: fine }",
    "{ results: acepted }",
    "{ results: {} }",
    "{ results: { most: accepted } }",
    "{ results: { others: accepted } }",
    "{ results: { exactly-one: { acepted: O005 } } }",
    "{ results: { exactly-one: { rejected: O005, code: O001 } } }",
    "{ results: { exactly-one: {} } }",
    "{ results: [accepted, { refused: O005 }] }",
    "{ results: 7 }",
    "{ count: one }",
    "{ headers: { X-A: here } }",
    "{ headers: { X-A: { holds: x } } }",
    "{ refused: [O001] }",
    "{ not-processed: probably }",
];

#[test]
fn a_case_file() {
    let desk = Desk::new();
    texts("reader_case_file", &desk, &["run", "a.yaml"], "a.yaml", FILE);
}

#[test]
fn a_generated_case() {
    let desk = Desk::new();
    texts("reader_case_generated", &desk, &["run", "a.yaml"], "a.yaml", GENERATED);
}

#[test]
fn a_written_case() {
    let desk = Desk::new();
    desk.file("broken.json", "{\"accountBalances\":\n");
    texts("reader_case_steps", &desk, &["run", "a.yaml"], "a.yaml", STEPS);
}

#[test]
fn a_template() {
    let desk = Desk::new();
    texts("reader_case_templates", &desk, &["run", "a.yaml"], "a.yaml", TEMPLATES);
}

#[test]
fn an_expectation() {
    let desk = Desk::new();
    let written: Vec<String> = EXPECTATIONS
        .iter()
        .map(|expect| format!("title: x\nsteps:\n  - batch: 1\n    expect: {expect}\n"))
        .collect();
    let written: Vec<&str> = written.iter().map(String::as_str).collect();
    texts("reader_case_expectations", &desk, &["run", "a.yaml"], "a.yaml", &written);
}

#[test]
fn cases_that_are_not_there() {
    let desk = Desk::new();
    desk.file("bytes.yaml", b"\xff\xfe");
    desk.file("empty/readme.txt", "no case");
    let named: &[&[&str]] = &[
        &["run", "nowhere.yaml"],
        &["run", "unique/replyed"],
        &["run", "nothing"],
        &["run", "bytes.yaml"],
        &["run", "empty"],
    ];
    commands("reader_case_paths", &desk, named);
}
