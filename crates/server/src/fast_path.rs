//! The shortcut for plain batches: reads items straight into their echoed texts and writes the
//! answer's bytes.
//!
//! Takes only what is beyond doubt, by a plan made from the item schema; everything else goes the
//! long way through `process`, whose answers are the same.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::batch::millis;
use super::fault::Call;
use super::received::Rejection;
use super::reply::{Reply, ReplyReason, push_number};
use batchproof_contract::datetime::{self, DateTimeClass};
use batchproof_contract::{Contract, Field};

/// What a field's value must be for the shortcut.
enum PlainKind {
    /// Text of at most this number of bytes (which are never fewer than code points).
    Text(usize),
    Instant,
    Number,
}

struct FieldSlot {
    name: String,
    kind: PlainKind,
    /// Its position among the echoed fields.
    echo: Option<usize>,
}

/// How plain items of one contract are read and answered.
pub(crate) struct FastPathPlan {
    items: String,
    slots: Vec<FieldSlot>,
    /// The fields that must be there, one bit each.
    required: u64,
    digits: usize,
    echoed: usize,
    /// Position of the unique number among the echoed fields.
    unique: usize,
    start: Vec<u8>,
    accepted: Vec<u8>,
    rejected: Vec<u8>,
    /// `,"name":"` for each echoed field.
    names: Vec<Vec<u8>>,
    used: Vec<u8>,
    item_elapsed: Option<Vec<u8>>,
    total_elapsed: Option<Vec<u8>>,
}

impl FastPathPlan {
    /// The plan for a contract whose item schema is simple enough.
    pub(crate) fn for_contract(contract: &Contract) -> Option<FastPathPlan> {
        let batch = &contract.batch;
        if contract.shape.is_some() || !batch.is_whole() {
            return None;
        }
        let schema = contract.item_schema().as_object()?;
        let known = ["type", "properties", "required", "title", "description"];
        if contract.fields().len() > 64
            || !schema.keys().all(|k| known.contains(&k.as_str()))
            || schema.get("type").and_then(Value::as_str) != Some("object")
        {
            return None;
        }
        let mut required = 0;
        let mut slots = Vec::new();
        for (at, field) in contract.fields().iter().enumerate() {
            let echo = batch.echo.iter().position(|name| *name == field.name);
            let kind = kind_of(contract, field)?;
            if echo.is_some() && !matches!(kind, PlainKind::Text(_)) {
                return None;
            }
            required |= u64::from(field.required) << at;
            slots.push(FieldSlot { name: field.name.clone(), kind, echo });
        }
        let unique = batch.echo.iter().position(|name| *name == batch.unique)?;
        if !contract.field(&batch.unique)?.required {
            return None;
        }
        let json = |text: &str| Value::from(text).to_string();
        let used = Rejection::used(contract);
        let verdict = |word: &str| format!("{{{}:{}", json(&batch.verdict.field), json(word));
        let label = |name: &str| format!(",{}:", json(name)).into_bytes();
        Some(FastPathPlan {
            items: batch.items.clone(),
            slots,
            required,
            digits: batch.limits.instant_digits,
            echoed: batch.echo.len(),
            unique,
            start: format!("{{{}:[", json(&batch.results)).into_bytes(),
            accepted: verdict(&batch.verdict.accepted).into_bytes(),
            rejected: verdict(&batch.verdict.rejected).into_bytes(),
            names: batch.echo.iter().map(|name| label(name)).collect(),
            used: format!(
                ",{}:{},{}:{}",
                json(&batch.error.code),
                contract.code_value(200, &used.code),
                json(&batch.error.description),
                json(&used.description),
            )
            .into_bytes(),
            item_elapsed: batch.elapsed.item.as_deref().map(label),
            total_elapsed: batch.elapsed.total.as_deref().map(label),
        })
    }
}

fn kind_of(contract: &Contract, field: &Field) -> Option<PlainKind> {
    let schema = field.schema.as_object()?;
    let known = ["type", "format", "maxLength", "title", "description", "example", "examples"];
    if !schema.keys().all(|k| known.contains(&k.as_str())) {
        return None;
    }
    match field.kind()? {
        "string" if field.is_instant() => {
            (!schema.contains_key("maxLength")).then_some(PlainKind::Instant)
        }
        "string" if !schema.contains_key("format") => {
            let own = schema.get("maxLength").and_then(Value::as_u64);
            let own = own.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            let plain = contract.batch.limits.plain_string;
            Some(PlainKind::Text(own.min(field.result_max.unwrap_or(usize::MAX)).min(plain)))
        }
        // Numbers of every size are accepted or not judged.
        "number" if !schema.contains_key("format") => Some(PlainKind::Number),
        _ => None,
    }
}

