//! Decides quickly that an answer is plainly right: everything about it that any rule looks at is as it
//! must be, byte for byte.
//!
//! It never says that an answer is wrong: whatever is not plainly right goes to the judge, who finds,
//! masks and explains as ever. A property test holds it against the judge. It knows no rule.

mod header_cache;
mod reader;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Map, Value, json};

pub use header_cache::HeaderCache;
use reader::ExactReader;

use crate::contract::Contract;
use crate::generate::TextSpan;

/// What a plainly right answer of one contract looks like.
pub struct FastPath {
    /// The property that holds the results, as JSON.
    results: Vec<u8>,
    /// The property with the total of elapsed time, as JSON, and its largest value.
    total: Option<(Vec<u8>, i64)>,
    /// The properties of a result: verdict, echoed fields, elapsed time.
    properties: Vec<ResultProperty>,
    echoed: usize,
}

/// A property of a result.
struct ResultProperty {
    /// Its name as JSON, and the colon.
    label: Vec<u8>,
    value: ExpectedValue,
}

impl ResultProperty {
    fn new(name: &str, value: ExpectedValue) -> ResultProperty {
        ResultProperty { label: [&*text(name), b":"].concat(), value }
    }

    /// Skips its name and the colon where they come next; nothing where only the name does.
    fn skip(&self, reader: &mut ExactReader<'_>) -> Option<bool> {
        if reader.next_is(&self.label) {
            return Some(true);
        }
        // Few servers write white space before the colon.
        let named = reader.next_is(&self.label[..self.label.len() - 1]);
        if named { reader.byte(b':').map(|()| true) } else { Some(false) }
    }
}

enum ExpectedValue {
    /// This JSON text.
    Verdict(Vec<u8>),
    /// The echo of that field; a value of more bytes could break its bound.
    Echo(usize, usize),
    /// Milliseconds, at most this number.
    ElapsedTimes(i64),
}

/// The items of a request, as the bytes that an answer must repeat.
#[derive(Debug, Clone, Copy)]
pub struct SentItems<'a> {
    /// The body, or a part of it.
    pub body: &'a [u8],
    /// Where the echoed values of each item stand in it, in the contract's order.
    pub places: &'a [TextSpan],
}

/// The elapsed times of a plainly right answer, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ElapsedTimes {
    /// The largest of an item.
    pub item: i64,
    /// The answer's own.
    pub total: Option<i64>,
}

impl ElapsedTimes {
    /// Whether parts, whole and the client's clock agree (INTERPRETATION-23).
    #[must_use]
    pub fn agrees(&self, measured: Duration) -> bool {
        let measured = i64::try_from(measured.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
        // Without the slack that the rules give: what needs it is theirs to judge.
        self.total.is_none_or(|total| self.item <= total && total <= measured)
    }
}

impl FastPath {
    /// For a contract whose answers are simple enough.
    #[must_use]
    pub fn of(contract: &Contract) -> Option<FastPath> {
        let batch = &contract.batch;
        if contract.shape.is_some() || !batch.is_whole() {
            return None;
        }
        let answer = contract.operation.responses.get(&200)?;
        let property = |of: &Value, name: &str| -> Option<Value> {
            Some(contract.operation.resolve(of.get("properties")?.get(name)?).clone())
        };
        let list = property(&answer.schema, &batch.results)?;
        let result = contract.result_schema();
        let object = ["type", "properties", "required", "title", "description"];
        if !only(&answer.schema, &object)
            || !only(result, &object)
            || !only(&list, &["type", "items", "title", "description"])
        {
            return None;
        }
        let largest = |of: &Value, name: &str| -> Option<i64> {
            let schema = property(of, name)?;
            let known = ["type", "format", "minimum", "maximum", "title", "description", "example"];
            let most = schema.get("maximum").map_or(Some(i64::MAX), Value::as_i64)?;
            only(&schema, &known).then_some(most)
        };
        let accepted = ExpectedValue::Verdict(text(&batch.verdict.accepted));
        let mut properties = vec![ResultProperty::new(&batch.verdict.field, accepted)];
        let mut whole = Map::new();
        whole.insert(batch.verdict.field.clone(), Value::from(&*batch.verdict.accepted));
        let mut least = whole.clone();
        for (index, name) in batch.echo.iter().enumerate() {
            let field = contract.field(name).filter(|f| f.kind() == Some("string"))?;
            let schema = property(result, name)?;
            let known = ["type", "maxLength", "title", "description", "example", "examples"];
            if !only(&schema, &known) {
                return None;
            }
            let most = field.result_max.unwrap_or(usize::MAX);
            properties.push(ResultProperty::new(name, ExpectedValue::Echo(index, most)));
            whole.insert(name.clone(), Value::from(""));
            if field.required {
                least.insert(name.clone(), Value::from(""));
            }
        }
        if let Some(name) = &batch.elapsed.item {
            let most = largest(result, name)?;
            properties.push(ResultProperty::new(name, ExpectedValue::ElapsedTimes(most)));
            whole.insert(name.clone(), Value::from(0));
            least.insert(name.clone(), Value::from(0));
        }
        let total = match &batch.elapsed.total {
            Some(name) => Some((text(name), largest(&answer.schema, name)?)),
            None => None,
        };
        // What `only` can't say of types and demands, the compiled schema says.
        let mut specimen = json!({});
        specimen[&batch.results] = json!([whole, least]);
        if let Some(name) = &batch.elapsed.total {
            specimen[name] = Value::from(0);
        }
        let names = properties.iter().map(|p| &p.label).collect::<std::collections::HashSet<_>>();
        let fits = answer.validator.is_valid(&specimen) && names.len() == properties.len();
        (fits && properties.len() <= 64).then(|| FastPath {
            results: text(&batch.results),
            total,
            properties,
            echoed: batch.echo.len(),
        })
    }

