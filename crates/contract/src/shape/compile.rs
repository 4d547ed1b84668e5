//! Reads what a person wrote against the OpenAPI document: every place that it names must be there.
//!
//! It must not know how a shape is used.

use serde_json::Value;

use super::answers::{check_answers, check_samples};
use super::documented::{ContractSource, ResultSchemas, check_fields, lacking, list};
use super::echoed::{EchoedField, around_fields, echoed};
use super::envelope::{check_envelope, parameters, required_envelope};
use super::file::{PlaceFile, UniqueKeyFile};
use super::forms::{ZIPPED, bind_lines, bind_zip, line_schema, lines, map_key, zip_name};
use super::further::further_keys;
use super::matcher::Matcher;
use super::place::{FoundSchema, find_schema};
use super::plain::plain;
use super::read::{self, ReadItems};
use super::serve::Specimens;
use super::specimen::specimen;
use super::told::{Verdicts, matching, verdict};
use super::way_out::around;
use super::{
    Again, BatchFile, BatchMode, ItemForm, ItemRead, KeyScope, Matching, Pointer, ResultPlace,
    SameKey, Shape, name,
};
use crate::batch::{ElapsedFields, ErrorFields, OperationRef, VerdictField};
use crate::file_error::FileError;
use crate::schema::flatten;
use crate::unique_key::FurtherKey;
use crate::{BatchContract, Operation};

/// Schemas inside a schema that are looked through.
const DEPTH: usize = 16;
/// What a contract file comes to.
pub struct Compiled {
    /// In the names that everything else uses.
    pub batch: BatchContract,
    /// How it looks on the wire; nothing where that is the same.
    pub shape: Option<Shape>,
    /// The item schema.
    pub item: Value,
    /// Where it stands in the document.
    pub item_pointer: String,
    /// The result schema.
    pub result: Value,
    /// The same as one object of keywords, with what results repeat under the names of item fields.
    pub merged_result: Value,
    /// The request that shows one item, where there is one.
    pub read: Option<ItemRead>,
}

/// The statuses under which results stand.
pub(crate) fn success(file: &BatchFile) -> Vec<u16> {
    file.places().into_iter().flat_map(|place| place.under).collect()
}

/// The fields that a contract names, as everything else speaks of them.
struct FieldNames {
    unique: String,
    echo: Vec<(String, Pointer)>,
    references: Vec<String>,
}

/// A contract file beside its document.
struct ContractReader<'a> {
    file: &'a BatchFile,
    source: &'a ContractSource<'a>,
    operation: &'a Operation,
    key: Option<UniqueKeyFile>,
    /// The unique keys beside the first one.
    others: Vec<UniqueKeyFile>,
    items: Pointer,
    item_at: String,
    places: Vec<PlaceFile>,
    /// Where the schema of the results of each place is.
    schemas: Vec<String>,
}

/// Reads `file` against the document.
///
/// # Errors
/// A [`FileError`] with the line of what the document does not have.
pub(crate) fn compile(
    file: &BatchFile,
    source: (&str, &str),
    operation: &mut Operation,
) -> Result<Compiled, FileError> {
    let source = ContractSource { file: source.0, text: source.1 };
    let request = parameters(file, &source, operation)?;
    let ((key, others), places) = (file.keys(), file.places());
    for place in places.iter().filter(|place| place.lines) {
        bind_lines(operation, place, &source)?;
    }
    for place in places.iter().filter(|place| !place.zip.is_empty()) {
        bind_zip(operation, place, &source)?;
    }
    let operation = &*operation;
    let place = file.items_place();
    let lines = lines(&place, &source)?;
    let items = Pointer::parse(place.at.as_deref().unwrap_or_default());
    let map_key = map_key(&place, &source)?;
    let item_at = if lines.is_some() {
        line_schema(operation, &operation.request, place.schema.as_deref(), "items", &source)?
    } else {
        let at = place.at.as_deref().unwrap_or_default();
        list(operation, &operation.request.pointer, (&items, at, map_key.is_some()), &source)?
    };
    let schemas = result_schemas(operation, &places, &source)?;
    let reader = ContractReader {
        file,
        source: &source,
        operation,
        key,
        others,
        items,
        item_at,
        places,
        schemas,
    };

    let echo = echoed(file, reader.keys());
    let mut form =
        ItemForm::nested(&around_fields(reader.keys(), &echo)).in_lines(lines).in_map(map_key);
    let key = reader.key.as_ref();
    let matching = matching(file, &source, &mut form, reader.keys(), operation, &reader.item_at)?;
    let item = reader.item(&form)?;
    let further = further_keys(file, &source, operation, &form, &item)?;
    let verdict = verdict(file, &source, &reader.places)?;
    reader.check_results(&verdict, &echo)?;
    check_answers(file, operation, &source, &reader.places)?;
    let names = reader.names(&form, &echo)?;
    check_fields(
        &source,
        &item,
        &operation.document,
        (&names.unique, key),
        &names.echo,
        &names.references,
    )?;
    check_samples(file, &source, &operation.document, &item)?;
    let about = ReadItems { form: &form, schema: &item, unique: &names.unique, echo: &echo };
    let read = read::compile(file, &source, operation, &about)?;

    let (result, merged_result) = reader.result(&names.echo);
    let mut batch = reader.batch(&names, further);
    let (envelope, constants) = reader.envelope(&form)?;
    let is_plain = constants.is_empty()
        && request == (String::new(), Vec::new())
        && form.is_plain()
        && matches!(matching, Matching::Order)
        && reader.is_plain();
    let plain = is_plain.then(|| plain(file, &reader.places, &verdict, &echo)).flatten();
    let shape = if let Some(plain) = plain {
        plain.apply(&mut batch);
        None
    } else {
        let specimens = reader.specimens(&verdict);
        let names = names.echo;
        Some(reader.shape(
            form,
            matching,
            verdict,
            (envelope, constants),
            specimens,
            names,
            request,
        ))
    };
    let item_pointer = reader.item_at.clone();
    Ok(Compiled { batch, shape, item, item_pointer, result, merged_result, read })
}

