//! The plan for a whole item: which fields are sent, and from where each takes its values.
//!
//! Joins schema, samples and profile; it must not know batches, shrinking or mutations.

mod field;

use serde_json::{Map, Value};

use field::FieldPlan;

use super::draft::{Draft, KeyShape, RawField};
use super::keys::{KeyForm, why_no_keys};
use super::plan::{Compiler, cannot};
use super::random::Random;
use super::value_writer::{Bounds, JsonWriter, ValueWriter};
use super::{KeyBlock, OptionalFields, TextSpan, ValueStyle, unusual};
use crate::contract::{Contract, Field, FileError, Profile};

/// A key that takes the place of a made one wherever an item is tried out; as short as one may have to be.
pub(super) const SPECIMEN: &str = "bptest-000-0";
/// A key needs this much room.
const KEY_LENGTH: usize = 40;
/// No key is shorter than this.
const SHORTEST: usize = 13;
/// Items with which a plan is tried out.
const PROBES: u64 = 48;
/// How often an item is drawn again where its schema ties fields to each other.
const TRIES: usize = 200;

/// The plan for items.
#[derive(Debug)]
pub(super) struct ItemPlan {
    /// All fields but the unique one, in document order.
    pub fields: Vec<FieldPlan>,
    /// The same for each kind of item, with how many stand before the unique one; nothing where there is one kind.
    kinds: Vec<(Vec<FieldPlan>, usize)>,
    /// How many of them stand before the unique one in the document.
    pub position: usize,
    /// What an everyday unique key looks like.
    pub plain_key: KeyShape,
    /// How long a unique key may be, where it is a string that can be decorated.
    pub key_length: Option<usize>,
    /// Whether the item schema ties fields to each other, so that whole items must be tried out.
    tied: bool,
    /// The unique field's name as JSON, with the comma before it and the colon.
    label: String,
    /// Its position among the fields that results repeat.
    echo: Option<usize>,
    bounds: Bounds,
}

impl ItemPlan {
    /// Compiles the item schema, samples and profile.
    pub fn new(contract: &Contract, profile: &Profile) -> Result<ItemPlan, FileError> {
        let compiler = Compiler::new(contract);
        let unique = &contract.batch.unique;
        let plans = |of: &[Field]| -> Result<(Vec<FieldPlan>, usize), FileError> {
            let position = of.iter().position(|field| &field.name == unique).unwrap_or(0);
            let others = of.iter().filter(|field| &field.name != unique);
            let fields = others.map(|field| FieldPlan::new(contract, &compiler, field, profile));
            Ok((fields.collect::<Result<_, _>>()?, position))
        };
        let (fields, position) = plans(contract.fields())?;
        let kinds = contract.kinds().iter().map(|(of, _)| plans(of)).collect::<Result<_, _>>()?;
        if let Some(why) = why_no_keys(contract) {
            let field = contract.field(unique).map_or(unique.as_str(), |field| &field.name);
            let at = format!(
                "{}/properties/{}",
                contract.item_pointer(),
                field.replace('/', "/properties/")
            );
            let problem = FileError::new(
                contract.operation.file(),
                format!("`{field}` can't be the unique key: {why}"),
            );
            return Err(problem.pointer(at).expected(
                "a text of 14 characters or more, a uuid, an integer, or a pattern with many values; or `unique: none`",
            ));
        }
        let (plain_key, key_length) = key_shape(contract);
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
        let plan = ItemPlan {
            fields,
            kinds,
            position,
            plain_key,
            key_length,
            tied,
            label: field::label(unique),
            echo: contract.batch.echo.iter().position(|name| name == unique),
            bounds: Bounds::of(&contract.batch.limits, bounds.unwrap_or(usize::MAX)),
        };
        plan.try_out(contract)?;
        Ok(plan)
    }

    /// Fails where items that are drawn break a keyword of the item schema that ties fields to each other.
    fn try_out(&self, contract: &Contract) -> Result<(), FileError> {
        if !self.tied {
            return Ok(());
        }
        for n in 0..PROBES {
            let style = if n % 2 == 0 { ValueStyle::Plain } else { ValueStyle::Boundary };
            let draft = self.draw(contract, &mut Random::new(n), style, OptionalFields::Drawn);
            let item = draft.with_key(contract, specimen(&draft.key));
            let Some(error) = contract.item_validator().iter_errors(&item).next() else { continue };
            let keyword = error.kind().keyword();
            return Err(cannot(
                contract.operation.file(),
                &format!("{}/{keyword}", contract.item_pointer()),
                &format!("`{keyword}` is not obeyed by what is generated, such as {item}"),
            ));
        }
        Ok(())
    }

