//! The places of an item that mutations change: every field, and what is nested inside.
//!
//! Reads schemas; it must not know mutations.

use std::sync::Arc;

use serde_json::Value;

use crate::contract::SchemaDocument;
use crate::contract::schema::{FlatSchema, flatten};
use crate::contract::validity::escape;
use crate::generate::GeneratorCore;

/// Places nested deeper than this are left alone.
const DEPTH: usize = 4;
/// References in a row.
const REFERENCES: usize = 64;
/// Most places inside one field: schemas that refer to each other multiply with every level.
const NESTED: usize = 40;

/// One place.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties, each read by itself")]
pub(in crate::generate) struct SchemaSite {
    /// JSON pointer inside the item.
    pub pointer: String,
    /// Name of the property, or index of the element.
    pub name: String,
    /// Its schema, flattened.
    pub flat: FlatSchema,
    /// Whether it must be there.
    pub required: bool,
    /// A property of the item itself.
    pub top: bool,
    /// The unique number.
    pub unique: bool,
    /// An element of an array, which can't be missing.
    pub element: bool,
    /// The target may take no other values than the everyday ones.
    pub known: bool,
    /// `maxLength` of the field in a result.
    pub result_max: Option<usize>,
    /// An everyday value of it.
    pub usual: Value,
    /// Where it is nested: a value of the whole field that has it.
    pub base: Option<Arc<Value>>,
}

impl SchemaSite {
    /// Whether it may be a value of that JSON type.
    pub fn allows(&self, kind: &str) -> bool {
        let types = self.flat.types();
        types.is_empty() || types.iter().any(|t| t == kind || kind == "number" && t == "integer")
    }

    /// Whether it is a string, and nothing else but perhaps null.
    pub fn is_text(&self) -> bool {
        let types = self.flat.types();
        types.iter().any(|t| t == "string") && types.iter().all(|t| t == "string" || t == "null")
    }

    /// Whether it is a number, and nothing else but perhaps null.
    pub fn is_number(&self) -> bool {
        let number = |t: &String| t == "number" || t == "integer";
        let types = self.flat.types();
        types.iter().any(number) && types.iter().all(|t| number(t) || t == "null")
    }

    /// Whether it takes whole numbers only.
    pub fn is_whole(&self) -> bool {
        !self.flat.types().iter().any(|t| t == "number")
    }

    /// Whether it is a date-time among the item's own fields, which an interpretation judges.
    pub fn is_instant(&self) -> bool {
        self.top && self.flat.text("format") == Some("date-time")
    }

    /// A string without format, pattern or fixed values.
    pub fn is_plain_text(&self) -> bool {
        let formed = ["format", "pattern", "enum", "const", "oneOf", "anyOf"];
        self.is_text() && !formed.iter().any(|k| self.flat.keywords.contains_key(*k))
    }
}

/// All places, in document order, what is nested after what holds it.
pub(in crate::generate) fn gather(core: &GeneratorCore) -> Vec<SchemaSite> {
    let mut sites = Vec::new();
    for field in core.contract.fields() {
        let unique = field.name == core.contract.batch.unique;
        let plan = core.plan.fields.iter().find(|p| p.name == field.name);
        if plan.is_some_and(|p| p.omitted) {
            continue;
        }
        let full = Arc::new(plan.map_or(Value::Null, |p| p.plain.full()));
        let site = SchemaSite {
            pointer: format!("/{}", escape(&field.name)),
            name: field.name.clone(),
            flat: flatten(&core.contract.operation.document, &field.schema, REFERENCES),
            required: field.required,
            top: true,
            unique,
            element: false,
            known: plan.is_some_and(|p| p.wide.is_none()),
            result_max: field.result_max,
            usual: Value::clone(&full),
            base: (!unique).then(|| Arc::clone(&full)),
        };
        sites.push(site.clone());
        if !unique {
            // The deepest that keeps within the bound, so that no part of the field is left out altogether.
            let nested = (1..=DEPTH).rev().find_map(|depth| {
                let mut nested = Vec::new();
                descend(&core.contract.operation.document, &site, &full, "", depth, &mut nested);
                (nested.len() <= NESTED || depth == 1).then_some(nested)
            });
            sites.extend(nested.into_iter().flatten().take(NESTED));
        }
    }
    sites
}

/// The places of a value that is not an item.
pub(in crate::generate) fn gather_values(
    document: &SchemaDocument,
    schema: &Value,
    full: &Value,
) -> Vec<SchemaSite> {
    let full = Arc::new(full.clone());
    let root = SchemaSite {
        pointer: String::new(),
        name: String::new(),
        flat: flatten(document, schema, REFERENCES),
        required: true,
        top: false,
        unique: false,
        // Like an element, the whole value can't be missing.
        element: true,
        known: false,
        result_max: None,
        usual: Value::clone(&full),
        base: None,
    };
    let mut sites = vec![root.clone()];
    descend(document, &root, &full, "", DEPTH, &mut sites);
    sites.truncate(NESTED);
    sites
}

fn descend(
    document: &SchemaDocument,
    parent: &SchemaSite,
    full: &Arc<Value>,
    inside: &str,
    depth: usize,
    sites: &mut Vec<SchemaSite>,
) {
    if depth == 0
        || sites.len() > NESTED
        || parent.flat.keywords.contains_key("oneOf")
        || parent.flat.keywords.contains_key("anyOf")
    {
        return;
    }
    let mut children: Vec<(String, Value, bool, bool)> = Vec::new();
    let properties = parent.flat.keywords.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        children.push((name.clone(), schema.clone(), parent.flat.requires(name), false));
    }
    if parent.flat.list("prefixItems").is_none()
        && let Some(items) = parent.flat.keywords.get("items")
    {
        children.push(("0".to_owned(), items.clone(), true, true));
    }
    for (name, schema, required, element) in children {
        let inside = format!("{inside}/{}", escape(&name));
        let Some(usual) = full.pointer(&inside) else { continue };
        let site = SchemaSite {
            pointer: format!("{}/{}", parent.pointer, escape(&name)),
            name,
            flat: flatten(document, &schema, REFERENCES),
            required,
            top: false,
            element,
            usual: usual.clone(),
            base: Some(Arc::clone(full)),
            unique: false,
            result_max: None,
            known: parent.known,
        };
        sites.push(site.clone());
        descend(document, &site, full, &inside, depth - 1, sites);
    }
}
