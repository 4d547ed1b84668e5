//! Runs made up for tests: hostile strings, every state of a finding, every outcome of a rule.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case::Depth;
use crate::check::{CoverageCounts, FaultKind, RuleCounts, RunTally, rules};
use crate::contract::{Contract, Level};
use crate::generate::Generator;
use crate::record::{
    AnswerRecord, BodyRecord, CaseRecord, Event, ExchangeRecord, FindingPosition, FindingRecord,
    FindingStatus, Latencies, Phase, RequestOutcomes, RequestRecord, RuleInfo, RunHead, RunTail,
    SpecInfo, Summary, TimelineSlice, VERSION,
};
use crate::waiver::{Day, Waiver};

pub(super) const RUN: &str = "bptest-261122-x7k2mq";
pub(super) const HOSTILE: &str =
    "</script><img src=x onerror=alert(1)>\u{1b}[31m\u{202e}txt.exe\u{0}`|@everyone|` ]]> --> 漢字";

/// One item of a batch.
pub(super) fn item(at: usize) -> Value {
    json!({
        "communicationNumber": format!("{RUN}-q4z8ab-{at}"),
        "requester": "treasury", "balanceType": "DAILY_BALANCE",
        "accountExtId": format!("ACC{:08}", 1000 + at), "businessUnit": "sandbox",
        "balanceAt": "2026-11-20T08:07:34.605Z", "value": 1250.75,
    })
}

/// The result that belongs to it.
pub(super) fn result(item: &Value) -> Value {
    json!({
        "resultType": "REQUEST_ACCEPTED", "communicationNumber": item["communicationNumber"],
        "accountExtId": item["accountExtId"], "businessUnit": item["businessUnit"], "timeElapsedMs": 3,
    })
}

/// An exchange of a batch with these results.
pub(super) fn exchange(status: u16, items: &[Value], answer: &Value) -> ExchangeRecord {
    let json = |name: &str| vec![(name.to_owned(), "application/json".to_owned())];
    ExchangeRecord {
        first: 0,
        step: "the batch".to_owned(),
        group: None,
        broken: Vec::new(),
        request: RequestRecord {
            method: "POST".to_owned(),
            url: "https://staging.example.com/amlyze-ws-rest/batch-account-balances".to_owned(),
            headers: json("Content-Type"),
            credential: "good".to_owned(),
            framing: "sized".to_owned(),
            hang_up: None,
            new_connection: false,
            trace: Some("00-9c1f5d6b8a3e4f70b2c1d0e9f8a7b6c5-4bf92f3577b34da6-01".to_owned()),
            body: BodyRecord::Text(json!({ "accountBalances": items }).to_string()),
        },
        answer: AnswerRecord::Received {
            status,
            headers: json("content-type"),
            body: BodyRecord::Text(answer.to_string()),
            millis: 12.25,
        },
    }
}

fn finding(id: &str, rule: &str, case: &str, place: &str, kind: &str) -> FindingRecord {
    FindingRecord {
        id: id.to_owned(),
        rule: rule.to_owned(),
        level: rules::find(rule).map_or(Level::Must, |r| r.level),
        case: case.to_owned(),
        run: 3,
        seed: 0x5eed,
        place: place.to_owned(),
        kind: kind.to_owned(),
        position: FindingPosition { exchange: 0, item: None, pointer: place.replace('*', "1") },
        expected: String::new(),
        actual: String::new(),
        message: format!("{rule}: {kind}"),
        proven: true,
        explained_by: Vec::new(),
        inputs: Vec::new(),
        evidence: Vec::new(),
    }
}

fn update(id: &str, count: u64) -> FindingStatus {
    FindingStatus {
        runs_shown: 1,
        runs: 1,
        id: id.to_owned(),
        count,
        confirmed: true,
        shown: 0,
        of: 0,
        waived: None,
        masked_by: None,
    }
}