    /// Draws an item.
    pub fn draw(
        &self,
        contract: &Contract,
        random: &mut Random,
        style: ValueStyle,
        with: OptionalFields<'_>,
    ) -> Draft {
        self.draw_of(None, contract, random, style, with)
    }

    /// Draws an item of that kind; of any where none is named.
    pub fn draw_of(
        &self,
        kind: Option<usize>,
        contract: &Contract,
        random: &mut Random,
        style: ValueStyle,
        with: OptionalFields<'_>,
    ) -> Draft {
        let mut draft = self.draw_once(kind, random, style, with);
        if self.tied {
            for _ in 0..TRIES {
                if fits(contract, &draft) {
                    break;
                }
                draft = self.draw_once(kind, random, style, with);
            }
        }
        draft
    }

    fn draw_once(
        &self,
        kind: Option<usize>,
        random: &mut Random,
        style: ValueStyle,
        with: OptionalFields<'_>,
    ) -> Draft {
        let mut fields = Map::with_capacity(self.fields.len() + 1);
        let mut position = 0;
        let (mut raw, mut minted) = (Vec::new(), Vec::new());
        let (own, before_key) = match kind
            .map_or_else(|| random_kind(&self.kinds, random), |kind| self.kinds.get(kind))
        {
            Some((fields, before_key)) => (fields, *before_key),
            None => (&self.fields, self.position),
        };
        for (index, field) in own.iter().enumerate() {
            if index == before_key {
                position = fields.len();
            }
            // The same numbers are drawn, whether a key is made or not.
            let is_drawn = field.is_drawn(random, with);
            let is_wanted = field.further && with != OptionalFields::None && !field.omitted;
            if !is_drawn && !is_wanted {
                continue;
            }
            let mut value = Value::Null;
            field.draw(random, style, &mut value);
            if field.further {
                minted.push(field.name.clone());
            }
            if field.exponents
                && matches!(style, ValueStyle::Boundary)
                && let Some(text) = exponent(&value, random)
            {
                raw.push(RawField { field: field.name.clone(), text, stands_for: value.clone() });
            }
            fields.insert(field.name.clone(), value);
        }
        if before_key >= own.len() {
            position = fields.len();
        }
        let key = self.key(random, style);
        Draft { fields, key, key_position: position, replaced: None, raw, minted }
    }

    /// Draws an item as [`ItemPlan::draw`] does, and appends it as JSON text with a key of `keys`;
    /// `places` then holds where each echoed value stands in `out`. Says whether all of it is beyond doubt.
    pub fn write(
        &self,
        contract: &Contract,
        random: &mut Random,
        style: ValueStyle,
        keys: &mut KeyBlock,
        (out, places): (&mut String, &mut [TextSpan]),
    ) -> bool {
        let text = matches!(self.plain_key, KeyShape::Plain);
        if self.tied || !text || self.fields.iter().any(|field| field.further) {
            let mut draft = self.draw(contract, random, style, OptionalFields::Drawn);
            let key = keys.with_shape(&draft.key);
            keys.mint(&mut draft);
            out.push_str(&draft.text(contract, key.as_ref()));
            return false;
        }
        // Only everyday keys have a shape that needs no draw: others are put in once all fields stand.
        let early = matches!(style, ValueStyle::Plain);
        let mut late = None;
        let mut writer = JsonWriter { out, bounds: &self.bounds, certain: true };
        writer.out.push('{');
        let start = writer.out.len();
        for (index, field) in self.fields.iter().enumerate() {
            if index == self.position {
                if early {
                    self.write_key(&mut writer, start, &self.plain_key, keys, places);
                } else {
                    late = Some(writer.out.len());
                }
            }
            if !field.is_drawn(random, OptionalFields::Drawn) {
                continue;
            }
            let first = usize::from(writer.out.len() == start);
            writer.out.push_str(&field.label[first..]);
            let from = writer.out.len();
            field.draw(random, style, &mut writer);
            if field.exponents && matches!(style, ValueStyle::Boundary) {
                let value: Option<Value> = serde_json::from_str(&writer.out[from..]).ok();
                if let Some(text) = value.and_then(|v| exponent(&v, random)) {
                    writer.out.truncate(from);
                    writer.out.push_str(&text);
                }
            }
            if let Some(place) = field.echo.and_then(|echo| places.get_mut(echo)) {
                *place = (from, writer.out.len());
            }
        }
        if early {
            if self.position >= self.fields.len() {
                self.write_key(&mut writer, start, &self.plain_key, keys, places);
            }
        } else {
            let shape = self.key(random, style);
            let at = late.unwrap_or(writer.out.len());
            let rest = writer.out.split_off(at);
            self.write_key(&mut writer, start, &shape, keys, places);
            if !rest.is_empty() {
                let comma = at == start;
                if comma {
                    writer.out.push(',');
                }
                let moved = writer.out.len() - at;
                writer.out.push_str(&rest);
                for (echo, place) in places.iter_mut().enumerate() {
                    if Some(echo) != self.echo && place.0 >= at {
                        *place = (place.0 + moved, place.1 + moved);
                    }
                }
            }
        }
        writer.out.push('}');
        writer.certain
    }

