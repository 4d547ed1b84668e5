//! Items and batches as JSON text: taken apart as far as needed, and otherwise kept byte for byte.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::contract::shape::ItemForm;
use crate::contract::validity::Validity;
use crate::contract::{Contract, member_texts};
use crate::generate::AppliedMutation;

/// A batch: its items, and the text around them.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchText {
    /// What stands before the first item.
    pub before: String,
    /// What stands between two items.
    pub between: String,
    /// What stands after the last item.
    pub after: String,
    /// The items; never none.
    pub items: Vec<ItemText>,
    /// How they are written.
    pub form: ItemForm,
}

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemText {
    text: String,
    /// Items of the same unit are one item in several requests, or share a number: what is done to one is
    /// done to all.
    pub unit: usize,
    /// How it was bent on purpose.
    pub mutations: Vec<AppliedMutation>,
}

impl BatchText {
    /// Takes a body apart; nothing where it is no batch with items.
    #[must_use]
    pub fn parse(body: &[u8], contract: &Contract) -> Option<BatchText> {
        let form = contract.shape.as_ref().map(|shape| shape.form.clone()).unwrap_or_default();
        if let Some(lines) = form.lines() {
            let items = lines.items(std::str::from_utf8(body).ok()?)?;
            let items = items.iter().map(|item| ItemText::new(&form.read_text(item))).collect();
            return Some(BatchText::compact(contract, items));
        }
        if let Some(key) = form.map_key() {
            let text = std::str::from_utf8(body).ok()?;
            let items = map_at(text, &contract.items_steps())?;
            let items = items.iter().map(|(name, value)| {
                ItemText::new(&form.read_text(&key.read_text(name, value.get())))
            });
            let batch = BatchText::compact(contract, items.collect());
            // What stands around the items, and between them, is not kept.
            let is_same = !batch.items.is_empty() && batch.body(|i| i.text().to_owned()) == text;
            return is_same.then_some(batch);
        }
        BatchText::parse_at(body, &contract.items_steps(), form)
    }

    fn parse_at(body: &[u8], steps: &[String], form: ItemForm) -> Option<BatchText> {
        let text = std::str::from_utf8(body).ok()?;
        let mut list = text;
        for step in steps {
            let envelope = member_texts(list)?;
            let mut lists = envelope.iter().filter(|(name, _)| name == step);
            let (Some((_, inner)), None) = (lists.next(), lists.next()) else { return None };
            list = inner.get();
        }
        let list: Vec<&RawValue> = serde_json::from_str(list).ok()?;
        // Each is a slice of the body.
        let base = text.as_ptr() as usize;
        let places: Vec<(usize, usize)> = list
            .iter()
            .map(|item| {
                let start = (item.get().as_ptr() as usize).saturating_sub(base);
                (start, start + item.get().len())
            })
            .collect();
        let (first, last) = (places.first()?, places.last()?);
        let between = match places.as_slice() {
            [one, two, ..] => text.get(one.1..two.0)?,
            _ => ",",
        };
        Some(BatchText {
            before: text.get(..first.0)?.to_owned(),
            between: between.to_owned(),
            after: text.get(last.1..)?.to_owned(),
            items: list.iter().map(|item| ItemText::new(&form.read_text(item.get()))).collect(),
            form,
        })
    }

    /// Around items: an object with nothing but them, and no white space.
    #[must_use]
    pub fn compact(contract: &Contract, items: Vec<ItemText>) -> BatchText {
        let (before, after) = contract.envelope();
        let form = contract.shape.as_ref().map(|shape| shape.form.clone()).unwrap_or_default();
        BatchText { before, between: contract.separator().to_owned(), after, items, form }
    }

    /// The body, each item written by `write`.
    #[must_use]
    pub fn body(&self, mut write: impl FnMut(&ItemText) -> String) -> String {
        let written = |(at, item)| self.form.write(&write(item), at);
        let items: Vec<String> = self.items.iter().enumerate().map(written).collect();
        format!("{}{}{}", self.before, items.join(&self.between), self.after)
    }
}

