//! The plan for one field of an item: whether it is sent, and from where it takes its values.
//!
//! It must not know other fields.

use std::sync::OnceLock;

use serde_json::Value;

use crate::contract::profile::KnownValues;
use crate::contract::validity::escape;
use crate::contract::{Contract, Field, FileError, Profile, Sample};
use crate::generate::plan::pattern::Pattern;
use crate::generate::plan::texts::Lengths;
use crate::generate::plan::{Compiler, PlanKind, ValuePlan, numbers};
use crate::generate::random::Random;
use crate::generate::value_writer::ValueWriter;
use crate::generate::{OptionalFields, ValueStyle, unusual};

/// The plan for one field.
#[derive(Debug)]
pub struct FieldPlan {
    /// Its name.
    pub name: String,
    /// Its name as JSON, with the comma before it and the colon.
    pub label: String,
    /// Its position among the fields that results repeat.
    pub echo: Option<usize>,
    /// Whether it is a unique key beside the first one, so that a key is made for it.
    pub further: bool,
    /// Whether every item has it.
    pub always: bool,
    /// Never sent to this target.
    pub omitted: bool,
    /// Whether its numbers may be written with an exponent; many services read whole numbers without.
    pub exponents: bool,
    /// Everyday values.
    pub plain: ValuePlan,
    /// Whatever the schema allows; none where everyday values are all that the target knows.
    pub wide: Option<ValuePlan>,
    /// How long an unusual string here may be, where results repeat it and any string is allowed.
    pub unusual: Option<Lengths>,
}

impl FieldPlan {
    /// Whether this item has the field.
    pub fn is_drawn(&self, random: &mut Random, with: OptionalFields<'_>) -> bool {
        self.always
            || !self.omitted
                && match with {
                    OptionalFields::All => true,
                    OptionalFields::None => false,
                    OptionalFields::Only(name) => name == self.name,
                    OptionalFields::Drawn => random.chance(2, 3),
                }
    }

    /// Compiles what schema, samples and profile say of `field`.
    pub fn new(
        contract: &Contract,
        compiler: &Compiler<'_>,
        field: &Field,
        profile: &Profile,
    ) -> Result<FieldPlan, FileError> {
        let pointer = format!("{}/properties/{}", contract.item_pointer(), escape(&field.name));
        let demanded =
            contract.demanded.contains(&field.name) || profile.required.contains(&field.name);
        let known = known_values(compiler, field, profile)?;
        let by_sample = sample(contract, compiler, field);
        let by_schema = compiler.plan(&pointer, &field.schema);
        let is_known = known.is_some();
        // What names something the target must know may vary only as far as results show that it does.
        let may_vary = !is_known && (!field.reference || field.echoed);
        let (plain, wide) = match (known, by_sample, by_schema) {
            (Some(known), _, _) => (known, None),
            (None, Some(sample), schema) => (sample, schema.ok().filter(|_| may_vary)),
            (None, None, Ok(schema)) => {
                let wide = may_vary.then(|| schema.clone());
                (with_examples(compiler, field, schema), wide)
            }
            (None, None, Err(problem)) => return Err(problem),
        };
        let unusual = wide.as_ref().filter(|_| field.echoed).and_then(|wide| match wide.kind {
            PlanKind::Text(lengths) if wide.held.is_none() => Some(lengths),
            _ => None,
        });
        Ok(FieldPlan {
            name: field.name.clone(),
            label: label(&field.name),
            echo: contract.batch.echo.iter().position(|name| *name == field.name),
            further: contract.batch.further_key(&field.name).is_some(),
            always: field.required || demanded && !profile.omit.contains(&field.name),
            omitted: !field.required && profile.omit.contains(&field.name),
            exponents: field.kind() == Some("number"),
            plain,
            wide,
            unusual,
        })
    }

    /// Draws a value into `writer`.
    pub fn draw(&self, random: &mut Random, style: ValueStyle, writer: &mut impl ValueWriter) {
        match (style, &self.wide, self.unusual) {
            (ValueStyle::Boundary, Some(wide), _) if random.chance(2, 3) => {
                wide.draw_into(random, true, writer);
            }
            (ValueStyle::Unusual, _, Some(lengths)) if random.chance(3, 4) => {
                let longest = if random.chance(1, 16) { 255 } else { 40 };
                let mut text = unusual::draw(random, lengths.max.min(longest));
                while text.chars().count() < lengths.min {
                    text.push('x');
                }
                writer.value(Value::String(text));
            }
            _ => self.plain.draw_into(random, false, writer),
        }
    }
}

