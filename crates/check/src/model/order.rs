//! Which result belongs to another item, or to another request, judged by what results echo. It knows nothing
//! of verdicts.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::keys;
use crate::contract::member;
use crate::exchange::ItemIntent;
use crate::exchange_view::ExchangeView;
use crate::generate::KeyParts;

/// Items with one number that are compared with each other.
const MANY: usize = 64;

/// Compares identities: a result that fits another item but not its own stands in the wrong place.
pub(super) fn first_misordered(view: &ExchangeView<'_>) -> Option<(usize, usize)> {
    let items = view.items();
    if !view.is_aligned() || items.len() < 2 {
        return None;
    }
    let echo = &view.contract.batch.echo;
    let fits = |item: &ItemIntent, result: &Value| {
        echo.iter().all(|field| match (member(&item.value, field), member(result, field)) {
            (Some(sent), Some(echoed)) => sent == echoed,
            (None | Some(Value::Null), echoed) => echoed.is_none_or(Value::is_null),
            // A result may leave out what its item had in no usable form.
            (Some(Value::String(_)), None) => {
                !view.contract.field(field).is_some_and(|f| f.required)
            }
            (Some(_), None) => true,
        })
    };
    let mut by_number: Option<HashMap<&str, Vec<usize>>> = None;
    let unique = &view.contract.batch.unique;
    let mut permuted = None;
    let results = view.results()?;
    for (at, result) in results.iter().enumerate() {
        if fits(&items[at], result) {
            continue;
        }
        let by_number = by_number.get_or_insert_with(|| {
            let mut map: HashMap<&str, Vec<usize>> = HashMap::new();
            for (index, item) in items.iter().enumerate() {
                map.entry(item.number.as_deref().unwrap_or("")).or_default().push(index);
            }
            map
        });
        let own = items[at].number.as_deref();
        // A result that must have a key has an empty one where its item had none: that is nobody's.
        let echoed = member(result, unique)
            .and_then(Value::as_str)
            .filter(|echoed| own.is_some() || !echoed.is_empty());
        // A number that comes back trimmed or cut can look like another item's. Where each number came back
        // once, none was.
        if let (Some(echoed), Some(own)) = (echoed, own)
            && echoed != own
            && keys::same_but_for_form(echoed, own)
            && !*permuted.get_or_insert_with(|| is_permutation(view))
        {
            continue;
        }
        let candidates = by_number.get(echoed.unwrap_or("")).map_or(&[][..], Vec::as_slice);
        let others_fit = |item: &ItemIntent| {
            echo.iter().filter(|f| *f != unique).all(|f| item.value.get(f) == result.get(f))
        };
        let mangled = others_fit(&items[at]);
        // Another item's number is enough, unless all else is this item's and not the other's; with the
        // own number, something else must be another's.
        let from = candidates.iter().find(|k| {
            let other = &items[**k];
            let taken = |field: &String| {
                result.get(field).is_some_and(|echoed| {
                    items[at].value.get(field) != Some(echoed)
                        && other.value.get(field) == Some(echoed)
                })
            };
            **k != at
                && if echoed.is_some() && echoed != own {
                    !mangled || others_fit(other)
                } else {
                    fits(other, result) && echo.iter().any(taken)
                }
        });
        let Some(from) = from else { continue };
        // Where items share a number, one whose identity came back nowhere was not moved but mangled.
        let kept = |at: &usize| {
            let item = &items[*at];
            candidates.iter().any(|r| results.get(*r).is_some_and(|result| fits(item, result)))
        };
        if echoed == own && (candidates.len() > MANY || !candidates.iter().all(kept)) {
            continue;
        }
        return Some((at, *from));
    }
    None
}

/// Whether the numbers that came back are those that were sent, in whatever order.
fn is_permutation(view: &ExchangeView<'_>) -> bool {
    let unique = &view.contract.batch.unique;
    let mut sent: Vec<Option<&str>> = view.items().iter().map(|i| i.number.as_deref()).collect();
    let mut echoed: Vec<Option<&str>> = view
        .results()
        .unwrap_or(&[])
        .iter()
        .map(|r| r.get(unique).and_then(Value::as_str))
        .collect();
    sent.sort_unstable();
    echoed.sort_unstable();
    sent == echoed
}

/// The position of the first result that stands for a number of another request of this run.
pub(super) fn first_crosstalk(view: &ExchangeView<'_>) -> Option<usize> {
    let unique = &view.contract.batch.unique;
    let items = view.items();
    let keys = || items.iter().filter_map(|i| KeyParts::parse(i.number.as_deref()?));
    let nonce = keys().next()?.nonce;
    let mut own: Option<HashSet<String>> = None;
    view.results()?.iter().enumerate().position(|(at, result)| {
        let echoed = member(result, unique).and_then(Value::as_str);
        // Almost every result stands for the item beside it.
        if echoed.is_none() || echoed == items.get(at).and_then(|i| i.number.as_deref()) {
            return false;
        }
        echoed.and_then(KeyParts::parse).is_some_and(|key| {
            key.nonce.eq_ignore_ascii_case(nonce)
                && !own
                    .get_or_insert_with(|| keys().map(|k| k.folded()).collect())
                    .contains(&key.folded())
        })
    })
}
