//! `batchproof new`: a commented file to start from.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::args::{NewArgs, NewKind};
use super::target;
use super::{CommandError, say};
use crate::contract::Contract;

/// A case for any contract: fields are named by their roles.
const CASE: &str = r#"# A case says what is sent and what must come back.
#   batchproof run FILE --plan              checks this file, and sends nothing
#   batchproof run FILE --target URL        runs it; without --target, on the embedded server
#   batchproof run --watch FILE             runs it at each save
# `batchproof list --mutations` names the ways to break an item, `batchproof list --rules` the rules.
title: a used key is rejected, and the same item with a fresh key is accepted
about: Our import job sends a batch again when it lost the response.     # why it matters; may be left out
# asserts: UNIQUE-001                       # the rule that judges what is expected here; without it CASE-001
# runs: { quick: 1, standard: 5, deep: 20 } # executions at each depth
steps:
  # Each item starts from a valid generated one. `@key` is the unique key, whatever the contract calls it.
  - as: import                              # a name for later steps
    batch:
      - { as: first }                       # a name for later items
      - { times: 2 }                        # two more
      # - { set: { FIELD: value }, unset: [FIELD] }
      # - { mutate: drop-required }         # broken on purpose
    expect: accepted
  - batch:
      - { set: { "@key": "${first.@key}" } }        # the key of the first item again
    expect: { rejected: used }
  - batch:
      - { like: first }                     # a copy, with a fresh key
    expect: accepted
  # - { resend: import, expect: { results: { all: rejected } } }     # byte for byte
  # - { body: '{"wrong":', expect: { status: 400 } }                 # text as it is
  # - { credential: wrong, batch: 1, expect: { status: [401, 403] } }
"#;

const WAIVERS: &str = "\
# Findings that are known, and do not fail a run:
#   batchproof run --waivers FILE --target URL
# An expired waiver waives nothing. A report names rule, case and pointer of each finding.
# Put entries in the place of the empty list below.
[]
# - rule: ORDER-002                         # the rule
#   case: race/*                            # none: every case; * stands for any characters
#   pointer: /results/*/value               # none: everywhere; * stands for any index or name
#   reason: results come back by thread, BAL-17
#   owner: imports team                     # who answers for it
#   expires: 2099-12-31                     # the last day on which it holds, in UTC
#   flaky: false                            # true: not found in every run, so a run without it changes nothing
";

const BATCH: &str = r#"# What the document beside this file (openapi.yaml) cannot say of a batch endpoint:
#   batchproof run --contract DIR --target URL
# `batchproof init OPENAPI` proposes this file for a document of yours.
title: parcels
operation: { path: /v1/parcels/batch, method: post }     # where in openapi.yaml

items: parcels                              # where the request holds the items
results: outcomes                           # where the response holds a result for each item
unique: barcode                             # the key that no two items share, ever
echo: [barcode, depot]                      # what a result repeats of its item
verdict: { field: outcome, accepted: TAKEN, rejected: DENIED }
error: { code: reason, description: text }  # where a result, and a refused request, says why
# elapsed: { item: tookMs, total: tookMs }  # milliseconds

references: [depot]                         # what the target must know already; a profile has the values

codes:                                      # cause: missing (a mandatory field), used (the key) or invalid
  P01: { means: a mandatory field is missing, cause: missing }
  P02: { means: the barcode was used before, cause: used }

samples:                                    # what generated values look like, where the schema leaves room
  depot: { one-of: [north, south] }
  # postcode: { pattern: "[0-9]{4}" }
  # price: { amount: { min: 0, max: 900 } }

# limits: { batch-items: 1000 }             # the largest batch that is processed
"#;

const OPENAPI: &str = r##"openapi: 3.1.0
info: { title: Parcels, version: "1" }
security: [{ token: [] }]
paths:
  /v1/parcels/batch:
    post:
      operationId: batchParcels
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Batch" } } }
      responses:
        "200": { description: a result for each parcel, content: { application/json: { schema: { $ref: "#/components/schemas/Answer" } } } }
        "400": { description: the request is refused, content: { application/json: { schema: { $ref: "#/components/schemas/Refusal" } } } }
