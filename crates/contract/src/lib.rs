//! The contract: what the specification says, as data.
//!
//! Reads `schemas/` (or `--contract DIR`): the OpenAPI document, the batch contract and the
//! interpretations.
//! It stands leftmost: it must not know of cases, requests, rules or reports, nor name any field of any
//! one endpoint.

mod answer;
pub mod auth;
pub mod batch;
mod beyond_limits;
pub mod datetime;
pub mod document;
mod fields;
pub mod file_error;
pub mod header;
mod hex;
pub mod hook;
pub mod interpretations;
mod json;
pub mod media_type;
mod member_texts;
pub mod openapi;
pub mod profile;
mod published;
pub mod refusal_mode;
pub mod schema;
pub mod security;
pub mod shape;
mod surrogates;
pub mod text;
pub mod unique_key;
pub mod validity;
pub mod yaml;

use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use auth::{AuthScheme, CredentialScheme};
pub use batch::{BatchContract, CodeCause, ErrorCode, Limits, Sample, code_text};
pub use beyond_limits::string_end;
pub use document::{SchemaDocument, read_document};
pub use fields::Field;
pub(crate) use fields::{alternatives, fields_of, property_place};
pub use file_error::FileError;
pub use hex::{hex, unhex};
pub use interpretations::{Interpretation, Level};
pub use json::{Document, member, read_leniently, repeated_key};
pub use member_texts::member_texts;
pub use openapi::Operation;
pub use profile::{Profile, Tenant};
pub use published::published;
pub use refusal_mode::RefusalMode;
pub use security::{DeclaredScheme, DeclaredSecurity};
pub use shape::Shape;

const OPENAPI: &str = include_str!("../../../schemas/openapi.yaml");
const BATCH: &str = include_str!("../../../schemas/batch.yaml");
const INTERPRETATIONS: &str = include_str!("../../../schemas/interpretations.yaml");

/// Everything that is known of the endpoint under test.
pub struct Contract {
    /// The directory that it was read from, as it was named; nothing for the shipped one.
    pub dir: Option<String>,
    /// What OpenAPI can't say.
    pub batch: BatchContract,
    /// How batches and answers look on the wire, where that is not as `batch` has them.
    pub shape: Option<Shape>,
    /// How the specification is interpreted where it is silent.
    pub interpretations: Vec<Interpretation>,
    /// The operation of the OpenAPI document.
    pub operation: Operation,
    /// SHA-256 over the contract's files, in hexadecimal.
    pub hash: String,
    /// Optional fields that this target demands (from its profile).
    pub demanded: Vec<String>,
    /// The request that shows one item, where the contract has one.
    pub read: Option<shape::ItemRead>,
    item: Value,
    item_pointer: String,
    item_validator: Validator,
    result: Value,
    fields: Vec<Field>,
    by_kind: Vec<(Vec<Field>, Validator)>,
}

impl Contract {
    /// The contract that batchproof ships with.
    ///
    /// # Errors
    /// Only where the shipped files themselves are broken.
    pub fn shipped() -> Result<Contract, FileError> {
        Contract::read(
            ("schemas/openapi.yaml", OPENAPI),
            ("schemas/batch.yaml", BATCH),
            ("schemas/interpretations.yaml", INTERPRETATIONS),
        )
    }

    /// The contract in `dir`: `openapi.yaml` or `openapi.json`, `batch.yaml`, and `interpretations.yaml` where
    /// the shipped interpretations are not to hold.
    ///
    /// # Errors
    /// A [`FileError`] naming the file and what was expected of it.
    pub fn load(dir: &Path) -> Result<Contract, FileError> {
        let read = |name: &str| -> Result<Option<(String, String)>, FileError> {
            let path = dir.join(name);
            if !path.exists() {
                return Ok(None);
            }
            let file = path.display().to_string();
            std::fs::read_to_string(&path)
                .map(|text| Some((file.clone(), text)))
                .map_err(|e| FileError::new(file, e.to_string()).expected("a readable file"))
        };
        let missing = |name: &str| {
            FileError::new(dir.display().to_string(), format!("there is no {name}"))
                .expected("a directory with openapi.yaml (or openapi.json) and batch.yaml")
        };
        let openapi = match read("openapi.yaml")? {
            Some(found) => Some(found),
            None => match read("openapi.yml")? {
                Some(found) => Some(found),
                None => read("openapi.json")?,
            },
        }
        .ok_or_else(|| missing("openapi.yaml"))?;
        let batch = read("batch.yaml")?.ok_or_else(|| missing("batch.yaml"))?;
        let old = dir.join("readings.yaml");
        if old.exists() {
            return Err(FileError::new(
                old.display().to_string(),
                "this file is now called interpretations.yaml",
            )
            .expected(
                "interpretations.yaml, with ids `INTERPRETATION-NN` and the key `interpretation`",
            ));
        }
        let interpretations = read("interpretations.yaml")?;
        let interpretations = interpretations
            .as_ref()
            .map_or(("schemas/interpretations.yaml", INTERPRETATIONS), |(f, t)| {
                (f.as_str(), t.as_str())
            });
        let read = Contract::read((&openapi.0, &openapi.1), (&batch.0, &batch.1), interpretations)?;
        Ok(Contract { dir: Some(dir.display().to_string()), ..read })
    }

