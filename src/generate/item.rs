//! The plan for a whole item: which fields are sent, and from where each takes its values.
//!
//! Joins schema, samples and profile; it must not know batches, shrinking or mutations.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::draft::{Draft, NumberShape, Raw};
use super::plan::numbers;
use super::plan::pattern::Pattern;
use super::plan::texts::Lengths;
use super::plan::{Compiler, Kind, Plan};
use super::random::Random;
use super::sink::{Bounds, Json, Sink};
use super::{Numbers, Optional, Place, Style, unusual};
use crate::contract::profile::KnownValues;
use crate::contract::{Contract, Field, Problem, Profile, Sample};

/// A number that stands in for a minted one wherever an item is tried out; as short as one may have to be.
pub(super) const SPECIMEN: &str = "bptest-000-0";
/// A minted number needs this much room.
const MINTED: usize = 40;
/// How often an item is drawn again where its schema ties fields to each other.
const TRIES: usize = 200;

/// The plan for items.
#[derive(Debug)]
pub(super) struct ItemPlan {
    /// All fields but the unique one, in document order.
    pub fields: Vec<FieldPlan>,
    /// How many of them stand before the unique one in the document.
    pub position: usize,
    /// What an everyday unique number looks like.
    pub plain_number: NumberShape,
    /// How long a unique number may be, where it is a string that can be decorated.
    pub number_length: Option<usize>,
    /// Whether the item schema ties fields to each other, so that whole items must be tried out.
    tied: bool,
    /// The unique field's name as JSON, with the comma before it and the colon.
    label: String,
    /// Its position among the fields that results repeat.
    echo: Option<usize>,
    bounds: Bounds,
}

/// The plan for one field.
#[derive(Debug)]
pub(super) struct FieldPlan {
    /// Its name.
    pub name: String,
    /// Its name as JSON, with the comma before it and the colon.
    label: String,
    /// Its position among the fields that results repeat.
    echo: Option<usize>,
    /// Whether every item has it.
    pub always: bool,
    /// Never sent to this target.
    pub omitted: bool,
    /// Whether its numbers may be written with an exponent; many services read whole numbers without.
    pub exponents: bool,
    /// Everyday values.
    pub plain: Plan,
    /// Whatever the schema allows; none where everyday values are all that the target knows.
    pub wide: Option<Plan>,
    /// How long an unusual string here may be, where results repeat it and any string is allowed.
    pub unusual: Option<Lengths>,
}

impl ItemPlan {
    /// Compiles the item schema, samples and profile.
    pub fn new(contract: &Contract, profile: &Profile) -> Result<ItemPlan, Problem> {
        let compiler = Compiler::new(contract);
        let unique = &contract.batch.unique;
        let mut fields = Vec::new();
        let mut position = 0;
        for field in contract.fields() {
            if &field.name == unique {
                position = fields.len();
            } else {
                fields.push(FieldPlan::new(contract, &compiler, field, profile)?);
            }
        }
        let (plain_number, number_length) = number_shape(contract);
        let tied = contract.item_schema().as_object().is_some_and(|schema| {
            schema.keys().any(|k| {
                !matches!(
                    k.as_str(),
                    "type"
                        | "properties"
                        | "required"
                        | "description"
                        | "title"
                        | "example"
                        | "examples"
                        | "additionalProperties"
                )
            })
        });
        let bounds = contract.fields().iter().filter_map(|f| f.result_max).min();
        Ok(ItemPlan {
            fields,
            position,
            plain_number,
            number_length,
            tied,
            label: label(unique),
            echo: contract.batch.echo.iter().position(|name| name == unique),
            bounds: Bounds::of(&contract.batch.limits, bounds.unwrap_or(usize::MAX)),
        })
    }

    /// Draws an item.
    pub fn draw(
        &self,
        contract: &Contract,
        random: &mut Random,
        style: Style,
        with: Optional<'_>,
    ) -> Draft {
        let mut draft = self.draw_once(random, style, with);
        if self.tied {
            for _ in 0..TRIES {
                if fits(contract, &draft) {
                    break;
                }
                draft = self.draw_once(random, style, with);
            }
        }
        draft
    }