components:
  securitySchemes: { token: { type: http, scheme: bearer } }
  schemas:
    Batch:
      type: object
      required: [parcels]
      properties: { parcels: { type: array, items: { $ref: "#/components/schemas/Parcel" } } }
    Parcel:
      type: object
      required: [barcode, weight]
      properties:
        barcode: { type: string }
        weight: { type: number }
        depot: { type: string }
        sentAt: { type: string, format: date-time }
    Answer:
      type: object
      properties: { outcomes: { type: array, items: { $ref: "#/components/schemas/Outcome" } } }
    Outcome:
      type: object
      properties:
        barcode: { type: string, maxLength: 255 }
        depot: { type: string }
        outcome: { type: string, enum: [TAKEN, DENIED] }
        reason: { type: string }
        text: { type: string }
    Refusal:
      type: object
      properties: { outcome: { type: string }, reason: { type: string }, text: { type: string } }
"##;

pub fn new(args: &NewArgs) -> Result<u8, CommandError> {
    let (usual, text) = match args.kind {
        NewKind::Case => ("case.yaml", CASE.to_owned()),
        NewKind::Waivers => ("waivers.yaml", WAIVERS.to_owned()),
        NewKind::Profile => ("profile.yaml", profile(&target::contract(args.contract.as_deref())?)),
        NewKind::Contract => {
            let dir = args.file.clone().unwrap_or_else(|| PathBuf::from("contract"));
            let files = [("openapi.yaml", OPENAPI), ("batch.yaml", BATCH)];
            let all: Vec<(PathBuf, &str)> =
                files.iter().map(|(name, text)| (dir.join(name), *text)).collect();
            write(&all, args.force)?;
            return Ok(0);
        }
    };
    let file = args.file.clone().unwrap_or_else(|| PathBuf::from(usual));
    if file == Path::new("-") {
        say(text.trim_end());
    } else {
        write(&[(file, &text)], args.force)?;
    }
    Ok(0)
}

/// Writes new files; none where one is there already.
fn write(files: &[(PathBuf, &str)], force: bool) -> Result<(), CommandError> {
    if let Some((there, _)) = files.iter().find(|(file, _)| !force && file.exists()) {
        return Err(format!(
            "{}: it exists already, and nothing was written\n  expected: another name, or --force",
            there.display()
        )
        .into());
    }
    for (file, text) in files {
        let failed = |e: std::io::Error| {
            format!("{}: {e}\n  expected: a writable directory", file.display())
        };
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(file, text).map_err(failed)?;
        say(&format!("wrote {}", file.display()));
    }
    Ok(())
}

/// A profile with the fields of a contract.
fn profile(contract: &Contract) -> String {
    let mut text = "\
# What is known of one target. Every key may be left out.
#   batchproof run --profile FILE --target URL
#   batchproof doctor --profile FILE --target URL      tries it in ten requests

# The target is polite to others at these limits.
limits: { jobs: 4, rate: 20/s }
# limits: { batch-items: 500, items: 20000 }   # items of a batch; items of a whole run

# Values that exist in the target, of fields that name something there:
# values:
"
    .to_owned();
    let key = &contract.batch.unique;
    let named: Vec<&str> = contract
        .fields()
        .iter()
        .filter(|f| f.reference && &f.name != key)
        .map(|f| &*f.name)
        .collect();
    for field in &named {
        let _ = writeln!(text, "#   {field}: [VALUE-1, VALUE-2]");
    }
    let optional: Vec<&str> =
        contract.fields().iter().filter(|f| !f.required).map(|f| &*f.name).collect();
    let first = optional.first().copied().unwrap_or("FIELD");
    let _ = write!(
        text,
        "#   NUMBER-FIELD: {{ min: 0, max: 1000 }}
# omit: [{first}]                  # optional fields that are never sent
# required: [{first}]              # optional fields that the target demands

# How credentials are shown; the token itself comes from --token-file, --token-command or BATCHPROOF_TOKEN.
# auth: bearer                     # or basic, none, {{ api-key: X-Api-Key }}, {{ oauth2: … }}
# headers: {{ X-Tenant: \"${{env:TENANT}}\" }}     # values from the environment are kept out of reports

# Further codes of this target, demanded of their field:
# error-codes: {{ B017: {{ means: it is mandatory here, cause: missing, field: {first} }} }}

# Rules that are not to be tested here, with the reason:
# skip: {{ RACE: \"shared staging, agreed with operations\" }}

# What makes the target ready, and removes what a run left:
# setup: {{ command: \"./register-accounts.sh\" }}
# cleanup: {{ command: \"./remove.sh ${{run-id}}\" }}
"
    );
    text
}