    fn read(
        openapi: (&str, &str),
        batch_file: (&str, &str),
        interpretations: (&str, &str),
    ) -> Result<Contract, FileError> {
        let file: shape::BatchFile = file_error::read_yaml(batch_file.0, batch_file.1)?;
        let interpretation_list: Vec<Interpretation> =
            file_error::read_yaml(interpretations.0, interpretations.1)?;
        let place = (file.operation.path.as_str(), file.operation.method.as_str());
        let mut operation = Operation::read(
            openapi.0,
            openapi.1,
            place,
            &shape::success(&file),
            &shape::media(&file),
        )
        .map_err(|error| shape::about_media(&file, batch_file, error))?;
        let shape::Compiled { batch, shape, item, item_pointer, result, merged_result, read } =
            shape::compile(&file, batch_file, &mut operation)?;
        let kinds = alternatives(&operation.document, &item);
        let mark = shape.as_ref().and_then(|shape| shape.form.mark());
        let fields = fields_of(&operation, &batch, &kinds, &merged_result, mark);
        let mut by_kind = Vec::new();
        for one in kinds.iter().filter(|_| kinds.len() > 1) {
            let one_kind = std::slice::from_ref(one);
            let fields = fields_of(&operation, &batch, one_kind, &merged_result, mark);
            by_kind.push((fields, operation.document.compile_request(one)?));
        }
        let item_validator = operation.document.compile_request(&item)?;
        let mut hasher = Sha256::new();
        for (_, text) in [openapi, batch_file, interpretations] {
            hasher.update(text.as_bytes());
            hasher.update([0]);
        }
        for text in operation.document.other_texts() {
            hasher.update(text.as_bytes());
            hasher.update([0]);
        }
        Ok(Contract {
            dir: None,
            batch,
            shape,
            interpretations: interpretation_list,
            hash: hex(&hasher.finalize()),
            operation,
            demanded: Vec::new(),
            read,
            item,
            item_pointer,
            item_validator,
            result,
            fields,
            by_kind,
        })
    }

    /// The same contract, with what a profile adds to it: further codes, demanded fields.
    #[must_use]
    pub fn for_target(mut self, profile: &Profile) -> Contract {
        self.batch.codes.extend(profile.error_codes.clone());
        self.demanded.clone_from(&profile.required);
        self
    }

    /// The item's properties, in the document's order; of all kinds of items.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Where items are of several kinds (`oneOf`, `anyOf`): the properties and the compiled schema of each; else nothing.
    #[must_use]
    pub fn kinds(&self) -> &[(Vec<Field>, Validator)] {
        &self.by_kind
    }

    /// One property of the item.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The item schema, `$ref` followed.
    #[must_use]
    pub fn item_schema(&self) -> &Value {
        &self.item
    }

    /// Where the item schema stands in the document.
    #[must_use]
    pub fn item_pointer(&self) -> &str {
        &self.item_pointer
    }

    /// The compiled item schema.
    #[must_use]
    pub fn item_validator(&self) -> &Validator {
        &self.item_validator
    }

    /// The result schema, `$ref` followed.
    #[must_use]
    pub fn result_schema(&self) -> &Value {
        &self.result
    }

    /// What the bytes of a batch begin and end with, around its items.
    #[must_use]
    pub fn envelope(&self) -> (String, String) {
        match &self.shape {
            Some(shape) => {
                let (before, after) = shape.envelope();
                (before.to_owned(), after.to_owned())
            }
            None => (format!("{{{}:[", Value::from(self.batch.items.as_str())), "]}".to_owned()),
        }
    }

