//! Where requests go, as a person wrote it.

use url::Url;

use super::SendError;

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Target {
    /// Scheme, host, port and what stands before the documented path; no trailing slash.
    pub base: String,
    /// The URL.
    pub url: Url,
}

impl Target {
    /// Reads a base URL, or a full one that ends in the documented path.
    ///
    /// # Errors
    /// [`SendError::Url`] where it has no scheme or host, or holds credentials.
    pub fn parse(text: &str, documented: &str) -> Result<Target, SendError> {
        let wrong = |why: &str| SendError::Url {
            url: text.split('@').next_back().unwrap_or("").to_owned(),
            why: why.to_owned(),
            expected: format!(
                "http://HOST[:PORT] or https://HOST[:PORT], with or without {documented}"
            ),
        };
        let url = Url::parse(text.trim()).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => wrong("it has no scheme"),
            other => wrong(&other.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format!("it has no scheme http or https (`{}`)", url.scheme())));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it has no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "it holds credentials, which would end up in logs (use --token-file)",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or a fragment"));
        }
        let path = url.path().trim_end_matches('/');
        let prefix = path.strip_suffix(documented).unwrap_or(path);
        let base = format!("{}{prefix}", url.origin().ascii_serialization());
        Ok(Target { base, url })
    }

    /// Host and port, to connect to.
    pub(super) fn address(&self) -> (String, u16) {
        let host = self.url.host_str().unwrap_or("localhost").trim_matches(['[', ']']);
        (host.to_owned(), self.url.port_or_known_default().unwrap_or(80))
    }

    /// Host and port as a `Host` header has them: without the port that the scheme implies.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or("localhost");
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Host and port, as a proxy is asked for a tunnel to them.
    pub(super) fn authority(&self) -> String {
        let port = self.url.port_or_known_default().unwrap_or(80);
        format!("{}:{port}", self.url.host_str().unwrap_or("localhost"))
    }

    /// What stands before the documented path; nothing, or a path without a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        let start = self.base.find("://").map_or(0, |at| at + 3);
        self.base[start..].find('/').map_or("", |at| &self.base[start + at..])
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }
}
