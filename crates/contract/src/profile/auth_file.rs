//! Authentication files of Web Fuzzing Commons (schema version 0.6.0): the fixed headers of one user, as far as a profile
//! can send them. What it can't is an error that names the field.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Profile, line_of};
use crate::file_error::read_yaml;
use crate::{Contract, FileError, header};

/// What an entry may hold and batchproof can't do, with what to do instead.
const UNMAPPED: [(&str, &str); 2] = [
    (
        "loginEndpointAuth",
        "`auth: { oauth2: … }` in a profile fetches a token, and so does --token-command",
    ),
    ("createUsers", "the profile's `setup` can create a user before the run"),
];

impl Profile {
    /// Takes the credentials of a user in an authentication file: the first one, where none is named.
    ///
    /// # Errors
    /// A [`FileError`] for a file that can't be read, and for a field that has no meaning here.
    pub fn use_auth_file(
        &mut self,
        path: &Path,
        user: Option<&str>,
        contract: &Contract,
    ) -> Result<(), FileError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            FileError::new(&*file, error.to_string()).expected("a readable authentication file")
        })?;
        let document: Value = read_yaml(&file, &text)?;
        let wrong = |place: &str, what: &str| {
            let field = place.rsplit('.').next().unwrap_or(place);
            FileError::new(&*file, format!("`{place}`: {what}")).at(line_of(&text, field), 1)
        };
        let list = document.get("auth").and_then(Value::as_array);
        let list = list.filter(|list| !list.is_empty()).ok_or_else(|| {
            wrong("auth", "it is missing or empty").expected("a list of users with fixedHeaders")
        })?;
        let name = |entry: &Value| entry.get("name").and_then(Value::as_str).map(str::to_owned);
        let at = match user {
            None => 0,
            Some(user) => {
                let names: Vec<String> = list.iter().filter_map(name).collect();
                let at = list.iter().position(|entry| name(entry).as_deref() == Some(user));
                at.ok_or_else(|| {
                    wrong("auth", &format!("it has no user `{user}`"))
                        .expected(format!("one of {}", names.join(", ")))
                        .nearest(user, &names)
                })?
            }
        };
        let place = format!("auth[{at}]");
        let entry = list.get(at).and_then(Value::as_object);
        let entry = entry.ok_or_else(|| wrong(&place, "it is not an object"))?;
        let entry = with_template(entry, document.get("authTemplate"));
        for (field, instead) in UNMAPPED {
            if entry.get(field).is_some_and(|value| !value.is_null()) {
                return Err(wrong(&format!("{place}.{field}"), "batchproof can't do this")
                    .expected("fixedHeaders")
                    .hint(instead));
            }
        }
        let known = ["name", "fixedHeaders", "requireMockHandling"];
        if let Some(field) = entry.keys().find(|field| {
            !known.contains(&field.as_str()) && UNMAPPED.iter().all(|(name, _)| name != field)
        }) {
            return Err(wrong(&format!("{place}.{field}"), "it is not a field of the format")
                .expected(format!("one of {}", known.join(", ")))
                .nearest(field, known));
        }
        if entry.get("requireMockHandling") == Some(&Value::Bool(true)) {
            let place = format!("{place}.requireMockHandling");
            return Err(wrong(&place, "batchproof can't set up responses of another service"));
        }
        let headers = entry.get("fixedHeaders").and_then(Value::as_array);
        let headers = headers.filter(|list| !list.is_empty()).ok_or_else(|| {
            wrong(&format!("{place}.fixedHeaders"), "it is missing or empty")
                .expected("a list of headers: { name: Authorization, value: … }")
        })?;
        for (nth, entry) in headers.iter().enumerate() {
            let place = format!("{place}.fixedHeaders[{nth}]");
            let text = |field: &str| {
                entry.get(field).and_then(Value::as_str).map(str::trim).ok_or_else(|| {
                    wrong(&format!("{place}.{field}"), "it is missing, or not a text")
                })
            };
            let (name, value) = (text("name")?, text("value")?);
            if !header::is_name(name) || header::is_framing(name) {
                let place = format!("{place}.name");
                return Err(wrong(&place, "a request can't have this header")
                    .expected("a header that says nothing of where the message goes or ends"));
            }
            // The value is a secret: no message shows it.
            if value.is_empty() || !header::is_value(value) {
                return Err(wrong(
                    &format!("{place}.value"),
                    "it is empty, or not one line of text",
                ));
            }
            self.add_header(name, value);
        }
        self.adopt_credentials(contract);
        Ok(())
    }
}

/// An entry with what the template has and it has not.
fn with_template(entry: &Map<String, Value>, template: Option<&Value>) -> Map<String, Value> {
    let mut merged = entry.clone();
    for (name, value) in template.and_then(Value::as_object).into_iter().flatten() {
        if !merged.contains_key(name) {
            merged.insert(name.clone(), value.clone());
        }
    }
    merged
}
