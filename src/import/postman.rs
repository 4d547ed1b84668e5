//! Postman collections (v2.1; of v2.0 what is alike).

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
        return Some(ImportedRequest {
            method: "GET".to_owned(),
            url: filled(url),
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
    Some(ImportedRequest {
        method: request.get("method").and_then(Value::as_str).unwrap_or("GET").to_uppercase(),
        url: filled(&url),
        headers: headers.collect(),
        body: body.map(filled),
        answer,
        credential: None,
    })
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
