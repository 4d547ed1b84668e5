//! The request that shows a finding beside a good one: the places in which they differ.
//!
//! It must not know why they do.

use serde_json::{Map, Value};

use super::pair::items;
use super::requests::unusual;
use super::text::{excerpt, visible};
use super::wording::{answer_line, shown};
use crate::record::{ExchangeRecord, FindingRecord, Summary};

/// Characters of a value in a line.
const VALUE: usize = 80;
/// Places that a line names.
const PLACES: usize = 3;

/// A place in which a request differs from a good one.
pub(super) struct DifferentPlace {
    /// What it is called.
    pub(super) name: String,
    /// What the request has there; nothing where it lacks it.
    pub(super) this: Option<String>,
    /// What the good one has there.
    pub(super) good: Option<String>,
}

/// A request that was answered well, and where the one that shows a finding differs from it.
pub(super) struct GoodRequest<'a> {
    pub(super) exchange: &'a ExchangeRecord,
    pub(super) places: Vec<DifferentPlace>,
}

/// The good request beside a finding's.
pub(super) fn good_request<'a>(
    summary: &'a Summary,
    finding: &FindingRecord,
) -> Option<GoodRequest<'a>> {
    let exchange = summary.minimals.get(&finding.id)?.good.as_deref()?;
    let (_, own) = shown(finding)?;
    let mut places = head(own, exchange);
    let (these, good) = (items(own)?, items(exchange)?);
    let several = these.len() > 1;
    let key = summary.head.specification.key.as_str();
    for (at, (this, good)) in these.iter().zip(&good).enumerate() {
        let empty = Map::new();
        let (a, b) = (this.as_object().unwrap_or(&empty), good.as_object().unwrap_or(&empty));
        if !this.is_object() {
            let name = format!("item {at}");
            places.push(DifferentPlace {
                name,
                this: Some(this.to_string()),
                good: Some(good.to_string()),
            });
            continue;
        }
        for name in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
            let (left, right) = (a.get(name), b.get(name));
            if left == right || (name == key && are_plain_keys(left, right)) {
                continue;
            }
            let text = |value: Option<&Value>| value.map(Value::to_string);
            let name = if several { format!("{name} of item {at}") } else { name.clone() };
            places.push(DifferentPlace { name, this: text(left), good: text(right) });
        }
    }
    (!places.is_empty()).then_some(GoodRequest { exchange, places })
}

/// Where the heads of two requests differ.
fn head(own: &ExchangeRecord, good: &ExchangeRecord) -> Vec<DifferentPlace> {
    let mut places = Vec::new();
    let (a, b) = (&own.request, &good.request);
    for (name, this, good) in [("method", &a.method, &b.method), ("URL", &a.url, &b.url)] {
        if this != good {
            let (this, good) = (Some(this.clone()), Some(good.clone()));
            places.push(DifferentPlace { name: name.to_owned(), this, good });
        }
    }
    let heads = unusual(a);
    if !heads.is_empty() {
        let this = Some(heads.join("; "));
        places.push(DifferentPlace { name: "head".to_owned(), this, good: None });
    }
    places
}

/// Whether two keys differ only as fresh ones do.
fn are_plain_keys(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::String(one)), Some(Value::String(other))) => {
            let stem = other.rsplit('-').nth(2).unwrap_or_default();
            one.len() == other.len() && one.is_ascii() && one.contains(stem)
        }
        (Some(Value::Number(_)), Some(Value::Number(_))) => true,
        _ => false,
    }
}

/// `differs from a good request only in value: -1 there, 0 in the good one (200 in 0.3 ms)`.
pub(super) fn good_line(summary: &Summary, finding: &FindingRecord) -> Option<String> {
    let good = good_request(summary, finding)?;
    let short =
        |value: Option<&str>| value.map_or("nothing".to_owned(), |v| visible(&excerpt(v, VALUE)));
    let place = |place: &DifferentPlace| {
        if place.name == "head" {
            return format!("its head ({})", short(place.this.as_deref()));
        }
        format!(
            "{} ({} instead of {})",
            visible(&place.name),
            short(place.this.as_deref()),
            short(place.good.as_deref())
        )
    };
    let mut list: Vec<String> = good.places.iter().take(PLACES).map(place).collect();
    if good.places.len() > PLACES {
        list.push(format!("{} more places", good.places.len() - PLACES));
    }
    let only = if good.places.len() == 1 { "only " } else { "" };
    let answer = answer_line(&good.exchange.answer);
    Some(format!(
        "differs from a good request {only}in {}; the good one gets {answer}",
        list.join(", ")
    ))
}
