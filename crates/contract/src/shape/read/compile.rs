//! Reads what a person wrote of reads against the OpenAPI document, as far as that says something.

use std::time::Duration;

use serde_json::Value;

use super::{ItemRead, KEY, ReadField, ReadFile};
use crate::Operation;
use crate::file_error::FileError;
use crate::media_type::MediaType;
use crate::shape::documented::{ContractSource, check_fields};
use crate::shape::echo_file::EchoFile;
use crate::shape::echoed::EchoedField;
use crate::shape::place::{FoundSchema, find_schema};
use crate::shape::{BatchFile, ItemForm, Pointer};
use crate::validity::escape;

/// Seconds until what was stored must be seen, where the contract says nothing.
const WITHIN: f64 = 2.0;
/// Most seconds.
const MOST: f64 = 60.0;
const METHODS: [&str; 6] = ["get", "post", "put", "patch", "query", "head"];
/// Statuses that say "not there" without a word in the document.
const USUAL: [u16; 3] = [404, 410, 403];

/// What a contract file says of its items, for a read of one.
pub(in crate::shape) struct ReadItems<'a> {
    pub form: &'a ItemForm,
    pub schema: &'a Value,
    /// The unique key's name; empty where there is none.
    pub unique: &'a str,
    pub echo: &'a [EchoedField],
}

/// Compiles the read of a contract, where it has one.
///
/// # Errors
/// A [`FileError`] with the line of what the document contradicts.
pub(in crate::shape) fn compile(
    file: &BatchFile,
    source: &ContractSource<'_>,
    operation: &Operation,
    items: &ReadItems<'_>,
) -> Result<Option<ItemRead>, FileError> {
    let Some(read) = &file.read else { return Ok(None) };
    check_form(read, source, items)?;
    let path = with_parameters(file, &read.path);
    let documented = operation_at(operation, source, read, &path)?;
    let (found, gone) = (read.found.list(), read.gone.list());
    if let Some(both) = found.iter().find(|status| gone.contains(status)) {
        return Err(source
            .problem(format!("{both} stands in `found` and in `gone`"), "gone")
            .expected(
                "a status that says one of them; `item` tells an empty answer from a full one",
            ));
    }
    let item = Pointer::parse(read.item.as_deref().unwrap_or_default());
    let schema = match &documented {
        Some(at) => {
            check_statuses(operation, source, at, (&found, &gone))?;
            answer_schema(operation, at, &found)
        }
        None => None,
    };
    let shown = match &schema {
        Some(schema) => shown(operation, source, schema, &item, read)?,
        None => None,
    };
    let fields = fields(read, source, operation, items, shown.as_deref())?;
    Ok(Some(ItemRead {
        method: read.method.to_uppercase(),
        path,
        headers: read.headers.iter().map(|(n, v)| (n.clone(), v.clone())).collect(),
        body: read.body.clone(),
        found,
        gone,
        item,
        fields,
        within: Duration::from_secs_f64(read.within.unwrap_or(WITHIN)),
    }))
}

/// Whether what it says makes sense by itself.
fn check_form(
    read: &ReadFile,
    source: &ContractSource<'_>,
    items: &ReadItems<'_>,
) -> Result<(), FileError> {
    if items.unique.is_empty() {
        return Err(source
            .problem("`read` shows an item by its unique key, and there is none", "read:")
            .expected("`unique`, or no `read`"));
    }
    if !METHODS.contains(&read.method.as_str()) {
        return Err(source
            .problem(format!("unknown method `{}`", read.method), &read.method)
            .expected(format!("one of {}", METHODS.join(", ")))
            .nearest(&read.method, METHODS));
    }
    let body = read.body.as_ref().map(Value::to_string).unwrap_or_default();
    let count = read.path.matches(KEY).count() + body.matches(KEY).count();
    if count != 1 {
        let found = if count == 0 {
            "neither `path` nor `body` holds `${key}`"
        } else {
            "`${key}` stands more than once in `path` and `body`"
        };
        return Err(source
            .problem(found, "read:")
            .expected("the place of the unique key, such as `path: /parcels/${key}`"));
    }
    if !read.path.starts_with('/') {
        return Err(source
            .problem(format!("`{}` is not a path", read.path), "path")
            .expected("a path of the document, such as `/parcels/${key}`"));
    }
    match read.within {
        Some(within) if !(0.0..=MOST).contains(&within) => Err(source
            .problem(format!("`within` is {within}"), "within")
            .expected("0 to 60 seconds")),
        _ => Ok(()),
    }
}