    fn write_key(
        &self,
        writer: &mut JsonWriter<'_>,
        start: usize,
        shape: &KeyShape,
        keys: &mut KeyBlock,
        places: &mut [TextSpan],
    ) {
        let first = usize::from(writer.out.len() == start);
        writer.out.push_str(&self.label[first..]);
        let from = writer.out.len();
        match shape {
            KeyShape::Plain => writer.text(keys.are_plain(), |out| keys.push(out)),
            other => writer.value(keys.with_shape(other).unwrap_or(Value::Null)),
        }
        if let Some(place) = self.echo.and_then(|echo| places.get_mut(echo)) {
            *place = (from, writer.out.len());
        }
    }

    fn key(&self, random: &mut Random, style: ValueStyle) -> KeyShape {
        let Some(longest) = self.key_length.filter(|l| *l >= KEY_LENGTH) else {
            return self.plain_key.clone();
        };
        match style {
            ValueStyle::Boundary if random.chance(1, 4) => {
                let length =
                    if random.chance(1, 2) { longest } else { random.between(KEY_LENGTH, longest) };
                KeyShape::Padded { length, with: 'x' }
            }
            ValueStyle::Unusual => {
                let room = (longest - KEY_LENGTH).min(48) / 2;
                let before = unusual::draw(random, room);
                let after = unusual::draw(random, room);
                match random.below(4) {
                    0 => KeyShape::Decorated { before, after: String::new() },
                    1 => KeyShape::Decorated { before: String::new(), after },
                    _ => KeyShape::Decorated { before, after },
                }
            }
            _ => self.plain_key.clone(),
        }
    }
}

/// One kind of item; no draw where there is but one.
fn random_kind<'a, T>(kinds: &'a [T], random: &mut Random) -> Option<&'a T> {
    if kinds.is_empty() { None } else { random.pick(kinds) }
}

/// What an everyday key of this contract is, and how long it may be where it is plain text.
fn key_shape(contract: &Contract) -> (KeyShape, Option<usize>) {
    let Some(field) = contract.field(&contract.batch.unique) else {
        return (if contract.batch.has_key() { KeyShape::Plain } else { KeyShape::Absent }, None);
    };
    if let Some(form) = KeyForm::of(contract) {
        return (KeyShape::Formed(form.key(7, 0)), None);
    }
    if matches!(field.kind(), Some("integer" | "number")) {
        return (KeyShape::FreshInteger, None);
    }
    let bound = |schema: &Value| schema.get("maxLength").and_then(Value::as_u64);
    let own = bound(&field.schema).and_then(|n| usize::try_from(n).ok());
    let form = ["pattern", "format", "enum", "const"].iter().any(|k| field.schema.get(k).is_some());
    let longest = [own, field.result_max, Some(contract.batch.limits.plain_string)];
    let longest = longest.into_iter().flatten().min();
    let least = field.schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    if let Some(length) = usize::try_from(least).ok().filter(|least| *least > SHORTEST) {
        return (KeyShape::Padded { length, with: 'x' }, longest.filter(|l| !form && *l >= length));
    }
    (KeyShape::Plain, longest.filter(|_| !form))
}

/// Whether the item schema accepts a draft.
pub(super) fn fits(contract: &Contract, draft: &Draft) -> bool {
    contract.item_validator().is_valid(&draft.with_key(contract, specimen(&draft.key)))
}

/// A value of that shape for trying an item out; not unique.
pub(super) fn specimen(shape: &KeyShape) -> Option<Value> {
    match shape {
        KeyShape::Plain => Some(Value::from(SPECIMEN)),
        KeyShape::Decorated { before, after } => {
            Some(Value::String(format!("{before}{SPECIMEN}{after}")))
        }
        KeyShape::Padded { length, with } => {
            let missing = length.saturating_sub(SPECIMEN.len());
            let mut text = SPECIMEN.to_owned();
            text.extend(std::iter::repeat_n(*with, missing));
            Some(Value::String(text))
        }
        KeyShape::Fixed(value) => Some(value.clone()),
        KeyShape::FreshInteger => Some(Value::from(12_345_678_901_234_u64)),
        KeyShape::Formed(example) => Some(example.clone()),
        KeyShape::Absent => None,
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
