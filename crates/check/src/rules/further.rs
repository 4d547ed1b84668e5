//! UNIQUE and RACE: the life of unique keys beside the first one.

use serde_json::Value;

use super::common::error_excerpt;
use super::race::SharedKey;
use crate::contract::shape::{Again, BatchMode};
use crate::contract::unique_key::FurtherKey;
use crate::contract::{Level, member};
use crate::exchange_view::{ExchangeView, ExecutionView, ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::key_use::{FreeReason, ItemKeys, KeyUse};
use crate::message::Message;
use crate::rule::{Check, Explains, Rule};
use crate::text::shown;

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "UNIQUE-011",
        level: Level::Must,
        title: "A further unique key is accepted at most once",
        cite: "The contract: `unique` lists several keys",
        doc: "Each key of the list is unique by itself: an item whose first key is fresh is rejected all the same where \
              another of its keys is used. Services often check the one that they store records by, and leave the \
              others to an index that is missing or compares otherwise.",
        example: include_str!("examples/UNIQUE-011.txt"),
        needs: NEEDS,
        check: Check::Exchange(accepted_once),
        explains: &[Explains::any(Symptom::AcceptedConcurrently)],
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-012",
        level: Level::Must,
        title: "A further unique key rejects an item only where the contract calls it used",
        cite: "The contract: `within`, `same`, `with` and `again` of a key in `unique`",
        doc: "A key with `with` is used only where the other fields are equal too, one with `within: request` only in its \
              own request, one that is compared code point by code point only in its own letter case; and a refused \
              request uses none. An item that is rejected for more than that is lost. Of two items with one key in a \
              batch, one is accepted.",
        example: include_str!("examples/UNIQUE-012.txt"),
        needs: NEEDS,
        check: Check::Exchange(rejected_only_where_used),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-013",
        level: Level::Should,
        title: "The further unique keys of a rejected item stay unused",
        cite: "INTERPRETATION-03",
        doc: "An item that was rejected for its first key was not stored, and neither were its other keys. A service that \
              takes the keys one after the other, and keeps those it has when the next one is used, blocks them for good.",
        example: include_str!("examples/UNIQUE-013.txt"),
        needs: NEEDS,
        check: Check::Exchange(rejected_stays_unused),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-014",
        level: Level::Must,
        title: "A used further key rejects its item, not the request",
        cite: "The contract: `again: rejected`",
        doc: "The contract says that a used key rejects its item. Refusing the whole request leaves a client unable to send \
              the rest; `again: refused` in the contract makes that the promise.",
        example: include_str!("examples/UNIQUE-014.txt"),
        needs: &["STATUS-001"],
        check: Check::Exchange(rejects_the_item),
        may_lack_occasion: true,
        ..Rule::BASE
    },
];

/// Those of simultaneous requests.
pub(super) const OF_RACES: &[Rule] = &[Rule {
    id: "RACE-004",
    level: Level::Must,
    title: "Exactly one of several simultaneous requests with the same further key is accepted",
    cite: "The contract: `unique` lists several keys",
    doc: "Requests whose first keys differ meet at another key. A check for that key and its use that are two separate \
              steps let both through; a unique constraint on it does not.",
    example: include_str!("examples/RACE-004.txt"),
    needs: &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001"],
    check: Check::Execution(exactly_one),
    may_lack_occasion: true,
    ..Rule::BASE
}];

/// A further key of an item, with what is known of it.
#[derive(Clone, Copy)]
struct JudgedKey<'v> {
    about: &'v FurtherKey,
    nth: usize,
    known: &'v KeyUse,
    keys: &'v ItemKeys,
}

impl JudgedKey<'_> {
    /// Whether nothing but this key may reject the item.
    fn decides(&self) -> bool {
        self.keys.first_is_fresh && self.keys.others_are_fresh(self.nth)
    }
}