    fn draw_once(&self, random: &mut Random, style: Style, with: Optional<'_>) -> Draft {
        let mut fields = Map::with_capacity(self.fields.len() + 1);
        let mut position = 0;
        let mut raw = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            if index == self.position {
                position = fields.len();
            }
            if !field.is_drawn(random, with) {
                continue;
            }
            let mut value = Value::Null;
            field.draw(random, style, &mut value);
            if field.exponents
                && matches!(style, Style::Boundary)
                && let Some(text) = exponent(&value, random)
            {
                raw.push(Raw { field: field.name.clone(), text, stands_for: value.clone() });
            }
            fields.insert(field.name.clone(), value);
        }
        if self.position >= self.fields.len() {
            position = fields.len();
        }
        let number = self.number(random, style);
        Draft { fields, number, position, replaced: None, raw }
    }

    /// Draws an item as [`ItemPlan::draw`] does, and appends it as JSON text with a number of `numbers`;
    /// `places` then holds where each echoed value stands in `out`. Says whether all of it is beyond doubt.
    pub fn write(
        &self,
        contract: &Contract,
        random: &mut Random,
        style: Style,
        numbers: &mut Numbers,
        (out, places): (&mut String, &mut [Place]),
    ) -> bool {
        let text = matches!(self.plain_number, NumberShape::Plain);
        if self.tied || !text {
            let draft = self.draw(contract, random, style, Optional::Drawn);
            let number = numbers.shaped(&draft.number);
            out.push_str(&draft.text(contract, number.as_ref()));
            return false;
        }
        // Only everyday numbers have a shape that needs no draw: others are put in once all fields stand.
        let early = matches!(style, Style::Plain);
        let mut late = None;
        let mut sink = Json { out, bounds: &self.bounds, certain: true };
        sink.out.push('{');
        let start = sink.out.len();
        for (index, field) in self.fields.iter().enumerate() {
            if index == self.position {
                if early {
                    self.write_number(&mut sink, start, &self.plain_number, numbers, places);
                } else {
                    late = Some(sink.out.len());
                }
            }
            if !field.is_drawn(random, Optional::Drawn) {
                continue;
            }
            let first = usize::from(sink.out.len() == start);
            sink.out.push_str(&field.label[first..]);
            let from = sink.out.len();
            field.draw(random, style, &mut sink);
            if field.exponents && matches!(style, Style::Boundary) {
                let value: Option<Value> = serde_json::from_str(&sink.out[from..]).ok();
                if let Some(text) = value.and_then(|v| exponent(&v, random)) {
                    sink.out.truncate(from);
                    sink.out.push_str(&text);
                }
            }
            if let Some(place) = field.echo.and_then(|echo| places.get_mut(echo)) {
                *place = (from, sink.out.len());
            }
        }
        if early {
            if self.position >= self.fields.len() {
                self.write_number(&mut sink, start, &self.plain_number, numbers, places);
            }
        } else {
            let shape = self.number(random, style);
            let at = late.unwrap_or(sink.out.len());
            let rest = sink.out.split_off(at);
            self.write_number(&mut sink, start, &shape, numbers, places);
            if !rest.is_empty() {
                let comma = at == start;
                if comma {
                    sink.out.push(',');
                }
                let moved = sink.out.len() - at;
                sink.out.push_str(&rest);
                for (echo, place) in places.iter_mut().enumerate() {
                    if Some(echo) != self.echo && place.0 >= at {
                        *place = (place.0 + moved, place.1 + moved);
                    }
                }
            }
        }
        sink.out.push('}');
        sink.certain
    }

    fn write_number(
        &self,
        sink: &mut Json<'_>,
        start: usize,
        shape: &NumberShape,
        numbers: &mut Numbers,
        places: &mut [Place],
    ) {
        let first = usize::from(sink.out.len() == start);
        sink.out.push_str(&self.label[first..]);
        let from = sink.out.len();
        match shape {
            NumberShape::Plain => sink.text(numbers.are_plain(), |out| numbers.push(out)),
            other => sink.value(numbers.shaped(other).unwrap_or(Value::Null)),
        }
        if let Some(place) = self.echo.and_then(|echo| places.get_mut(echo)) {
            *place = (from, sink.out.len());
        }
    }

    fn number(&self, random: &mut Random, style: Style) -> NumberShape {
        let Some(longest) = self.number_length.filter(|l| *l >= MINTED) else {
            return self.plain_number.clone();
        };
        match style {
            Style::Boundary if random.chance(1, 4) => {
                let length =
                    if random.chance(1, 2) { longest } else { random.between(MINTED, longest) };
                NumberShape::Padded { length, with: 'x' }
            }
            Style::Unusual => {
                let room = (longest - MINTED).min(48) / 2;
                let before = unusual::draw(random, room);
                let after = unusual::draw(random, room);
                match random.below(4) {
                    0 => NumberShape::Decorated { before, after: String::new() },
                    1 => NumberShape::Decorated { before: String::new(), after },
                    _ => NumberShape::Decorated { before, after },
                }
            }
            _ => self.plain_number.clone(),
        }
    }
}

