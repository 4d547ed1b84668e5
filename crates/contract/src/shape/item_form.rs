//! How an item is written on the wire: fields of an inner object stand beside the others everywhere else, and carry the
//! way to them in their names; a mark that results are matched by is added.
//!
//! It must not know what a field means.

use serde_json::{Map, Value, json};

use super::lines::{LineForm, without_member};
use super::mark::{Mark, made_key};
use super::pointer::Pointer;
use crate::document::SchemaDocument;
use crate::member_texts;
use crate::schema::flatten;

/// Between the names of nested fields.
const SLASH: char = '/';
/// Schemas inside a schema that are looked through.
const DEPTH: usize = 16;

/// How an item is written on the wire.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemForm {
    /// Names of the objects around nested fields, outermost first.
    around: Vec<String>,
    /// The member that results are matched by, where it is made for each request.
    mark: Option<Mark>,
    /// The lines that it is written as, where it is no element of an array.
    lines: Option<LineForm>,
    /// The key that it has in a map, where the items are one.
    key: Option<MapKey>,
}

/// What the key of an item in a map is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapKey {
    /// Made for each request.
    Mark,
    /// The item's field of this name, which does not stand in the item.
    Field(String),
}

impl MapKey {
    /// The key of the item in that position, where it is made.
    #[must_use]
    pub fn made(position: usize) -> String {
        made_key(position)
    }

    fn write(&self, object: &str, position: usize) -> String {
        let found = match self {
            MapKey::Mark => None,
            MapKey::Field(name) => without_member(object, name),
        };
        match found.filter(|(_, key)| key.starts_with('"')) {
            Some((rest, key)) => format!("{key}:{rest}"),
            None => format!("{}:{object}", Value::from(MapKey::made(position))),
        }
    }

    /// The text of an item that has a key.
    #[must_use]
    pub fn read_text(&self, key: &str, text: &str) -> String {
        match (self, text.strip_prefix('{')) {
            (MapKey::Field(name), Some(rest)) => {
                let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
                format!("{{{}:{}{comma}{rest}", Value::from(name.as_str()), Value::from(key))
            }
            _ => text.to_owned(),
        }
    }
}

impl ItemForm {
    /// The form whose nested fields stand in the objects of these names.
    #[must_use]
    pub fn nested(around: &[String]) -> ItemForm {
        ItemForm { around: around.to_vec(), ..ItemForm::default() }
    }

    /// The same as lines.
    #[must_use]
    pub fn in_lines(self, lines: Option<LineForm>) -> ItemForm {
        ItemForm { lines, ..self }
    }

    /// How items are lines, where they are.
    #[must_use]
    pub fn lines(&self) -> Option<&LineForm> {
        self.lines.as_ref()
    }

    /// The same in a map.
    #[must_use]
    pub fn in_map(self, key: Option<MapKey>) -> ItemForm {
        ItemForm { key, ..self }
    }

    /// The key that items have in a map, where they are one.
    #[must_use]
    pub fn map_key(&self) -> Option<&MapKey> {
        self.key.as_ref()
    }

    /// Whether the members of an item are on the wire what they are everywhere else.
    pub(super) fn is_flat(&self) -> bool {
        self.around.is_empty() && self.mark.is_none()
    }

    /// The same with a member that is made for each item, as its schema wants it.
    #[must_use]
    pub fn marked(mut self, name: &str, schema: &Value) -> ItemForm {
        self.mark = Some(Mark::new(name, schema));
        self
    }