/// The path with the values that the contract gives for parameters of its operation.
fn with_parameters(file: &BatchFile, path: &str) -> String {
    let mut path = path.to_owned();
    for (name, value) in &file.operation.parameters {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = crate::shape::envelope::encoded(&value);
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    path
}

/// Where in the document the operation of the read stands; nothing where it says nothing of one.
fn operation_at(
    operation: &Operation,
    source: &ContractSource<'_>,
    read: &ReadFile,
    path: &str,
) -> Result<Option<String>, FileError> {
    let document = &operation.document;
    let path = path.split('?').next().unwrap_or_default();
    let paths = document.value().get("paths").and_then(Value::as_object);
    let known: Vec<&String> = paths.into_iter().flat_map(|paths| paths.keys()).collect();
    // The template with most of its parts written out comes first.
    let literal = |template: &&&String| template.matches('{').count();
    let Some(template) = known.iter().filter(|t| is_of(t, path)).min_by_key(literal) else {
        let slip = FileError::new("", "").nearest(
            &read.path,
            known.iter().filter(|template| template.contains('{')).map(|t| with_key(t)),
        );
        return match slip.hint {
            Some(hint) => Err(source
                .problem(format!("the document has no path `{}`", read.path), &read.path)
                .expected("a path of the document, `${key}` in place of its parameter")
                .hint(hint)),
            None => Ok(None),
        };
    };
    let at = format!("/paths/{}", escape(template));
    let Ok(at) = document.follow(&at) else { return Ok(None) };
    if document.value().pointer(&at).is_some_and(|path| path.get(&read.method).is_some()) {
        return Ok(document.follow(&format!("{at}/{}", read.method)).ok());
    }
    let methods: Vec<&str> = document
        .value()
        .pointer(&at)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|path| path.keys().map(String::as_str))
        .filter(|name| METHODS.contains(name) || *name == "delete")
        .collect();
    Err(source
        .problem(format!("the document has no {} {template}", read.method), "read:")
        .expected(format!("one of its methods: {}", methods.join(", "))))
}

/// A path template with `${key}` in place of its last parameter.
fn with_key(template: &str) -> String {
    match (template.rfind('{'), template.rfind('}')) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{KEY}{}", &template[..from], &template[to + 1..])
        }
        _ => template.to_owned(),
    }
}

