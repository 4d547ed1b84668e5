//! Mutations: one change to a valid item, derived from the schema's own keywords, with what it must provoke.
//!
//! A mutation says where, which keyword, which class of value, and the old and the new value. Whether a
//! target answered as it should is judged elsewhere.

mod instants;
mod lengths;
mod names;
mod numbers;
mod presence;
pub(super) mod site;
mod strings;
mod types;
mod values;

use std::sync::Arc;

use jsonschema::Validator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use names::NAMES;
pub use names::Promise;

use super::draft::{Draft, FieldOrder, KEY_PLACEHOLDER, KeyShape, RawField};
use super::item::specimen;
use super::plan::Compiler;
use super::{GeneratorCore, OptionalFields};
use crate::contract::validity::{ExpectedOutcome, escape};
use crate::contract::{Limits, SchemaDocument};
use site::SchemaSite;

/// A longer raw text is recorded as an excerpt.
const EXCERPT: usize = 200;

/// One concrete change to an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutation {
    /// Its name, in kebab-case; many concrete mutations share one.
    pub name: &'static str,
    /// JSON pointer inside the item to what is changed.
    pub pointer: String,
    /// The keyword that it breaks or tries.
    pub keyword: String,
    /// The class of the new value.
    pub class: String,
    /// What is done.
    pub change: Change,
    /// A value of the whole field, for drafts that lack it.
    base: Option<Arc<Value>>,
    layout: Arc<FieldOrder>,
}

/// What a mutation does.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The value is taken away.
    Remove,
    /// Its field and this second field are taken away.
    RemoveBoth(String),
    /// The value becomes this one.
    Set(Value),
    /// The unique number takes this shape.
    Number(KeyShape),
    /// The whole item becomes this.
    Item(Value),
    /// A property that the schema does not name.
    Add(String, Value),
    /// The field's JSON text becomes this; only [`Draft::text`] can say it.
    Raw(String),
    /// The field keeps its string, every character written as an escape.
    Escape,
    /// The fields are written in the opposite order.
    Reverse,
}

/// What was changed, for records and reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppliedMutation {
    /// Name of the mutation.
    pub name: String,
    /// JSON pointer inside the item.
    pub pointer: String,
    /// The keyword that is broken or tried.
    pub keyword: String,
    /// The class of the new value.
    pub class: String,
    /// What stood there; none where nothing did, or where the unique number was still to be minted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What stands there now; none where nothing does. `${number}` stands for a minted number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

impl Mutation {
    /// What its name promises of an otherwise valid item.
    #[must_use]
    pub fn promise(&self) -> Promise {
        names::promise(self.name)
    }

    /// Changes a valid draft.
    pub fn apply(&self, draft: &mut Draft) -> AppliedMutation {
        let (old, new) = self.change(draft);
        AppliedMutation {
            name: self.name.to_owned(),
            pointer: self.pointer.clone(),
            keyword: self.keyword.clone(),
            class: self.class.clone(),
            old,
            new,
        }
    }

    /// A value with the change, where it is not an item; none where the change is for items alone.
    #[must_use]
    pub fn changed(&self, value: &Value) -> Option<Value> {
        let mut value = value.clone();
        match &self.change {
            Change::Set(new) => *value.pointer_mut(&self.pointer)? = new.clone(),
            Change::Remove => {
                let (parent, name) = self.pointer.rsplit_once('/')?;
                value.pointer_mut(parent)?.as_object_mut()?.shift_remove(&unescape(name))?;
            }
            _ => return None,
        }
        Some(value)
    }

