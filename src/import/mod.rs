//! Makes a case file of requests that something else sent or recorded: a HAR, a `curl` command, a Postman collection,
//! a report. Credentials never reach the case.
//!
//! It must not know how requests are sent.

mod case_text;
mod curl;
mod har;
mod postman;
mod recorded;
mod secret;

use serde_json::Value;

pub use case_text::case_text;
pub use secret::is_secret;

use crate::contract::Contract;

/// A request as it was found.
#[derive(Debug, Clone, Default)]
pub struct ImportedRequest {
    /// Method.
    pub method: String,
    /// URL, or a path.
    pub url: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<String>,
    /// What was answered: status and body.
    pub answer: Option<(u16, Option<String>)>,
    /// Which credentials it carried, in the word of case files, where that is known.
    pub credential: Option<String>,
    /// Names in double braces that nothing was filled in for.
    pub variables: Vec<String>,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub enum ImportedFile {
    /// Requests, to be written as a case.
    Requests(Vec<ImportedRequest>),
    /// A whole case file: a report has it.
    CaseFile(String),
}

/// Reads what `text` holds; `finding` names one of a report.
///
/// # Errors
/// What it is not, and what was expected.
pub fn read(text: &str, finding: Option<&str>) -> Result<ImportedFile, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let start = text.trim_start_matches(['$', '>', '%', ' ']);
    if start.starts_with("curl ") || start.starts_with("curl.exe ") {
        return curl::read(start).map(|request| ImportedFile::Requests(vec![request]));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        format!("it is neither a curl command nor JSON ({error})\n  expected: {EXPECTED}")
    })?;
    if value.pointer("/log/entries").is_some_and(Value::is_array) {
        return Ok(ImportedFile::Requests(har::read(&value)));
    }
    if value.get("findings").is_some_and(Value::is_array) && value.get("run_id").is_some() {
        return recorded::read(&value, finding);
    }
    if value.get("info").is_some() && value.get("item").is_some_and(Value::is_array) {
        return Ok(ImportedFile::Requests(postman::read(&value)));
    }
    Err(format!("it is JSON, but of no kind that is known\n  expected: {EXPECTED}"))
}

/// What can be imported.
const EXPECTED: &str = "a HAR, a curl command, a Postman collection (v2.1), or report.json";

/// The requests of these that are for the contract's operation; where there are none, what was found instead.
///
/// # Errors
/// The other requests, in words.
pub fn for_operation(
    contract: &Contract,
    requests: Vec<ImportedRequest>,
) -> Result<Vec<ImportedRequest>, String> {
    const SHOWN: usize = 5;
    let operation = &contract.operation;
    let is_it = |request: &ImportedRequest| {
        request.method.eq_ignore_ascii_case(&operation.method)
            && path_of(&request.url).0.ends_with(&operation.path)
    };
    // A single request is meant, whatever it is.
    if requests.len() == 1 || requests.iter().any(is_it) {
        let single = requests.len() == 1;
        return Ok(requests.into_iter().filter(|request| single || is_it(request)).collect());
    }
    let mut found: Vec<String> = requests
        .iter()
        .map(|request| format!("{} {}", request.method, path_of(&request.url).0))
        .collect();
    found.dedup();
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(if found.is_empty() {
        "it holds no request".to_owned()
    } else {
        format!(
            "none of its requests is {} {}\n  found: {}{more}\n  hint: --contract DIR names another endpoint",
            operation.method,
            operation.path,
            found.join(", ")
        )
    })
}

/// Path and query of a URL, or of a path.
fn path_of(url: &str) -> (&str, Option<&str>) {
    let after = url.find("://").map_or(url, |at| &url[at + 3..]);
    let path = if after.len() == url.len() && url.starts_with('/') {
        url
    } else {
        after.find(['/', '?']).map_or("/", |at| &after[at..])
    };
    let path = path.split('#').next().unwrap_or_default();
    match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    }
}