    /// The elapsed times of a body that answers all items of `sent` plainly right.
    #[must_use]
    pub fn body(&self, sent: SentItems<'_>, body: &[u8]) -> Option<ElapsedTimes> {
        let mut reader = ExactReader::new(body);
        let mut elapsed = ElapsedTimes::default();
        let (mut results, mut total) = (false, false);
        reader.byte(b'{')?;
        loop {
            reader.space();
            if !results && reader.next_is(&self.results) {
                reader.byte(b':')?;
                elapsed.item = self.list(&mut reader, sent)?;
                results = true;
            } else if let Some((name, most)) = &self.total
                && !total
                && reader.next_is(name)
            {
                reader.byte(b':')?;
                elapsed.total = Some(reader.whole(*most)?);
                total = true;
            } else {
                return None;
            }
            if reader.byte(b',').is_none() {
                break;
            }
        }
        reader.byte(b'}')?;
        reader.space();
        (reader.is_at_end() && results && total == self.total.is_some()).then_some(elapsed)
    }

    /// The length and elapsed time of the result at the start of `text`, where it plainly answers the item whose
    /// values stand in `sent`.
    #[must_use]
    pub fn one(&self, sent: SentItems<'_>, text: &[u8]) -> Option<(usize, i64)> {
        let mut reader = ExactReader::new(text);
        let elapsed = self.result(&mut reader, sent.body, sent.places)?;
        Some((reader.position(), elapsed))
    }

    fn list(&self, reader: &mut ExactReader<'_>, sent: SentItems<'_>) -> Option<i64> {
        reader.byte(b'[')?;
        let mut largest = 0;
        for (index, places) in sent.places.chunks_exact(self.echoed).enumerate() {
            if index > 0 {
                reader.byte(b',')?;
            }
            largest = largest.max(self.result(reader, sent.body, places)?);
        }
        reader.byte(b']')?;
        Some(largest)
    }

    /// Skips the name of a property. Servers write the same order again and again: `guess` is the likeliest.
    fn next_property(&self, reader: &mut ExactReader<'_>, guess: usize) -> Option<usize> {
        let count = self.properties.len();
        for at in (guess..count).chain(0..guess.min(count)) {
            if self.properties[at].skip(reader)? {
                return Some(at);
            }
        }
        None
    }

    /// The elapsed time of a result that plainly answers an item: accepted, and everything echoed.
    fn result(
        &self,
        reader: &mut ExactReader<'_>,
        body: &[u8],
        places: &[TextSpan],
    ) -> Option<i64> {
        let mut elapsed = 0;
        let mut seen = 0_u64;
        let mut guess = 0;
        reader.byte(b'{')?;
        loop {
            reader.space();
            let at = self.next_property(reader, guess)?;
            let property = self.properties.get(at)?;
            guess = at + 1;
            reader.space();
            match &property.value {
                ExpectedValue::Verdict(accepted) => reader.next_is(accepted).then_some(())?,
                ExpectedValue::Echo(index, most) => {
                    let (from, to) = *places.get(*index)?;
                    let value = body
                        .get(from..to)
                        .filter(|v| (2..=most.saturating_add(2)).contains(&v.len()))?;
                    reader.next_is(value).then_some(())?;
                }
                ExpectedValue::ElapsedTimes(most) => elapsed = reader.whole(*most)?,
            }
            if seen & 1 << at != 0 {
                return None;
            }
            seen |= 1 << at;
            if reader.byte(b',').is_none() {
                break;
            }
        }
        reader.byte(b'}')?;
        let wanted = self.properties.iter().enumerate().filter(|(_, property)| {
            !matches!(property.value, ExpectedValue::Echo(index, _) if places.get(index).is_none_or(|p| p.0 == p.1))
        });
        (seen == wanted.fold(0, |all, (at, _)| all | 1 << at)).then_some(elapsed)
    }
}

fn only(schema: &Value, known: &[&str]) -> bool {
    schema.as_object().is_some_and(|s| s.keys().all(|k| known.contains(&k.as_str())))
}

fn text(text: &str) -> Vec<u8> {
    Value::from(text).to_string().into_bytes()
}
