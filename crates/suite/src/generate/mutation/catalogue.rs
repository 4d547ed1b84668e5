//! The catalogue: all mutations of a contract or a schema, those kept that do what their name promises.

use crate::contract::shape::{ItemForm, MapKey};
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;

use super::site::{self, SchemaSite};
use super::{
    Change, Mutation, NAMES, Promise, instants, lengths, numbers, presence, strings, types, values,
};
use crate::contract::validity::ExpectedOutcome;
use crate::contract::{Limits, SchemaDocument};
use crate::generate::draft::{Draft, FieldOrder, KeyShape};
use crate::generate::item::specimen;
use crate::generate::plan::Compiler;
use crate::generate::{GeneratorCore, OptionalFields, ValueStyle, random};

/// What is mutated.
pub(super) enum Subject<'a> {
    /// Items of a contract; with an everyday one of each kind with every optional field, on which mutations are tried out.
    Items(&'a GeneratorCore, Vec<Draft>),
    /// Values of a schema; with such a value.
    Values(SchemaSubject<'a>, Value),
}

/// A schema whose values are mutated, and what is needed for that.
#[derive(Clone, Copy)]
pub(in crate::generate) struct SchemaSubject<'a> {
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
pub(super) struct Catalogue<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) layout: Arc<FieldOrder>,
    pub(super) sites: Vec<SchemaSite>,
    pub(super) derived: Vec<(&'static str, Vec<Mutation>)>,
}

/// All mutations of a contract, by name.
pub(in crate::generate) fn catalogue(core: &GeneratorCore) -> Vec<(&'static str, Vec<Mutation>)> {
    let full = |kind| {
        let mut random = random::Random::new(0);
        let (style, with) = (ValueStyle::Plain, OptionalFields::All);
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
pub(in crate::generate) fn of_schema(subject: SchemaSubject<'_>, full: Value) -> Vec<Mutation> {
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
    pub(super) fn limits(&self) -> &'a Limits {
        match &self.subject {
            Subject::Items(core, _) => &core.contract.batch.limits,
            Subject::Values(subject, _) => subject.limits,
        }
    }

    pub(super) fn compiler(&self) -> Compiler<'a> {
        match &self.subject {
            Subject::Items(core, _) => Compiler::new(&core.contract),
            Subject::Values(subject, _) => Compiler::of_document(subject.document, subject.limits),
        }
    }

    /// Adds a change at a site, where it keeps what its name promises.
    pub(super) fn add(
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

    pub(super) fn add_change(
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
    pub(super) fn add_item(
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
    let form = core.contract.shape.as_ref().map(|shape| &shape.form);
    if let Some(MapKey::Field(name)) = form.and_then(ItemForm::map_key)
        && item.is_object()
        && !item.get(name).is_some_and(Value::is_string)
    {
        // The key of a map is always there, and always a text.
        return false;
    }
    let valid = core.contract.item_validator().is_valid(&item);
    // What is accepted, or may be, uses the key: the same text would be used the next time.
    let field = mutation.pointer.get(1..).unwrap_or_default().replace("~1", "/");
    if core.contract.batch.further_key(&field).is_some()
        && mutation.promise() != Promise::Refuse
        && !matches!(mutation.change, Change::Remove)
    {
        return false;
    }
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