impl FieldPlan {
    fn is_drawn(&self, random: &mut Random, with: Optional<'_>) -> bool {
        self.always
            || !self.omitted
                && match with {
                    Optional::All => true,
                    Optional::None => false,
                    Optional::Only(name) => name == self.name,
                    Optional::Drawn => random.chance(2, 3),
                }
    }

    fn new(
        contract: &Contract,
        compiler: &Compiler<'_>,
        field: &Field,
        profile: &Profile,
    ) -> Result<FieldPlan, Problem> {
        let pointer = format!("/properties/{}", field.name);
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
                (schema, wide)
            }
            (None, None, Err(problem)) => return Err(problem),
        };
        let unusual = wide.as_ref().filter(|_| field.echoed).and_then(|wide| match wide.kind {
            Kind::Text(lengths) if wide.held.is_none() => Some(lengths),
            _ => None,
        });
        Ok(FieldPlan {
            name: field.name.clone(),
            label: label(&field.name),
            echo: contract.batch.echo.iter().position(|name| *name == field.name),
            always: field.required || demanded && !profile.omit.contains(&field.name),
            omitted: !field.required && profile.omit.contains(&field.name),
            exponents: field.kind() == Some("number"),
            plain,
            wide,
            unusual,
        })
    }

    fn draw(&self, random: &mut Random, style: Style, sink: &mut impl Sink) {
        match (style, &self.wide, self.unusual) {
            (Style::Boundary, Some(wide), _) if random.chance(2, 3) => {
                wide.draw_into(random, true, sink);
            }
            (Style::Unusual, _, Some(lengths)) if random.chance(3, 4) => {
                let longest = if random.chance(1, 16) { 255 } else { 40 };
                let mut text = unusual::draw(random, lengths.max.min(longest));
                while text.chars().count() < lengths.min {
                    text.push('x');
                }
                sink.value(Value::String(text));
            }
            _ => self.plain.draw_into(random, false, sink),
        }
    }
}

/// A name as JSON, with the comma before it and the colon.
fn label(name: &str) -> String {
    format!(",{}:", Value::from(name))
}

/// What the profile says of a field, where it says something.
fn known_values(
    compiler: &Compiler<'_>,
    field: &Field,
    profile: &Profile,
) -> Result<Option<Plan>, Problem> {
    let Some(known) = profile.values.get(&field.name) else { return Ok(None) };
    let unusable = |found: String| {
        Problem::new("the profile", found)
            .pointer(format!("/values/{}", field.name))
            .expected("values that satisfy the field's schema")
    };
    let plan = match known {
        KnownValues::List(values) => {
            let fitting: Vec<Value> = values
                .iter()
                .filter(|v| {
                    let single = Plan::exact(Kind::Choice(vec![(*v).clone()]));
                    compiler.try_out(&single, &field.schema).is_ok()
                })
                .cloned()
                .collect();
            if fitting.is_empty() {
                return Err(unusable(format!("no value of `{}` is valid", field.name)));
            }
            Plan::exact(Kind::Choice(fitting))
        }
        KnownValues::Range { min, max } => within(compiler, field, *min, *max)
            .ok_or_else(|| unusable(format!("`{}` can't lie from {min} to {max}", field.name)))?,
    };
    Ok(Some(plan))
}

