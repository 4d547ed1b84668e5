//! `batchproof sample`: what would be generated, as JSON lines, with no target.

use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::args::SampleArgs;
use super::run::random_seed;
use super::{CommandError, say, say_error, target};
use crate::case;
use crate::contract::{FileError, Profile, RefusalMode, SchemaDocument};
use crate::embedded;
use crate::exchange::{Exchange, Request};
use crate::execution::{execute, select, why_not_run};
use crate::generate::{SchemaSampler, default_run_id};
use crate::send::SendOptions;

/// Values of a schema, unless told otherwise.
const VALUES: u64 = 10;

pub fn sample(args: &SampleArgs) -> Result<u8, CommandError> {
    let seed = args.seed.unwrap_or_else(|| {
        let seed = random_seed();
        say_error(&format!("--seed {seed}"));
        seed
    });
    match (&args.schema, &args.case) {
        (Some(file), _) => of_schema(args, file, seed),
        (None, Some(case)) => of_case(args, case, seed),
        (None, None) => Err("name a case, or a file with --schema".into()),
    }
}

fn of_schema(args: &SampleArgs, file: &Path, seed: u64) -> Result<u8, CommandError> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|e| FileError::new(&*name, e.to_string()).expected("a readable file"))?;
    let document = SchemaDocument::read_any(&name, &text)?;
    let sampler = SchemaSampler::new(document, args.pointer.as_deref().unwrap_or_default())?;
    for nth in 0..args.count.unwrap_or(VALUES) {
        say(&json!({ "value": sampler.value(seed, nth) }).to_string());
    }
    if args.mutations {
        for (mutation, value) in sampler.mutations() {
            let line = json!({
                "mutation": mutation.name,
                "pointer": mutation.pointer,
                "keyword": mutation.keyword,
                "class": mutation.class,
                "value": value,
            });
            say(&line.to_string());
        }
    }
    Ok(0)
}

/// Composes the requests of a case against the embedded server: captures of answers need some.
fn of_case(args: &SampleArgs, name: &str, seed: u64) -> Result<u8, CommandError> {
    let contract = target::contract(args.contract.as_deref())?;
    let profile = match &args.profile {
        Some(path) => target::profile(path, &contract)?,
        None => Profile::default(),
    };
    let contract = std::sync::Arc::new(contract.for_target(&profile));
    let cases = case::load_paths(&[name.to_owned()], &super::variables(&[]))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let run_id = default_run_id(chrono::Utc::now());
        let mode = RefusalMode::Request;
        let options = SendOptions::default();
        let embedded =
            embedded::start(contract, profile, mode, Vec::new(), options, &run_id).await?;
        let environment = embedded.environment;
        for selected in select(cases, &environment.generator)? {
            let id = &selected.case.id;
            if let Some(reason) = why_not_run(&environment, &selected) {
                say_error(&format!("{id}: not applicable: {}", reason.why));
                continue;
            }
            for run in 0..args.count.unwrap_or(1) {
                let execution = execute(&environment, &selected, run, seed).await?;
                for exchange in &execution.exchanges {
                    say(&line(id, run, exchange)?);
                }
            }
        }
        Ok(0)
    })
}

/// One request on one line; its body as it is sent, digit for digit, where that is JSON without line breaks.
fn line(case: &str, run: u64, exchange: &Exchange) -> Result<String, CommandError> {
    let Request { method, path, headers, body, raw, .. } = &exchange.request;
    let mutations: Vec<Value> = exchange
        .intent
        .items()
        .iter()
        .enumerate()
        .flat_map(|(at, item)| item.mutations.iter().map(move |m| (at, m)))
        .filter_map(|(at, mutation)| {
            let mut mutation = serde_json::to_value(mutation).ok()?;
            mutation.as_object_mut()?.insert("item".to_owned(), json!(at));
            Some(mutation)
        })
        .collect();
    let text =
        raw.as_ref().or(body.as_ref()).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let exact = text
        .clone()
        .filter(|text| raw.is_none() && !text.contains(['\n', '\r']))
        .and_then(|text| RawValue::from_string(text).ok());
    let body = match exact {
        Some(exact) => exact,
        None => RawValue::from_string(Value::from(text).to_string())?,
    };
    let head = json!({
        "case": case, "run": run, "step": exchange.step, "method": method, "path": path, "headers": headers,
        "mutations": mutations,
    });
    let head = head.to_string();
    Ok(format!("{},\"body\":{}}}", head.strip_suffix('}').unwrap_or(&head), body.get()))
}