/// A name as JSON, with the comma before it and the colon.
pub(super) fn label(name: &str) -> String {
    format!(",{}:", Value::from(name))
}

/// What the profile says of a field, where it says something.
fn known_values(
    compiler: &Compiler<'_>,
    field: &Field,
    profile: &Profile,
) -> Result<Option<ValuePlan>, FileError> {
    let Some(known) = profile.values.get(&field.name) else { return Ok(None) };
    let unusable = |found: String| {
        FileError::new("the profile", found)
            .pointer(format!("/values/{}", field.name))
            .expected("values that satisfy the field's schema")
    };
    let plan = match known {
        KnownValues::List(values) => {
            let fitting: Vec<Value> = values
                .iter()
                .filter(|v| {
                    let single = ValuePlan::exact(PlanKind::Choice(vec![(*v).clone()]));
                    compiler.try_out(&single, &field.schema).is_ok()
                })
                .cloned()
                .collect();
            if fitting.is_empty() {
                return Err(unusable(format!("no value of `{}` is valid", field.name)));
            }
            ValuePlan::exact(PlanKind::Choice(fitting))
        }
        KnownValues::Range { min, max } => within(compiler, field, *min, *max)
            .ok_or_else(|| unusable(format!("`{}` can't lie from {min} to {max}", field.name)))?,
    };
    Ok(Some(plan))
}

/// Everyday values of a field: half of them the examples of its schema, where it has some that are valid.
fn with_examples(compiler: &Compiler<'_>, field: &Field, schema: ValuePlan) -> ValuePlan {
    let one = ["example"].iter().filter_map(|keyword| field.schema.get(*keyword));
    let many = field.schema.get("examples").and_then(Value::as_array).into_iter().flatten();
    let fits = |value: &&Value| {
        let single = ValuePlan::exact(PlanKind::Choice(vec![(*value).clone()]));
        !value.is_null() && compiler.try_out(&single, &field.schema).is_ok()
    };
    let values: Vec<Value> = one.chain(many).filter(fits).cloned().collect();
    if values.is_empty() {
        return schema;
    }
    ValuePlan::exact(PlanKind::Either(vec![ValuePlan::exact(PlanKind::Choice(values)), schema]))
}

/// The contract's sample for a field, where it fits the schema.
fn sample(contract: &Contract, compiler: &Compiler<'_>, field: &Field) -> Option<ValuePlan> {
    let plan = match contract.batch.samples.get(&field.name)? {
        Sample::OneOf(values) => {
            let fits = |v: &Value| {
                compiler
                    .try_out(&ValuePlan::exact(PlanKind::Choice(vec![v.clone()])), &field.schema)
                    .is_ok()
            };
            let fitting: Vec<Value> = values.iter().filter(|v| fits(v)).cloned().collect();
            if fitting.is_empty() {
                return None;
            }
            ValuePlan::exact(PlanKind::Choice(fitting))
        }
        Sample::Pattern(text) => ValuePlan::exact(Pattern::compile(text)?.into()),
        Sample::Amount { min, max } => within(compiler, field, *min, *max)?,
    };
    compiler.try_out(&plan, &field.schema).is_ok().then_some(plan)
}

/// Numbers of a field from `min` to `max`, as far as the schema allows them.
fn within(compiler: &Compiler<'_>, field: &Field, min: f64, max: f64) -> Option<ValuePlan> {
    let mut plan = compiler.plan("", &field.schema).ok()?;
    let PlanKind::Numbers(known) = &mut plan.kind else { return None };
    let (low, high) = (known.low.max(min), known.high.min(max));
    if low > high {
        return None;
    }
    *known = numbers::NumberRange {
        above: known.above && low <= known.low,
        below: known.below && high >= known.high,
        low,
        high,
        fraction: known.fraction.min(2),
        everyday: OnceLock::new(),
        ..known.clone()
    };
    compiler.try_out(&plan, &field.schema).is_ok().then_some(plan)
}
