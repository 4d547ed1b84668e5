//! Keys whose repeats get their first answer again: what such a contract leaves open.
//!
//! A repeat is the same item. Another item with a used key may be refused, or get the first answer; and so may the second
//! of two items that are sent together. It must not know rules.

use std::collections::HashMap;

use serde_json::Value;

use crate::contract::shape::{Again, name};
use crate::contract::{Contract, member};
use crate::exchange_view::ExchangeView;
use crate::prediction::Prediction;

/// Leaves open what becomes of items with a key that another item had, or that stands twice in what is sent together.
pub(super) fn predict(views: &mut [ExchangeView<'_>]) {
    let Some(contract) = views.first().map(|view| view.contract) else { return };
    if contract.shape.as_ref().map(|shape| shape.again) != Some(Again::Returned) {
        return;
    }
    let key_of = |value| member(value, &contract.batch.unique).and_then(Value::as_str);
    let mut first: HashMap<&str, &Value> = HashMap::new();
    for wave in views.chunk_by_mut(ExchangeView::is_simultaneous_with) {
        let exchanges: Vec<_> = wave.iter().map(|view| view.exchange).collect();
        let values = exchanges.iter().flat_map(|e| e.intent.items()).map(|item| &item.value);
        let keyed: Vec<_> = values.filter_map(|value| Some((key_of(value)?, value))).collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        for (key, _) in &keyed {
            *times.entry(key).or_default() += 1;
        }
        for view in wave {
            let exchange = view.exchange;
            for (item, predicted) in exchange.intent.items().iter().zip(&mut view.predicted) {
                let Some(key) = key_of(&item.value) else { continue };
                let differs =
                    first.get(key).is_some_and(|first| !is_repeat(contract, first, &item.value));
                let is_open = differs || times.get(key).is_some_and(|times| *times > 1);
                if is_open && matches!(predicted, Prediction::Accept { .. }) {
                    *predicted = Prediction::Open;
                }
            }
        }
        for (key, value) in keyed {
            first.entry(key).or_insert(value);
        }
    }
}

/// Whether both items are the same, apart from what is made for each request.
pub(crate) fn is_repeat(contract: &Contract, first: &Value, again: &Value) -> bool {
    let mark = contract.shape.as_ref().and_then(|shape| shape.form.mark());
    let plain = |value: &Value| {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.retain(|member, _| member != name::KEY && Some(member.as_str()) != mark);
        }
        value
    };
    plain(first) == plain(again)
}