/// The further keys of an item.
fn keys<'v>(view: &'v ExchangeView<'_>, index: usize) -> impl Iterator<Item = JudgedKey<'v>> {
    let about = &view.contract.batch.further;
    let keys = view.further.get(index);
    keys.into_iter().flat_map(move |keys| {
        let uses = keys.uses.iter().zip(about).enumerate();
        uses.filter_map(move |(nth, (known, about))| {
            Some(JudgedKey { about, nth, known: known.as_ref()?, keys })
        })
    })
}

/// A key of an item, as findings name it: its pointer, its value, and the other fields that belong to it.
fn named(view: &ExchangeView<'_>, about: &FurtherKey, index: usize) -> String {
    let item = view.items().get(index).map_or(&Value::Null, |item| &item.value);
    let value = |field: &str| member(item, field).map_or_else(|| "nothing".to_owned(), shown);
    let with = about.with.iter().map(|field| format!(" with {field} {}", value(field)));
    format!("{} {}{}", about.pointer, value(&about.field), with.collect::<String>())
}

/// Judges every further key of every item beside its result.
fn each_key(
    view: &ExchangeView<'_>,
    judge: impl Fn(&ItemView<'_>, JudgedKey<'_>) -> Verdict,
) -> Verdict {
    view.each(|item| {
        let mut any = false;
        let mut findings = Vec::new();
        for key in keys(view, item.index) {
            match judge(item, key) {
                Verdict::Pass => any = true,
                Verdict::Fail(found) => findings.extend(found),
                Verdict::NotApplicable(_) => {}
            }
        }
        match (findings.is_empty(), any) {
            (false, _) => Verdict::Fail(findings),
            (true, true) => Verdict::Pass,
            (true, false) => Verdict::NotApplicable("no further key to judge"),
        }
    })
}

fn accepted_once(view: &ExchangeView<'_>) -> Verdict {
    each_key(view, |item, key| {
        let Some(verdict) = item.verdict else { return Verdict::NotApplicable("no verdict") };
        let finding = |kind: &str, expected: Message| {
            let field = &view.contract.batch.verdict.field;
            let kind = format!("{} {kind}", key.about.pointer);
            Verdict::fail(
                Finding::new(kind, item.at(field), expected, item.said()).item(item.index),
            )
        };
        let name = named(view, key.about, item.index);
        match key.known {
            KeyUse::Used { by } if verdict == ItemVerdict::Accepted => finding(
                "across batches",
                format!("rejected: request {} used {name} already", by + 1).into(),
            ),
            KeyUse::Used { .. } => Verdict::Pass,
            KeyUse::BatchDuplicate(places) if verdict == ItemVerdict::Accepted => {
                let earlier = places
                    .iter()
                    .take_while(|place| **place < item.index)
                    .find(|place| view.verdicts[**place] == Some(ItemVerdict::Accepted));
                match earlier {
                    None => Verdict::Pass,
                    Some(first) => finding(
                        "in one batch",
                        Message::from("rejected: ")
                            .item(*first)
                            .text(format!(" used {name} already")),
                    ),
                }
            }
            KeyUse::BatchDuplicate(_) => Verdict::Pass,
            _ => Verdict::NotApplicable("its key was not used before"),
        }
    })
}

/// Why a key is free, in words; and the kind of finding where it is called used.
fn reason(because: FreeReason, about: &FurtherKey) -> (&'static str, String) {
    match because {
        FreeReason::OtherField => (
            "another value beside it",
            format!("it is free with another {}", about.with.join(", ")),
        ),
        FreeReason::LetterCase => {
            ("letter case", "its letter case differs, and keys are compared exactly".to_owned())
        }
        FreeReason::EarlierRequest => {
            ("another request", "it must be unique within one request only".to_owned())
        }
        FreeReason::Allowed => ("used again", "it may be used again".to_owned()),
        FreeReason::Refused => {
            ("after a refusal", "the request that had it before was refused".to_owned())
        }
        FreeReason::Rejected => {
            ("after a rejection", "the item that had it before was rejected".to_owned())
        }
    }
}

