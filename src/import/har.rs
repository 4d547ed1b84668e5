//! HTTP archives (HAR 1.2), as browsers and proxies write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::ImportedRequest;

/// The requests of an archive, in its order.
pub fn read(archive: &Value) -> Vec<ImportedRequest> {
    let entries = archive.pointer("/log/entries").and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(entry).collect()
}

fn entry(entry: &Value) -> Option<ImportedRequest> {
    let request = entry.get("request")?;
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let headers = request.get("headers").and_then(Value::as_array);
    let headers = headers.into_iter().flatten().filter_map(|header| {
        Some((text(header, "name")?, text(header, "value").unwrap_or_default()))
    });
    let answer = entry.get("response").and_then(|response| {
        let status = u16::try_from(response.get("status")?.as_u64()?).ok().filter(|s| *s >= 100)?;
        let content = response.get("content");
        let body = content.and_then(|content| {
            let body = text(content, "text")?;
            if content.get("encoding").and_then(Value::as_str) == Some("base64") {
                return String::from_utf8(BASE64.decode(body).ok()?).ok();
            }
            Some(body)
        });
        Some((status, body))
    });
    Some(ImportedRequest {
        method: text(request, "method")?.to_uppercase(),
        url: text(request, "url")?,
        headers: headers.collect(),
        body: request.get("postData").and_then(|data| text(data, "text")),
        answer,
        credential: None,
        variables: Vec::new(),
    })
}
