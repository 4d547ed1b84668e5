//! The passes that simplify items: plain items, then fields away, then values, then digits of numbers.
//!
//! An item may lose what is wrong or unusual with it, where the finding does not need it, and never gains
//! any: a missing mandatory field or a wrong type would be another story.

use serde_json::Value;

use super::cut_text;
use super::strings::blends;
use crate::contract::validity::{InvalidReason, Validity};
use crate::scenario::{ItemText, Scenario};
use crate::session::Environment;
use crate::shrink::shrinker::{ItemChoice, Shrinker};

impl Shrinker<'_> {
    /// Makes items simpler: all at once where that will do, then unit by unit, then those of a unit that
    /// still differ one by one.
    pub(in crate::shrink) async fn simplify(&mut self) {
        let mut list = vec![ItemChoice::All];
        let mut units = self.units();
        if self.is_large() {
            // All others were made plain together, or can't be.
            units = self.unit_of_finding().into_iter().collect();
            list.clear();
        }
        let all = list.len();
        if units.len() > all {
            list.extend(units.iter().copied().map(ItemChoice::Unit));
        }
        if all == 0 || !self.make_plain(ItemChoice::All).await {
            for which in list.iter().skip(all) {
                self.make_plain(*which).await;
            }
        }
        for which in &list {
            self.drop_fields(*which).await;
        }
        for which in &list {
            self.simplest_values(*which).await;
        }
        for unit in units {
            self.cut_values(ItemChoice::Unit(unit)).await;
        }
        if self.is_large() {
            return;
        }
        for which in self.unlike() {
            self.drop_fields(which).await;
            self.simplest_values(which).await;
            self.cut_values(which).await;
        }
    }

    /// Gives items nothing but their numbers and the mandatory fields, at their simplest; the numbers without
    /// what was put around them, where that will do.
    pub(super) async fn make_plain(&mut self, which: ItemChoice) -> bool {
        let environment = self.environment;
        let bare = |item: &ItemText| {
            let plain = plain_item(environment, item)?;
            Some(bare_number(environment, &plain).unwrap_or(plain))
        };
        self.change(which, &bare).await
            || self.change(which, &|item| plain_item(environment, item)).await
    }

    /// Items that are not like the others of their unit.
    fn unlike(&self) -> Vec<ItemChoice> {
        self.scenario
            .places()
            .filter(|(_, item)| {
                let others = self.scenario.items().filter(|i| i.unit == item.unit);
                others.into_iter().any(|other| other.text() != item.text())
            })
            .map(|(place, _)| ItemChoice::At(place))
            .collect()
    }

    /// Changes these items; an item that would gain something keeps what it has.
    async fn change(
        &mut self,
        which: ItemChoice,
        change: &(dyn Fn(&ItemText) -> Option<ItemText> + Sync),
    ) -> bool {
        if self.attempts.ended.is_some() {
            return false;
        }
        let environment = self.environment;
        let mut candidate = self.scenario.clone();
        let mut changed = false;
        for item in items_mut(&mut candidate, which) {
            if let Some(new) = change(item).filter(|new| gains_nothing(environment, item, new)) {
                changed |= new.text() != item.text();
                *item = new;
            }
        }
        changed && self.try_out(Some(candidate)).await
    }

    async fn drop_fields(&mut self, which: ItemChoice) {
        let environment = self.environment;
        let optional: Vec<String> = self
            .fields(which)
            .into_iter()
            .filter(|f| !environment.generator.always_has(f))
            .collect();
        let all = |item: &ItemText| {
            // One by one, so that a field which must stay keeps no other.
            let mut left = item.clone();
            for field in &optional {
                let next = left.without(field);
                if gains_nothing(environment, item, &next) {
                    left = next;
                }
            }
            Some(left)
        };
        if optional.is_empty() || self.change(which, &all).await {
            return;
        }
        for field in &optional {
            self.change(which, &|item| item.field(field).map(|_| item.without(field))).await;
        }
    }

    async fn simplest_values(&mut self, which: ItemChoice) {
        let environment = self.environment;
        let is_further = |f: &String| environment.contract.batch.further_key(f).is_some();
        for field in self.fields(which).into_iter().filter(|f| !is_further(f)) {
            let simplest = |item: &ItemText| {
                item.field(&field)?;
                if field == environment.contract.batch.unique {
                    return bare_number(environment, item);
                }
                Some(item.with(&field, &environment.generator.simplest(&field)?.to_string()))
            };
            self.change(which, &simplest).await;
        }
    }

    /// Shortens what the simplest value could not replace.
    async fn cut_values(&mut self, which: ItemChoice) {
        for field in self.fields(which) {
            if self.environment.contract.batch.further_key(&field).is_some() {
                continue;
            }
            let Some(text) = self.text(which, &field) else { continue };
            let simplest = self.environment.generator.simplest(&field);
            let own: Option<Value> = serde_json::from_str(&text).ok();
            if own.is_some() && own == simplest {
                continue;
            }
            // The value that was sent says best what is wrong with it.
            if text.chars().count() <= TELLING && self.is_wrong(which, &field) {
                continue;
            }
            match own {
                Some(Value::String(string)) => {
                    if let Some(Value::String(simplest)) = &simplest {
                        for blend in blends(&string, simplest) {
                            self.replace(which, &field, &Value::String(blend).to_string()).await;
                        }
                    }
                    self.cut_string(which, &field).await;
                }
                Some(Value::Number(_)) => self.cut_digits(which, &field).await,
                _ => {}
            }
        }
    }

    /// Whether the contract wants one of these items refused, or leaves it open, for what stands in a field.
    fn is_wrong(&self, which: ItemChoice, field: &str) -> bool {
        let contract = &self.environment.contract;
        let here = |pointer: &str| pointer.split('/').nth(1) == Some(field);
        self.chosen(which).filter_map(|item| item.validity(contract)).any(|validity| {
            validity.invalid.iter().any(|c| here(&c.pointer))
                || validity.exempt.iter().any(|e| here(&e.pointer))
        })
    }

    pub(super) async fn replace(&mut self, which: ItemChoice, field: &str, text: &str) -> bool {
        self.change(which, &|item| item.field(field).map(|_| item.with(field, text))).await
    }

    async fn cut_digits(&mut self, which: ItemChoice, field: &str) {
        let mut step = 0;
        while let Some(text) = self.text(which, field) {
            let Some(cut) = cut_text(&text, step) else { return };
            let number = serde_json::from_str::<Value>(&cut).is_ok_and(|v| v.is_number());
            let taken = number && self.replace(which, field, &cut).await;
            step = if taken { 0 } else { step + 1 };
            if self.attempts.ended.is_some() {
                return;
            }
        }
    }

    /// The field names of these items.
    fn fields(&self, which: ItemChoice) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for item in self.chosen(which) {
            for (name, _) in item.fields() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    fn text(&self, which: ItemChoice, field: &str) -> Option<String> {
        self.chosen(which).find_map(|i| i.field(field))
    }

    pub(super) fn string(&self, which: ItemChoice, field: &str) -> Option<String> {
        serde_json::from_str(&self.text(which, field)?).ok()
    }

    /// These items.
    fn chosen(&self, which: ItemChoice) -> impl Iterator<Item = &ItemText> {
        let chosen = self.scenario.places().filter(move |(place, item)| which.is(*place, item));
        chosen.map(|(_, item)| item)
    }

    /// Where a minted number stands in a string.
    pub(super) fn prefix_of(&self, string: &str) -> Option<(usize, usize)> {
        let found = self.scenario.prefixes.find(string.as_bytes());
        found.first().map(|m| (m.place.start, m.place.end))
    }
}

