//! What a depth may spend is a promise: shipped cases stay within it, whatever the seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use batchproof::case::{self, Depth, MutatedItems};
use batchproof::contract::{Contract, Profile, RefusalMode};
use batchproof::embedded;
use batchproof::execution::select;
use batchproof::generate::Generator;
use batchproof::record::Summary;
use batchproof::run::{Plan, plan, run};
use batchproof::send::SendOptions;
use batchproof::server::faults;
use batchproof::session::{Amount, NoObserver, RunOptions, depth_budget};

fn planned(depth: Depth, seed: u64, partition: Option<(u32, u32)>) -> Plan {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let contract = Arc::new(Contract::shipped().unwrap());
        let embedded = embedded::start(
            contract,
            Profile::default(),
            RefusalMode::Request,
            Vec::new(),
            SendOptions::default(),
            "bptest-budget",
        )
        .await
        .unwrap();
        let cases: Vec<_> =
            case::shipped().unwrap().into_iter().filter(|c| !c.spec.only_when_named).collect();
        let selected = select(cases, &embedded.environment.generator).unwrap();
        let options = RunOptions { partition, ..RunOptions::new(depth, seed, "bptest-budget") };
        plan(&embedded.environment, &options, &selected)
    })
}

#[test]
fn shipped_cases_stay_within_the_budget_of_their_depth() {
    assert_eq!(depth_budget(Depth::Quick), Some(Amount::new(200, 1_000)));
    assert_eq!(depth_budget(Depth::Standard), Some(Amount::new(3_000, 30_000)));
    for depth in [Depth::Quick, Depth::Standard] {
        let Amount { requests: most_requests, items: most_items } = depth_budget(depth).unwrap();
        for seed in (0..20).map(|n| n * 7_919).chain([42, 502_571_217, u64::MAX]) {
            let (trials, requests, items) = planned(depth, seed, None).totals();
            assert!(trials > 0);
            assert!(requests <= most_requests, "{depth}, seed {seed}: {requests} requests");
            assert!(items <= most_items, "{depth}, seed {seed}: {items} items");
        }
    }
}

#[test]
fn repeats_and_shrinking_add_a_third_at_most() {
    let Amount { requests, items } = depth_budget(Depth::Standard).unwrap();
    // Both show in large batches.
    for fault in ["results-reversed-when-large", "result-65-lost"] {
        let summary = standard_run_with(fault);
        let stats = summary.stats();
        assert!(summary.findings.iter().any(|(_, update)| update.confirmed), "{fault}");
        assert!(stats.requests <= requests + requests / 3, "{fault}: {} requests", stats.requests);
        assert!(stats.items <= items + items / 3, "{fault}: {} items", stats.items);
    }
}

/// A run against the reference server with one fault, as `run` makes it: findings are tried again and shrunk.
fn standard_run_with(fault: &str) -> Summary {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let contract = Arc::new(Contract::shipped().unwrap());
        let embedded = embedded::start(
            contract,
            Profile::default(),
            RefusalMode::Item,
            vec![faults::find(fault).unwrap()],
            SendOptions::default(),
            "bptest-budget",
        )
        .await
        .unwrap();
        let (environment, _control) = embedded::with_control(embedded.environment).await.unwrap();
        let cases: Vec<_> =
            case::shipped().unwrap().into_iter().filter(|c| !c.spec.only_when_named).collect();
        let selected = select(cases, &environment.generator).unwrap();
        let options = RunOptions {
            jobs: embedded::LOOPBACK_JOBS,
            ..RunOptions::new(Depth::Standard, 1, "bptest-budget")
        };
        Box::pin(run(environment, selected, options, Arc::new(NoObserver))).await.unwrap().summary
    })
}

#[test]
fn parts_add_up_to_the_whole() {
    let whole = planned(Depth::Quick, 3, None);
    let parts: Vec<Plan> = (1..=3).map(|part| planned(Depth::Quick, 3, Some((part, 3)))).collect();
    for (at, case) in whole.cases.iter().enumerate() {
        let mut runs: Vec<u64> = parts.iter().flat_map(|p| p.cases[at].runs.iter()).collect();
        runs.sort_unstable();
        assert_eq!(runs, case.runs.iter().collect::<Vec<_>>(), "{}", case.case);
    }
    // Each sends a preflight of its own.
    assert!(parts.iter().all(|part| part.preflight == whole.preflight));
    assert_eq!(parts.iter().map(Plan::of_cases).sum::<Amount>(), whole.of_cases());
}

#[test]
fn every_mutation_that_a_case_names_is_sent_at_standard() {
    let contract = Arc::new(Contract::shipped().unwrap());
    let generator = Generator::new(contract, &Profile::default()).unwrap();
    let mut short = Vec::new();
    for selected in select(case::shipped().unwrap(), &generator).unwrap() {
        let (Some(mutate), Some(generate)) =
            (&selected.case.spec.mutate, &selected.case.spec.generate)
        else {
            continue;
        };
        // There, how an item is broken is not the point.
        if selected.case.spec.relation.is_some() || matches!(mutate.at, MutatedItems::Last) {
            continue;
        }
        let kinds = selected.mutations.len() as u64;
        let runs = selected.case.runs(Depth::Standard);
        let items = *generate.items.range().start() as u64;
        let several = match mutate.at {
            MutatedItems::All => items,
            MutatedItems::Half => items / 2,
            _ => 1,
        };
        let stride = if several > 1 { 7 } else { 1 };
        let sent: BTreeSet<u64> = (0..runs)
            .flat_map(|run| (0..several).map(move |nth| (run * stride + nth) % kinds.max(1)))
            .collect();
        if (sent.len() as u64) < kinds {
            short.push(format!("{}: {} of {kinds} in {runs} runs", selected.case.id, sent.len()));
        }
    }
    assert!(short.is_empty(), "{}", short.join("\n"));
}
