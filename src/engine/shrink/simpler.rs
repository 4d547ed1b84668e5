//! The passes that simplify items: plain items, then fields away, then values, then parts of values.
//!
//! An item may lose what is wrong or unusual with it, where the finding does not need it, and never gains
//! any: a missing mandatory field or a wrong type would be another story.

use serde_json::Value;

use super::smaller::Shrinking;
use crate::contract::Contract;
use crate::contract::standing::Standing;
use crate::engine::environment::Environment;
use crate::engine::script::{Item, Script};
use crate::generate::cut_text;

impl Shrinking<'_> {
    /// Makes items simpler, all at once where that will do, unit by unit where not.
    pub(super) async fn simplify(&mut self) {
        let environment = self.environment;
        let plain = |item: &Item| plain_item(environment, item);
        let mut units: Vec<Option<usize>> = vec![None];
        let own = self.units();
        if own.len() > 1 {
            units.extend(own.into_iter().map(Some));
        }
        for unit in &units {
            if self.change(*unit, &plain).await && unit.is_none() {
                break;
            }
        }
        for unit in &units {
            self.drop_fields(*unit).await;
        }
        for unit in &units {
            self.simplest_values(*unit).await;
        }
        for unit in self.units() {
            self.cut_values(unit).await;
        }
    }

    /// Changes the items of a unit, or all of them; an item that would gain something keeps what it has.
    async fn change(
        &mut self,
        unit: Option<usize>,
        change: &(dyn Fn(&Item) -> Option<Item> + Sync),
    ) -> bool {
        if self.attempts.ended.is_some() {
            return false;
        }
        let contract = &self.environment.contract;
        let mut candidate = self.script.clone();
        let mut changed = false;
        for item in items_mut(&mut candidate, unit) {
            if let Some(new) = change(item).filter(|new| gains_nothing(contract, item, new)) {
                changed |= new.text() != item.text();
                *item = new;
            }
        }
        changed && self.try_out(Some(candidate)).await
    }

    async fn drop_fields(&mut self, unit: Option<usize>) {
        let environment = self.environment;
        let optional: Vec<String> = self
            .fields(unit)
            .into_iter()
            .filter(|f| !environment.generator.always_has(f))
            .collect();
        let all = |item: &Item| {
            // One by one, so that a field which must stay keeps no other.
            let mut left = item.clone();
            for field in &optional {
                let next = left.without(field);
                if gains_nothing(&environment.contract, item, &next) {
                    left = next;
                }
            }
            Some(left)
        };
        if optional.is_empty() || self.change(unit, &all).await {
            return;
        }
        for field in &optional {
            self.change(unit, &|item| item.field(field).map(|_| item.without(field))).await;
        }
    }

    async fn simplest_values(&mut self, unit: Option<usize>) {
        let environment = self.environment;
        for field in self.fields(unit) {
            let simplest = |item: &Item| {
                item.field(&field)?;
                if field == environment.contract.batch.unique {
                    return bare_number(environment, item);
                }
                Some(item.with(&field, &environment.generator.simplest(&field)?.to_string()))
            };
            self.change(unit, &simplest).await;
        }
    }

    /// Shortens what the simplest value could not replace.
    async fn cut_values(&mut self, unit: usize) {
        for field in self.fields(Some(unit)) {
            let first = self.script.items().find(|i| i.unit == unit && i.field(&field).is_some());
            let Some(text) = first.and_then(|i| i.field(&field)) else { continue };
            let simplest = self.environment.generator.simplest(&field);
            let own: Option<Value> = serde_json::from_str(&text).ok();
            if own.is_some() && own == simplest {
                continue;
            }
            match own {
                Some(Value::String(string)) => {
                    if let Some(Value::String(simplest)) = &simplest {
                        for blend in blends(&string, simplest) {
                            self.replace(unit, &field, &Value::String(blend).to_string()).await;
                        }
                    }
                    self.cut_string(unit, &field).await;
                }
                Some(Value::Number(_)) => self.cut_digits(unit, &field).await,
                _ => {}
            }
        }
    }

    async fn replace(&mut self, unit: usize, field: &str, text: &str) -> bool {
        self.change(Some(unit), &|item| item.field(field).map(|_| item.with(field, text))).await
    }

    /// Shortens a string: where any characters will do, from its ends, else wherever they are not needed. A
    /// minted number in it stays whole.
    async fn cut_string(&mut self, unit: usize, field: &str) {
        let Some(string) = self.string(unit, field) else { return };
        if self.prefix_of(&string).is_none() && !string.chars().all(|c| c == FILLER) {
            let filled: String = string.chars().map(|_| FILLER).collect();
            self.replace(unit, field, &Value::String(filled).to_string()).await;
        }
        for part in [Part::Before, Part::After] {
            let side = |string: &str, number| part.of(string, number).to_owned();
            let now = self.string(unit, field).unwrap_or_default();
            let text = side(&now, self.prefix_of(&now));
            if text.chars().all(|c| c == FILLER) {
                self.cut_ends(unit, field, part).await;
            } else {
                self.thin_out(unit, field, part).await;
            }
        }
    }

    /// Cuts half of a side, a quarter, and so on.
    async fn cut_ends(&mut self, unit: usize, field: &str, part: Part) {
        let mut step = 0;
        while let Some(string) = self.string(unit, field) {
            let number = self.prefix_of(&string);
            let text = part.of(&string, number);
            // With a number beside it nothing may be left, which no cut of a text leads to.
            let cut = match (number, step) {
                (Some(_), 0) if !text.is_empty() => Some(String::new()),
                (Some(_), step) if step > 0 => cut_text(text, step - 1),
                (None, step) => cut_text(text, step),
                _ => None,
            };
            let Some(cut) = cut else { return };
            let taken = self.put(unit, field, part, &cut).await;
            step = if taken { 0 } else { step + 1 };
            if self.attempts.ended.is_some() {
                return;
            }
        }
    }

    /// Takes characters out of a side, many at a time at first, wherever they stand.
    async fn thin_out(&mut self, unit: usize, field: &str, part: Part) {
        let side = |this: &Self| -> Vec<char> {
            let string = this.string(unit, field).unwrap_or_default();
            part.of(&string, this.prefix_of(&string)).chars().collect()
        };
        let mut tries = 0;
        let mut size = side(self).len();
        while size > 0 && tries < THINNINGS {
            let mut at = 0;
            while at < side(self).len() && tries < THINNINGS && self.attempts.ended.is_none() {
                let now = side(self);
                let end = (at + size).min(now.len());
                let rest: String = now[..at].iter().chain(&now[end..]).collect();
                tries += 1;
                if !self.put(unit, field, part, &rest).await {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// Puts another text in the place of one side of a string.
    async fn put(&mut self, unit: usize, field: &str, part: Part, text: &str) -> bool {
        let Some(string) = self.string(unit, field) else { return false };
        let new = part.with(&string, self.prefix_of(&string), text);
        new != string && self.replace(unit, field, &Value::String(new).to_string()).await
    }

    async fn cut_digits(&mut self, unit: usize, field: &str) {
        let mut step = 0;
        while let Some(text) = self.text(unit, field) {
            let Some(cut) = cut_text(&text, step) else { return };
            let number = serde_json::from_str::<Value>(&cut).is_ok_and(|v| v.is_number());
            let taken = number && self.replace(unit, field, &cut).await;
            step = if taken { 0 } else { step + 1 };
            if self.attempts.ended.is_some() {
                return;
            }
        }
    }

    /// The field names of a unit's items.
    fn fields(&self, unit: Option<usize>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for item in self.script.items().filter(|i| unit.is_none_or(|u| i.unit == u)) {
            for (name, _) in item.fields() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    fn text(&self, unit: usize, field: &str) -> Option<String> {
        self.script.items().filter(|i| i.unit == unit).find_map(|i| i.field(field))
    }

    fn string(&self, unit: usize, field: &str) -> Option<String> {
        serde_json::from_str(&self.text(unit, field)?).ok()
    }

    /// Where a minted number stands in a string.
    fn prefix_of(&self, string: &str) -> Option<(usize, usize)> {
        let found = self.script.prefixes.find(string.as_bytes());
        found.first().map(|m| (m.place.start, m.place.end))
    }
}

/// What a string is filled with where any character will do.
const FILLER: char = 'x';
/// How often characters are taken out of one string.
const THINNINGS: u32 = 64;

/// A side of the number in a string; where there is no number, all of it is before.
#[derive(Clone, Copy)]
enum Part {
    Before,
    After,
}

impl Part {
    /// The side's text.
    fn of(self, string: &str, number: Option<(usize, usize)>) -> &str {
        let text = match (self, number) {
            (Part::Before, None) => Some(string),
            (Part::After, None) => None,
            (Part::Before, Some((start, _))) => string.get(..start),
            (Part::After, Some((_, end))) => string.get(end..),
        };
        text.unwrap_or_default()
    }

    /// The string with another text on that side.
    fn with(self, string: &str, number: Option<(usize, usize)>, text: &str) -> String {
        match (self, number) {
            (Part::Before, None) => text.to_owned(),
            (Part::After, None) => string.to_owned(),
            (Part::Before, Some((start, _))) => format!("{text}{}", &string[start..]),
            (Part::After, Some((_, end))) => format!("{}{text}", &string[..end]),
        }
    }
}

fn items_mut(script: &mut Script, unit: Option<usize>) -> impl Iterator<Item = &mut Item> {
    script
        .sends
        .iter_mut()
        .filter_map(|s| s.batch.as_mut())
        .flat_map(|b| &mut b.items)
        .filter(move |i| unit.is_none_or(|u| i.unit == u))
}

/// An item with nothing but its number and the mandatory fields at their simplest values.
fn plain_item(environment: &Environment, item: &Item) -> Option<Item> {
    let contract = &environment.contract;
    let unique = &contract.batch.unique;
    let own = item.number(contract).filter(|n| !n.is_empty());
    let number = match own {
        Some(number) => Value::String(number),
        None => environment.mint.shaped(&environment.generator.item(0, NONE).number)?,
    };
    let mut fields = serde_json::Map::new();
    for field in contract.fields().iter().filter(|f| environment.generator.always_has(&f.name)) {
        let value = if &field.name == unique {
            number.clone()
        } else {
            environment.generator.simplest(&field.name)?
        };
        fields.insert(field.name.clone(), value);
    }
    let mut plain = Item::new(&Value::Object(fields).to_string());
    plain.unit = item.unit;
    Some(plain)
}

const NONE: crate::generate::Optional<'static> = crate::generate::Optional::None;

/// An item whose number has nothing around it.
fn bare_number(environment: &Environment, item: &Item) -> Option<Item> {
    let contract = &environment.contract;
    let number = item.number(contract)?;
    let prefixes = crate::generate::Prefixes::of_mint(environment.mint.prefix());
    let minted = prefixes.find(number.as_bytes()).into_iter().next()?;
    let bare = Value::from(&number[minted.place]).to_string();
    Some(item.with(&contract.batch.unique, &bare))
}

/// Date-times that take one part of the simplest value: date, time, fraction or offset.
fn blends(text: &str, simplest: &str) -> Vec<String> {
    let (Some(own), Some(plain)) = (parts(text), parts(simplest)) else { return Vec::new() };
    (0..4)
        .filter(|at| own[*at] != plain[*at])
        .map(|at| (0..4).map(|k| if k == at { plain[k] } else { own[k] }).collect())
        .collect()
}

/// `2023-09-05` `T08:07:34` `.605` `Z`.
fn parts(text: &str) -> Option<[&str; 4]> {
    let time = text.find(['T', 't', ' ']).filter(|at| *at == 10)?;
    let rest = &text[time..];
    let end = rest.find(['Z', 'z', '+', '-', '.']).unwrap_or(rest.len());
    let offset = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    Some([&text[..time], &rest[..end], rest.get(end..offset)?, &rest[offset..]])
}

/// Whether `new` has nothing wrong or unusual that `old` had not.
fn gains_nothing(contract: &Contract, old: &Item, new: &Item) -> bool {
    let (Some(before), Some(after)) = (old.standing(contract), new.standing(contract)) else {
        return false;
    };
    let causes = |s: &Standing| -> Vec<(String, String, String)> {
        let key = |c: &crate::contract::standing::Cause| {
            (c.pointer.clone(), c.keyword.clone(), c.class.clone())
        };
        s.causes.iter().map(key).collect()
    };
    let edges = |s: &Standing| -> Vec<(String, String)> {
        s.open.iter().chain(&s.unusual).map(|e| (e.pointer.clone(), e.what.clone())).collect()
    };
    let (was, is) = (causes(&before), causes(&after));
    let (had, has) = (edges(&before), edges(&after));
    is.iter().all(|c| was.contains(c))
        && has.iter().all(|e| had.contains(e))
        && (after.additional.is_none() || before.additional.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_blended_part_by_part() {
        let simplest = "2023-09-05T08:07:34.605Z";
        assert_eq!(
            blends("1999-12-31T08:07:34.1+14:00", simplest),
            [
                "2023-09-05T08:07:34.1+14:00",
                "1999-12-31T08:07:34.605+14:00",
                "1999-12-31T08:07:34.1Z"
            ]
        );
        assert!(blends("yesterday", simplest).is_empty());
        assert_eq!(parts("2024-02-29T00:00:00Z"), Some(["2024-02-29", "T00:00:00", "", "Z"]));
    }

    #[test]
    fn a_string_has_sides_where_a_number_stands_in_it() {
        let number = Some((2, 5));
        assert_eq!(Part::Before.of("éNUMx", number), "é");
        assert_eq!(Part::After.of("éNUMx", number), "x");
        assert_eq!(Part::Before.with("éNUMx", number, ""), "NUMx");
        assert_eq!(Part::After.with("éNUMx", number, "yy"), "éNUMyy");
        assert_eq!((Part::Before.of("abc", None), Part::After.of("abc", None)), ("abc", ""));
        assert_eq!(Part::Before.with("abc", None, "b"), "b");
    }
}