/// Characters of a wrong value that is short enough to stay as it is, quotes included.
const TELLING: usize = 24;

fn items_mut(scenario: &mut Scenario, which: ItemChoice) -> impl Iterator<Item = &mut ItemText> {
    scenario.requests.iter_mut().enumerate().flat_map(move |(s, send)| {
        send.batch
            .iter_mut()
            .flat_map(|b| &mut b.items)
            .enumerate()
            .filter(move |(i, item)| which.is((s, *i), item))
            .map(|(_, item)| item)
    })
}

/// An item with nothing but its number and the mandatory fields at their simplest values.
pub(in crate::shrink) fn plain_item(
    environment: &Environment,
    item: &ItemText,
) -> Option<ItemText> {
    let contract = &environment.contract;
    let unique = &contract.batch.unique;
    let own = item.number(contract).filter(|n| !n.is_empty());
    let number = match own {
        Some(number) => Value::String(number),
        None => environment.keys.with_shape(&environment.generator.item(0, NONE).key)?,
    };
    let mut fields = serde_json::Map::new();
    for field in contract.fields().iter().filter(|f| environment.generator.always_has(&f.name)) {
        let value = if &field.name == unique {
            number.clone()
        } else if contract.batch.further_key(&field.name).is_some() {
            let own = item.field(&field.name).and_then(|text| serde_json::from_str(&text).ok());
            own.unwrap_or_else(|| Value::from(environment.keys.fresh()))
        } else {
            environment.generator.simplest(&field.name)?
        };
        fields.insert(field.name.clone(), value);
    }
    let mut plain = ItemText::new(&Value::Object(fields).to_string());
    plain.unit = item.unit;
    Some(plain)
}