fn free_finding(item: &ItemView<'_>, key: JudgedKey<'_>, because: FreeReason) -> Finding {
    let view = item.within;
    let (kind, why) = reason(because, key.about);
    Finding::new(
        format!("{} {kind}", key.about.pointer),
        item.at(&view.contract.batch.verdict.field),
        format!("accepted: {} is unused; {why}", named(view, key.about, item.index)),
        item.said(),
    )
    .item(item.index)
}

fn rejected_only_where_used(view: &ExchangeView<'_>) -> Verdict {
    if view.is_refused() {
        return refused_without_need(view);
    }
    each_key(view, |item, key| {
        let Some(verdict) = item.verdict.filter(|_| key.decides()) else {
            return Verdict::NotApplicable("something else may reject it");
        };
        let is_rejected = verdict == ItemVerdict::Rejected;
        match key.known {
            KeyUse::Free { because, .. } if *because != FreeReason::Rejected => {
                if is_rejected && view.is_ordinary() {
                    Verdict::fail(free_finding(item, key, *because))
                } else {
                    Verdict::Pass
                }
            }
            KeyUse::BatchDuplicate(places) if places.first() == Some(&item.index) => {
                let is_left = |place: &usize| view.verdicts[*place] == Some(ItemVerdict::Rejected);
                let decides = |place: &usize| {
                    keys(view, *place).all(|other| other.nth != key.nth || other.decides())
                };
                if !places.iter().all(is_left) || !places.iter().all(decides) {
                    return Verdict::Pass;
                }
                let field = &view.contract.batch.verdict.field;
                let name = named(view, key.about, item.index);
                Verdict::fail(
                    Finding::new(
                        format!("{} none accepted", key.about.pointer),
                        item.at(field),
                        format!("one of the items with {name} accepted"),
                        format!("all {} rejected", places.len()),
                    )
                    .item(item.index),
                )
            }
            _ => Verdict::NotApplicable("its key is not one that may be used again"),
        }
    })
}

/// A batch that was refused though all of its keys are unused, some of them in spite of what came before.
fn refused_without_need(view: &ExchangeView<'_>) -> Verdict {
    let is_sound = |keys: &ItemKeys| {
        keys.first_is_fresh
            && keys.uses.iter().flatten().all(|known| match known {
                KeyUse::Fresh => true,
                KeyUse::Free { because, .. } => *because != FreeReason::Rejected,
                _ => false,
            })
    };
    let is_ordinary = view.is_ordinary() && view.feature().is_none();
    let too_large = view.may_be_refused_for_size();
    if !is_ordinary || too_large || !view.further.iter().all(is_sound) {
        return Verdict::NotApplicable("the request may be refused for something else");
    }
    let free = (0..view.items().len()).flat_map(|i| keys(view, i).map(move |key| (i, key)));
    let mut free = free.filter_map(|(i, key)| match key.known {
        KeyUse::Free { because, .. } => Some((i, key, *because)),
        _ => None,
    });
    let Some((index, key, because)) = free.next() else {
        return Verdict::NotApplicable("another rule judges batches whose keys are fresh");
    };
    let (kind, why) = reason(because, key.about);
    Verdict::fail(
        Finding::new(
            format!("{} {kind}", key.about.pointer),
            "",
            Message::status(200)
                .text(format!(": {} is unused; {why}", named(view, key.about, index))),
            Message::status(400).text(error_excerpt(view)),
        )
        .item(index),
    )
}

fn rejected_stays_unused(view: &ExchangeView<'_>) -> Verdict {
    each_key(view, |item, key| match (key.known, item.verdict) {
        (KeyUse::Free { because: FreeReason::Rejected, .. }, Some(verdict)) if key.decides() => {
            if verdict == ItemVerdict::Rejected && view.is_ordinary() {
                Verdict::fail(free_finding(item, key, FreeReason::Rejected))
            } else {
                Verdict::Pass
            }
        }
        _ => Verdict::NotApplicable("no key of a rejected item"),
    })
}