/// The answer to a plain batch; `None` where `body` is anything else.
pub(crate) fn process(call: &Call<'_>, plan: &FastPathPlan, body: &[u8]) -> Option<Reply> {
    let now = Utc::now();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let echoes = EnvelopeReader { plan, now }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    let mut out = Vec::with_capacity(64 + body.len() + body.len() / 4);
    out.extend_from_slice(&plan.start);
    let mut before = Instant::now();
    for (at, echo) in echoes.chunks_exact(plan.echoed).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let number = echo[plan.unique].as_deref().unwrap_or_default();
        let free = call.site.store.claim(number);
        out.extend_from_slice(if free { &plan.accepted } else { &plan.rejected });
        for (text, name) in echo.iter().zip(&plan.names) {
            if let Some(text) = text {
                out.extend_from_slice(name);
                push_text(&mut out, text, matches!(text, Cow::Borrowed(_)));
            }
        }
        if !free {
            out.extend_from_slice(&plan.used);
        }
        let done = Instant::now();
        push_elapsed(&mut out, plan.item_elapsed.as_deref(), done - before);
        before = done;
        out.push(b'}');
    }
    out.push(b']');
    push_elapsed(&mut out, plan.total_elapsed.as_deref(), call.started.elapsed());
    out.push(b'}');
    Some(Reply::json(200, ReplyReason::Processed, out))
}

fn push_elapsed(out: &mut Vec<u8>, label: Option<&[u8]>, elapsed: Duration) {
    if let Some(label) = label {
        out.extend_from_slice(label);
        push_number(out, millis(elapsed));
    }
}

/// Writes a JSON string; one that stood in the body `as_it_is` has nothing to escape.
fn push_text(out: &mut Vec<u8>, text: &str, as_it_is: bool) {
    if as_it_is {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing JSON into memory does not fail.
        let _ = serde_json::to_writer(out, text);
    }
}

type Echoes<'de> = Vec<Option<Cow<'de, str>>>;

/// Ends the shortcut; what the error says is never seen.
fn odd<E: Error>() -> E {
    E::custom("not plain")
}

#[derive(Clone, Copy)]
struct EnvelopeReader<'p> {
    plan: &'p FastPathPlan,
    now: DateTime<Utc>,
}

impl<'de> DeserializeSeed<'de> for EnvelopeReader<'_> {
    type Value = Echoes<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeReader<'_> {
    type Value = Echoes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match map.next_key_seed(TextReader)? {
            Some(key) if *key == *self.plan.items => {}
            _ => return Err(odd()),
        }
        let echoes = map.next_value_seed(ItemsReader(self))?;
        if map.next_key::<IgnoredAny>()?.is_some() { Err(odd()) } else { Ok(echoes) }
    }
}

struct ItemsReader<'p>(EnvelopeReader<'p>);

impl<'de> DeserializeSeed<'de> for ItemsReader<'_> {
    type Value = Echoes<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ItemsReader<'_> {
    type Value = Echoes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut echoes = Vec::new();
        while seq.next_element_seed(ItemReader { envelope: self.0, echoes: &mut echoes })?.is_some()
        {
        }
        Ok(echoes)
    }
}

struct ItemReader<'p, 'e, 'de> {
    envelope: EnvelopeReader<'p>,
    echoes: &'e mut Echoes<'de>,
}

impl<'de> DeserializeSeed<'de> for ItemReader<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ItemReader<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let EnvelopeReader { plan, now } = self.envelope;
        let base = self.echoes.len();
        self.echoes.resize(base + plan.echoed, None);
        let mut seen = 0u64;
        let mut guess = 0;
        while let Some(key) = map.next_key_seed(TextReader)? {
            // Clients write the same order again and again: the next field is the likeliest.
            let at = match plan.slots.get(guess) {
                Some(slot) if *slot.name == *key => guess,
                _ => plan.slots.iter().position(|s| *s.name == *key).ok_or_else(odd)?,
            };
            guess = at + 1;
            if seen & 1 << at != 0 {
                return Err(odd());
            }
            seen |= 1 << at;
            let slot = &plan.slots[at];
            if matches!(slot.kind, PlainKind::Number) {
                map.next_value_seed(NumberReader)?;
                continue;
            }
            let text = map.next_value_seed(TextReader)?;
            let fits = match slot.kind {
                PlainKind::Text(max) => text.len() <= max && !text.trim().is_empty(),
                _ => datetime::classify(&text, plan.digits, now) == DateTimeClass::Valid,
            };
            if !fits {
                return Err(odd());
            }
            if let Some(echo) = slot.echo {
                self.echoes[base + echo] = Some(text);
            }
        }
        if seen & plan.required == plan.required { Ok(()) } else { Err(odd()) }
    }
}

/// A string, borrowed where it stands unescaped.
struct TextReader;

impl<'de> DeserializeSeed<'de> for TextReader {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextReader {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

struct NumberReader;

impl<'de> DeserializeSeed<'de> for NumberReader {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_f64(self)
    }
}

impl Visitor<'_> for NumberReader {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
}