    /// Whether items are written as they are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == ItemForm::default()
    }

    /// The member that is made for each item.
    #[must_use]
    pub fn mark(&self) -> Option<&str> {
        self.mark.as_ref().map(|mark| mark.name.as_str())
    }

    /// What the item in that position is marked with.
    #[must_use]
    pub fn mark_of(&self, position: usize) -> Option<Value> {
        Some(self.mark.as_ref()?.of(position))
    }

    /// The names of the objects around nested fields.
    #[must_use]
    pub fn around(&self) -> &[String] {
        &self.around
    }

    /// The name of a field that stands at a pointer of the item on the wire.
    #[must_use]
    pub fn name(&self, pointer: &Pointer) -> Option<String> {
        let (last, way) = pointer.steps().split_last()?;
        self.around.starts_with(way).then(|| self.joined(way.len(), last))
    }

    fn joined(&self, depth: usize, name: &str) -> String {
        let mut joined: String =
            self.around[..depth].iter().flat_map(|step| [step.as_str(), "/"]).collect();
        joined.push_str(name);
        joined
    }

    /// How deep a field of that name stands, and its own name.
    fn split<'n>(&self, name: &'n str) -> (usize, &'n str) {
        let mut rest = name;
        let mut depth = 0;
        for step in &self.around {
            match rest.strip_prefix(step.as_str()).and_then(|rest| rest.strip_prefix(SLASH)) {
                Some(inner) => rest = inner,
                None => break,
            }
            depth += 1;
        }
        (depth, rest)
    }

    /// A pointer in which nested fields have their joined names, as it is on the wire.
    #[must_use]
    pub fn on_wire(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for depth in (1..=self.around.len()).rev() {
            let mut joined = String::new();
            for step in &self.around[..depth] {
                joined.push_str(&crate::validity::escape(step));
                joined.push_str("~1");
            }
            text = text.replace(&joined, &joined.replace("~1", "/"));
        }
        text
    }

    /// The text of an item as it is sent in that position.
    #[must_use]
    pub fn write(&self, text: &str, position: usize) -> String {
        let object = self.object(text, position);
        match (&self.lines, &self.key) {
            (Some(lines), _) => lines.write(&object),
            (None, Some(key)) => key.write(&object, position),
            (None, None) => object,
        }
    }

    /// The object of an item as it is on the wire, without what stands around it.
    #[must_use]
    pub fn object(&self, text: &str, position: usize) -> String {
        if self.is_flat() {
            return text.to_owned();
        }
        let Some(members) = member_texts(text) else { return text.to_owned() };
        let mut members: Vec<(String, String)> =
            members.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect();
        if let Some(mark) = &self.mark
            && members.iter().all(|(name, _)| *name != mark.name)
        {
            members.insert(0, (mark.name.clone(), mark.of(position).to_string()));
        }
        self.nest(&members, 0)
    }

    fn nest(&self, members: &[(String, String)], depth: usize) -> String {
        let mut parts = Vec::new();
        let mut inner: Option<usize> = None;
        for (name, value) in members {
            let (own, last) = self.split(name);
            if own > depth {
                if inner.is_none() {
                    inner = Some(parts.len());
                    parts.push(String::new());
                }
            } else if own == depth {
                parts.push(format!("{}:{value}", Value::from(last)));
            }
        }
        if let Some(step) = self.around.get(depth) {
            let deeper: Vec<(String, String)> =
                members.iter().filter(|(name, _)| self.split(name).0 > depth).cloned().collect();
            let text = format!("{}:{}", Value::from(step.as_str()), self.nest(&deeper, depth + 1));
            // Without any field in it, the object is there all the same, unless something else stands in its place.
            match inner {
                Some(at) => parts[at] = text,
                None if members.iter().all(|(name, _)| self.split(name) != (depth, step)) => {
                    parts.push(text);
                }
                None => {}
            }
        }
        format!("{{{}}}", parts.join(","))
    }

    /// The text of an item as everything else speaks of it; where items are lines, from the text that those come to.
    #[must_use]
    pub fn read_text(&self, text: &str) -> String {
        if self.is_flat() {
            return text.to_owned();
        }
        let Some(mut out) = self.hoisted(text, 0) else { return text.to_owned() };
        if let Some(mark) = &self.mark {
            out.retain(|(name, value)| *name != mark.name || !mark.made(value));
        }
        let members: Vec<String> =
            out.iter().map(|(name, value)| format!("{}:{value}", Value::from(&**name))).collect();
        format!("{{{}}}", members.join(","))
    }

    fn hoisted(&self, text: &str, depth: usize) -> Option<Vec<(String, String)>> {
        let mut out = Vec::new();
        for (name, value) in member_texts(text)? {
            let inner = (self.around.get(depth) == Some(&name))
                .then(|| self.hoisted(value.get(), depth + 1))
                .flatten();
            match inner {
                Some(inner) => out.extend(inner),
                None => out.push((self.joined(depth, &name), value.get().to_owned())),
            }
        }
        Some(out)
    }

    /// An item as everything else speaks of it.
    #[must_use]
    pub fn read(&self, item: Value) -> Value {
        if self.around.is_empty() {
            return item;
        }
        match item {
            Value::Object(map) => {
                let mut out = Map::new();
                self.hoist(map, 0, &mut out);
                Value::Object(out)
            }
            other => other,
        }
    }

    fn hoist(&self, map: Map<String, Value>, depth: usize, out: &mut Map<String, Value>) {
        for (name, value) in map {
            match value {
                Value::Object(inner) if self.around.get(depth) == Some(&name) => {
                    self.hoist(inner, depth + 1, out);
                }
                value => {
                    out.insert(self.joined(depth, &name), value);
                }
            }
        }
    }

    /// The schema of items as everything else speaks of them; nothing where an object on the way is none.
    #[must_use]
    pub fn schema(&self, document: &SchemaDocument, schema: &Value) -> Option<Value> {
        let flat = |schema: &Value| {
            let flat = flatten(document, schema, DEPTH);
            (!flat.never).then_some(Value::Object(flat.keywords))
        };
        let mut whole = flat(schema)?;
        let mut inner = whole.clone();
        for (depth, step) in self.around.iter().enumerate() {
            let here = self.joined(depth, step);
            let is_required = requires(&inner, step);
            inner = flat(inner.get("properties")?.get(step)?)?;
            let fields = inner.get("properties")?.as_object()?.clone();
            let properties = whole.get_mut("properties")?.as_object_mut()?;
            let at = properties.keys().position(|name| *name == here).unwrap_or(properties.len());
            properties.shift_remove(&here);
            for (nth, (name, field)) in fields.into_iter().enumerate() {
                let at = (at + nth).min(properties.len());
                properties.shift_insert(at, self.joined(depth + 1, &name), field);
            }
            let mut required: Vec<Value> =
                whole.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let was_required = required.iter().any(|name| *name == here);
            required.retain(|name| *name != here);
            if is_required || was_required {
                let own = inner.get("required").and_then(Value::as_array);
                let own = own.into_iter().flatten().filter_map(Value::as_str);
                required.extend(own.map(|name| json!(self.joined(depth + 1, name))));
            }
            whole["required"] = Value::Array(required);
        }
        if let Some(mark) = &self.mark
            && let Some(required) = whole.get_mut("required").and_then(Value::as_array_mut)
        {
            required.retain(|name| *name != *mark.name);
        }
        Some(whole)
    }

    /// Adds the fields that stand beside the item: in another line than its own, or as its key in a map. They are texts,
    /// unless the schema says otherwise; `key_schema` is what it says of the keys of the map.
    pub(super) fn add_fields_beside(&self, item: &mut Value, key_schema: Option<&Value>) {
        let key = match &self.key {
            Some(MapKey::Field(name)) => Some(name.as_str()),
            _ => None,
        };
        let names: Vec<&str> = self.lines.iter().flat_map(LineForm::fields).chain(key).collect();
        if names.is_empty() {
            return;
        }
        if item.get("properties").is_none_or(|properties| !properties.is_object()) {
            *item = json!({ "allOf": [item.take()], "type": "object", "properties": {} });
        }
        for name in names.into_iter().rev() {
            if item["properties"].get(name).is_some() {
                continue;
            }
            if let Some(properties) = item["properties"].as_object_mut() {
                let mut text = json!({ "type": "string" });
                if let (true, Some(Value::Object(said))) = (Some(name) == key, key_schema) {
                    said.iter().for_each(|(keyword, value)| text[keyword] = value.clone());
                }
                properties.shift_insert(0, name.to_owned(), text);
            }
            match item.get_mut("required").and_then(Value::as_array_mut) {
                Some(required) => required.push(Value::from(name)),
                None => item["required"] = json!([name]),
            }
        }
    }
}

