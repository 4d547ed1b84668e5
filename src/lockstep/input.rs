//! What kind of input a request or an item is, in a few words that are the same for all of its kind.

use crate::check::rules::exempt_words;
use crate::exchange::{BodyIntent, Exchange, ItemIntent, Situation};

/// The kind of an item, or of a whole request.
pub(super) fn kind_of_input(exchange: &Exchange, item: Option<usize>) -> String {
    let intent = &exchange.intent;
    if let Some(situation) = situation(exchange) {
        return situation;
    }
    if exchange.request.raw.is_some() {
        return "a request with unusual framing".to_owned();
    }
    match &intent.body {
        BodyIntent::None => "a request without a body".to_owned(),
        BodyIntent::Broken(why) => format!("a body that is not a valid batch ({})", why.class),
        BodyIntent::Open(why) => exempt_words(why, None).to_owned(),
        BodyIntent::Batch { items, .. } => match item.and_then(|item| items.get(item)) {
            Some(item) => kind_of_item(item).unwrap_or_else(|| "a valid item".to_owned()),
            None if items.is_empty() => "an empty batch".to_owned(),
            None => items.iter().find_map(kind_of_item).map_or_else(
                || "a batch of valid items".to_owned(),
                |kind| format!("a batch with {kind}"),
            ),
        },
    }
}

fn situation(exchange: &Exchange) -> Option<String> {
    let request = &exchange.request;
    Some(match exchange.intent.situation {
        Situation::Ordinary => return None,
        Situation::Credentials => "a request without good credentials".to_owned(),
        Situation::Method | Situation::Options => format!("the method {}", request.method),
        Situation::MediaType => "a request of another media type".to_owned(),
        Situation::Accept => "an Accept header that excludes the documented answer".to_owned(),
        Situation::Path => "another path".to_owned(),
        Situation::HungUp => "a request that the client breaks off".to_owned(),
        Situation::Read => "a read of one item".to_owned(),
        Situation::Unjudged => "a request with an unusual head".to_owned(),
    })
}

/// What is unusual about an item, where anything is.
fn kind_of_item(item: &ItemIntent) -> Option<String> {
    let validity = &item.validity;
    if let Some(mutation) = item.mutations.first() {
        return Some(format!("{}: {}", place(&mutation.pointer), mutation.class));
    }
    if let Some(invalid) = validity.invalid.first() {
        return Some(format!("{}: {}", place(&invalid.pointer), invalid.class));
    }
    let unusual = validity.exempt.first().or(validity.unusual.first())?;
    Some(format!("{}: {}", place(&unusual.pointer), exempt_words(unusual, Some(&item.value))))
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the item" } else { pointer }
}
