//! The compiler from JSON Schema to plans.
//!
//! Whatever it can't build exactly it draws near, and leaves the last word to the validator; a schema that
//! can't be met at all is reported when the plan is made, never while a run is under way.

mod containers;

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::guess;
use super::numbers::NumberRange;
use super::pattern::Pattern;
use super::texts::{Lengths, of_format};
use super::{PlanKind, ValuePlan};
use crate::contract::schema::{FlatSchema, flatten};
use crate::contract::{Contract, FileError, Limits, SchemaDocument};
use crate::generate::random::Random;

/// Nested schemas deeper than this are cut off.
const DEPTH: usize = 24;
/// References in a row.
const REFERENCES: usize = 64;
/// How much of a schema is followed, each less than the one before: the first that keeps within its parts is
/// taken. Schemas that refer to each other multiply with every level.
const EXTENTS: [Extent; 8] = [
    Extent { recursion: 2, optional: DEPTH, parts: 200 },
    Extent { recursion: 1, optional: DEPTH, parts: 200 },
    Extent { recursion: 1, optional: 6, parts: 200 },
    Extent { recursion: 1, optional: 4, parts: 200 },
    Extent { recursion: 1, optional: 3, parts: 200 },
    Extent { recursion: 1, optional: 2, parts: 200 },
    Extent { recursion: 1, optional: 1, parts: 200 },
    Extent { recursion: 1, optional: 0, parts: 5_000 },
];
/// Elements that `contains` may ask for.
const MOST_CONTAINED: usize = 1000;
/// Draws with which a plan is tried out.
const PROBES: u64 = 48;

/// Compiles schemas of one document.
pub(in crate::generate) struct Compiler<'a> {
    document: &'a SchemaDocument,
    limits: &'a Limits,
    /// Who has the last word about whole values, where that is not the schema as it is compiled here.
    judge: Option<Arc<Validator>>,
    extent: Cell<Extent>,
    /// Parts that the plan under way may still have.
    left: Cell<usize>,
}

/// How far a schema is followed; what is optional beyond it is left out of what is generated.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// How often a reference may be entered inside itself.
    recursion: usize,
    /// Levels below which optional properties are left out.
    optional: usize,
    /// Parts that the plan may have.
    parts: usize,
}

/// Where the compiler stands.
#[derive(Clone)]
struct Place {
    pointer: String,
    references: Vec<String>,
    depth: usize,
}

impl Place {
    fn inside(&self, step: &str, flat: &FlatSchema) -> Place {
        let mut references = self.references.clone();
        references.extend(flat.references.iter().cloned());
        Place { pointer: format!("{}/{step}", self.pointer), references, depth: self.depth + 1 }
    }

    /// Whether the schema has been entered so often that it must end here.
    fn exhausted(&self, flat: &FlatSchema, recursion: usize) -> bool {
        let entered = |r: &String| self.references.iter().filter(|x| *x == r).count();
        self.depth > DEPTH || flat.references.iter().any(|r| entered(r) >= recursion)
    }
}

/// Why a schema gives no plan.
enum CompileStop {
    /// Its references go in a circle: what is optional around it is left out.
    Circle,
    /// The plan has more parts than its extent allows.
    TooLarge,
    /// Nothing satisfies it, as far as the compiler can see.
    Unusable(Box<FileError>),
}

impl<'a> Compiler<'a> {
    /// A compiler for schemas of `contract`.
    pub fn new(contract: &'a Contract) -> Compiler<'a> {
        Compiler::of_document(&contract.operation.document, &contract.batch.limits)
    }

    /// A compiler for schemas of any document.
    pub fn of_document(document: &'a SchemaDocument, limits: &'a Limits) -> Compiler<'a> {
        let (extent, left) = (Cell::new(EXTENTS[0]), Cell::new(EXTENTS[0].parts));
        Compiler { document, limits, judge: None, extent, left }
    }

