//! Unique keys beside the first one: what of them a contract can say, and what of its item schema they need.
//!
//! It must not know how they are judged.

use serde_json::Value;

use super::documented::ContractSource;
use super::file::{BatchFile, MatchFile, UniqueFile, UniqueKeyFile};
use super::{Again, ItemForm, Pointer};
use crate::Operation;
use crate::file_error::{FileError, nearest};
use crate::schema::flatten;
use crate::unique_key::FurtherKey;

/// Keys of ours: as long as one is at most, and as short as it can be made.
const KEYS: [&str; 2] = ["bptest-261127-k3x9qz-agxpll-T7QR9L", "agxpll-T7QR9L"];
/// Schemas inside a schema that are looked through.
const DEPTH: usize = 16;

/// The further keys of a contract, in its order.
pub(super) fn further_keys(
    file: &BatchFile,
    source: &ContractSource<'_>,
    operation: &Operation,
    form: &ItemForm,
    item: &Value,
) -> Result<Vec<FurtherKey>, FileError> {
    let (first, others) = file.keys();
    let is_list = matches!(file.unique, UniqueFile::Several(_));
    let Some(first) = first else {
        return if is_list {
            Err(source
                .problem("`unique` lists no key", "unique")
                .expected("a key, or `unique: none`"))
        } else {
            Ok(Vec::new())
        };
    };
    check_first(&first, &others, source)?;
    let reader = KeyReader { file, source, operation, form, item };
    let mut known = vec![Pointer::parse(&first.at)];
    let mut keys = Vec::new();
    for key in &others {
        let at = Pointer::parse(&key.at);
        if known.contains(&at) {
            return Err(problem(
                source,
                key,
                format!("`{}` is in `unique` twice", key.at),
                &key.at,
            )
            .expected("each key once"));
        }
        keys.push(reader.key(key, &at)?);
        known.push(at);
    }
    for key in &others {
        for field in &key.with {
            if known.contains(&Pointer::parse(field)) {
                return Err(problem(
                    source,
                    key,
                    format!("`{field}` is a unique key itself"),
                    "with",
                )
                .expected("a field that several items may have in common"));
            }
        }
    }
    Ok(keys)
}

/// A problem with what a key in `unique` says at `word`.
fn problem(
    source: &ContractSource<'_>,
    key: &UniqueKeyFile,
    found: impl Into<String>,
    word: &str,
) -> FileError {
    let lines = source.text.lines().enumerate();
    let mut of_key = lines
        .skip_while(|(_, line)| !line.starts_with("unique"))
        .skip_while(|(_, line)| !line.contains(&key.at));
    let place = of_key.find_map(|(number, line)| {
        let at = line.find(word)?;
        Some((number as u64 + 1, line[..at].chars().count() as u64 + 1))
    });
    match place {
        Some((line, column)) => FileError::new(source.file, found).at(line, column),
        None => source.problem(found, &key.at),
    }
}

fn word(again: Again) -> &'static str {
    match again {
        Again::Rejected => "rejected",
        Again::Refused => "refused",
        Again::Replaced => "replaced",
        Again::Returned => "returned",
        Again::Free => "free",
    }
}

fn check_first(
    first: &UniqueKeyFile,
    others: &[UniqueKeyFile],
    source: &ContractSource<'_>,
) -> Result<(), FileError> {
    if first.at == "none" && !others.is_empty() {
        return Err(source
            .problem("`none` beside other unique keys", "none")
            .expected("pointers to unique keys, or `unique: none` alone"));
    }
    if !first.with.is_empty() {
        let found = format!("`with` at the first unique key, `{}`", first.at);
        return Err(problem(source, first, found, "with").expected(
                "a first key that is unique by itself; a key with other fields comes second in the list",
            ));
    }
    if !others.is_empty() && !matches!(first.again, Again::Rejected | Again::Refused) {
        let again = word(first.again);
        let found = format!("`again: {again}` at the first of several unique keys");
        return Err(problem(source, first, found, again)
            .expected("`rejected` or `refused` at the first key, or one unique key only"));
    }
    Ok(())
}

struct KeyReader<'a> {
    file: &'a BatchFile,
    source: &'a ContractSource<'a>,
    operation: &'a Operation,
    form: &'a ItemForm,
    /// The item schema, as everything else speaks of it.
    item: &'a Value,
}

impl KeyReader<'_> {
    fn key(&self, key: &UniqueKeyFile, at: &Pointer) -> Result<FurtherKey, FileError> {
        let source = self.source;
        if !matches!(key.again, Again::Rejected | Again::Refused | Again::Free) {
            let again = word(key.again);
            let found = format!("`again: {again}` at `{}`, which is not the first key", key.at);
            return Err(problem(source, key, found, again).expected(
                "`rejected`, `refused` or `free`; the others are for a contract with one key",
            ));
        }
        let field = self.field(key, &key.at)?;
        self.check_schema(key, &field)?;
        let is_match = match &self.file.matching {
            MatchFile::By(by) => by.item.as_deref().is_some_and(|item| Pointer::parse(item) == *at),
            _ => false,
        };
        let alternatives = crate::alternatives(&self.operation.document, self.item);
        if is_match && !alternatives.iter().all(|schema| requires(schema, &field)) {
            let found = format!("results are matched by `{}`, which an item may lack", key.at);
            return Err(problem(source, key, found, &key.at)
                .expected("a field that the item schema requires; or leave it out of `unique`"));
        }
        let with = key.with.iter().map(|field| self.field(key, field)).collect::<Result<_, _>>()?;
        Ok(FurtherKey {
            field,
            pointer: at.to_string(),
            within: key.within,
            again: key.again,
            same: key.same,
            with,
        })
    }

    /// The name of a field of items.
    fn field(&self, key: &UniqueKeyFile, written: &str) -> Result<String, FileError> {
        let name = self.form.name(&Pointer::parse(written)).ok_or_else(|| {
            let found = format!("`{written}` stands in another object than the other fields");
            problem(self.source, key, found, written)
                .expected("a member of the item, or of the objects around the unique keys")
        })?;
        let known: Vec<String> = crate::alternatives(&self.operation.document, self.item)
            .iter()
            .filter_map(|schema| schema.get("properties")?.as_object())
            .flat_map(|properties| properties.keys().cloned())
            .collect();
        if known.contains(&name) {
            return Ok(name);
        }
        let near = nearest(&name, &known)
            .map(|near| if near.contains('/') { format!("/{near}") } else { near });
        Err(problem(self.source, key, format!("the items have no field `{written}`"), written)
            .expected("a property of the item schema")
            .nearest(written, near))
    }

    /// Whether a field takes keys of ours.
    fn check_schema(&self, key: &UniqueKeyFile, field: &str) -> Result<(), FileError> {
        let document = &self.operation.document;
        for schema in crate::alternatives(document, self.item) {
            let Some(schema) = schema.get("properties").and_then(|all| all.get(field)) else {
                continue;
            };
            let schema = Value::Object(flatten(document, schema, DEPTH).keywords);
            let validator = self.operation.compile(&schema)?;
            if KEYS.iter().any(|text| validator.is_valid(&Value::from(*text))) {
                continue;
            }
            let found = format!(
                "`{}` can't be a further unique key: batchproof can't make keys for its schema",
                key.at
            );
            return Err(problem(self.source, key, found, &key.at).expected(
                    "a text of 14 characters or more without format, pattern or fixed values; as the first key also a uuid, an integer or a pattern",
                ));
        }
        Ok(())
    }
}

fn requires(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|list| list.iter().any(|required| required == name))
}
