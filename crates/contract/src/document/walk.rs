//! A walk through a document that knows where schemas stand, and where mere data does.
//!
//! A property may be called `$ref`, and an example may hold what looks like a schema. It must not know what is done
//! with what it finds.

use serde_json::{Map, Value};

use crate::validity::escape;

/// What an object of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// An object of OpenAPI that is not a schema: an operation, a media type, a response.
    Api,
    /// A JSON Schema.
    Schema,
}

/// What the members of an object hold.
enum Content {
    /// One object of this kind.
    One(Position),
    /// A list of them.
    List(Position),
    /// A map from names to them.
    Named(Position),
    /// One schema, or a list of them.
    Either,
    /// Named objects in sections: `components`.
    Sections,
    /// No part of the document.
    Data,
}

/// The keywords of JSON Schema, of all drafts, whose values hold schemas.
fn in_schema(keyword: &str) -> Content {
    match keyword {
        "additionalItems"
        | "additionalProperties"
        | "contains"
        | "contentSchema"
        | "else"
        | "if"
        | "not"
        | "propertyNames"
        | "then"
        | "unevaluatedItems"
        | "unevaluatedProperties" => Content::One(Position::Schema),
        "items" => Content::Either,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Content::List(Position::Schema),
        "$defs" | "definitions" | "dependentSchemas" | "dependencies" | "patternProperties"
        | "properties" => Content::Named(Position::Schema),
        _ => Content::Data,
    }
}

/// The members of OpenAPI objects; a member of any other name is an object, or a map of objects.
fn in_api(member: &str, value: &Value) -> Content {
    match member {
        "schema" | "itemSchema" => Content::One(Position::Schema),
        // Definitions of Swagger 2.0.
        "definitions" | "schemas" => Content::Named(Position::Schema),
        "components" => Content::Sections,
        // The answer to any other status, or a value.
        "default" if is_response(value) => Content::One(Position::Api),
        "example" | "examples" | "default" | "enum" | "security" | "scopes" | "mapping"
        | "servers" => Content::Data,
        _ if member.starts_with("x-") => Content::Data,
        _ if value.is_array() => Content::List(Position::Api),
        _ => Content::One(Position::Api),
    }
}

fn is_response(value: &Value) -> bool {
    ["$ref", "content", "description", "schema"].iter().any(|member| value.get(member).is_some())
}

/// Calls `visit` for every object of a document, an outer one before those inside it, with its pointer.
pub fn walk(value: &mut Value, position: Position, pointer: &str, visit: &mut Visit<'_>) {
    let Value::Object(map) = value else { return };
    visit(map, position, pointer);
    for (name, inside) in map {
        let members = match position {
            Position::Schema => in_schema(name),
            Position::Api => in_api(name, inside),
        };
        let at = || format!("{pointer}/{}", escape(name));
        match members {
            Content::One(position) => walk(inside, position, &at(), visit),
            Content::List(position) => walk_list(inside, position, &at(), visit),
            Content::Named(position) => walk_named(inside, position, &at(), visit),
            Content::Either if inside.is_array() => {
                walk_list(inside, Position::Schema, &at(), visit);
            }
            Content::Either => walk(inside, Position::Schema, &at(), visit),
            Content::Sections => {
                for (section, named) in inside.as_object_mut().into_iter().flatten() {
                    let position =
                        if section == "schemas" { Position::Schema } else { Position::Api };
                    if !section.starts_with("x-") && section != "examples" {
                        walk_named(
                            named,
                            position,
                            &format!("{}/{}", at(), escape(section)),
                            visit,
                        );
                    }
                }
            }
            Content::Data => {}
        }
    }
}

/// What a walk calls for each object: the object, what it is, its pointer.
pub type Visit<'a> = dyn FnMut(&mut Map<String, Value>, Position, &str) + 'a;

fn walk_list(value: &mut Value, position: Position, pointer: &str, visit: &mut Visit<'_>) {
    for (index, inside) in value.as_array_mut().into_iter().flatten().enumerate() {
        walk(inside, position, &format!("{pointer}/{index}"), visit);
    }
}

fn walk_named(value: &mut Value, position: Position, pointer: &str, visit: &mut Visit<'_>) {
    for (name, inside) in value.as_object_mut().into_iter().flatten() {
        walk(inside, position, &format!("{pointer}/{}", escape(name)), visit);
    }
}

/// What a walk from `value` takes the object at a pointer for; none where it does not come by.
pub fn position_at(value: &Value, position: Position, pointer: &str) -> Option<Position> {
    let mut steps = pointer.split('/').skip(1);
    let (mut value, mut position) = (value, position);
    while let Some(step) = steps.next() {
        let name = step.replace("~1", "/").replace("~0", "~");
        let inside = value.get(&name)?;
        let members = match position {
            Position::Schema => in_schema(&name),
            Position::Api => in_api(&name, inside),
        };
        (value, position) = match members {
            Content::One(position) => (inside, position),
            Content::Either if !inside.is_array() => (inside, Position::Schema),
            Content::Either => (element(inside, steps.next()?)?, Position::Schema),
            Content::List(position) | Content::Named(position) => {
                (element(inside, steps.next()?)?, position)
            }
            Content::Sections => {
                let section = steps.next()?;
                let position = if section == "schemas" { Position::Schema } else { Position::Api };
                (element(inside.get(section)?, steps.next()?)?, position)
            }
            Content::Data => return None,
        };
    }
    Some(position)
}

fn element<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    value.pointer(&format!("/{step}"))
}
