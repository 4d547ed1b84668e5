//! What the commands of a run share: its id, how credentials are sent, where its reports are.

use std::path::PathBuf;

use super::quote::{ShellPiece, word};
use super::{TOKEN, header_variable, literal};
use crate::record::Summary;

/// What is the same for all commands of a run.
#[derive(Debug, Clone, Default)]
pub struct CommandContext {
    /// Keys start with it.
    pub run_id: String,
    /// How credentials are sent.
    pub scheme: Scheme,
    /// Names of the headers that the profile adds; their values are not recorded.
    pub headers: Vec<String>,
    /// Whether the target speaks HTTP/2 and nothing else.
    pub only_http_2: bool,
    /// Where the reports are.
    pub dir: PathBuf,
}

/// How credentials are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scheme {
    /// `Authorization: Bearer`.
    #[default]
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// The token in a header of this name.
    ApiKey(String),
    /// By headers that only the signing command of the profile can give.
    Signed,
    /// Not at all.
    None,
}

impl CommandContext {
    /// As the profile of a run says.
    #[must_use]
    pub fn from_summary(summary: &Summary) -> CommandContext {
        let profile = summary.head.profile.as_ref();
        let auth = profile.and_then(|p| p.get("auth"));
        let scheme = match auth.and_then(|a| a.as_str()) {
            Some("basic") => Scheme::Basic,
            Some("none") => Scheme::None,
            _ => match auth.and_then(|a| a.get("api-key")).and_then(|name| name.as_str()) {
                Some(name) => Scheme::ApiKey(name.to_owned()),
                None if auth.is_some_and(|a| a.get("command").is_some()) => Scheme::Signed,
                None => Scheme::Bearer,
            },
        };
        let headers = profile
            .and_then(|p| p.get("headers"))
            .and_then(|h| h.as_object())
            .map(|h| h.keys().cloned().collect())
            .unwrap_or_default();
        CommandContext {
            run_id: summary.head.run_id.clone(),
            scheme,
            headers,
            only_http_2: summary.head.only_http_2,
            dir: PathBuf::new(),
        }
    }

    /// The command that says whether a finding is fixed.
    #[must_use]
    pub fn replay(&self, id: &str) -> String {
        let dir = word(&[ShellPiece::Bytes(self.dir.as_os_str().as_encoded_bytes().to_vec())]);
        format!("batchproof replay {dir} {}", literal(id))
    }

    /// The environment variables that commands read.
    #[must_use]
    pub fn variables(&self) -> Vec<String> {
        let shows = !matches!(self.scheme, Scheme::None | Scheme::Signed);
        let token = shows.then(|| TOKEN.to_owned());
        token.into_iter().chain(self.headers.iter().map(|h| header_variable(h))).collect()
    }
}