const NONE: crate::generate::OptionalFields<'static> = crate::generate::OptionalFields::None;

/// An item whose number has nothing around it.
pub(in crate::shrink) fn bare_number(
    environment: &Environment,
    item: &ItemText,
) -> Option<ItemText> {
    let contract = &environment.contract;
    let number = item.number(contract)?;
    let prefixes = crate::generate::KeyPrefixes::of_generator(environment.keys.prefix());
    let minted = prefixes.find(number.as_bytes()).into_iter().next()?;
    let bare = Value::from(&number[minted.place]).to_string();
    Some(item.with(&contract.batch.unique, &bare))
}

/// Whether `new` has nothing wrong or unusual that `old` had not, and no value that the target does not know.
fn gains_nothing(environment: &Environment, old: &ItemText, new: &ItemText) -> bool {
    let contract = &environment.contract;
    let (Some(before), Some(after)) = (old.validity(contract), new.validity(contract)) else {
        return false;
    };
    let key = |r: &InvalidReason| (r.pointer.clone(), r.keyword.clone(), r.class);
    let known: Vec<_> = before.invalid.iter().map(key).collect();
    let exemptions = |v: &Validity| v.exempt.iter().chain(&v.unusual).cloned().collect::<Vec<_>>();
    let exempt = exemptions(&before);
    after.invalid.iter().all(|reason| known.contains(&key(reason)))
        && exemptions(&after).iter().all(|exemption| exempt.contains(exemption))
        && (after.additional.is_none() || before.additional.is_some())
        && stays_in_profile(environment, old, new, &after)
}

/// Whether each new value of an item is one that the profile knows, unless the contract finds fault with it anyway.
fn stays_in_profile(
    environment: &Environment,
    old: &ItemText,
    new: &ItemText,
    after: &Validity,
) -> bool {
    let has_fault = |field: &str| {
        let here = |pointer: &str| pointer.split('/').nth(1) == Some(field);
        after.invalid.iter().any(|reason| here(&reason.pointer))
    };
    environment.profile.values.keys().all(|field| match (old.field(field), new.field(field)) {
        (_, None) => true,
        (before, Some(text)) if before.as_ref() == Some(&text) => true,
        (_, Some(text)) => {
            has_fault(field)
                || serde_json::from_str(&text)
                    .is_ok_and(|value| environment.profile.allows(field, &value))
        }
    })
}
