//! A hook: what prepares a target before a run, or removes what the run left there. As the profile says it, nothing
//! filled in, so that no secret is in it.
//!
//! It must not know how a command is run or a request is sent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A shell command, or requests to the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Hook {
    /// For `sh -c`; `${run-id}` is filled in, and everything else is the shell's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Sent one after the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<HookRequest>,
    /// Seconds that all of it may take.
    pub timeout: Option<u64>,
}

/// A request of a hook; with `${key}` one for each key, with `${keys}` one for each batch of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HookRequest {
    /// POST where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Below the target's base URL.
    pub path: String,
    /// Beside the usual ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Statuses that are fine; else 2xx, and for a clean-up 404 and 410.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Keys that `${keys}` stands for, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<usize>,
}

impl HookRequest {
    /// All its texts that are filled in.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.values().map(String::as_str);
        std::iter::once(self.path.as_str()).chain(headers).chain(self.body.as_deref())
    }

    /// Whether it names `${NAME}`.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.texts().flat_map(names).any(|found| found == name)
    }
}

impl Hook {
    /// What is wrong with it, where anything is, and the environment variables that it reads.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn check(&self, has_keys: bool) -> Result<Vec<String>, (String, String)> {
        if self.command.is_some() != self.requests.is_empty() {
            return Err((
                "it has neither `command` nor `requests`, or both".to_owned(),
                "command: a shell command, or requests: a list of { method, path, headers, body }"
                    .to_owned(),
            ));
        }
        let mut variables: Vec<String> =
            names(self.command.as_deref().unwrap_or_default()).filter_map(variable).collect();
        for request in &self.requests {
            if !request.path.starts_with('/') {
                return Err((
                    format!("the path `{}` does not begin with `/`", request.path),
                    "a path below the target's base URL".to_owned(),
                ));
            }
            for name in request.texts().flat_map(names) {
                match name {
                    "run-id" => {}
                    "key" | "keys" if has_keys => {}
                    _ => variables.push(variable(name).ok_or_else(|| {
                        let keys = if has_keys { ", ${key}, ${keys}" } else { "" };
                        (
                            format!("`${{{name}}}` is unknown here"),
                            format!("${{run-id}}{keys} or ${{env:NAME}}"),
                        )
                    })?),
                }
            }
        }
        Ok(variables)
    }
}

fn variable(name: &str) -> Option<String> {
    name.strip_prefix("env:").map(str::to_owned)
}

/// The names in `${…}`; `$${` is literal.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find("${")?;
            let literal = rest[..start].ends_with('$');
            let end = start + rest[start..].find('}')?;
            let name = &rest[start + 2..end];
            rest = &rest[end + 1..];
            if !literal {
                return Some(name);
            }
        }
    })
}

/// A text with its `${…}` filled in; what `value` does not know stays.
#[must_use]
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let (name, whole) = (&rest[start + 2..start + length], &rest[start..=start + length]);
        let before = &rest[..start];
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str(whole);
        } else {
            out.push_str(before);
            out.push_str(value(name).as_deref().unwrap_or(whole));
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_unknown_ones_stay() {
        let value = |name: &str| (name == "key").then(|| "K".to_owned());
        assert_eq!(fill("a ${key} $${key} ${HOME} ${", &value), "a K ${key} ${HOME} ${");
        assert_eq!(names("${a} $${b} ${c}").collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn a_hook_is_a_command_or_requests() {
        let request = |path: &str| HookRequest { path: path.to_owned(), ..HookRequest::default() };
        let requests = |path: &str| Hook { requests: vec![request(path)], ..Hook::default() };
        let command = Hook { command: Some("rm ${env:DIR} ${x}".to_owned()), ..Hook::default() };
        assert!(Hook::default().check(true).is_err());
        assert_eq!(command.check(true).unwrap(), ["DIR"]);
        assert!(requests("keys/${key}").check(true).is_err());
        assert!(requests("/keys/${key}").check(true).is_ok());
        assert!(requests("/keys/${key}").check(false).is_err());
    }
}
