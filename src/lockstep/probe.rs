//! What a comparison has to know before it begins: whether both targets share what they store, and which values change
//! from answer to answer.

use std::sync::Arc;

use serde_json::Value;

use super::answers::compare_answers;
use super::rename::Renames;
use super::{Against, Lockstep};
use crate::contract::code_text;
use crate::exchange::{Answer, Exchange};
use crate::execution::exchange_plain_item;
use crate::generate::KeyPrefixes;
use crate::record::DifferenceKind;
use crate::session::{Environment, SameKeys, locked};

impl Lockstep {
    /// Sends the same plain item to both targets, one after the other, then another one. Where the older target calls the
    /// key used that it sees for the first time, and no other, both share a database: their keys must differ.
    pub(crate) async fn begin(new: &Arc<Environment>, against: &Against) -> Lockstep {
        let plain = Lockstep::new(new, against, against.shared_database);
        let (_, first) = plain.plain_pair().await;
        let mut lockstep = plain;
        let used = is_used(new, &first);
        if used && !against.shared_database {
            let distinct = Lockstep::new(new, against, true);
            if !is_used(new, &exchange_plain_item(&distinct.old).await) {
                lockstep = distinct;
            }
        }
        let (_, before) = lockstep.plain_pair().await;
        let (_, after) = lockstep.plain_pair().await;
        lockstep.learn(&before, &after);
        if let Answer::Lost(loss) = &after.answer
            && loss.kind.is_unreached()
        {
            let base = &lockstep.old.sender.target.base;
            let why = format!("{base} can't be reached: {}", loss.message);
            lockstep.fails(&why);
        }
        lockstep
    }

    /// A plain item with the same key for both, first the newer target.
    async fn plain_pair(&self) -> (Exchange, Exchange) {
        let keys = SameKeys::new(&self.new.keys);
        let new = keys.scope(exchange_plain_item(&self.new)).await;
        let old = keys.scope(exchange_plain_item(&self.old)).await;
        (new, old)
    }

    /// Values in which two answers of the older target differ say nothing of the newer one.
    fn learn(&self, before: &Exchange, after: &Exchange) {
        let prefixes: &KeyPrefixes = &self.prefixes;
        let renames = Renames::of(before, after, prefixes);
        let found = compare_answers(&self.new.contract, before, after, &renames);
        let mut tally = locked(&self.tally);
        for difference in found.into_iter().flatten() {
            if difference.kind == DifferenceKind::Value {
                tally.is_volatile(&difference.place());
            }
        }
    }
}

/// Whether an answer calls the only key of its request used.
fn is_used(environment: &Environment, exchange: &Exchange) -> bool {
    let contract = &environment.contract;
    let (Some(used), Some(response)) = (contract.used_code(), exchange.answer.response()) else {
        return false;
    };
    let Ok(body) = contract.answer_json(response.status, &response.body) else { return false };
    let items: Vec<&Value> = exchange.intent.items().iter().map(|item| &item.value).collect();
    let body = contract.read_answer(response.status, body.value, &items);
    let results = body.get(&contract.batch.results).and_then(Value::as_array);
    let result = results.and_then(|list| list.first()).unwrap_or(&body);
    result.get(&contract.batch.error.code).and_then(code_text).is_some_and(|code| code == used)
}
