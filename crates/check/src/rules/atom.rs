//! ATOM: what a refused batch, a rejected item and a broken connection leave behind. Only numbers betray it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::common;
use crate::contract::Level;
use crate::contract::validity::ExpectedOutcome;
use crate::exchange::Answer;
use crate::exchange_view::{ExchangeView, ExecutionView, ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::prediction::{Prediction, UnusedReason};
use crate::rule::{Check, Explains, Rule};
use crate::text::shown;

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ATOM-001",
        level: Level::Must,
        title: "The keys of a refused request stay unused",
        cite: "INTERPRETATION-03",
        doc: "A request that was answered 400 stored nothing, so the corrected retry with the same keys is \
              accepted. If it isn't, some of the refused batch was stored, and the client can't know which.",
        example: include_str!("examples/ATOM-001.txt"),
        needs: NEEDS,
        check: Check::Exchange(refused_is_unused),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "ATOM-002",
        level: Level::Should,
        title: "The key of a rejected item stays unused",
        cite: "INTERPRETATION-03",
        doc: "Only an accepted item uses its key: the corrected item may be sent with the same one.",
        example: include_str!("examples/ATOM-002.txt"),
        needs: NEEDS,
        check: Check::Item(rejected_is_unused),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "ATOM-003",
        level: Level::Must,
        title: "A rejected item does not affect its neighbours",
        cite: "INTERPRETATION-01",
        doc: "In a 200, exactly the broken items are rejected and all others accepted. A batch that stops at \
              the first broken item, or drags its neighbours down, loses valid balances.",
        example: include_str!("examples/ATOM-003.txt"),
        needs: NEEDS,
        check: Check::Item(neighbours_untouched),
        explains: &[
            Explains::any(Symptom::NoConcurrentAccepted),
            Explains::any(Symptom::UsedBesideInvalid),
        ],
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "ATOM-004",
        level: Level::Should,
        title: "A client that disconnects halfway leaves all of its batch, or nothing",
        cite: "INTERPRETATION-24",
        doc: "A retry of the whole batch then says which: every item is accepted, or every one is used.",
        example: include_str!("examples/ATOM-004.txt"),
        needs: NEEDS,
        check: Check::Exchange(all_or_nothing),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
    Rule {
        id: "ATOM-005",
        level: Level::Should,
        title: "A batch that got a 5xx or no answer can be sent again, all or none of it accepted",
        cite: "INTERPRETATION-03, INTERPRETATION-07",
        doc: "After a 5xx a client can't know what was stored, and sends the batch again, without what may have broken \
              the server. Then all of its valid items are accepted, or all are used: a part of each says that the \
              server broke in the middle of a batch and kept what it had stored.",
        example: include_str!("examples/ATOM-005.txt"),
        needs: &[],
        check: Check::Execution(sent_again_all_or_none),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        may_lack_occasion: true,
        ..Rule::BASE
    },
];

fn left_behind(view: &ItemView<'_>, wanted: &UnusedReason, what: &str) -> Verdict {
    let Prediction::Accept { because, .. } = view.predicted else {
        return Verdict::NotApplicable("it need not be accepted");
    };
    if because != wanted {
        return Verdict::NotApplicable("its key went through nothing of the kind");
    }
    match view.verdict {
        None => Verdict::NotApplicable("no verdict"),
        Some(ItemVerdict::Accepted) => Verdict::Pass,
        Some(ItemVerdict::Rejected)
            if view.is_called_used()
                || (*wanted == UnusedReason::Refused
                    && !common::has_bad_neighbour(view.within)) =>
        {
            let number = shown(&Value::from(view.intent.number.as_deref().unwrap_or("")));
            let finding = Finding::new(
                "left behind",
                view.at(&view.within.contract.batch.verdict.field),
                format!("accepted: {number} {what}"),
                view.said(),
            )
            .item(view.index);
            Verdict::fail(if !view.is_called_used() {
                finding.shows(Symptom::ValidRefused)
            } else if common::has_bad_neighbour(view.within) {
                finding.shows(Symptom::UsedBesideInvalid)
            } else {
                finding
            })
        }
        Some(ItemVerdict::Rejected) => Verdict::NotApplicable("rejected for another reason"),
    }
}

fn refused_is_unused(view: &ExchangeView<'_>) -> Verdict {
    if view.is_aligned() {
        return view.each(|item| {
            left_behind(item, &UnusedReason::Refused, "was only in a request that was answered 400")
        });
    }
    // The retry may be refused as a whole again, though it is sound now.
    let retried = view
        .predicted
        .iter()
        .any(|e| matches!(e, Prediction::Accept { because: UnusedReason::Refused, .. }));
    // Whether its size was the reason, another rule judges.
    match common::refused_as_a_whole(view).filter(|_| !view.may_be_refused_for_size()) {
        Some(finding) if retried => Verdict::fail(finding.shows(Symptom::ValidRefused)),
        _ => Verdict::NotApplicable("no retry of a refused request"),
    }
}

fn rejected_is_unused(view: &ItemView<'_>) -> Verdict {
    left_behind(view, &UnusedReason::Rejected, "was only in an item that was rejected")
}