    fn change(&self, draft: &mut Draft) -> (Option<Value>, Option<Value>) {
        let steps: Vec<String> = self.pointer.split('/').skip(1).map(unescape).collect();
        let field = steps.first().map_or("", String::as_str);
        match &self.change {
            Change::Remove if steps.len() > 1 => (self.nested(draft, field, None), None),
            Change::Remove => (draft.remove_in(&self.layout, field), None),
            Change::RemoveBoth(other) => {
                let old = draft.remove_in(&self.layout, field);
                draft.remove_in(&self.layout, other);
                (old, None)
            }
            Change::Set(value) if steps.len() > 1 => {
                (self.nested(draft, field, Some(value)), Some(value.clone()))
            }
            Change::Set(value) => {
                let old = draft.fields.get(field).cloned();
                draft.set_in(&self.layout, field, value.clone());
                (old, Some(value.clone()))
            }
            Change::Number(shape) => {
                draft.raw.retain(|r| r.field != self.layout.unique);
                draft.key = shape.clone();
                (None, shown(shape))
            }
            Change::Item(value) => {
                draft.replaced = Some(value.clone());
                (None, Some(value.clone()))
            }
            Change::Add(name, value) => {
                let old = draft.fields.insert(name.clone(), value.clone());
                (old, Some(value.clone()))
            }
            Change::Raw(text) => self.write_raw(draft, field, text),
            Change::Escape => {
                let old = draft.fields.get(field).or(self.base.as_deref()).cloned();
                let text = escaped(old.as_ref().and_then(Value::as_str).unwrap_or_default());
                self.write_raw(draft, field, &text)
            }
            Change::Reverse => {
                let length = draft.fields.len();
                draft.fields = std::mem::take(&mut draft.fields).into_iter().rev().collect();
                draft.key_position = length.saturating_sub(draft.key_position);
                (None, None)
            }
        }
    }

    fn write_raw(
        &self,
        draft: &mut Draft,
        field: &str,
        text: &str,
    ) -> (Option<Value>, Option<Value>) {
        let old = draft.fields.get(field).cloned();
        let mut stands_for = Value::Null;
        if field != self.layout.unique {
            stands_for = serde_json::from_str(text)
                .ok()
                .or_else(|| old.clone())
                .or_else(|| self.base.as_deref().cloned())
                .unwrap_or(Value::Null);
            draft.set_in(&self.layout, field, stands_for.clone());
        }
        draft.raw.retain(|r| r.field != field);
        draft.raw.push(RawField { field: field.to_owned(), text: text.to_owned(), stands_for });
        let length = text.chars().count();
        let excerpt: String = text.chars().take(EXCERPT).collect();
        let shown =
            if length > EXCERPT { format!("{excerpt}… ({length} characters)") } else { excerpt };
        (old, Some(Value::String(shown)))
    }

    /// Sets or takes away a value inside a field, which is put in first where the draft lacks it.
    fn nested(&self, draft: &mut Draft, field: &str, new: Option<&Value>) -> Option<Value> {
        let inside = self.pointer.get(1 + escape(field).len()..).unwrap_or_default();
        let (parent, key) = inside.rsplit_once('/').unwrap_or(("", inside));
        let reaches = |v: &Value| v.pointer(inside).is_some();
        if !draft.fields.get(field).is_some_and(reaches)
            && let Some(base) = &self.base
        {
            draft.set_in(&self.layout, field, Value::clone(base));
        }
        draft.raw.retain(|r| r.field != field);
        let key = unescape(key);
        match (draft.fields.get_mut(field)?.pointer_mut(parent)?, new) {
            (Value::Object(map), Some(value)) => map.insert(key, value.clone()),
            (Value::Object(map), None) => map.shift_remove(&key),
            (Value::Array(list), Some(value)) => {
                let place = list.get_mut(key.parse::<usize>().ok()?)?;
                Some(std::mem::replace(place, value.clone()))
            }
            _ => None,
        }
    }
}