/// Where the schema of the results of each place is.
fn result_schemas(
    operation: &Operation,
    places: &[PlaceFile],
    source: &ContractSource<'_>,
) -> Result<Vec<String>, FileError> {
    let of_place = |place: &PlaceFile| {
        let documented = place.under.iter().find_map(|status| operation.responses.get(status));
        let Some(body) = documented else {
            let status = place.under.first().copied().unwrap_or_default().to_string();
            let known: Vec<String> = operation.responses.keys().map(u16::to_string).collect();
            return Err(source
                .problem(format!("the operation documents no JSON answer for {status}"), &status)
                .expected(format!("one of {}", known.join(", "))));
        };
        if place.lines {
            return line_schema(operation, body, place.schema.as_deref(), "results", source);
        }
        if let Some(first) = place.zip.first() {
            let name = zip_name(first);
            let named = operation.document.value().get(ZIPPED).and_then(|all| all.get(&name));
            return named
                .map(|_| format!("/{ZIPPED}/{}", crate::validity::escape(&name)))
                .ok_or_else(|| source.problem("the arrays of `zip` have no schema", "zip"));
        }
        let at = (&Pointer::parse(&place.at), &*place.at, place.keyed);
        list(operation, &body.pointer, at, source)
    };
    places.iter().map(of_place).collect()
}

fn pointer(text: Option<&String>) -> Option<Pointer> {
    text.map(|text| Pointer::parse(text))
}