fn neighbours_untouched(view: &ItemView<'_>) -> Verdict {
    let Prediction::Accept { level: Level::Must, because } = view.predicted else {
        return Verdict::NotApplicable("it need not be accepted");
    };
    if !common::has_bad_neighbour(view.within) || *because == UnusedReason::Refused {
        return Verdict::NotApplicable("no broken item beside it");
    }
    match view.verdict {
        None => Verdict::NotApplicable("no verdict"),
        Some(ItemVerdict::Accepted) => Verdict::Pass,
        Some(ItemVerdict::Rejected) if view.is_called_used() => {
            Verdict::NotApplicable("another rule judges what its key went through")
        }
        Some(ItemVerdict::Rejected) => Verdict::fail(
            Finding::new(
                "dragged down",
                view.at(&view.within.contract.batch.verdict.field),
                "accepted: only its neighbour is broken or used",
                view.said(),
            )
            .item(view.index)
            .shows(Symptom::ValidRefused),
        ),
    }
}

fn all_or_nothing(view: &ExchangeView<'_>) -> Verdict {
    let broken_off: Vec<usize> = (0..view.predicted.len())
        .filter(|i| matches!(view.predicted[*i], Prediction::BrokenOff(_)))
        .collect();
    let told = broken_off.iter().all(|i| view.verdicts[*i].is_some());
    if broken_off.len() < 2 || !view.is_aligned() || !told {
        return Verdict::NotApplicable("no retry of a request that was broken off");
    }
    let accepted =
        broken_off.iter().filter(|i| view.verdicts[**i] == Some(ItemVerdict::Accepted)).count();
    if accepted == 0 || accepted == broken_off.len() {
        return Verdict::Pass;
    }
    Verdict::fail(
        Finding::new(
            "half stored",
            format!("/{}", view.contract.batch.results),
            "all items accepted, or none",
            format!("{accepted} of {} accepted by the retry", broken_off.len()),
        )
        .shows(Symptom::PartlyStored),
    )
}

/// Whether nobody can know what a request stored: it got a 5xx, or no answer though the client waited.
fn is_in_doubt(view: &ExchangeView<'_>) -> bool {
    match &view.exchange.answer {
        Answer::Received(response) => response.status >= 500,
        Answer::Lost(loss) => !loss.kind.is_ours() && !loss.kind.is_unreached(),
    }
}

/// The keys of items that must be accepted.
fn valid_keys<'v>(view: &'v ExchangeView<'_>) -> impl Iterator<Item = (usize, &'v str)> {
    view.items().iter().enumerate().filter_map(|(at, item)| {
        let is_valid = item.validity.expected_outcome() == ExpectedOutcome::Accept(Level::Must);
        item.number.as_deref().filter(|_| is_valid && !item.literal).map(|key| (at, key))
    })
}

fn sent_again_all_or_none(trial: &ExecutionView<'_>) -> Verdict {
    let mut judged = false;
    let mut findings = Vec::new();
    // By key: the request in doubt that it was in, where it was in no other one.
    let mut doubtful: HashMap<&str, Option<usize>> = HashMap::new();
    for view in &trial.exchanges {
        let alone = view.exchange.group.is_none();
        if alone && view.is_aligned() && view.misordered.is_none() && view.crosstalk.is_none() {
            let mut again: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            let mut seen = HashSet::new();
            for (at, key) in valid_keys(view) {
                // The second item with a key is refused because of the first.
                let Some(Some(first)) = doubtful.get(key).filter(|_| seen.insert(key)) else {
                    continue;
                };
                let (accepted, used) = again.entry(*first).or_default();
                match view.verdicts[at] {
                    Some(ItemVerdict::Accepted) => *accepted += 1,
                    Some(ItemVerdict::Rejected) if view.is_called_used(at) => *used += 1,
                    _ => {}
                }
            }
            for (first, (accepted, used)) in again {
                judged |= accepted + used > 1;
                if accepted > 0 && used > 0 {
                    let after = trial.exchanges.iter().find(|v| v.exchange.index == first);
                    let status = after.and_then(ExchangeView::status);
                    let answer = status.map_or("no answer".to_owned(), |s| format!("a {s}"));
                    findings.push(
                        Finding::new(
                            "half stored",
                            format!("/{}", trial.contract.batch.results),
                            format!(
                                "all items of the batch that got {answer} accepted, or all used"
                            ),
                            format!("{accepted} accepted, {used} used"),
                        )
                        .exchange(view.exchange.index)
                        .shows(Symptom::PartlyStored),
                    );
                }
            }
        }
        let doubt = is_in_doubt(view) && alone && view.exchange.request.hang_up.is_none();
        for key in view.items().iter().filter_map(|item| item.number.as_deref()) {
            let state = doubt.then_some(view.exchange.index);
            doubtful.entry(key).and_modify(|known| *known = None).or_insert(state);
        }
    }
    if judged { Verdict::of(findings) } else { Verdict::NotApplicable("no retry after a 5xx") }
}