/// The members of the map that these steps lead to.
fn map_at<'t>(text: &'t str, steps: &[String]) -> Option<Vec<(String, &'t RawValue)>> {
    let mut map = text;
    for step in steps {
        map = member_texts(map)?.into_iter().find(|(name, _)| name == step)?.1.get();
    }
    member_texts(map)
}

impl ItemText {
    /// An item from its JSON text.
    #[must_use]
    pub fn new(text: &str) -> ItemText {
        ItemText { text: text.to_owned(), unit: 0, mutations: Vec::new() }
    }

    /// Its JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its fields with their JSON text, in order; none where it is no object.
    #[must_use]
    pub fn fields(&self) -> Vec<(String, String)> {
        let members = member_texts(&self.text).unwrap_or_default();
        members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
    }

    /// The JSON text of a field; the first where it stands twice.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields().into_iter().find(|(n, _)| n == name).map(|(_, text)| text)
    }

    /// The item without a field.
    #[must_use]
    pub fn without(&self, name: &str) -> ItemText {
        let fields = self.fields().into_iter().filter(|(n, _)| n != name);
        self.changed(name, &fields.collect::<Vec<_>>())
    }

    /// The item with other JSON text in a field that it has.
    #[must_use]
    pub fn with(&self, name: &str, text: &str) -> ItemText {
        let mut fields = self.fields();
        for field in fields.iter_mut().filter(|(n, _)| n == name) {
            text.clone_into(&mut field.1);
        }
        self.changed(name, &fields)
    }

    fn changed(&self, name: &str, fields: &[(String, String)]) -> ItemText {
        let members: Vec<String> =
            fields.iter().map(|(n, text)| format!("{}:{text}", Value::from(n.as_str()))).collect();
        let about =
            |m: &AppliedMutation| m.pointer.split('/').nth(1).is_none_or(|step| step == name);
        ItemText {
            text: format!("{{{}}}", members.join(",")),
            unit: self.unit,
            mutations: self.mutations.iter().filter(|m| !about(m)).cloned().collect(),
        }
    }

    /// What the contract says of it; nothing where it is no JSON that can be read.
    #[must_use]
    pub fn validity(&self, contract: &Contract) -> Option<Validity> {
        let value: Value = serde_json::from_str(&self.text).ok()?;
        Some(contract.item_validity(&value))
    }

    /// Its unique number, where it is a string.
    #[must_use]
    pub fn number(&self, contract: &Contract) -> Option<String> {
        let key = Some(contract.judged_key()).filter(|key| !key.is_empty())?;
        serde_json::from_str(&self.field(key)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_put_together_as_it_was() {
        let text = " {\"x\": 1,\n\"items\" : [ {\"a\":1.50e1, \"a\":[ 2 ]} ,\t{\"b\":\"\\u0041\"} ,\t7 ] , \"y\":{}} ";
        let parse = |text: &str| {
            BatchText::parse_at(text.as_bytes(), &["items".to_owned()], ItemForm::default())
        };
        let batch = parse(text).unwrap();
        assert_eq!(batch.items.len(), 3);
        assert_eq!(batch.body(|i| i.text().to_owned()), text);
        assert_eq!(
            batch.items[0].fields(),
            [("a".into(), "1.50e1".into()), ("a".into(), "[ 2 ]".into())]
        );
        assert_eq!(batch.items[1].with("b", "2").text(), r#"{"b":2}"#);
        assert_eq!(batch.items[1].without("b").text(), "{}");
        assert!(batch.items[2].fields().is_empty());
        for odd in ["", "{\"items\":[]}", "{\"items\":3}", "[]", "{\"items\":[1],\"items\":[2]}"] {
            assert!(parse(odd).is_none(), "{odd}");
        }
    }
}
