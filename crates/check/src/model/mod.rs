//! The reference model: what an execution must have come to, from what was sent and answered before.
//!
//! It builds the views that rules look at: the parsed answer, then the order of its results, then the state of each
//! unique key. It must not know rules.

mod further;
mod keys;
mod order;
mod returned;
mod stored;
mod streamed_order;

use serde_json::Value;

use super::exchange_view::{ExchangeView, ExecutionView, ParsedBody};
use super::parse;
use crate::contract::shape::Reading;
use crate::contract::{Contract, Shape};
use crate::exchange::{Exchange, Situation};

pub use keys::keys_in_text;
pub(crate) use returned::is_repeat;
pub(crate) use stored::{FieldDifference, Stored, StoredAt, differences, is_same, stored};
pub use stored::{SoughtItem, sought_by, sought_items};
pub(super) use streamed_order::StreamedOrder;

/// The exchanges of an execution with parsed answers and predictions.
pub(super) fn execution_view<'a>(
    contract: &'a Contract,
    exchanges: &'a [Exchange],
) -> ExecutionView<'a> {
    let mut views: Vec<ExchangeView<'a>> =
        exchanges.iter().map(|e| exchange_view(contract, e, exchanges)).collect();
    keys::predict(&mut views);
    further::predict(&mut views);
    returned::predict(&mut views);
    ExecutionView { contract, exchanges: views }
}

fn exchange_view<'a>(
    contract: &'a Contract,
    exchange: &'a Exchange,
    all: &'a [Exchange],
) -> ExchangeView<'a> {
    let in_flight = match exchange.group {
        None => Vec::new(),
        Some(group) => all
            .iter()
            .filter(|e| e.group == Some(group) && e.index != exchange.index)
            .flat_map(|e| e.intent.items().iter().map(|i| &i.value))
            .collect(),
    };
    let is_read = exchange.intent.situation == Situation::Read;
    let (json, repeated_key) = parse::body(contract, &exchange.answer);
    let (json, shaped) = if is_read { (json, None) } else { shaped(contract, exchange, json) };
    let mut view = ExchangeView {
        contract,
        exchange,
        json,
        shaped,
        repeated_key,
        verdicts: Vec::new(),
        predicted: Vec::new(),
        may_be_used: Vec::new(),
        further: Vec::new(),
        misordered: None,
        crosstalk: None,
        in_flight,
    };
    view.verdicts = match view.results() {
        Some(results) if view.is_aligned() => {
            results.iter().map(|result| parse::verdict(contract, result)).collect()
        }
        _ => vec![None; view.items().len()],
    };
    // Where results are matched by what they say, none is in the wrong place.
    if contract.shape.as_ref().is_none_or(Shape::is_ordered) {
        view.misordered = order::first_misordered(&view);
    }
    view.crosstalk = order::first_crosstalk(&view);
    view
}

/// The body in the names that rules speak of, beside the one on the wire.
fn shaped(
    contract: &Contract,
    exchange: &Exchange,
    json: ParsedBody,
) -> (ParsedBody, Option<(ParsedBody, Reading)>) {
    let (Some(shape), Some(status), ParsedBody::Value(body)) =
        (&contract.shape, exchange.answer.status(), &json)
    else {
        return (json, None);
    };
    let items: Vec<&Value> = exchange.intent.items().iter().map(|item| &item.value).collect();
    let mut reading = shape.read(status, body, &items);
    let known = std::mem::take(&mut reading.body);
    (ParsedBody::Value(known), Some((json, reading)))
}
