//! Fetches a file, such as an OpenAPI document. No credentials are sent.
//!
//! It must not know what is in the file.

use reqwest::redirect::Policy;
use url::Url;

use super::proxy::Proxy;
use super::{SendError, SendOptions, Target, head, tls, tls_error};

/// Bytes of a file, at most.
const LARGEST: usize = 64 * 1024 * 1024;
/// Redirects in a row.
const REDIRECTS: usize = 5;

/// The text of a file.
///
/// # Errors
/// [`SendError::Client`] that says what came instead.
pub async fn fetch(url: &Url, options: &SendOptions) -> Result<String, SendError> {
    let mut shown = url.clone();
    shown.set_query(None);
    let failed = |why: String| {
        SendError::Client(format!(
            "{shown}: {why}\n  expected: an OpenAPI document that a GET gets"
        ))
    };
    let target = Target { base: url.as_str().to_owned(), url: url.clone() };
    let mut tls = tls::config(options, true)?;
    tls.alpn_protocols = vec![tls::HTTP_2.to_vec(), tls::HTTP_1.to_vec()];
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::limited(REDIRECTS))
        .connect_timeout(options.connect)
        .timeout(options.timeout)
        .user_agent(head::USER_AGENT)
        .no_proxy()
        .tls_backend_preconfigured(tls);
    if let Some(proxy) = Proxy::from_environment(&target)? {
        builder = builder.proxy(proxy.for_requests()?);
    }
    let client = builder.build().map_err(|e| SendError::Client(format!("the HTTP client: {e}")))?;
    let unreached = |error: &reqwest::Error| match tls_error::find(error) {
        Some(inner) => failed(tls_error::explain(inner)),
        None => failed(super::http::words(error)),
    };
    let mut response = client.get(url.clone()).send().await.map_err(|e| unreached(&e))?;
    let status = response.status();
    if !status.is_success() {
        return Err(failed(format!("it was answered {}", status.as_u16())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreached(&e))? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(failed("it is larger than 64 MiB".to_owned()));
        }
    }
    String::from_utf8(body).map_err(|_| failed("it is not UTF-8 text".to_owned()))
}
