//! What a depth may spend is a promise: shipped cases stay within it, whatever the seed.

use std::collections::BTreeSet;
use std::sync::Arc;

use batchproof::case::{self, Depth, MutatedItems};
use batchproof::contract::{Contract, Profile, RefusalMode};
use batchproof::embedded;
use batchproof::execution::select;
use batchproof::generate::Generator;
use batchproof::record::{Conclusion, Summary};
use batchproof::run::{Plan, plan, run};
use batchproof::send::SendOptions;
use batchproof::server::faults;
use batchproof::session::{Amount, NoObserver, RunOptions, depth_budget};

fn planned(depth: Depth, seed: u64, partition: Option<(u32, u32)>) -> Plan {
    planned_with(&RunOptions { partition, ..RunOptions::new(depth, seed, "bptest-budget") })
}

fn planned_for(refusal_mode: Option<RefusalMode>) -> Plan {
    planned_with(&RunOptions { refusal_mode, ..RunOptions::new(Depth::Quick, 1, "bptest-budget") })
}

fn planned_with(options: &RunOptions) -> Plan {
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
        plan(&embedded.environment, options, &selected)
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
fn a_quick_run_sends_no_more_than_its_budget_with_all_that_it_asks_first() {
    let whole = depth_budget(Depth::Quick).unwrap();
    for refusal_mode in RefusalMode::ALL {
        for seed in [1, 502_571_217] {
            let summary = run_with(None, refusal_mode, Depth::Quick, seed);
            let (stats, head) = (summary.stats(), &summary.head);
            assert_eq!(summary.conclusion, Conclusion::Conformant, "{refusal_mode}, seed {seed}");
            assert!(
                stats.requests <= whole.requests,
                "{refusal_mode}: {} requests",
                stats.requests
            );
            assert!(stats.items <= whole.items, "{refusal_mode}: {} items", stats.items);
            // The record keeps what the preflight observed, and the plan that it led to.
            assert_eq!(head.refusal_mode, Some(refusal_mode));
            assert_eq!(head.planned.0, stats.requests, "{refusal_mode}, seed {seed}");
        }
    }
}

#[test]
fn a_target_that_rejects_item_by_item_gets_many_broken_items_in_a_batch() {
    let runs = |refusal_mode| {
        let cases = planned_for(refusal_mode).cases;
        cases.iter().find(|c| c.case == "refuse/each-item-for-itself").unwrap().runs.len()
    };
    assert_eq!((runs(Some(RefusalMode::Request)), runs(None)), (0, 0));
    assert!(runs(Some(RefusalMode::Item)) > 0);
}

#[test]
fn what_is_left_of_a_quick_budget_is_allotted() {
    for refusal_mode in [None, Some(RefusalMode::Request), Some(RefusalMode::Item)] {
        let planned = planned_for(refusal_mode);
        let (_, requests, items) = planned.totals();
        let whole = depth_budget(Depth::Quick).unwrap();
        assert!(requests + 5 > whole.requests || items + 20 > whole.items, "{requests}, {items}");
        let twice = planned_for(refusal_mode);
        let runs = |plan: &Plan| plan.cases.iter().map(|c| c.runs.len()).collect::<Vec<_>>();
        assert_eq!((runs(&planned), &planned.order), (runs(&twice), &twice.order));
    }
}

#[test]
fn repeats_and_shrinking_add_a_third_at_most() {
    let Amount { requests, items } = depth_budget(Depth::Standard).unwrap();
    // Both show in large batches.
    for fault in ["results-reversed-when-large", "result-65-lost"] {
        let summary = run_with(Some(fault), RefusalMode::Item, Depth::Standard, 1);
        let stats = summary.stats();
        assert!(summary.findings.iter().any(|(_, update)| update.confirmed), "{fault}");
        assert!(stats.requests <= requests + requests / 3, "{fault}: {} requests", stats.requests);
        assert!(stats.items <= items + items / 3, "{fault}: {} items", stats.items);
    }
}

/// A run against the reference server, as `run` makes it: findings are tried again and shrunk.
fn run_with(fault: Option<&str>, refusal_mode: RefusalMode, depth: Depth, seed: u64) -> Summary {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let contract = Arc::new(Contract::shipped().unwrap());
        let embedded = embedded::start(
            contract,
            Profile::default(),
            refusal_mode,
            fault.map(|name| faults::find(name).unwrap()).into_iter().collect(),
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
            ..RunOptions::new(depth, seed, "bptest-budget")
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
    // Each sends a plain batch of its own; only the whole finds out how the target refuses.
    assert!(parts.iter().all(|part| part.preflight.requests == 1));
    assert_eq!(whole.preflight.requests, 2);
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
        // There, how an item is broken is not the point, or others send the same one by one.
        if selected.case.spec.refusal_mode.is_some()
            || selected.case.spec.relation.is_some()
            || matches!(mutate.at, MutatedItems::Last)
        {
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
        let stride = if several > 1 { several.max(7) } else { 1 };
        let sent: BTreeSet<u64> = (0..runs)
            .flat_map(|run| (0..several).map(move |nth| (run * stride + nth) % kinds.max(1)))
            .collect();
        if (sent.len() as u64) < kinds {
            short.push(format!("{}: {} of {kinds} in {runs} runs", selected.case.id, sent.len()));
        }
    }
    assert!(short.is_empty(), "{}", short.join("\n"));
}