fn head() -> RunHead {
    let contract = Contract::shipped().unwrap();
    let generator =
        Generator::new(std::sync::Arc::new(contract), &crate::contract::Profile::default());
    let generator = generator.unwrap();
    let contract = generator.contract();
    RunHead {
        version: VERSION,
        tool: "0.1.0".to_owned(),
        run_id: RUN.to_owned(),
        seed: 4_242_424_242,
        depth: Depth::Standard,
        started: "2026-11-22T12:30:00Z".to_owned(),
        target: "https://staging.example.com/amlyze-ws-rest/batch-account-balances".to_owned(),
        runs: None,
        strict: false,
        partition: None,
        specification: SpecInfo::of(contract),
        suite: "9f".repeat(32),
        cases: ["order/permute", "order/large", "unique/twice", "refuse/lengths", "race/pairs"]
            .map(|c| (c.to_owned(), format!("what {c} is about")))
            .to_vec(),
        files: std::collections::BTreeMap::new(),
        whole_suite: true,
        rules: RuleInfo::all(),
        profile: Some(json!({
            "auth": "bearer", "headers": { "X-Tenant": "[redacted]" }, "omit": ["equivalentValue"],
        })),
        skipped: [("RACE".to_owned(), "shared staging, agreed with operations".to_owned())].into(),
        refusal_mode: None,
        planned: (190, 900),
        deeper: Vec::new(),
        not_run: BTreeMap::new(),
        excluded: BTreeMap::new(),
        notes: BTreeMap::new(),
        thresholds: BTreeMap::new(),
        cells: generator.coverage().list().to_vec(),
        token_given: Some(true),
        only_http_2: false,
        waivers: Vec::new(),
        against: None,
        traffic: Vec::new(),
    }
}

/// Every rule passes in each case, but for those that `fails` names and some families.
fn cases(fails: &[FindingRecord]) -> Vec<Event> {
    head()
        .cases
        .iter()
        .enumerate()
        .map(|(at, (case, _))| {
            let mut counts: BTreeMap<String, RuleCounts> = BTreeMap::new();
            for rule in rules::all().iter().filter(|r| !matches!(r.family(), "RACE" | "CASE")) {
                let failed =
                    fails.iter().filter(|f| f.rule == rule.id && f.case == *case).count() as u64;
                let count = match rule.id {
                    "ECHO-001" => RuleCounts { masked: 14, ..RuleCounts::default() },
                    "ROBUST-002" => RuleCounts { unanswered: 2, ..RuleCounts::default() },
                    "ACCEPT-005" => RuleCounts { not_applicable: 9, ..RuleCounts::default() },
                    _ => RuleCounts { passed: 40 + at as u64, failed, ..RuleCounts::default() },
                };
                counts.insert(rule.id.to_owned(), count);
            }
            let mut tally = RunTally::default();
            for (status, n) in [(200, 30), (400, 12), (500, 1)] {
                tally.statuses.insert(status, n);
            }
            tally.codes.insert("O001".to_owned(), 11);
            tally.codes.insert("Z999".to_owned(), 1);
            for position in ["first", "middle", "last", "only"] {
                for field in ["/communicationNumber", "/balanceAt", "/value"] {
                    let key = format!("{field} required missing {position}");
                    tally.provoked.insert(key, 3);
                }
            }
            tally.provoked.insert(
                "/communicationNumber maxLength longer than its result can carry last".to_owned(),
                1,
            );
            let key = FaultKind {
                pointer: "/value".to_owned(),
                keyword: "required".to_owned(),
                class: "missing".to_owned(),
                all: false,
            };
            tally.refusals.insert(key, (9, 1));
            let record = CaseRecord {
                case: case.clone(),
                runs: 8,
                unanswered: 0,
                requests: 43,
                items: 180,
                millis: 900,
                retried: 0,
                rules: counts,
                tally,
                latencies: latencies(),
                covered: covered(),
            };
            Event::CaseFinished(Box::new(record))
        })
        .collect()
}

fn timeline() -> Vec<TimelineSlice> {
    let slice = |until_ms, phase, accepted, failed| TimelineSlice {
        until_ms,
        phase,
        ended: RequestOutcomes { accepted, failed, refused: 3, ..RequestOutcomes::default() },
    };
    vec![
        slice(40, Phase::Preflight, 2, 0),
        slice(900, Phase::Cases, 180, 2),
        slice(1_300, Phase::Cases, 90, 0),
        slice(1_400, Phase::Repeats, 12, 1),
    ]
}

