//! What a record keeps of a profile.

use serde_json::Value;

use super::Profile;
use super::credentials::is_secret;
use crate::Contract;
use crate::auth::{AuthScheme, CredentialScheme};
use crate::security::DeclaredSecurity;

/// What a record has in place of what it does not keep.
const WITHHELD: &str = "[redacted]";
/// What a record keeps of a profile, commands taken out: whatever is not named here may hold one.
const RECORDED: [&str; 13] = [
    "values",
    "omit",
    "required",
    "auth",
    "token-command",
    "token-interval",
    "traceparent",
    "headers",
    "error-codes",
    "skip",
    "limits",
    "setup",
    "cleanup",
];
/// What prepares a target, and cleans it up.
const HOOKS: [&str; 2] = ["setup", "cleanup"];
impl Profile {
    /// The profile as a record keeps it: how credentials are sent, but no header's value, no command and nothing of
    /// how a token is fetched. Nobody's record makes another machine run commands.
    #[must_use]
    pub fn recorded(&self, contract: &Contract) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        if let Some(headers) = shown.get_mut("headers").and_then(Value::as_object_mut) {
            headers.values_mut().for_each(|value| *value = WITHHELD.into());
        }
        let Some(all) = shown.as_object_mut() else { return shown };
        all.retain(|name, _| RECORDED.contains(&name.as_str()));
        if all.contains_key("token-command") {
            all.insert("token-command".to_owned(), WITHHELD.into());
        }
        for hook in HOOKS {
            if let Some(hook) = all.get_mut(hook) {
                withhold_from_hook(hook);
            }
        }
        let auth = match (&self.auth, self.credential_scheme(contract)) {
            (AuthScheme::OAuth2(_), _) => serde_json::json!({ "oauth2": WITHHELD }),
            (_, CredentialScheme::Signed) => serde_json::json!({ "command": WITHHELD }),
            (AuthScheme::Declared, CredentialScheme::Bearer)
                if !matches!(contract.operation.security, DeclaredSecurity::Scheme(_)) =>
            {
                "declared".into()
            }
            (_, CredentialScheme::Bearer) => "bearer".into(),
            (_, CredentialScheme::Basic) => "basic".into(),
            (_, CredentialScheme::None) => "none".into(),
            (_, CredentialScheme::ApiKey(name)) => serde_json::json!({ "api-key": name }),
        };
        all.insert("auth".to_owned(), auth);
        shown
    }

    /// A recorded profile for who runs no hook.
    #[must_use]
    pub fn without_hooks(mut recorded: Value) -> Value {
        if let Some(all) = recorded.as_object_mut() {
            all.retain(|name, _| !HOOKS.contains(&name.as_str()));
        }
        recorded
    }

    /// Whether a recorded profile can't be used again, because the record withholds what it needs.
    #[must_use]
    pub fn is_withheld(recorded: &Value) -> bool {
        match recorded {
            Value::String(text) => text.contains(WITHHELD),
            Value::Array(list) => list.iter().any(Profile::is_withheld),
            Value::Object(map) => map.values().any(Profile::is_withheld),
            _ => false,
        }
    }
}

/// Takes out of a hook what no record keeps: its command, and secrets in headers that do not stand in the environment.
fn withhold_from_hook(hook: &mut Value) {
    if let Some(command) = hook.get_mut("command") {
        *command = WITHHELD.into();
    }
    let requests = hook.get_mut("requests").and_then(Value::as_array_mut).into_iter().flatten();
    let headers = requests.filter_map(|request| request.get_mut("headers")?.as_object_mut());
    for (name, value) in headers.flatten() {
        let is_named = value.as_str().is_some_and(|text| text.contains("${env:"));
        if is_secret(name) && !is_named {
            *value = WITHHELD.into();
        }
    }
}
