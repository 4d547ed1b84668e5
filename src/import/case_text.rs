//! Requests as the text of a case file: keys become `${fresh}`, credentials the token of the run.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;

use super::secret::{is_secret, is_usual, secrets};
use super::{ImportedRequest, path_of};
use crate::contract::yaml::scalar;
use crate::contract::{Contract, code_text};
use crate::exchange::REDACTED;

/// The text of a case with these requests; `source` says where they come from.
#[must_use]
pub fn case_text(contract: &Contract, requests: &[ImportedRequest], source: &str) -> String {
    let keys = KeyNames::of(contract, requests);
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let operation = &contract.operation;
    let mut steps = String::new();
    for request in requests {
        let writer = StepWriter { contract, request, keys: &keys, secrets: secrets(request) };
        writer.write(&mut steps);
    }
    let names: BTreeSet<&String> = requests.iter().flat_map(|request| &request.variables).collect();
    let mut variables = String::new();
    for name in names.into_iter().filter(|name| steps.contains(&variable(name))) {
        let _ = writeln!(variables, "# Give it a value for {name}: --variable {name}=VALUE");
    }
    format!(
        "# Imported from {source}. Keys are fresh in each run, and credentials are those of the run.\n\
         # The rules about any exchange judge it; `expect` says more (batchproof new case shows how).\n\
         {variables}title: {}\n\
         steps:\n{steps}",
        scalar(&format!("{} {}, from {source}", operation.method, operation.path))
    )
}

/// The template of a variable that each run is given.
fn variable(name: &str) -> String {
    format!("${{variable:{name}}}")
}

/// The keys of all requests, and how often each is met.
struct KeyNames(Vec<(String, usize)>);

impl KeyNames {
    fn of(contract: &Contract, requests: &[ImportedRequest]) -> KeyNames {
        let mut met: Vec<(String, usize)> = Vec::new();
        for request in requests {
            let body = request.body.as_deref().unwrap_or_default();
            for place in key_places(contract, body) {
                let key = &body[place];
                match met.iter_mut().find(|(known, _)| known == key) {
                    Some((_, count)) => *count += 1,
                    None => met.push((key.to_owned(), 1)),
                }
            }
        }
        KeyNames(met)
    }

    /// What stands for a key.
    fn template(&self, key: &str) -> String {
        match self.0.iter().position(|(known, _)| known == key) {
            Some(at) if self.0[at].1 > 1 => {
                let letter = char::from(b'a' + u8::try_from(at % 26).unwrap_or(0));
                let count = if at < 26 { String::new() } else { (at / 26).to_string() };
                format!("${{key:{letter}{count}}}")
            }
            _ => "${fresh}".to_owned(),
        }
    }
}

/// Where the texts of the unique keys stand in a body, without their quotes.
fn key_places(contract: &Contract, body: &str) -> Vec<Range<usize>> {
    let offset = |part: &str| part.as_ptr() as usize - body.as_ptr() as usize;
    let Some(items) = items(contract, body) else { return Vec::new() };
    let keys = items.iter().filter_map(|item| {
        let members: HashMap<String, &RawValue> = serde_json::from_str(item.get()).ok()?;
        let key = members.get(&contract.batch.unique)?.get();
        let from = offset(key);
        (key.len() > 2 && key.starts_with('"')).then(|| from + 1..from + key.len() - 1)
    });
    keys.collect()
}

/// The items of a body, as they are written.
fn items<'a>(contract: &Contract, body: &'a str) -> Option<Vec<&'a RawValue>> {
    let members: HashMap<String, &RawValue> = serde_json::from_str(body).ok()?;
    let list: &'a RawValue = members.get(&contract.batch.items)?;
    serde_json::from_str(list.get()).ok()
}

struct StepWriter<'a> {
    contract: &'a Contract,
    request: &'a ImportedRequest,
    keys: &'a KeyNames,
    secrets: Vec<String>,
}