fn requires(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|list| list.iter().any(|required| required == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_are_written_where_they_belong_and_read_back() {
        let form = ItemForm::nested(&["data".to_owned(), "name".to_owned()])
            .marked("id", &json!({ "type": "string" }));
        let text =
            r#"{"method":"POST","data/name/first":"a","data/kind":1.50,"data/name/last":null}"#;
        let sent = form.write(text, 4);
        assert_eq!(
            sent,
            r#"{"id":"item-4","method":"POST","data":{"name":{"first":"a","last":null},"kind":1.50}}"#
        );
        let back = form.read_text(&sent);
        let fields: Value = serde_json::from_str(&back).unwrap();
        assert_eq!(fields, serde_json::from_str::<Value>(text).unwrap());
        let mut read = form.read(serde_json::from_str(&sent).unwrap());
        assert_eq!(read["id"], "item-4");
        read.as_object_mut().unwrap().shift_remove("id");
        assert_eq!(read, fields);
        assert_eq!(
            form.on_wire("/items/3/data~1name~1first/x~1y"),
            "/items/3/data/name/first/x~1y"
        );
        for odd in ["7", "[]", "{", r#"{"data":3,"id":"mine"}"#] {
            assert_eq!(form.write(odd, 0), form.write(&form.write(odd, 0), 1), "{odd}");
        }
    }
}