/// A JSON string that is nothing but escapes.
fn escaped(text: &str) -> String {
    // Hexadecimal digits may be of either case (RFC 8259, section 7).
    let units = text.encode_utf16().enumerate().map(|(nth, unit)| {
        if nth % 2 == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") }
    });
    format!("\"{}\"", units.collect::<String>())
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn shown(shape: &KeyShape) -> Option<Value> {
    match shape {
        KeyShape::Absent => None,
        KeyShape::Fixed(value) => Some(value.clone()),
        KeyShape::Plain | KeyShape::FreshInteger => Some(Value::from(KEY_PLACEHOLDER)),
        KeyShape::Decorated { before, after } => {
            Some(Value::String(format!("{before}{KEY_PLACEHOLDER}{after}")))
        }
        KeyShape::Padded { length, with } => Some(Value::String(format!(
            "{KEY_PLACEHOLDER}, filled up with {with:?} to {length} code points"
        ))),
    }
}

/// What is mutated.
enum Subject<'a> {
    /// Items of a contract; with an everyday one of each kind with every optional field, on which mutations are tried out.
    Items(&'a GeneratorCore, Vec<Draft>),
    /// Values of a schema; with such a value.
    Values(SchemaSubject<'a>, Value),
}

/// A schema whose values are mutated, and what is needed for that.
#[derive(Clone, Copy)]
pub(super) struct SchemaSubject<'a> {
    /// The document that it stands in.
    pub document: &'a SchemaDocument,
    /// The schema.
    pub schema: &'a Value,
    /// Says whether a value breaks it, and where.
    pub judge: &'a Validator,
    /// The figures that interpretations name.
    pub limits: &'a Limits,
}

/// Everything that mutations are derived from, and those derived so far.
struct Catalogue<'a> {
    subject: Subject<'a>,
    layout: Arc<FieldOrder>,
    sites: Vec<SchemaSite>,
    derived: Vec<(&'static str, Vec<Mutation>)>,
}

/// All mutations of a contract, by name.
pub(super) fn catalogue(core: &GeneratorCore) -> Vec<(&'static str, Vec<Mutation>)> {
    let full = |kind| {
        let mut random = super::random::Random::new(0);
        let (style, with) = (super::ValueStyle::Plain, OptionalFields::All);
        core.plan.draw_of(kind, &core.contract, &mut random, style, with)
    };
    let kinds = core.contract.kinds().len();
    let full =
        if kinds == 0 { vec![full(None)] } else { (0..kinds).map(|n| full(Some(n))).collect() };
    let mut catalogue = Catalogue {
        subject: Subject::Items(core, full),
        layout: Arc::new(FieldOrder::of(&core.contract)),
        sites: site::gather(core),
        derived: NAMES.iter().map(|(name, _)| (*name, Vec::new())).collect(),
    };
    presence::derive(&mut catalogue);
    types::derive(&mut catalogue);
    lengths::derive(&mut catalogue);
    values::derive(&mut catalogue);
    instants::derive(&mut catalogue);
    numbers::derive(&mut catalogue);
    strings::derive(&mut catalogue);
    catalogue.derived
}

/// All mutations that break a schema, tried out on the fullest value of it.
pub(super) fn of_schema(subject: SchemaSubject<'_>, full: Value) -> Vec<Mutation> {
    let mut catalogue = Catalogue {
        layout: Arc::new(FieldOrder::none()),
        sites: site::gather_values(subject.document, subject.schema, &full),
        subject: Subject::Values(subject, full),
        derived: NAMES.iter().map(|(name, _)| (*name, Vec::new())).collect(),
    };
    presence::derive_nested(&mut catalogue);
    types::derive(&mut catalogue);
    lengths::derive(&mut catalogue);
    values::derive(&mut catalogue);
    instants::derive(&mut catalogue);
    catalogue.derived.into_iter().flat_map(|(_, list)| list).collect()
}

impl<'a> Catalogue<'a> {
    /// The figures that interpretations name.
    fn limits(&self) -> &'a Limits {
        match &self.subject {
            Subject::Items(core, _) => &core.contract.batch.limits,
            Subject::Values(subject, _) => subject.limits,
        }
    }

    fn compiler(&self) -> Compiler<'a> {
        match &self.subject {
            Subject::Items(core, _) => Compiler::new(&core.contract),
            Subject::Values(subject, _) => Compiler::of_document(subject.document, subject.limits),
        }
    }

    /// Adds a change at a site, where it keeps what its name promises.
    fn add(
        &mut self,
        name: &'static str,
        site: &SchemaSite,
        keyword: &str,
        class: &str,
        value: Value,
    ) {
        let change =
            if site.unique { Change::Number(KeyShape::Fixed(value)) } else { Change::Set(value) };
        self.add_change(name, site, keyword, class, change);
    }

    fn add_change(
        &mut self,
        name: &'static str,
        site: &SchemaSite,
        keyword: &str,
        class: &str,
        change: Change,
    ) {
        let fixed = site.known && !matches!(change, Change::Remove | Change::Escape);
        self.push(name, fixed, site.pointer.clone(), keyword, class, change, site.base.clone());
    }

    /// Adds a change to the item as a whole.
    fn add_item(
        &mut self,
        name: &'static str,
        pointer: &str,
        keyword: &str,
        class: &str,
        change: Change,
    ) {
        self.push(name, false, pointer.to_owned(), keyword, class, change, None);
    }

    #[expect(clippy::too_many_arguments, reason = "private, and called from the two methods above")]
    fn push(
        &mut self,
        name: &'static str,
        fixed: bool,
        pointer: String,
        keyword: &str,
        class: &str,
        change: Change,
        base: Option<Arc<Value>>,
    ) {
        let mutation = Mutation {
            name,
            pointer,
            keyword: keyword.to_owned(),
            class: class.to_owned(),
            change,
            base,
            layout: self.layout.clone(),
        };
        let kept = match &self.subject {
            Subject::Items(core, full) => full
                .iter()
                .enumerate()
                .all(|(kind, full)| keeps_promise(core, (kind, full), &mutation, fixed)),
            Subject::Values(subject, full) => {
                mutation.promise() == Promise::Refuse
                    && mutation
                        .changed(full)
                        .is_some_and(|value| breaks(subject.judge, &mutation, &value))
            }
        };
        if kept && let Some((_, list)) = self.derived.iter_mut().find(|(n, _)| *n == name) {
            list.push(mutation);
        }
    }
}