/// Whether a path is one of a template.
fn is_of(template: &str, path: &str) -> bool {
    let (mut parts, mut template) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), template.next()) {
            (None, None) => return true,
            (Some(part), Some(wanted))
                if part == wanted || (wanted.contains('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
}

fn check_statuses(
    operation: &Operation,
    source: &ContractSource<'_>,
    at: &str,
    (found, gone): (&[u16], &[u16]),
) -> Result<(), FileError> {
    let responses = operation.follow(&format!("{at}/responses")).ok();
    let responses = responses.and_then(|at| operation.document.value().pointer(&at).cloned());
    let known: Vec<String> = responses
        .as_ref()
        .and_then(Value::as_object)
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default();
    let is_known = |status: u16| {
        let range = format!("{}XX", status / 100);
        let is = |name: &String| {
            *name == status.to_string() || *name == "default" || name.eq_ignore_ascii_case(&range)
        };
        known.is_empty() || known.iter().any(is)
    };
    let unknown = found.iter().find(|status| !is_known(**status)).map(|status| ("found", *status));
    let unknown = unknown.or_else(|| {
        let odd = |status: &&u16| !is_known(**status) && !USUAL.contains(status);
        gone.iter().find(odd).map(|status| ("gone", *status))
    });
    let Some((key, status)) = unknown else { return Ok(()) };
    Err(source
        .problem(format!("the document has no answer {status} to the read"), key)
        .expected(format!("one of {}", known.join(", "))))
}

/// Where the schema of the answer that shows the item stands.
fn answer_schema(operation: &Operation, at: &str, found: &[u16]) -> Option<String> {
    let responses = operation.follow(&format!("{at}/responses")).ok()?;
    found.iter().find_map(|status| {
        let answer = operation.follow(&format!("{responses}/{status}")).ok()?;
        let content = operation.document.value().pointer(&answer)?.get("content")?.as_object()?;
        let is_json = |name: &&String| {
            let media = MediaType::parse(name);
            media.is_json() || media.essence.ends_with("+json")
        };
        let media = content.keys().find(is_json)?;
        operation.follow(&format!("{answer}/content/{}/schema", escape(media))).ok()
    })
}

/// Where the schema of the item that is shown stands.
fn shown(
    operation: &Operation,
    source: &ContractSource<'_>,
    schema: &str,
    item: &Pointer,
    read: &ReadFile,
) -> Result<Option<String>, FileError> {
    match find_schema(&operation.document, schema, item) {
        FoundSchema::At(at) => Ok(Some(at)),
        FoundSchema::Open => Ok(None),
        FoundSchema::Unknown(step, known) => {
            let written = read.item.as_deref().unwrap_or_default().trim_start_matches('/');
            Err(source
                .problem(format!("the answer to the read has no `{step}`"), written)
                .expected("the pointer to the item in the answer")
                .nearest(&step, known))
        }
    }
}

/// The fields that are compared.
fn fields(
    read: &ReadFile,
    source: &ContractSource<'_>,
    operation: &Operation,
    items: &ReadItems<'_>,
    shown: Option<&str>,
) -> Result<Vec<ReadField>, FileError> {
    let place = |at: &Pointer| shown.map(|shown| find_schema(&operation.document, shown, at));
    let pairs: Vec<(String, String)> = match &read.fields {
        Some(EchoFile::Same(list)) => list.iter().map(|at| (at.clone(), at.clone())).collect(),
        Some(EchoFile::Renamed(map)) => map.iter().map(|(i, r)| (i.clone(), r.clone())).collect(),
        None => {
            let named = items.echo.iter().filter_map(|field| {
                let name = items.form.name(&field.item)?;
                let at = field.item.clone();
                let is_shown = !matches!(place(&at), Some(FoundSchema::Unknown(..)));
                is_shown.then_some(ReadField { name, at, required: false })
            });
            return Ok(named.collect());
        }
    };
    let mut fields = Vec::new();
    for (item, at) in pairs {
        let pointer = Pointer::parse(&item);
        let Some(name) = items.form.name(&pointer) else {
            return Err(source
                .problem(format!("`{item}` stands in another object than the other fields"), &item)
                .expected("a member of the item, or of the objects around the unique key"));
        };
        let shown_at = Pointer::parse(&at);
        if let Some(FoundSchema::Unknown(step, known)) = place(&shown_at) {
            return Err(source
                .problem(
                    format!("the answer to the read has no `{step}`"),
                    at.trim_start_matches('/'),
                )
                .expected("a field that the document shows in the answer to the read")
                .nearest(&step, known));
        }
        fields.push((name, shown_at));
    }
    check_fields(source, items.schema, &operation.document, ("", None), &fields, &[])?;
    let field = |(name, at)| ReadField { name, at, required: true };
    Ok(fields.into_iter().map(field).collect())
}