impl ContractReader<'_> {
    /// All unique keys, the first one first.
    fn keys(&self) -> impl Iterator<Item = &UniqueKeyFile> + Clone {
        self.key.iter().chain(&self.others)
    }

    /// The item schema, as everything else speaks of it.
    fn item(&self, form: &ItemForm) -> Result<Value, FileError> {
        let document = &self.operation.document;
        let mut item = self.raw_item();
        if !form.is_flat() {
            let mut item = form.schema(document, &item).ok_or_else(|| {
                let at = self.key.as_ref().map(|key| key.at.as_str()).unwrap_or_default();
                let found =
                    format!("`{at}` is not in objects with `properties` of the item schema");
                self.source
                    .problem(found, at)
                    .expected("a pointer whose way leads through properties that are objects")
            })?;
            form.add_fields_beside(&mut item, self.key_schema());
            return Ok(item);
        }
        let flat = flatten(document, &item, DEPTH);
        if !flat.inexact && !flat.never {
            item = Value::Object(flat.keywords);
        } else if let Value::Object(item) = &mut item {
            document.for_request(item);
        }
        form.add_fields_beside(&mut item, self.key_schema());
        Ok(item)
    }

    /// What the document says of the keys of the map that holds the items.
    fn key_schema(&self) -> Option<&Value> {
        let map = self.item_at.strip_suffix("/additionalProperties")?;
        self.operation.document.value().pointer(&format!("{map}/propertyNames"))
    }

    fn raw_item(&self) -> Value {
        self.operation.document.value().pointer(&self.item_at).cloned().unwrap_or_default()
    }

    fn results(&self) -> ResultSchemas<'_> {
        let (operation, source) = (self.operation, self.source);
        ResultSchemas { operation, places: &self.schemas, source }
    }

    /// Whether results may hold what the contract looks for in them.
    fn check_results(&self, verdict: &Verdicts, echo: &[EchoedField]) -> Result<(), FileError> {
        let results = self.results();
        for matcher in [&verdict.0, &verdict.1].into_iter().flatten() {
            for pointer in matcher.pointers() {
                results.check(pointer, &pointer.to_string())?;
            }
            for (pointer, value) in matcher.values() {
                results.check_value(pointer, value)?;
            }
        }
        for field in echo {
            results.check_slip(&field.result, &field.written)?;
        }
        let error = &self.file.error;
        let told = [&error.code, &error.description, &self.file.elapsed.item];
        told.into_iter()
            .flatten()
            .try_for_each(|written| results.check_slip(&Pointer::parse(written), written))
    }

    fn names(&self, form: &ItemForm, echo: &[EchoedField]) -> Result<FieldNames, FileError> {
        let name = |pointer: &Pointer, written: &str| {
            form.name(pointer).ok_or_else(|| {
                let found = format!("`{written}` stands in another object than the other fields");
                self.source
                    .problem(found, written)
                    .expected("a member of the item, or of the objects around the unique key")
            })
        };
        let mut echoed = Vec::new();
        for field in echo {
            let name = name(&field.item, &field.item.to_string())?;
            echoed.push((name, field.result.clone()));
        }
        let unique = match &self.key {
            Some(key) => name(&Pointer::parse(&key.at), &key.at)?,
            None => String::new(),
        };
        let references = self.file.references.iter().map(|at| name(&Pointer::parse(at), at));
        Ok(FieldNames { unique, echo: echoed, references: references.collect::<Result<_, _>>()? })
    }

    /// The result schema, and the same as one object of keywords with what results repeat under the names of fields.
    fn result(&self, echo: &[(String, Pointer)]) -> (Value, Value) {
        let document = &self.operation.document;
        let result = self.schemas.first().and_then(|at| document.value().pointer(at)).cloned();
        let result = result.unwrap_or(Value::Bool(true));
        let mut merged = Value::Object(flatten(document, &result, DEPTH).keywords);
        for (name, pointer) in echo {
            if let Some(schema) = self.results().schema(pointer) {
                merged["properties"][name.as_str()] = schema;
            }
        }
        (result, merged)
    }

    fn batch(&self, names: &FieldNames, further: Vec<FurtherKey>) -> BatchContract {
        let file = self.file;
        BatchContract {
            title: file.title.clone(),
            operation: OperationRef {
                path: file.operation.path.clone(),
                method: file.operation.method.clone(),
            },
            items: self.items.name().map_or_else(|| self.items.to_string(), str::to_owned),
            results: name::RESULTS.to_owned(),
            unique: names.unique.clone(),
            same: self.key.as_ref().map(|key| key.same).unwrap_or_default(),
            further,
            unique_across_tenants: file.unique_across_tenants,
            echo: names.echo.iter().map(|(name, _)| name.clone()).collect(),
            verdict: VerdictField {
                field: name::VERDICT.to_owned(),
                accepted: name::ACCEPTED.to_owned(),
                rejected: name::REJECTED.to_owned(),
            },
            error: ErrorFields {
                code: name::CODE.to_owned(),
                description: name::DESCRIPTION.to_owned(),
                has_code: file.error.code.is_some(),
                has_description: file.error.description.is_some(),
            },
            elapsed: ElapsedFields {
                item: file.elapsed.item.as_ref().map(|_| name::ELAPSED.to_owned()),
                total: file.elapsed.total.as_ref().map(|_| name::TOTAL.to_owned()),
            },
            references: names.references.clone(),
            codes: file.codes.clone(),
            samples: file.samples.clone(),
            limits: file.limits.clone(),
        }
    }

    /// What stands around the items, and what of it has one value only.
    fn envelope(&self, form: &ItemForm) -> Result<(Value, Vec<(Pointer, Value)>), FileError> {
        let operation = self.operation;
        let schema = &operation.request.schema;
        if form.lines().is_some() {
            if let Some(member) = self.file.around.keys().next() {
                return Err(self
                    .source
                    .problem("nothing stands around items that are lines", member)
                    .expected("no `around` beside `lines`"));
            }
            return Ok((Value::Null, Vec::new()));
        }
        let mut envelope = required_envelope(&operation.document, schema, &self.items);
        let mut constants: Vec<(Pointer, Value)> = Vec::new();
        for (member, value) in &self.file.around {
            let at = Pointer::parse(member);
            at.set(&mut envelope, value.clone());
            constants.push((at, value.clone()));
        }
        let of_items = self.items.steps().first();
        for (member, value) in envelope.as_object().into_iter().flatten() {
            let is_known = constants.iter().any(|(known, _)| known.steps().first() == Some(member));
            if !is_known && of_items != Some(member) {
                let at = Pointer::parse(&format!("/{}", crate::validity::escape(member)));
                constants.push((at, value.clone()));
            }
        }
        let item = self.raw_item();
        let is_map = form.map_key().is_some();
        let items = (&self.items, is_map);
        check_envelope(self.source, operation, &envelope, items, &item, self.file)?;
        Ok((envelope, constants))
    }

    /// Whether the file says nothing that the plain shape has not.
    fn is_plain(&self) -> bool {
        let (file, refusal) = (self.file, &self.file.refusal);
        let is_usual = |key: &UniqueKeyFile| {
            (key.within, key.again, key.same)
                == (KeyScope::Target, Again::Rejected, SameKey::CodePoint)
        };
        self.items.name().is_some()
            && file.silent.is_none()
            && self.key.as_ref().is_none_or(is_usual)
            && self.others.is_empty()
            && file.batch.mode == BatchMode::Either
            && refusal.status.is_empty()
            && refusal.code.is_none()
            && refusal.description.is_none()
    }

    fn specimens(&self, verdict: &Verdicts) -> Specimens {
        let document = &self.operation.document;
        let mut specimens = Specimens::default();
        for (status, body) in &self.operation.responses {
            specimens.bodies.insert(*status, specimen(document, &body.schema));
        }
        for at in &self.schemas {
            let schema = document.value().pointer(at).unwrap_or(&Value::Null);
            specimens.results.push(specimen(document, schema));
        }
        let looked_at = [&verdict.0, &verdict.1].into_iter().flatten().flat_map(Matcher::pointers);
        let error = &self.file.error;
        let told = [&error.code, &error.description].into_iter().flatten();
        for at in looked_at.cloned().chain(told.map(|at| Pointer::parse(at))) {
            if let Some(schema) = self.results().schema(&at) {
                specimens.within.insert(at.to_string(), specimen(document, &schema));
            }
        }
        let refusal = &self.file.refusal;
        let usual = [400];
        let statuses = if refusal.status.is_empty() { &usual[..] } else { &refusal.status };
        let told = [&refusal.code, &refusal.description, &error.code, &error.description];
        for at in told.into_iter().flatten().map(|at| Pointer::parse(at)) {
            for body in statuses.iter().filter_map(|status| self.operation.responses.get(status)) {
                if let FoundSchema::At(place) = find_schema(document, &body.pointer, &at)
                    && let Some(schema) = document.value().pointer(&place)
                {
                    specimens.refused.insert(at.to_string(), specimen(document, schema));
                }
            }
        }
        specimens
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "each was compiled by itself, and all of them are the shape"
    )]
    fn shape(
        &self,
        form: ItemForm,
        matching: Matching,
        verdict: Verdicts,
        (envelope, constants): (Value, Vec<(Pointer, Value)>),
        specimens: Specimens,
        echo: Vec<(String, Pointer)>,
        (query, headers): (String, Vec<(String, String)>),
    ) -> Shape {
        let (file, refusal) = (self.file, &self.file.refusal);
        let named = |text: Option<&String>| pointer(text).filter(|at| at.name().is_some());
        let place = |(place, schema): (&PlaceFile, &String)| ResultPlace {
            at: Pointer::parse(&place.at),
            keyed: place.keyed,
            zip: place.zip.iter().map(|at| (Pointer::parse(at), zip_name(at))).collect(),
            lines: place.lines,
            says: place.says,
            under: place.under.clone(),
            lacks: lacking(self.operation, schema, &echo),
        };
        let envelope = match (form.lines(), form.map_key()) {
            (Some(_), _) => (String::new(), "\n".to_owned()),
            (None, Some(_)) => around(envelope, &self.items, ["{", "}"]),
            (None, None) => around(envelope, &self.items, ["[", "]"]),
        };
        Shape {
            places: self.places.iter().zip(&self.schemas).map(place).collect(),
            form,
            again: self.key.as_ref().map(|key| key.again).unwrap_or_default(),
            within: self.key.as_ref().map(|key| key.within).unwrap_or_default(),
            mode: file.batch.mode,
            refusal: if refusal.status.is_empty() { vec![400] } else { refusal.status.clone() },
            query,
            headers,
            matching,
            silent: file.silent,
            accepted: verdict.0,
            rejected: verdict.1,
            echo,
            code: pointer(file.error.code.as_ref()),
            description: pointer(file.error.description.as_ref()),
            elapsed: (pointer(file.elapsed.item.as_ref()), pointer(file.elapsed.total.as_ref())),
            refusal_demands_code: refusal.code.is_some(),
            refusal_code: pointer(refusal.code.as_ref())
                .or_else(|| named(file.error.code.as_ref())),
            refusal_description: pointer(refusal.description.as_ref())
                .or_else(|| named(file.error.description.as_ref())),
            envelope,
            constants,
            specimens,
            items: self.items.clone(),
        }
    }
}