    /// What stands between two items.
    #[must_use]
    pub fn separator(&self) -> &'static str {
        self.shape.as_ref().map_or(",", Shape::separator)
    }

    /// The media type of requests.
    #[must_use]
    pub fn request_media(&self) -> &str {
        &self.operation.request.media
    }

    /// The items of a body, as they are on the wire.
    #[must_use]
    pub fn items_in<'a>(&self, body: &'a Value) -> Option<&'a Vec<Value>> {
        match &self.shape {
            Some(shape) => shape.items(body).ok(),
            None => body.get(&self.batch.items)?.as_array(),
        }
    }

    /// The steps to the items of a body.
    #[must_use]
    pub fn items_steps(&self) -> Vec<String> {
        match &self.shape {
            Some(shape) => shape.items.steps().to_vec(),
            None => vec![self.batch.items.clone()],
        }
    }

    /// The pointer to an item of a body.
    #[must_use]
    pub fn item_at(&self, index: usize, item: &Value) -> String {
        let key = self.shape.as_ref().and_then(|shape| Some((shape, shape.form.map_key()?)));
        if let Some((shape, key)) = key {
            let name = match key {
                shape::MapKey::Mark => shape::name::KEY,
                shape::MapKey::Field(name) => name,
            };
            let key = item.get(name).and_then(Value::as_str).unwrap_or_default();
            return format!("{}/{}", shape.items, validity::escape(key));
        }
        match &self.shape {
            Some(shape) => format!("{}/{index}", shape.items),
            None => format!("/{}/{index}", self.batch.items),
        }
    }

    /// The status that rules speak of: 200 for a batch that was processed, 400 for a request that was refused.
    #[must_use]
    pub fn known_status(&self, status: u16) -> u16 {
        self.shape.as_ref().map_or(status, |shape| shape.status(status))
    }

    /// The body of an answer in the names that rules speak of; `items` are those that were sent.
    #[must_use]
    pub fn read_answer(&self, status: u16, body: Value, items: &[&Value]) -> Value {
        match &self.shape {
            Some(shape) => shape.read(status, &body, items).body,
            None => body,
        }
    }

    /// How items that are not valid are refused, where the contract says so.
    #[must_use]
    pub fn refusal_mode(&self) -> Option<RefusalMode> {
        match self.shape.as_ref()?.mode {
            shape::BatchMode::Each => Some(RefusalMode::Item),
            shape::BatchMode::Whole => Some(RefusalMode::Request),
            shape::BatchMode::Either => None,
        }
    }

    /// Whether the document allows no members beside the items that it does not name.
    #[must_use]
    pub fn has_closed_envelope(&self) -> bool {
        is_closed(&self.operation.request.validator)
    }

    /// Whether the document allows no members of an item that it does not name.
    #[must_use]
    pub fn has_closed_items(&self) -> bool {
        is_closed(&self.item_validator)
    }

    /// The field that tells used items from fresh ones; empty where a key may be used again, or there is none.
    #[must_use]
    pub fn judged_key(&self) -> &str {
        match self.shape.as_ref().map(|shape| shape.again) {
            None | Some(shape::Again::Rejected | shape::Again::Refused) => &self.batch.unique,
            Some(_) => "",
        }
    }

    /// An interpretation by its id.
    #[must_use]
    pub fn interpretation(&self, id: &str) -> Option<&Interpretation> {
        self.interpretations.iter().find(|r| r.id == id)
    }

    /// The documented code for a used number, where there is one.
    #[must_use]
    pub fn used_code(&self) -> Option<&str> {
        self.code_for(CodeCause::Used)
    }

    /// An error code as the schema of its result, or of a 400, has it: a number where the schema says so.
    #[must_use]
    pub fn code_value(&self, status: u16, code: &str) -> Value {
        let whole = self.operation.responses.get(&status).map(|body| &body.schema);
        let schema = if status == 200 { Some(&self.result) } else { whole };
        let field = schema
            .and_then(|s| s.get("properties")?.get(&self.batch.error.code))
            .map(|s| self.operation.resolve(s));
        let kind = field.and_then(|s| s.get("type")).and_then(Value::as_str);
        match (kind, code.parse::<serde_json::Number>()) {
            (Some("integer" | "number"), Ok(number)) => Value::Number(number),
            _ => Value::from(code),
        }
    }

    /// The first documented code with this cause.
    #[must_use]
    pub fn code_for(&self, cause: CodeCause) -> Option<&str> {
        let codes = || self.batch.codes.iter().filter(|(_, c)| c.cause == cause);
        // That of another unique key is not the one of the first.
        let is_of_further = |field: &str| self.batch.further_key(field).is_some();
        codes()
            .find(|(_, c)| !c.field.as_deref().is_some_and(is_of_further))
            .or_else(|| codes().next())
            .map(|(code, _)| code.as_str())
    }
}

/// Whether a schema refuses an object with a member that it does not name.
fn is_closed(validator: &Validator) -> bool {
    use jsonschema::error::ValidationErrorKind as Kind;
    let body = serde_json::json!({ "a member that no document names": 0 });
    validator.iter_errors(&body).any(|error| {
        error.instance_path().as_str().is_empty()
            && matches!(
                error.kind(),
                Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. }
            )
    })
}
