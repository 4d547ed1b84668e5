//! The parts of an archive that are the same for every writer: its head, its end, and the shape of an entry.

use serde_json::{Value, json};

/// What stands behind the last entry.
pub(super) const END: &str = "\n]}}\n";

/// What stands before the first entry.
pub(super) fn head(own: &Value) -> String {
    format!(
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{},\"{}\":{own},\"entries\":[\n",
        json!({ "name": "batchproof", "version": env!("CARGO_PKG_VERSION") }),
        super::OWN,
    )
}

/// Header fields as an archive lists them.
pub(super) fn fields(headers: &[(String, String)]) -> Value {
    headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// The parameters of a URL.
pub(super) fn query(url: &str) -> Value {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.split('#').next().unwrap_or_default().as_bytes())
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}