fn latencies() -> Latencies {
    let mut latencies = Latencies::default();
    for at in 0..20 {
        latencies.count(1, 2_100 + 250 * at);
        if at < 9 {
            latencies.count(50, 9_000 + 4_000 * at);
        }
    }
    latencies
}

/// Nearly all cells: some lack, some lack at a position.
fn covered() -> CoverageCounts {
    let counts = |at: usize| match at % 11 {
        3 => [4, 0, 2, 1],
        7 => [0; 4],
        _ => [5, 9, 5, 3],
    };
    CoverageCounts((0..150).map(|at| (at, counts(at))).collect())
}

fn tail() -> Event {
    Event::RunFinished(Box::new(RunTail {
        finished: "2026-11-22T12:31:14Z".to_owned(),
        seconds: 74.4,
        trouble: Vec::new(),
        cut_short: false,
        timeline: timeline(),
        stopped: None,
        left_behind: 1_342,
        cleaned_up: None,
        requests: 215,
        items: 931,
        advice: None,
    }))
}

/// Findings of every kind, over hostile strings.
pub(super) fn hostile() -> Summary {
    let items: Vec<Value> = (0..6).map(item).collect();
    let mut results: Vec<Value> = items.iter().map(result).collect();
    results.swap(1, 4);
    let shuffled = exchange(200, &items, &json!({ "results": results, "timeElapsedMs": 12 }));

    let mut order = finding("a1b2c3d4", "ORDER-002", "order/permute", "/results/*", "swapped");
    order.position.item = Some(1);
    order.expected = format!("the result of item 1: \"{RUN}-q4z8ab-1\"");
    order.actual = format!("the result of item 4: \"{RUN}-q4z8ab-4\"");
    order.message = "result 1 belongs to item 4".to_owned();
    order.evidence = vec![shuffled.clone()];
    let mut elsewhere = order.clone();
    elsewhere.id = "a1b2c3d5".to_owned();
    elsewhere.case = "order/large".to_owned();

    let mut twice = finding(
        "0badcafe",
        "UNIQUE-001",
        "unique/twice",
        "/results/*/resultType",
        "accepted twice",
    );
    let pair = [item(7), item(7)];
    let both: Vec<Value> = pair.iter().map(result).collect();
    let first = exchange(200, &pair[..1], &json!({ "results": &both[..1], "timeElapsedMs": 3 }));
    let second = exchange(200, &pair, &json!({ "results": both, "timeElapsedMs": 3 }));
    twice.position =
        FindingPosition { exchange: 1, item: Some(1), pointer: "/results/1/resultType".into() };
    twice.expected = "\"REQUEST_REJECTED\", errorCode \"O005\"".to_owned();
    twice.actual = "\"REQUEST_ACCEPTED\"".to_owned();
    twice.message = "a number that was accepted before is accepted again".to_owned();
    twice.evidence = vec![first, second];

    let mut echo =
        finding("feedface", "ECHO-002", "refuse/lengths", "/results/*/accountExtId", HOSTILE);
    let mut long = item(9);
    long["accountExtId"] = json!(HOSTILE);
    long["communicationNumber"] = json!(format!("{RUN}-q4z8ab-9{}", "x".repeat(255 - 29)));
    let mut changed = result(&long);
    changed["accountExtId"] = json!("\u{202e}reversed\u{7}");
    echo.position.item = Some(0);
    echo.position.pointer = "/results/0/accountExtId".to_owned();
    echo.expected = json!(HOSTILE).to_string();
    echo.actual = "\"\u{202e}reversed\u{7}\"".to_owned();
    echo.message = format!("the account comes back changed: {HOSTILE}");
    echo.evidence = vec![exchange(200, &[long], &json!({ "results": [changed] }))];

    let mut lost = finding("10571057", "STATUS-003", "race/pairs", "", "timeout");
    lost.proven = false;
    lost.expected = "an answer within 30 s".to_owned();
    lost.actual = "none".to_owned();
    let mut hang = exchange(200, &[item(11)], &json!({}));
    hang.answer = AnswerRecord::Lost {
        kind: "timeout".to_owned(),
        message: "no whole answer in time".to_owned(),
        millis: 30_000.0,
    };
    lost.evidence = vec![hang];

    let mut html = finding("5ca1ab1e", "HTTP-010", "refuse/lengths", "/message", "stack trace");
    html.expected = "no stack trace".to_owned();
    html.actual = "at com.example.Balance.parse(Balance.java:42)".to_owned();
    let mut trace = exchange(400, &[item(12)], &json!({ "message": "at com.example" }));
    trace.request.body = BodyRecord::Hex("7bff00".to_owned());
    if let AnswerRecord::Received { headers, body, .. } = &mut trace.answer {
        headers.push(("x-evil".to_owned(), HOSTILE.to_owned()));
        *body = BodyRecord::Text(HOSTILE.repeat(20));
    }
    html.evidence = vec![trace];

    let mut waived =
        finding("deadbea7", "CODE-004", "unique/twice", "/results/*/errorCode", "unknown code");
    waived.expected = "a documented code".to_owned();
    waived.actual = "\"Z999\"".to_owned();
    waived.evidence = vec![shuffled];

    let updates = [
        update("a1b2c3d4", 14),
        update("a1b2c3d5", 3),
        FindingStatus { shown: 3, of: 3, ..update("0badcafe", 2) },
        update("feedface", 1),
        FindingStatus { confirmed: false, shown: 0, of: 3, ..update("10571057", 1) },
        FindingStatus { shown: 2, of: 3, ..update("5ca1ab1e", 6) },
        FindingStatus {
            waived: Some("ticket BAL-17, until 2027-01-31".to_owned()),
            ..update("deadbea7", 4)
        },
    ];
    let findings = vec![order, elsewhere, twice, echo, lost, html, waived];
    let mut head = head();
    head.waivers.push(Waiver {
        rule: "CODE-004".to_owned(),
        case: Some("unique/*".to_owned()),
        pointer: None,
        reason: HOSTILE.to_owned(),
        owner: HOSTILE.to_owned(),
        expires: Day::of("2026-11-23T00:00:00Z").unwrap(),
        flaky: false,
        at: "waivers.yaml:3".to_owned(),
    });
    let mut events = vec![Event::RunStarted(Box::new(head))];
    events.push(Event::Note { text: "a plain batch of 12 items was accepted".to_owned() });
    let ended = cases(&findings);
    events.extend(findings.into_iter().map(|f| Event::Finding(Box::new(f))));
    events.extend(updates.into_iter().map(Event::FindingUpdated));
    events.push(Event::Sample {
        case: "order/permute".to_owned(),
        run: 0,
        exchange: Box::new(exchange(200, &[item(20)], &json!({ "results": [result(&item(20))] }))),
    });
    events.extend(ended);
    events.push(tail());
    Summary::from_events(&events).unwrap()
}

