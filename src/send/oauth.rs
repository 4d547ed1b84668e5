//! OAuth 2 client credentials (RFC 6749, section 4.4): asks a token endpoint for a token.
//!
//! It must not know what the token is used for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

use super::proxy::Proxy;
use super::token_text::{Fetched, token_text};
use super::{SendError, SendOptions, Target, head, tls, tls_error};
use crate::contract::CredentialScheme;
use crate::contract::auth::{ClientAuthentication, OAuth2, SecretPlace};
use crate::exchange::Redactor;

/// What an endpoint gets for its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const LARGEST: usize = 256 * 1024;
/// Characters of an answer that are shown.
const SHOWN: usize = 300;
/// Pauses before an endpoint that could not be reached, or is under load, is asked again.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(2)];

/// A token endpoint, and what it is asked with.
pub struct TokenEndpoint {
    client: reqwest::Client,
    url: url::Url,
    id: String,
    secret: SecretString,
    authentication: ClientAuthentication,
    scope: Option<String>,
    audience: Option<String>,
}

/// Why an endpoint gave no token.
struct Refusal {
    what: String,
    /// Whether asking again may help.
    passing: bool,
}

impl TokenEndpoint {
    /// The endpoint of a profile, asked over the same TLS and proxy options as the target.
    ///
    /// # Errors
    /// [`SendError`] where its URL, its secret or a certificate file can't be used.
    pub fn new(settings: &OAuth2, options: &SendOptions) -> Result<TokenEndpoint, SendError> {
        let wrong = |what: String, expected: &str| SendError::Token {
            what: format!("auth: oauth2: {what}"),
            expected: expected.to_owned(),
        };
        let url = url::Url::parse(settings.token_url.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or_else(|| {
                let shown = settings.token_url.rsplit('@').next().unwrap_or_default();
                wrong(
                    format!("token-url: `{shown}` cannot be used"),
                    "the URL of the token endpoint, without credentials: https://HOST/PATH",
                )
            })?;
        let id = match settings.client_id.trim().strip_prefix("${env:") {
            Some(name) => variable(name.trim_end_matches('}'))
                .map_err(|why| wrong(format!("client-id: {why}"), "an exported variable"))?,
            None => settings.client_id.trim().to_owned(),
        };
        let secret = secret(&settings.client_secret).map_err(|why| {
            wrong(format!("client-secret: {why}"), "\"${env:NAME}\" or { file: PATH }")
        })?;
        let target = Target { base: url.as_str().to_owned(), url: url.clone() };
        let mut tls = tls::config(options, target.is_encrypted())?;
        tls.alpn_protocols = vec![tls::HTTP_2.to_vec(), tls::HTTP_1.to_vec()];
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect)
            .timeout(PATIENCE.min(options.timeout))
            .user_agent(head::USER_AGENT)
            .no_proxy()
            .tls_backend_preconfigured(tls);
        if let Some(proxy) = Proxy::from_environment(&target)? {
            builder = builder.proxy(proxy.for_requests()?);
        }
        let client =
            builder.build().map_err(|e| SendError::Client(format!("the HTTP client: {e}")))?;
        Ok(TokenEndpoint {
            client,
            url,
            id,
            secret: SecretString::from(secret),
            authentication: settings.client_authentication,
            scope: settings.scope.clone(),
            audience: settings.audience.clone(),
        })
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// [`SendError::Token`] that names the endpoint and what it answered, without secrets; [`SendError::Endpoint`] where it
    /// can't be reached, or is under load.
    pub(super) async fn ask(&self, redactor: &Redactor) -> Result<Fetched, SendError> {
        redactor.add(self.secret.expose_secret());
        let mut pauses = PAUSES.iter();
        loop {
            let refusal = match self.ask_once(redactor).await {
                Ok(fetched) => return Ok(fetched),
                Err(refusal) => refusal,
            };
            if let Some(pause) = pauses.next().filter(|_| refusal.passing) {
                tokio::time::sleep(*pause).await;
                continue;
            }
            let what = redactor.clean(&refusal.what);
            let what = format!("the token endpoint {}: {what}", self.shown());
            if refusal.passing {
                return Err(SendError::Endpoint(what));
            }
            return Err(SendError::Token {
                what,
                expected: "an answer 200 with access_token (RFC 6749, section 5.1); check auth: oauth2 in the profile"
                    .to_owned(),
            });
        }
    }

    /// The endpoint without its query, which may hold a key.
    fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.to_string()
    }

    /// The body of the question.
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        for (name, value) in [("scope", &self.scope), ("audience", &self.audience)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        if self.authentication == ClientAuthentication::Post {
            form.append_pair("client_id", &self.id);
            form.append_pair("client_secret", self.secret.expose_secret());
        }
        form.finish()
    }

    async fn ask_once(&self, redactor: &Redactor) -> Result<Fetched, Refusal> {
        let secret = self.secret.expose_secret();
        let mut request = self.client.post(self.url.clone());
        if self.authentication == ClientAuthentication::Basic {
            let encode =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = BASE64.encode(format!("{}:{}", encode(&self.id), encode(secret)));
            redactor.add(&pair);
            request = request.header("Authorization", format!("Basic {pair}"));
        }
        let unreached = |error: &reqwest::Error| Refusal {
            what: match tls_error::find(error) {
                Some(inner) => tls_error::explain(inner),
                None => super::http::words(error),
            },
            passing: tls_error::find(error).is_none(),
        };
        let mut response = request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .body(self.form())
            .send()
            .await
            .map_err(|error| unreached(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreached(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                break;
            }
        }
        let read: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status == 200
            && let Some(token) = read.get("access_token").and_then(Value::as_str)
        {
            let text = token_text(token.as_bytes(), &CredentialScheme::Bearer).map_err(|why| {
                Refusal { what: format!("its access_token is no token: {why}"), passing: false }
            })?;
            let seconds = read.get("expires_in").and_then(|value| match value {
                Value::String(text) => text.trim().parse().ok(),
                other => other.as_f64(),
            });
            let lifetime = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
            return Ok(Fetched { text, lifetime });
        }
        let shown: String =
            redactor.clean(&String::from_utf8_lossy(&body)).chars().take(SHOWN).collect();
        let what = if status == 200 {
            // Whatever it is, it may hold a token.
            "it answered 200 without access_token".to_owned()
        } else if shown.trim().is_empty() {
            format!("it answered {status} without a body")
        } else {
            format!("it answered {status}: {}", shown.trim())
        };
        Err(Refusal { what, passing: matches!(status, 408 | 429 | 500 | 502..=504) })
    }
}

fn variable(name: &str) -> Result<String, String> {
    let value = std::env::var(name).map_err(|_| format!("the environment has no `{name}`"))?;
    Ok(value.trim_start_matches('\u{feff}').trim().to_owned())
}

fn secret(place: &SecretPlace) -> Result<String, String> {
    let text = match place {
        SecretPlace::Environment(name) => variable(name)?,
        SecretPlace::File(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?
            .trim_start_matches('\u{feff}')
            .trim()
            .to_owned(),
    };
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text) }
}
