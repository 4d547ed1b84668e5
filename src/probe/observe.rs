//! Five small batches: fresh keys, the same again, one key twice, a broken item among good ones, none.

use std::sync::Arc;

use super::answer::{SeenAnswer, SeenResult};
use crate::compose::OutgoingItem;
use crate::execution::plain_batch::exchange_batch;
use crate::generate::OptionalFields;
use crate::session::Environment;

/// Items of a probe.
const ITEMS: u64 = 3;

/// Sends the probes; what each showed, in a line of text. A target that answers nothing gets no further ones.
pub(crate) async fn observe(environment: &Arc<Environment>) -> Vec<String> {
    let fresh = items(environment, 100);
    let first = send(environment, &fresh).await;
    let mut seen =
        vec![format!("a batch of {ITEMS} fresh items: {}{}", first.words(), order(&first, &fresh))];
    if matches!(first, SeenAnswer::Lost(_)) || matches!(first.status(), Some(401 | 403 | 404 | 405))
    {
        return seen;
    }
    let again = send(environment, &fresh).await;
    let meaning = match (first.all(true), again.status(), again.all(false), again.all(true)) {
        (true, Some(200..=299), true, _) => "; a used key rejects its item",
        (true, Some(200..=299), _, true) => "; a used key is accepted again",
        (true, Some(400..=499), ..) => "; a used key refuses the batch",
        _ => "",
    };
    seen.push(format!("the same batch again: {}{meaning}", again.words()));
    let mut twice: Vec<OutgoingItem> = items(environment, 200);
    twice.truncate(2);
    let key = twice[0].number.clone();
    twice[1].number = key;
    let answer = send(environment, &twice).await;
    seen.push(format!("two items with one key: {}", answer.words()));
    if let Some((broken, without)) = one_broken(environment) {
        let answer = send(environment, &broken).await;
        let verdicts: Vec<Option<bool>> =
            answer.results().into_iter().flatten().map(|r: &SeenResult| r.accepted).collect();
        let meaning = match (answer.status(), verdicts.as_slice()) {
            (Some(400..=499), _) => "; a broken item refuses the batch",
            (_, [Some(true), Some(false), Some(true)]) => "; a broken item is rejected alone",
            _ => "",
        };
        seen.push(format!(
            "an item without {without} between two good ones: {}{meaning}",
            answer.words()
        ));
    }
    let empty = send(environment, &[]).await;
    seen.push(format!("an empty batch: {}", empty.words()));
    seen
}

/// Valid items with all their fields.
fn items(environment: &Environment, from: u64) -> Vec<OutgoingItem> {
    let drafts = (0..ITEMS).map(|nth| environment.generator.item(from + nth, OptionalFields::All));
    drafts.map(|draft| OutgoingItem::with_fresh_key(environment, draft)).collect()
}

async fn send(environment: &Arc<Environment>, items: &[OutgoingItem]) -> SeenAnswer {
    let exchange = exchange_batch(environment, items, &mut Vec::new()).await;
    SeenAnswer::of(&environment.contract, &exchange)
}

/// Good items around one that lacks a mandatory field, and the field's name.
pub(crate) fn one_broken(environment: &Environment) -> Option<(Vec<OutgoingItem>, String)> {
    let unique = environment.contract.batch.unique.as_str();
    let mutations = environment.generator.mutations("drop-required")?;
    // A result without its key would say little.
    let broken = mutations.iter().find(|m| field_of(&m.pointer) != unique)?;
    let mut items = items(environment, 300);
    let mutated = broken.apply(&mut items[1].draft);
    items[1].mutations.push(mutated);
    Some((items, field_of(&broken.pointer).replace('/', ".")))
}

/// The name of the field that a pointer of one step names.
fn field_of(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~")
}

/// Whether results are in the order of their items, where they repeat the keys.
fn order(answer: &SeenAnswer, sent: &[OutgoingItem]) -> &'static str {
    let keys: Option<Vec<&str>> =
        answer.results().and_then(|results| results.iter().map(|r| r.key.as_deref()).collect());
    let sent: Option<Vec<&str>> =
        sent.iter().map(|item| item.number.as_ref().and_then(serde_json::Value::as_str)).collect();
    match (keys, sent) {
        (Some(keys), Some(sent)) if keys == sent => ", in the order of the items",
        (Some(_), Some(_)) => ", not in the order of the items",
        _ => "",
    }
}
