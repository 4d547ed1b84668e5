//! What each stage costs, for a batch of ten items and one of a thousand: `cargo bench --bench stages`.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use batchproof::case::{Credential, Framing, find, shipped};
use batchproof::check::{FastPath, SentItems, evaluate};
use batchproof::contract::RefusalMode;
use batchproof::contract::{Contract, Profile};
use batchproof::embedded;
use batchproof::exchange::{Answer, BodyIntent, Exchange, Intent, Request, Response, Situation};
use batchproof::execution::select;
use batchproof::generate::{BatchShape, Generator, KeyBlock, KeyGenerator, TextSpan, ValueStyle};
use batchproof::run::run;
use batchproof::send::SendOptions;
use batchproof::session::{NoObserver, RunOptions};
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::{Value, json};

const SIZES: [usize; 2] = [10, 1000];
const STYLES: [ValueStyle; 3] = [ValueStyle::Plain, ValueStyle::Boundary, ValueStyle::Unusual];

fn main() {
    divan::main();
}

struct Desk {
    contract: Arc<Contract>,
    profile: Profile,
    generator: Generator,
    keys: Arc<KeyGenerator>,
    quick: FastPath,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let contract = Arc::new(Contract::shipped().expect("the shipped contract"));
    let profile = Profile::default();
    let generator = Generator::new(Arc::clone(&contract), &profile).expect("a generator");
    let keys = Arc::new(KeyGenerator::fitting("bptest-261122-bench0", &contract));
    let quick = FastPath::of(&contract).expect("simple answers");
    Desk { contract, profile, generator, keys, quick }
});

fn shape(items: usize, style: ValueStyle) -> BatchShape {
    BatchShape { items: items..=items, style }
}

/// A batch straight as JSON text, and where its echoed values stand.
fn write(numbers: &mut KeyBlock, items: usize, style: ValueStyle) -> (Vec<u8>, Vec<TextSpan>) {
    let mut stream = DESK.generator.stream(7, &shape(items, style));
    let mut body = format!("{{\"{}\":[", DESK.contract.batch.items);
    let mut places = Vec::new();
    while stream.write(&mut body, numbers, &mut places).is_some() {
        body.push_str(if stream.left() > 0 { "," } else { "]}" });
    }
    (body.into_bytes(), places)
}

/// The right answer to it.
fn answer(body: &[u8]) -> Vec<u8> {
    let batch = &DESK.contract.batch;
    let sent: Value = serde_json::from_slice(body).expect("JSON");
    let results: Vec<Value> = sent[&batch.items]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            let mut result = json!({ "timeElapsedMs": 0 });
            result[&batch.verdict.field] = json!(batch.verdict.accepted);
            for name in batch.echo.iter().filter(|name| item.get(*name).is_some()) {
                result[name] = item[name].clone();
            }
            result
        })
        .collect();
    json!({ "results": results, "timeElapsedMs": 0 }).to_string().into_bytes()
}

fn exchange(body: &[u8], answer: Vec<u8>) -> Exchange {
    let contract = &DESK.contract;
    let request = Request {
        method: contract.operation.method.clone(),
        path: contract.operation.path.clone(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        credential: Credential::Good,
        body: Some(body.to_vec().into()),
        framing: Framing::Sized,
        hang_up: None,
        new_connection: false,
        trace: None,
        raw: None,
    };
    let body = BodyIntent::of(contract.body_validity(body), &contract.batch.unique);
    Exchange {
        index: 0,
        step: "the batch".to_owned(),
        group: None,
        request,
        intent: Intent { situation: Situation::Ordinary, body },
        answer: Answer::Received(Response {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: answer.into(),
            elapsed: Duration::from_millis(1),
            framing: None,
            outline: None,
        }),
        always_busy: false,
    }
}

/// Drafts, as mutations, relations and shrinking need them.
#[divan::bench(args = STYLES)]
fn generate_ten_as_drafts(bencher: Bencher<'_, '_>, style: ValueStyle) {
    bencher.counter(ItemsCount::new(10_usize)).bench(|| DESK.generator.batch(7, &shape(10, style)));
}

/// Straight as JSON text, as soaks and giant batches need them.
#[divan::bench(args = STYLES)]
fn generate_ten_as_text(bencher: Bencher<'_, '_>, style: ValueStyle) {
    let mut numbers = DESK.keys.reserve(1000);
    bencher.counter(ItemsCount::new(10_usize)).bench_local(|| write(&mut numbers, 10, style));
}

/// What the contract says of a body's bytes: parsing, schema, interpretations.
#[divan::bench(args = SIZES)]
fn judge_a_body(bencher: Bencher<'_, '_>, items: usize) {
    let (body, _) = write(&mut DESK.keys.reserve(1000), items, ValueStyle::Plain);
    bencher.counter(ItemsCount::new(items)).bench(|| DESK.contract.body_validity(&body));
}

/// Every rule, on a right answer.
#[divan::bench(args = SIZES)]
fn judge_an_answer(bencher: Bencher<'_, '_>, items: usize) {
    let (body, _) = write(&mut DESK.keys.reserve(1000), items, ValueStyle::Plain);
    let exchange = [exchange(&body, answer(&body))];
    bencher
        .counter(ItemsCount::new(items))
        .bench(|| evaluate(&DESK.contract, &DESK.profile, &exchange, &[], None));
}

/// The same answer, found plainly right.
#[divan::bench(args = SIZES)]
fn judge_an_answer_quickly(bencher: Bencher<'_, '_>, items: usize) {
    let (body, places) = write(&mut DESK.keys.reserve(1000), items, ValueStyle::Plain);
    let answer = answer(&body);
    let sent = SentItems { body: &body, places: &places };
    bencher
        .counter(ItemsCount::new(items))
        .bench(|| DESK.quick.body(sent, &answer).expect("right"));
}

/// Two hundred whole exchanges with the embedded server, both in this process.
#[divan::bench(args = [("soak/ten-items", 10), ("soak/thousand-items", 1_000)], sample_count = 20)]
fn whole_exchanges(bencher: Bencher<'_, '_>, (case, items): (&str, u64)) {
    const RUNS: u64 = 200;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let case = find(&shipped().expect("shipped cases"), case).expect("a shipped case");
    bencher.counter(ItemsCount::new(RUNS * items)).bench(|| {
        runtime.block_on(async {
            let embedded = embedded::start(
                Arc::clone(&DESK.contract),
                Profile::default(),
                RefusalMode::Request,
                Vec::new(),
                SendOptions::default(),
                "bptest-bench",
            )
            .await
            .expect("the embedded server");
            let selected = select(case.clone(), &embedded.environment.generator).expect("a case");
            let options = RunOptions {
                runs: Some(RUNS),
                jobs: 16,
                whole_suite: false,
                preflight: false,
                verdicts_only: true,
                ..RunOptions::new(batchproof::case::Depth::Standard, 1, "bptest-bench")
            };
            let report =
                Box::pin(run(embedded.environment, selected, options, Arc::new(NoObserver))).await;
            assert!(report.expect("a report").summary.findings.is_empty());
        });
    });
}