/// Nothing found, but for what was never judged.
pub(super) fn clean() -> Summary {
    let mut events = vec![Event::RunStarted(Box::new(head()))];
    events.extend(cases(&[]));
    events.push(tail());
    Summary::from_events(&events).unwrap()
}

/// A run that was killed before anything ended.
pub(super) fn killed() -> Summary {
    Summary::from_events(&[Event::RunStarted(Box::new(head()))]).unwrap()
}

/// So many findings, each of another cause.
pub(super) fn large(count: usize) -> Summary {
    let items: Vec<Value> = (0..20).map(item).collect();
    let results: Vec<Value> = items.iter().map(result).collect();
    let all = rules::all();
    let findings: Vec<FindingRecord> = (0..count)
        .map(|i| {
            let rule = all[i % all.len()].id;
            let mut f =
                finding(&format!("{i:08x}"), rule, "order/permute", "/results/*/x", "other");
            f.kind = format!("kind {i}");
            f.position.item = Some(i % 20);
            f.position.pointer = format!("/results/{}/x", i % 20);
            f.expected = format!("{i} {HOSTILE}");
            f.actual = format!("something else {i}");
            let mut answer = results.clone();
            answer[i % 20]["timeElapsedMs"] = json!(i);
            f.evidence = vec![exchange(200, &items, &json!({ "results": answer }))];
            f
        })
        .collect();
    let mut events = vec![Event::RunStarted(Box::new(head()))];
    let ended = cases(&findings);
    events.extend(findings.into_iter().map(|f| Event::Finding(Box::new(f))));
    events.extend(ended);
    events.push(tail());
    Summary::from_events(&events).unwrap()
}