fn rejects_the_item(view: &ExchangeView<'_>) -> Verdict {
    let none = || Verdict::NotApplicable("no batch that is sound but for a used further key");
    let mode = view.contract.shape.as_ref().map(|shape| shape.mode).unwrap_or_default();
    if mode == BatchMode::Whole || !view.is_ordinary() || view.feature().is_some() {
        return none();
    }
    let is_sound = |keys: &ItemKeys| {
        let about = &view.contract.batch.further;
        keys.first_is_fresh
            && keys.uses.iter().zip(about).all(|(known, about)| match known {
                None | Some(KeyUse::Fresh) => true,
                Some(KeyUse::Used { .. }) => about.again == Again::Rejected,
                _ => false,
            })
    };
    let mut used = (0..view.items().len()).flat_map(|i| keys(view, i).map(move |key| (i, key)));
    let used = used.find(|(_, key)| matches!(key.known, KeyUse::Used { .. }));
    let (Some((index, key)), true) = (used, view.further.iter().all(is_sound)) else {
        return none();
    };
    if view.may_be_refused_for_size() {
        return none();
    }
    match view.status() {
        Some(200) => Verdict::Pass,
        Some(status @ (400 | 409 | 422)) => Verdict::fail(
            Finding::new(
                format!("{} status {status}", key.about.pointer),
                "",
                Message::status(200).text(format!(
                    " with the item rejected whose {} is used",
                    named(view, key.about, index)
                )),
                Message::status(status).text(error_excerpt(view)),
            )
            .item(index)
            .shows(Symptom::ValidRefused),
        ),
        _ => Verdict::NotApplicable("another status"),
    }
}

fn exactly_one(trial: &ExecutionView<'_>) -> Verdict {
    let mut judged = false;
    let mut findings = Vec::new();
    let find = |exchange: usize| trial.exchanges.iter().find(|v| v.exchange.index == exchange);
    for view in &trial.exchanges {
        for index in 0..view.items().len() {
            for key in keys(view, index) {
                let KeyUse::ConcurrentDuplicate(places) = key.known else { continue };
                if places.first() != Some(&(view.exchange.index, index)) {
                    continue;
                }
                let verdict_of = |(exchange, item): &(usize, usize)| {
                    find(*exchange)?.verdicts.get(*item).copied().flatten()
                };
                let accepted: Vec<&(usize, usize)> = places
                    .iter()
                    .filter(|place| verdict_of(place) == Some(ItemVerdict::Accepted))
                    .collect();
                // A request that was refused as a whole used no key; it says nothing by itself.
                let is_known = |place: &(usize, usize)| {
                    verdict_of(place).is_some()
                        || find(place.0).is_some_and(ExchangeView::is_refused)
                };
                let decides = |place: &(usize, usize)| {
                    find(place.0).is_some_and(|view| {
                        keys(view, place.1).all(|other| other.nth != key.nth || other.decides())
                    })
                };
                let all_known =
                    places.iter().all(is_known) && places.iter().any(|p| verdict_of(p).is_some());
                let name = named(view, key.about, index);
                let kind = format!("{} ", key.about.pointer);
                let race = SharedKey { of: places.len(), name: &name, kind: &kind };
                let accepted: Vec<(usize, usize)> = accepted.into_iter().copied().collect();
                let is_decided = all_known && places.iter().all(decides);
                if let Some(found) = race.findings((view, index), &accepted, is_decided) {
                    judged = true;
                    findings.extend(found);
                }
            }
        }
    }
    if judged {
        Verdict::of(findings)
    } else {
        Verdict::NotApplicable("no further key in several requests at once")
    }
}
