//! Proxies from the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
//!
//! One reading of them for every kind of connection. A target on this machine is reached directly.

use std::fmt;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::{SendError, Target};

/// The proxy between us and the target.
#[derive(Clone)]
pub(super) struct Proxy {
    intercept: Intercept,
    /// Scheme, host and port.
    url: Url,
}

impl Proxy {
    /// The proxy that the environment names for `target`, where it names one.
    ///
    /// # Errors
    /// [`SendError::Client`] where it is one that can't be used.
    pub fn from_environment(target: &Target) -> Result<Option<Proxy>, SendError> {
        if target.is_loopback() {
            return Ok(None);
        }
        Proxy::between(&Matcher::from_env(), target)
    }

    fn between(matcher: &Matcher, target: &Target) -> Result<Option<Proxy>, SendError> {
        let Some(intercept) =
            target.url.as_str().parse().ok().and_then(|uri| matcher.intercept(&uri))
        else {
            return Ok(None);
        };
        let unusable = |why: String| {
            SendError::Client(format!(
                "the proxy of the environment: {why}\n  expected: HTTPS_PROXY=http://[USER:PASSWORD@]HOST[:PORT], \
                 or the target's host in NO_PROXY"
            ))
        };
        let url = Url::parse(&intercept.uri().to_string())
            .map_err(|error| unusable(format!("its URL can't be read: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable(format!("`{}` proxies are not supported", url.scheme())));
        }
        Ok(Some(Proxy { intercept, url }))
    }

    /// Host and port, to connect to.
    pub fn address(&self) -> (String, u16) {
        let host = self.url.host_str().unwrap_or("localhost").trim_matches(['[', ']']);
        (host.to_owned(), self.url.port_or_known_default().unwrap_or(80))
    }

    /// Whether the connection to the proxy itself is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The head of a request for a tunnel to `authority` (RFC 9110, section 9.3.6).
    pub fn connect_head(&self, authority: &str) -> Vec<u8> {
        let mut head =
            format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
        if let Some(credentials) = self.intercept.basic_auth() {
            head.extend_from_slice(b"Proxy-Authorization: ");
            head.extend_from_slice(credentials.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    /// The same proxy for ordinary requests.
    ///
    /// # Errors
    /// [`SendError::Client`] where its URL can't be used.
    pub fn for_requests(&self) -> Result<reqwest::Proxy, SendError> {
        let proxy = reqwest::Proxy::all(self.url.as_str())
            .map_err(|error| SendError::Client(format!("the proxy {self}: {error}")))?;
        Ok(match self.intercept.basic_auth() {
            Some(credentials) => proxy.custom_http_auth(credentials.clone()),
            None => proxy,
        })
    }

    /// What it means that the proxy answered with this status instead of a tunnel.
    pub fn refusal(&self, status: u16) -> String {
        match status {
            407 => format!(
                "the proxy {self} demands credentials (407). Put them into the proxy's URL: \
                 HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
            ),
            other => format!(
                "the proxy {self} refused a tunnel to the target ({other}). Does it allow this host and port? NO_PROXY \
                 names hosts that are reached directly"
            ),
        }
    }
}

/// Without its credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = self.address();
        write!(f, "{}://{host}:{port}", self.url.scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(target: &str, no: &str) -> Result<Option<Proxy>, SendError> {
        let matcher = Matcher::builder()
            .http("http://plain.test:3128")
            .https("http://user:pass@secure.test:3129")
            .no(no.to_owned())
            .build();
        Proxy::between(&matcher, &Target::parse(target, "/path").unwrap())
    }

    #[test]
    fn a_proxy_stands_before_the_targets_that_the_environment_names_it_for() {
        let shown =
            |target: &str, no: &str| between(target, no).unwrap().map(|proxy| proxy.to_string());
        assert_eq!(shown("http://a.test", "").as_deref(), Some("http://plain.test:3128"));
        assert_eq!(shown("https://a.test", "").as_deref(), Some("http://secure.test:3129"));
        assert_eq!(shown("https://a.test", "b.test,.a.test"), None);
        assert_eq!(shown("https://a.test", "*"), None);
    }

    #[test]
    fn the_credentials_of_a_proxy_go_to_the_proxy_and_into_no_text() {
        let proxy = between("https://a.test", "").unwrap().unwrap();
        let head = String::from_utf8(proxy.connect_head("a.test:443")).unwrap();
        assert!(head.contains("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"), "{head}");
        assert!(!format!("{proxy} {}", proxy.refusal(407)).contains("dXNlcjpwYXNz"));
        assert!(!proxy.to_string().contains("pass"));
    }
}
