//! Postman collections (v2.1; of v2.0 what is alike). Variables of an environment stay open: a run gives them.

use serde_json::Value;

use super::ImportedRequest;

/// Folders in folders that are looked through.
const DEPTH: usize = 16;

/// The requests of a collection, its variables filled in.
pub fn read(collection: &Value) -> Vec<ImportedRequest> {
    let variables: Vec<(String, String)> = collection
        .get("variable")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|variable| {
            let name = variable.get("key").or(variable.get("id"))?.as_str()?;
            let value = match variable.get("value")? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some((format!("{{{{{name}}}}}"), value))
        })
        .collect();
    let mut found = Vec::new();
    folder(collection, &variables, DEPTH, &mut found);
    found
}

fn folder(
    holder: &Value,
    variables: &[(String, String)],
    depth: usize,
    found: &mut Vec<ImportedRequest>,
) {
    for item in holder.get("item").and_then(Value::as_array).into_iter().flatten() {
        if let Some(request) = item.get("request") {
            found.extend(read_request(item, request, variables));
        }
        if depth > 0 {
            folder(item, variables, depth - 1, found);
        }
    }
}

fn read_request(
    item: &Value,
    request: &Value,
    variables: &[(String, String)],
) -> Option<ImportedRequest> {
    let filled = |text: &str| {
        variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    if let Some(url) = request.as_str() {
        let url = filled(url);
        return Some(ImportedRequest {
            method: "GET".to_owned(),
            variables: open_variables([url.as_str()]),
            url,
            ..ImportedRequest::default()
        });
    }
    let url = match request.get("url")? {
        Value::String(text) => text.clone(),
        url => match url.get("raw").and_then(Value::as_str) {
            Some(raw) => raw.to_owned(),
            None => format!("/{}", texts(url.get("path")?).join("/")),
        },
    };
    let headers = request.get("header").and_then(Value::as_array).into_iter().flatten();
    let headers = headers.filter(|header| header.get("disabled") != Some(&Value::Bool(true)));
    let headers = headers.filter_map(|header| {
        let value = header.get("value").and_then(Value::as_str).unwrap_or_default();
        Some((header.get("key")?.as_str()?.to_owned(), filled(value)))
    });
    let body = request.get("body").and_then(|body| body.get("raw")).and_then(Value::as_str);
    let answer = item.pointer("/response/0").and_then(|response| {
        let status = u16::try_from(response.get("code")?.as_u64()?).ok()?;
        Some((status, response.get("body").and_then(Value::as_str).map(str::to_owned)))
    });
    let (url, body) = (filled(&url), body.map(filled));
    let headers: Vec<(String, String)> = headers.collect();
    let texts = headers.iter().map(|(_, value)| value.as_str());
    Some(ImportedRequest {
        variables: open_variables(texts.chain([url.as_str()]).chain(body.as_deref())),
        method: request.get("method").and_then(Value::as_str).unwrap_or("GET").to_uppercase(),
        url,
        headers,
        body,
        answer,
        credential: None,
    })
}

/// The names in double braces, each once. What begins with a dollar sign is a function of Postman's, and stays.
fn open_variables<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        let parts = text.split("{{").skip(1).filter_map(|part| Some(part.split_once("}}")?.0));
        for name in parts.filter(is_name) {
            if names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