    /// The same, with another judge of whole values.
    pub fn judged_by(mut self, judge: Option<Arc<Validator>>) -> Compiler<'a> {
        self.judge = judge;
        self
    }

    /// The plan for `schema`, tried out.
    pub fn plan(&self, pointer: &str, schema: &Value) -> Result<ValuePlan, FileError> {
        let place = Place { pointer: pointer.to_owned(), references: Vec::new(), depth: 0 };
        let within = |extent: &Extent| {
            self.extent.set(*extent);
            self.left.set(extent.parts);
            let plan = self.compile(schema, &place);
            // What was too large inside an optional part was left out, and is not the whole schema.
            if self.left.get() == 0 { Err(CompileStop::TooLarge) } else { plan }
        };
        let fits =
            |plan: &Result<ValuePlan, CompileStop>| !matches!(plan, Err(CompileStop::TooLarge));
        let plan = EXTENTS.iter().map(within).find(fits).unwrap_or(Err(CompileStop::TooLarge));
        let plan = match &self.judge {
            Some(judge) => self.judged(plan, schema, judge),
            None => plan,
        };
        let cannot = |pointer: &str, why: &str| self.cannot(pointer, why);
        let plan = plan.map_err(|stop| match stop {
            CompileStop::Unusable(problem) => *problem,
            CompileStop::Circle => cannot(pointer, "its required parts go in a circle"),
            CompileStop::TooLarge => cannot(pointer, "it has too many required parts"),
        })?;
        self.try_out(&plan, schema).map(|()| plan).map_err(|value| {
            let keyword = self.broken_keyword(schema, &value);
            cannot(
                &format!("{pointer}/{keyword}"),
                &format!("`{keyword}` is not obeyed by what is generated, such as {value}"),
            )
        })
    }

    /// Whether what `plan` draws satisfies `schema`; else a value that does not.
    pub fn try_out(&self, plan: &ValuePlan, schema: &Value) -> Result<(), Value> {
        let compiled = || self.document.compile_request(schema).ok().map(Arc::new);
        let Some(validator) = self.judge.clone().or_else(compiled) else { return Ok(()) };
        let mut random = Random::new(1);
        let mut drawn = (0..PROBES)
            .map(|n| plan.draw(&mut random, n % 2 == 1))
            .chain(std::iter::once_with(|| plan.simplest()));
        drawn.find(|v| !validator.is_valid(v)).map_or(Ok(()), Err)
    }

    /// The keyword of a schema that a value breaks.
    fn broken_keyword(&self, schema: &Value, value: &Value) -> String {
        let compiled = || self.document.compile_request(schema).ok().map(Arc::new);
        let validator = self.judge.clone().or_else(compiled);
        let first = validator.as_ref().and_then(|v| v.iter_errors(value).next());
        first.map(|error| error.kind().keyword().to_owned()).unwrap_or_default()
    }

    fn cannot(&self, pointer: &str, why: &str) -> FileError {
        of_problem(self.document.problem(pointer, why_not(why)))
    }

    fn compile(&self, schema: &Value, place: &Place) -> Result<ValuePlan, CompileStop> {
        let flat = flatten(self.document, schema, REFERENCES);
        if flat.never {
            return Err(CompileStop::because(self.cannot(&place.pointer, "nothing satisfies it")));
        }
        if place.exhausted(&flat, self.extent.get().recursion) {
            return Err(CompileStop::Circle);
        }
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            return Err(CompileStop::TooLarge);
        }
        let held = |exact: bool| {
            if exact && !flat.inexact {
                return Ok(None);
            }
            let compiled = self.document.compile_request(schema);
            Ok(Some(Arc::new(compiled.map_err(CompileStop::because)?)))
        };
        let stop = match self.kind(&flat, place) {
            Ok((kind, exact)) => {
                let plan = ValuePlan { kind, held: held(exact)? };
                let judge = plan.held.clone().filter(|judge| !draws(&plan, judge));
                let guessed = judge.and_then(|judge| self.guessed(schema, &judge));
                return Ok(guessed.unwrap_or(plan));
            }
            Err(stop) => stop,
        };
        let judge = match &stop {
            CompileStop::Unusable(_) => held(false).ok().flatten(),
            _ => None,
        };
        judge.and_then(|judge| self.guessed(schema, &judge)).ok_or(stop)
    }

    /// A plan of values that were guessed and found valid.
    fn guessed(&self, schema: &Value, judge: &Validator) -> Option<ValuePlan> {
        let values = guess::valid(self.document, schema, judge);
        (!values.is_empty()).then(|| ValuePlan::exact(PlanKind::Choice(values)))
    }

    /// The plan as far as another judge agrees, else what was guessed.
    fn judged(
        &self,
        plan: Result<ValuePlan, CompileStop>,
        schema: &Value,
        judge: &Arc<Validator>,
    ) -> Result<ValuePlan, CompileStop> {
        match plan {
            Ok(plan) if draws(&plan, judge) => {
                Ok(ValuePlan { kind: PlanKind::Either(vec![plan]), held: Some(Arc::clone(judge)) })
            }
            other => self.guessed(schema, judge).map_or(other, Ok),
        }
    }

    /// What to draw, and whether it is sure to satisfy the schema.
    fn kind(&self, flat: &FlatSchema, place: &Place) -> Result<(PlanKind, bool), CompileStop> {
        if let Some(value) = flat.keywords.get("const") {
            return Ok((PlanKind::Choice(vec![value.clone()]), false));
        }
        if let Some(values) = flat.list("enum") {
            let alone =
                flat.keywords.keys().all(|k| k == "enum" || k == "type" || k == "description");
            return self.choice(values, flat, place).map(|k| (k, alone));
        }
        if flat.keywords.contains_key("if") {
            return self.conditional(flat, place);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = flat.list(keyword) {
                return self.either(keyword, branches, flat, place);
            }
        }
        let types = flat.types();
        if types.len() > 1 {
            // Null where something else may stand is the matter of a mutation.
            let branches: Vec<Value> =
                types.iter().filter(|t| *t != "null").map(|t| json!({ "type": t })).collect();
            let (kind, _) = self.either("type", &branches, flat, place)?;
            return Ok((kind, true));
        }
        match types.first().map(String::as_str) {
            None => Ok((PlanKind::Text(self.lengths(flat)), true)),
            Some("string") => self.string(flat, place),
            Some("number") => Ok((self.numbers(flat, false), true)),
            Some("integer") => Ok((self.numbers(flat, true), true)),
            Some("boolean") => Ok((PlanKind::Boolean, true)),
            Some("null") => Ok((PlanKind::Choice(vec![Value::Null]), true)),
            Some("array") => self.list(flat, place),
            Some("object") => self.object(flat, place),
            Some(other) => Err(CompileStop::because(
                self.cannot(&place.pointer, &format!("`{other}` is not a type")),
            )),
        }
    }

    /// The values of an `enum` that the other keywords allow too.
    fn choice(
        &self,
        values: &[Value],
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<PlanKind, CompileStop> {
        let validator = self.document.compile_request(&Value::Object(flat.keywords.clone()));
        let validator = validator.map_err(CompileStop::because)?;
        let fitting: Vec<Value> =
            values.iter().filter(|v| validator.is_valid(v)).cloned().collect();
        if fitting.is_empty() {
            return Err(CompileStop::because(
                self.cannot(&place.pointer, "no value of its enum fits it"),
            ));
        }
        Ok(PlanKind::Choice(fitting))
    }

    /// One branch, merged with what stands beside it; the validator sees to it that no other fits too.
    fn either(
        &self,
        keyword: &str,
        branches: &[Value],
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<(PlanKind, bool), CompileStop> {
        let mut base = flat.keywords.clone();
        base.shift_remove(keyword);
        let branches = branches.iter().enumerate().map(|(index, branch)| {
            (format!("{keyword}/{index}"), json!({ "allOf": [base, branch] }))
        });
        self.one_of(branches, flat, place)
    }

    /// What meets the condition and what follows from it, or what stands for all others.
    fn conditional(
        &self,
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<(PlanKind, bool), CompileStop> {
        let mut base = flat.keywords.clone();
        let [test, then, otherwise] = ["if", "then", "else"]
            .map(|keyword| base.shift_remove(keyword).unwrap_or(Value::Bool(true)));
        let branches = [
            ("then".to_owned(), json!({ "allOf": [base, test, then] })),
            ("else".to_owned(), json!({ "allOf": [base, otherwise] })),
        ];
        self.one_of(branches.into_iter(), flat, place)
    }

    fn one_of(
        &self,
        branches: impl Iterator<Item = (String, Value)>,
        flat: &FlatSchema,
        place: &Place,
    ) -> Result<(PlanKind, bool), CompileStop> {
        let mut plans = Vec::new();
        let mut last = None;
        for (step, merged) in branches {
            match self.compile(&merged, &place.inside(&step, flat)) {
                Ok(plan) => plans.push(plan),
                Err(stop) => last = Some(stop),
            }
        }
        match (plans.is_empty(), last) {
            (false, _) => Ok((PlanKind::Either(plans), false)),
            (true, Some(stop)) => Err(stop),
            (true, None) => {
                Err(CompileStop::because(self.cannot(&place.pointer, "it has no branch")))
            }
        }
    }

    fn string(&self, flat: &FlatSchema, place: &Place) -> Result<(PlanKind, bool), CompileStop> {
        let bounded = flat.count("minLength").is_some() || flat.count("maxLength").is_some();
        if let Some(text) = flat.text("pattern") {
            if let Some(mut pattern) = Pattern::compile(text) {
                if bounded {
                    let lengths = self.lengths(flat);
                    pattern.stretch(lengths.min, flat.count("maxLength").unwrap_or(usize::MAX));
                }
                return Ok((pattern.into(), false));
            }
            // Look-around and back-references can't be drawn from; examples can.
            let examples = ["example", "default"].iter().filter_map(|k| flat.keywords.get(*k));
            let many = flat.list("examples").unwrap_or_default();
            let values: Vec<Value> = examples.chain(many).cloned().collect();
            return self.choice(&values, flat, place).map(|k| (k, true)).map_err(|_| {
                CompileStop::because(
                    self.cannot(&place.pointer, &format!("the pattern {text} can't be drawn from"))
                        .hint(
                            "an `examples` beside the pattern, or `samples` in batch.yaml, helps",
                        ),
                )
            });
        }
        match flat.text("format") {
            Some("date-time") => {
                let digits = self.limits.instant_digits;
                return Ok((PlanKind::Instant(digits), !bounded));
            }
            Some(format) if of_format(format, &mut Random::new(0)).is_some() => {
                return Ok((PlanKind::Format(format.to_owned()), !bounded));
            }
            _ => {}
        }
        let lengths = self.lengths(flat);
        if lengths.min > lengths.max {
            return Err(CompileStop::because(
                self.cannot(&place.pointer, "minLength exceeds maxLength"),
            ));
        }
        Ok((PlanKind::Text(lengths), true))
    }

    fn lengths(&self, flat: &FlatSchema) -> Lengths {
        let min = flat.count("minLength").unwrap_or(0);
        let plain = self.limits.plain_string;
        Lengths { min, max: flat.count("maxLength").unwrap_or(plain.max(min)) }
    }

    /// Bounds are those of the schema within those of the interpretations: beyond them nothing is judged.
    fn numbers(&self, flat: &FlatSchema, whole: bool) -> PlanKind {
        let limits = self.limits;
        let most = limits.magnitude - 1.0;
        let stricter = |open: Option<f64>, closed: Option<f64>, lower: bool| match (open, closed) {
            (Some(o), Some(c)) if if lower { c > o } else { c < o } => (Some(c), false),
            (Some(o), _) => (Some(o), true),
            (None, c) => (c, false),
        };
        let (low, above) = stricter(flat.number("exclusiveMinimum"), flat.number("minimum"), true);
        let (high, below) =
            stricter(flat.number("exclusiveMaximum"), flat.number("maximum"), false);
        let low = low.unwrap_or(-most);
        let high = high.unwrap_or(most);
        // A schema that wants numbers beyond the interpretations' magnitude gets them.
        let (low, above) = if low < -most && high > -most { (-most, false) } else { (low, above) };
        let (high, below) = if high > most && low < most { (most, false) } else { (high, below) };
        PlanKind::Numbers(NumberRange {
            low,
            high,
            above,
            below,
            whole,
            step: flat.number("multipleOf").filter(|s| *s > 0.0),
            fraction: u32::try_from(limits.fraction_digits).unwrap_or(4).min(6),
            everyday: OnceLock::new(),
        })
    }
}

/// Whether a judge accepts some of what a plan draws.
fn draws(plan: &ValuePlan, judge: &Validator) -> bool {
    let mut random = Random::new(2);
    let once = |n: u64| {
        let mut value = Value::Null;
        plan.draw_once(&mut random, n % 2 == 1, &mut value);
        judge.is_valid(&value)
    };
    (0..PROBES).any(once)
}

impl CompileStop {
    fn because(problem: FileError) -> CompileStop {
        CompileStop::Unusable(Box::new(problem))
    }
}

/// Why no items can be generated from a schema.
pub(in crate::generate) fn cannot(file: &str, pointer: &str, why: &str) -> FileError {
    of_problem(FileError::new(file, why_not(why)).pointer(pointer))
}

fn why_not(why: &str) -> String {
    format!("no valid value can be drawn: {why}")
}

fn of_problem(problem: FileError) -> FileError {
    problem.expected("a schema that can be satisfied, or `samples` in batch.yaml that satisfy it")
}