/// The contract's sample for a field, where it fits the schema.
fn sample(contract: &Contract, compiler: &Compiler<'_>, field: &Field) -> Option<Plan> {
    let plan = match contract.batch.samples.get(&field.name)? {
        Sample::OneOf(values) => {
            let fits = |v: &Value| {
                compiler.try_out(&Plan::exact(Kind::Choice(vec![v.clone()])), &field.schema).is_ok()
            };
            let fitting: Vec<Value> = values.iter().filter(|v| fits(v)).cloned().collect();
            if fitting.is_empty() {
                return None;
            }
            Plan::exact(Kind::Choice(fitting))
        }
        Sample::Pattern(text) => Plan::exact(Pattern::compile(text)?.into()),
        Sample::Amount { min, max } => within(compiler, field, *min, *max)?,
    };
    compiler.try_out(&plan, &field.schema).is_ok().then_some(plan)
}

/// Numbers of a field from `min` to `max`, as far as the schema allows them.
fn within(compiler: &Compiler<'_>, field: &Field, min: f64, max: f64) -> Option<Plan> {
    let mut plan = compiler.plan("", &field.schema).ok()?;
    let Kind::Numbers(known) = &mut plan.kind else { return None };
    let (low, high) = (known.low.max(min), known.high.min(max));
    if low > high {
        return None;
    }
    *known = numbers::Numbers {
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

/// What an everyday number of this contract is, and how long it may be where it is plain text.
fn number_shape(contract: &Contract) -> (NumberShape, Option<usize>) {
    let Some(field) = contract.field(&contract.batch.unique) else {
        return (NumberShape::Plain, None);
    };
    if matches!(field.kind(), Some("integer" | "number")) {
        return (NumberShape::FreshInteger, None);
    }
    let bound = |schema: &Value| schema.get("maxLength").and_then(Value::as_u64);
    let own = bound(&field.schema).and_then(|n| usize::try_from(n).ok());
    let form = ["pattern", "format", "enum", "const"].iter().any(|k| field.schema.get(k).is_some());
    let longest = [own, field.result_max, Some(contract.batch.limits.plain_string)];
    let longest = longest.into_iter().flatten().min();
    (NumberShape::Plain, longest.filter(|_| !form))
}

/// Whether the item schema accepts a draft.
pub(super) fn fits(contract: &Contract, draft: &Draft) -> bool {
    contract.item_validator().is_valid(&draft.with_number(contract, specimen(&draft.number)))
}

/// A value of that shape for trying an item out; not unique.
pub(super) fn specimen(shape: &NumberShape) -> Option<Value> {
    match shape {
        NumberShape::Plain => Some(Value::from(SPECIMEN)),
        NumberShape::Decorated { before, after } => {
            Some(Value::String(format!("{before}{SPECIMEN}{after}")))
        }
        NumberShape::Padded { length, with } => {
            let missing = length.saturating_sub(SPECIMEN.len());
            let mut text = SPECIMEN.to_owned();
            text.extend(std::iter::repeat_n(*with, missing));
            Some(Value::String(text))
        }
        NumberShape::Fixed(value) => Some(value.clone()),
        NumberShape::FreshInteger => Some(Value::from(12_345_678_901_234_u64)),
        NumberShape::Absent => None,
    }
}

/// The same number in exponent notation, now and then.
fn exponent(value: &Value, random: &mut Random) -> Option<String> {
    let whole = value.as_i64().filter(|n| *n != 0)?;
    if !random.chance(1, 3) {
        return None;
    }
    let mut mantissa = whole;
    let mut power = 0;
    while mantissa % 10 == 0 {
        mantissa /= 10;
        power += 1;
    }
    let sign = ["e", "E", "e+", "E+"].get(random.index(4)).copied().unwrap_or("e");
    Some(format!("{mantissa}{sign}{power}"))
}
