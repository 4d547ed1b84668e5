//! What an OpenAPI document demands of a request's credentials.
//!
//! It must not know where credentials come from.

use serde_json::Value;

/// What the document demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredSecurity {
    /// None.
    None,
    /// A request may go without, and credentials in a header are taken.
    Optional(DeclaredScheme),
    /// Credentials in a header.
    Scheme(DeclaredScheme),
    /// Credentials that are not shown in a header; which.
    Elsewhere(String),
}

/// How a header shows credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredScheme {
    /// `Authorization: Bearer TOKEN`; OAuth 2 and `OpenID` Connect too.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// The value of a header with this name.
    ApiKey(String),
}

/// Reads `security` of an operation, or of the whole document (OpenAPI 3.1, section 4.8.30). Of several
/// alternatives the first that a header can show counts.
#[must_use]
pub fn declared_security(document: &Value, operation: &Value) -> DeclaredSecurity {
    let list = operation.get("security").or_else(|| document.get("security"));
    let alternatives = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_free =
        |requirement: &Value| requirement.as_object().is_none_or(serde_json::Map::is_empty);
    let is_optional = alternatives.iter().any(is_free);
    let schemes = document.pointer("/components/securitySchemes");
    let mut elsewhere = None;
    for alternative in alternatives.iter().filter_map(Value::as_object) {
        let mut shown = Vec::new();
        for name in alternative.keys() {
            match schemes.and_then(|all| all.get(name)).map(scheme) {
                Some(Ok(scheme)) => shown.push(scheme),
                Some(Err(what)) => _ = elsewhere.get_or_insert(what),
                None => {
                    _ = elsewhere
                        .get_or_insert_with(|| format!("`{name}`, which it does not define"));
                }
            }
        }
        // Of several that are demanded together, an API key stands beside the credentials.
        shown.sort_by_key(|scheme| matches!(scheme, DeclaredScheme::ApiKey(_)));
        if let Some(scheme) = shown.into_iter().next() {
            return if is_optional {
                DeclaredSecurity::Optional(scheme)
            } else {
                DeclaredSecurity::Scheme(scheme)
            };
        }
    }
    elsewhere.filter(|_| !is_optional).map_or(DeclaredSecurity::None, DeclaredSecurity::Elsewhere)
}

/// Headers with API keys that the document demands beside the credentials of [`declared_security`]: where there is one
/// alternative alone, its further members.
#[must_use]
pub fn further_keys(document: &Value, operation: &Value) -> Vec<String> {
    let list = operation.get("security").or_else(|| document.get("security"));
    let Some([Value::Object(only)]) = list.and_then(Value::as_array).map(Vec::as_slice) else {
        return Vec::new();
    };
    let DeclaredSecurity::Scheme(first) = declared_security(document, operation) else {
        return Vec::new();
    };
    let schemes = document.pointer("/components/securitySchemes");
    let all = only.keys().filter_map(|name| scheme(schemes?.get(name)?).ok());
    let further = all.filter(|scheme| *scheme != first).filter_map(|scheme| match scheme {
        DeclaredScheme::ApiKey(name) => Some(name),
        DeclaredScheme::Bearer | DeclaredScheme::Basic => None,
    });
    further.collect()
}

/// One security scheme, or what it is where no header shows it.
fn scheme(definition: &Value) -> Result<DeclaredScheme, String> {
    let text = |name: &str| definition.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "http" if text("scheme").eq_ignore_ascii_case("bearer") => Ok(DeclaredScheme::Bearer),
        "http" if text("scheme").eq_ignore_ascii_case("basic") => Ok(DeclaredScheme::Basic),
        "http" => Err(format!("HTTP authentication `{}`", text("scheme"))),
        "oauth2" | "openIdConnect" => Ok(DeclaredScheme::Bearer),
        "apiKey" if text("in") == "header" => match text("name") {
            name if name.eq_ignore_ascii_case("authorization") => Ok(DeclaredScheme::Bearer),
            name => Ok(DeclaredScheme::ApiKey(name.to_owned())),
        },
        "apiKey" => Err(format!("an API key in the {}", text("in"))),
        "mutualTLS" => Err("a client certificate".to_owned()),
        other => Err(format!("a security scheme of type `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn declared(security: &Value, schemes: &Value) -> DeclaredSecurity {
        let document =
            json!({ "security": security, "components": { "securitySchemes": schemes } });
        declared_security(&document, &json!({}))
    }

    #[test]
    fn the_first_scheme_that_a_header_shows_counts() {
        let schemes = json!({
            "cookie": { "type": "apiKey", "in": "cookie", "name": "session" },
            "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
            "login": { "type": "http", "scheme": "Basic" },
        });
        let key = DeclaredSecurity::Scheme(DeclaredScheme::ApiKey("X-Api-Key".to_owned()));
        assert_eq!(declared(&json!([{ "cookie": [] }, { "key": [] }]), &schemes), key);
        let basic = DeclaredSecurity::Scheme(DeclaredScheme::Basic);
        assert_eq!(declared(&json!([{ "login": [] }, { "key": [] }]), &schemes), basic);
        let elsewhere = DeclaredSecurity::Elsewhere("an API key in the cookie".to_owned());
        assert_eq!(declared(&json!([{ "cookie": [] }]), &schemes), elsewhere);
    }

    #[test]
    fn keys_beside_the_credentials_are_named() {
        let schemes = json!({
            "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
            "login": { "type": "http", "scheme": "bearer" },
        });
        let further = |security: &Value| {
            let document =
                json!({ "security": security, "components": { "securitySchemes": schemes } });
            further_keys(&document, &json!({}))
        };
        assert_eq!(further(&json!([{ "login": [], "key": [] }])), ["X-Api-Key"]);
        let bearer = DeclaredSecurity::Scheme(DeclaredScheme::Bearer);
        assert_eq!(declared(&json!([{ "key": [], "login": [] }]), &schemes), bearer);
        assert_eq!(further(&json!([{ "key": [], "login": [] }])), ["X-Api-Key"]);
        assert_eq!(further(&json!([{ "key": [] }])), [""; 0]);
        assert_eq!(further(&json!([{ "login": [], "key": [] }, { "login": [] }])), [""; 0]);
    }

    #[test]
    fn credentials_that_are_optional_are_not_demanded() {
        let schemes = json!({ "login": { "type": "http", "scheme": "bearer" } });
        for security in [json!([]), json!([{}]), json!(null)] {
            assert_eq!(declared(&security, &schemes), DeclaredSecurity::None, "{security}");
        }
        // They are shown where they are known, and nothing is said of a request without them.
        let optional = DeclaredSecurity::Optional(DeclaredScheme::Bearer);
        assert_eq!(declared(&json!([{ "login": [] }, {}]), &schemes), optional);
        let document = json!({ "security": [{ "login": [] }] });
        let operation = json!({ "security": [] });
        assert_eq!(declared_security(&document, &operation), DeclaredSecurity::None);
    }
}
