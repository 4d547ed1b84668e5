//! Names of fields in the place of roles, in values and in the templates of texts.

use serde_json::{Map, Value};

use super::{Binder, Unbound};
use crate::case::names::is_of_answer;
use crate::case::template::{Piece, Template};
use crate::contract::FileError;

impl Binder<'_> {
    pub(super) fn value(&self, value: &Value) -> Result<Value, Unbound> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(list) => {
                Value::Array(list.iter().map(|v| self.value(v)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let mut bound = Map::new();
                for (key, value) in map {
                    bound.insert(key.clone(), self.value(value)?);
                }
                Value::Object(bound)
            }
            other => other.clone(),
        })
    }

    /// A text with names in place of the roles in its templates.
    pub(super) fn text(&self, text: &str) -> Result<String, Unbound> {
        // Templates were checked when the file was loaded.
        let Ok(template) = Template::parse(text) else { return Ok(text.to_owned()) };
        for piece in &template.0 {
            self.check_capture(piece)?;
        }
        if !text.contains('@') && !template.0.contains(&Piece::Longest) {
            return Ok(text.to_owned());
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, inside) = (&rest[..at], &rest[at + 2..]);
            let end = if before.ends_with('$') { None } else { inside.find('}') };
            out.push_str(before);
            let Some(end) = end else {
                out.push_str("${");
                rest = inside;
                continue;
            };
            out.push_str(&self.piece(&inside[..end])?);
            rest = &inside[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The inside of `${…}`: a role becomes a name, a capture by role becomes one by name.
    fn piece(&self, inside: &str) -> Result<String, Unbound> {
        if inside == "fresh:longest" {
            return Ok(format!("${{fresh:{}}}", self.longest_key()));
        }
        if inside.starts_with('@') {
            let Ok(template) = Template::parse(&format!("${{{inside}}}")) else {
                return Ok(String::new());
            };
            let Some(Piece::Name { role, filter }) = template.0.first() else {
                return Ok(String::new());
            };
            // In bodies the name is written between quotes.
            let quoted = Value::from(self.name(role, *filter)?).to_string();
            return Ok(quoted.trim_matches('"').replace("${", "$${"));
        }
        let Some((name, part)) = inside.split_once(".@") else {
            return Ok(format!("${{{inside}}}"));
        };
        let (word, filter) = part.split_once('|').map_or((part, None), |(w, f)| (w, Some(f)));
        let filter = filter.map_or_else(String::new, |f| format!("|{f}"));
        Ok(format!("${{{name}.{}{filter}}}", self.name(word, None)?))
    }

    /// An item's field that is reached by its name must be one that items can have.
    fn check_capture(&self, piece: &Piece) -> Result<(), FileError> {
        let Piece::Capture { name, part, .. } = piece else { return Ok(()) };
        let near = format!("${{{name}.{part}");
        if let Some(times) = self.many.get(name) {
            let found = format!("`{name}` is {times} items: which of them is meant?");
            let one = format!(
                "an item of its own for it: `- {{ as: {name} }}`, `- {{ times: {} }}`",
                times - 1
            );
            return Err(self.case.problem(found, &near).expected(one));
        }
        if part.starts_with(['/', '@']) || self.parts.contains(part) {
            return Ok(());
        }
        if is_of_answer(part) {
            if !self.items.contains(name) {
                return Ok(());
            }
            let found = format!("`{name}` is an item: only a step has an answer with `{part}`");
            let step =
                format!("the `as:` of a step: `- {{ as: STEP, batch: … }}` and `${{STEP.{part}}}`");
            return Err(self.case.problem(found, &near).expected(step));
        }
        Err(self
            .case
            .problem(format!("`{name}` has no field `{part}`"), &near)
            .expected("a field of the contract, one that the case sets, or a role such as `@key`")
            .nearest(part, &self.parts))
    }
}