impl StepWriter<'_> {
    fn write(&self, out: &mut String) {
        if let Some(answered) = self.answered() {
            let _ = writeln!(out, "  # {answered}");
        }
        let mut lines = self.head();
        lines.extend(self.body());
        for (at, line) in lines.iter().enumerate() {
            let mark = if at == 0 { "- " } else { "  " };
            let _ = writeln!(out, "  {mark}{line}");
        }
    }

    fn head(&self) -> Vec<String> {
        let operation = &self.contract.operation;
        let request = self.request;
        let mut lines = Vec::new();
        if request.method != operation.method || request.body.is_none() {
            lines.push(format!("method: {}", scalar(&request.method)));
        }
        let (path, query) = path_of(&request.url);
        let documented = path.ends_with(&operation.path);
        let query: Vec<&str> = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .filter(|pair| !is_secret(pair.split('=').next().unwrap_or_default()))
            .collect();
        if !documented || !query.is_empty() {
            let mut text = if documented { "${path}".to_owned() } else { self.text(path) };
            if !query.is_empty() {
                text.push('?');
                text.push_str(&self.text(&query.join("&")));
            }
            lines.push(format!("path: {}", scalar(&text)));
        }
        let mut headers: Vec<String> = Vec::new();
        for (name, value) in &request.headers {
            let json =
                value.trim().eq_ignore_ascii_case("application/json") || value.trim() == "*/*";
            let standard =
                ["content-type", "accept"].iter().any(|known| name.eq_ignore_ascii_case(known));
            let browser = name.eq_ignore_ascii_case("accept") && value.contains(',');
            if is_secret(name)
                || is_usual(name)
                || (standard && json)
                || browser
                || value.is_empty()
            {
                continue;
            }
            let member = format!("{}: {}", scalar(name), scalar(&self.text(value)));
            let begins = format!("{}:", scalar(name)).to_lowercase();
            if !headers.iter().any(|known| known.to_lowercase().starts_with(&begins)) {
                headers.push(member);
            }
        }
        if !headers.is_empty() {
            lines.push(format!("headers: {{ {} }}", headers.join(", ")));
        }
        if let Some(credential) = request.credential.as_ref().filter(|c| *c != "good") {
            lines.push(format!("credential: {credential}"));
        }
        lines
    }

    fn body(&self) -> Vec<String> {
        let Some(body) = &self.request.body else { return Vec::new() };
        let alone =
            serde_json::from_str::<HashMap<String, &RawValue>>(body).is_ok_and(|m| m.len() == 1);
        match items(self.contract, body).filter(|items| alone && !items.is_empty()) {
            Some(items) => {
                let mut lines = vec!["batch:".to_owned()];
                for item in items {
                    lines.push(format!("  - raw: {}", scalar(&self.templated(item.get()))));
                }
                lines
            }
            None => vec![format!("body: {}", scalar(&self.templated(body)))],
        }
    }

    /// A body, or an item of one, with templates for its keys.
    fn templated(&self, text: &str) -> String {
        let mut places = key_places(self.contract, text);
        if places.is_empty()
            && let Ok(members) = serde_json::from_str::<HashMap<String, &RawValue>>(text)
            && let Some(key) = members.get(&self.contract.batch.unique).map(|key| key.get())
            && key.len() > 2
            && key.starts_with('"')
        {
            let from = key.as_ptr() as usize - text.as_ptr() as usize;
            places.push(from + 1..from + key.len() - 1);
        }
        let mut out = String::new();
        let mut from = 0;
        for place in places {
            out.push_str(&self.text(&text[from..place.start]));
            out.push_str(&self.keys.template(&text[place.clone()]));
            from = place.end;
        }
        out.push_str(&self.text(&text[from..]));
        out
    }

    /// Text that holds no template. Outside of credentials, a secret is of no use.
    fn text(&self, text: &str) -> String {
        let clean = self
            .secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), REDACTED));
        self.request.variables.iter().fold(clean.replace("${", "$${"), |text, name| {
            text.replace(&format!("{{{{{name}}}}}"), &variable(name))
        })
    }

    /// What was answered then, in a line.
    fn answered(&self) -> Option<String> {
        let (status, body) = self.request.answer.as_ref()?;
        let body: Value =
            body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
        let batch = &self.contract.batch;
        let results = body.get(&batch.results).and_then(Value::as_array);
        let codes = |accepted: bool| {
            let word = if accepted { &batch.verdict.accepted } else { &batch.verdict.rejected };
            let all = results.into_iter().flatten();
            all.filter(|r| r.get(&batch.verdict.field).and_then(Value::as_str) == Some(word))
                .map(|r| {
                    r.get(&batch.error.code).and_then(code_text).unwrap_or_default().into_owned()
                })
                .collect::<Vec<_>>()
        };
        let (accepted, mut rejected) = (codes(true).len(), codes(false));
        let mut text = format!("answered {status} then");
        if results.is_some() {
            let _ = write!(text, ": {accepted} accepted, {} rejected", rejected.len());
            rejected.sort();
            rejected.dedup();
            rejected.retain(|code| !code.is_empty());
            if !rejected.is_empty() {
                let _ = write!(text, " ({})", rejected.join(", "));
            }
        }
        let text =
            self.secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "…"));
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
