//! What the profile and the contract allow of the values that a case writes out.

use serde_json::Value;

use super::profiled::Replacement;
use super::{Binder, Unbound};
use crate::case::template::{Piece, Template};
use crate::contract::Field;

impl Binder<'_> {
    /// The value that a field has in a request that must be accepted: the case's, or one of the profile's; nothing
    /// where the profile omits the field.
    pub(super) fn allowed(&self, name: &str, value: Value) -> Result<Option<Value>, Unbound> {
        let Some(reason) = self.why_excluded(name, &value)? else { return Ok(Some(value)) };
        let field = self.contract.field(name).filter(|_| !self.case.spec.keep_values);
        let Some(field) = field else { return Err(Unbound::Excluded(reason)) };
        let mut replacements = self.replacements.borrow_mut();
        match replacements.find(self.contract, self.profile, field, &value) {
            Some(Replacement::By(other)) => Ok(Some(other)),
            Some(Replacement::LeftOut) => Ok(None),
            None => Err(Unbound::Excluded(reason)),
        }
    }

    /// Why the profile excludes a value of a field, where it does.
    ///
    /// What the contract excludes makes the case not applicable.
    pub(super) fn why_excluded(
        &self,
        name: &str,
        value: &Value,
    ) -> Result<Option<String>, Unbound> {
        let refuse = |reason: String| Err(Unbound::NotApplicable(reason));
        let Some(field) = self.contract.field(name) else {
            if self.contract.has_closed_items() {
                return refuse("the document allows no other members in an item".to_owned());
            }
            return Ok(None);
        };
        if *name == self.contract.batch.unique {
            let captured = |text: &str| {
                Template::parse(text).is_ok_and(|template| {
                    matches!(template.0.as_slice(), [Piece::Capture { filter: None, .. }])
                })
            };
            let is_text = value.as_str().is_some_and(|text| !captured(text));
            let everyday = Value::from("bptest-261127-k3x9qz-agxpll-T7QR9L");
            let takes_text = || -> Result<bool, Unbound> {
                let validator = self.contract.operation.compile(&field.schema)?;
                Ok(["pattern", "format"].iter().all(|key| field.schema.get(key).is_none())
                    || validator.is_valid(&everyday))
            };
            if is_text && !takes_text()? {
                return refuse("the contract's keys have a form of their own".to_owned());
            }
            let longest = self.longest_key();
            return if value.as_str().map_or(0, least_length) > longest {
                refuse(format!("the contract has no key of more than {longest} characters"))
            } else {
                Ok(None)
            };
        }
        if self.profile.omit.contains(&field.name) {
            return Ok(Some(format!("the profile omits `{name}`")));
        }
        if !self.profile_allows(field, value) {
            return Ok(Some(format!("`{name}: {value}` is outside the profile's values")));
        }
        let literal = value.as_str().is_none_or(|text| !text.contains("${"));
        if literal && !self.contract.operation.compile(&field.schema)?.is_valid(value) {
            return refuse(format!("`{name}: {value}` is outside the contract's schema"));
        }
        Ok(None)
    }

    /// Code points of the longest key that must be accepted, and that its result can carry.
    pub(super) fn longest_key(&self) -> usize {
        let plain = self.contract.batch.limits.plain_string;
        let Some(key) = self.contract.field(&self.contract.batch.unique) else { return plain };
        let own = key.schema.get("maxLength").and_then(Value::as_u64);
        let own = own.and_then(|length| usize::try_from(length).ok());
        own.into_iter().chain(key.result_max).fold(plain, usize::min)
    }

    fn profile_allows(&self, field: &Field, value: &Value) -> bool {
        // What a drawn item has in the same field is one of the profile's values.
        let captured = |template: Template| match template.0.as_slice() {
            [Piece::Capture { part, filter: None, .. }] => *part == field.name,
            _ => false,
        };
        value.as_str().and_then(|text| Template::parse(text).ok()).is_some_and(captured)
            || self.profile.allows(&field.name, value)
    }
}

/// Code points of the shortest fresh key: what tells processes apart, and a counter.
const SHORTEST_KEY: usize = 14;

/// Code points that a text has at least, once it is filled in.
fn least_length(text: &str) -> usize {
    let Ok(template) = Template::parse(text) else { return 0 };
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.chars().count(),
        Piece::Fresh(Some(length)) => *length,
        Piece::Fresh(None) | Piece::Key { .. } | Piece::Digits(_) => SHORTEST_KEY,
        Piece::Uuid { .. } => 32,
        Piece::Repeat(count, text) => count.saturating_mul(text.chars().count()),
        _ => 0,
    };
    template.0.iter().map(length).fold(0, usize::saturating_add)
}