/// Whether the mutated keyword is among those that a value breaks, where it was mutated.
fn breaks(judge: &Validator, mutation: &Mutation, value: &Value) -> bool {
    judge.iter_errors(value).any(|error| {
        let pointer = error.instance_path().to_string();
        let parent = mutation.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let missing = mutation.keyword == "required" && pointer == parent;
        error.kind().keyword() == mutation.keyword && (missing || pointer == mutation.pointer)
    })
}

/// Whether the schema agrees with the promise: a keyword beside the mutated one may forbid what was meant
/// to be valid, or allow what was meant to break it. What the target need not know can't be promised.
fn keeps_promise(
    core: &GeneratorCore,
    (kind, full): (usize, &Draft),
    mutation: &Mutation,
    fixed: bool,
) -> bool {
    let mut draft = full.clone();
    mutation.apply(&mut draft);
    let item = draft.with_key(&core.contract, specimen(&draft.key));
    let valid = core.contract.item_validator().is_valid(&item);
    match mutation.promise() {
        Promise::Accept => valid && !fixed,
        // Two faults come from interpretations; the schema need not know of them.
        Promise::Refuse if matches!(mutation.name, "unique-too-long" | "doubtful-instant") => true,
        Promise::Refuse => {
            // With alternatives, the whole schema says only that none of them fits.
            let of_kind = core.contract.kinds().get(kind).map(|(_, judge)| judge);
            let judge = of_kind.unwrap_or(core.contract.item_validator());
            !valid && breaks(judge, mutation, &item)
        }
        Promise::Open => {
            draft.needs_text()
                || core.contract.item_validity(&item).expected_outcome()
                    == ExpectedOutcome::NotJudged
        }
    }
}
