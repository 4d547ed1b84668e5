//! The target's token: read, shown to nobody, fetched again where it was refused or grows old.
//!
//! It must not know what is sent with it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use super::SendError;
use super::present;
use super::token_source::TokenSource;
use super::token_text::Fetched;
use crate::case::Credential;
use crate::contract::CredentialScheme;
use crate::exchange::{Redactor, rotated};

/// A token is fetched again so long before it expires, where it lives long enough.
const MARGIN: Duration = Duration::from_secs(30);
/// No token is fetched more often than that, however soon it is said to expire.
const SHORTEST: Duration = Duration::from_millis(200);
/// How often it is looked at whether a token grows old.
const LOOK: Duration = Duration::from_millis(100);

/// The target's token.
pub struct Token {
    source: TokenSource,
    scheme: CredentialScheme,
    current: RwLock<Arc<Current>>,
    /// Held by the task that fetches: those who were refused with the same token wait, and use what comes.
    fetching: tokio::sync::Mutex<()>,
    redactor: Redactor,
}

struct Current {
    secret: SecretString,
    /// How often a token was fetched before.
    generation: u64,
    fetched: Instant,
    lifetime: Option<Duration>,
}

impl Token {
    /// Reads the token; what a command prints or an endpoint answers is there after [`Token::fetch`] only.
    ///
    /// # Errors
    /// [`SendError::Token`] where a file can't be read, or holds no token.
    pub fn read(source: TokenSource, scheme: CredentialScheme) -> Result<Token, SendError> {
        let fetched = source.read(&scheme)?;
        let nothing = Current {
            secret: SecretString::from(String::new()),
            generation: 0,
            fetched: Instant::now(),
            lifetime: None,
        };
        let token = Token {
            source,
            scheme,
            current: RwLock::new(Arc::new(nothing)),
            fetching: tokio::sync::Mutex::new(()),
            redactor: Redactor::default(),
        };
        if let Some(fetched) = fetched {
            token.take(fetched);
        }
        Ok(token)
    }

    /// Fetches the token.
    ///
    /// # Errors
    /// [`SendError::Token`] where there is none; its text holds no secret.
    pub async fn fetch(&self) -> Result<(), SendError> {
        if let Some(fetched) = self.source.fetch(&self.scheme, &self.redactor).await? {
            self.take(fetched);
        }
        Ok(())
    }

    /// Fetches the token again because that of `generation` was refused, unless somebody has done so since. Says
    /// whether there is another token now.
    ///
    /// # Errors
    /// As [`Token::fetch`].
    pub async fn fetch_after(&self, generation: u64) -> Result<bool, SendError> {
        if !self.source.can_change() {
            return Ok(false);
        }
        let _fetching = self.fetching.lock().await;
        if self.generation() != generation {
            return Ok(true);
        }
        let before = self.expose();
        self.fetch().await?;
        Ok(self.expose() != before)
    }

    /// Fetches the token again after each `interval`, and before it expires. Ends with an error only.
    pub async fn keep_fresh(&self, interval: Option<Duration>) -> SendError {
        loop {
            let current = self.current();
            let due = [interval, current.lifetime.map(before_the_end)].into_iter().flatten().min();
            let Some(due) = due.filter(|_| self.source.can_change()).map(|due| due.max(SHORTEST))
            else {
                std::future::pending::<()>().await;
                continue;
            };
            let left = due.saturating_sub(current.fetched.elapsed());
            if !left.is_zero() {
                // A token that was refused meanwhile has a younger one in its place.
                tokio::time::sleep(left.min(LOOK.max(left / 2))).await;
                continue;
            }
            if let Err(error) = self.fetch_after(current.generation).await {
                return error;
            }
        }
    }

    fn take(&self, fetched: Fetched) {
        self.redactor.add(&fetched.text);
        if self.scheme == CredentialScheme::Basic {
            // Bad credentials are made of the pair before it is encoded.
            self.redactor.add(&present::basic(&rotated(&fetched.text)));
        }
        if let CredentialScheme::ApiKey(_) = self.scheme {
            self.redactor.add(&present::reversed(&fetched.text));
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(Current {
            secret: SecretString::from(fetched.text),
            generation: current.generation + 1,
            fetched: Instant::now(),
            lifetime: fetched.lifetime,
        });
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often the token was fetched.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.current().generation
    }

    /// Whether requests show credentials at all.
    #[must_use]
    pub fn is_given(&self) -> bool {
        match self.scheme {
            CredentialScheme::None => false,
            CredentialScheme::Signed => true,
            _ => !matches!(self.source, TokenSource::None),
        }
    }

    /// Whether fetching the token again can give another one.
    #[must_use]
    pub fn can_change(&self) -> bool {
        self.source.can_change()
    }

    /// How requests show it.
    #[must_use]
    pub fn scheme(&self) -> &CredentialScheme {
        &self.scheme
    }

    pub(super) fn expose(&self) -> String {
        self.current().secret.expose_secret().to_owned()
    }

    /// The value of the header that shows `credential`, where it shows any.
    pub(super) fn header(&self, credential: Credential) -> Option<String> {
        present::header(&self.scheme, self.is_given().then(|| self.expose()).as_deref(), credential)
    }

    /// Takes every token that was ever read out of texts, and the `further` secrets.
    #[must_use]
    pub fn redactor(&self, further: &[String]) -> Redactor {
        for secret in further {
            self.redactor.add(secret);
        }
        self.redactor.clone()
    }
}

/// When a token that lives so long is fetched again.
fn before_the_end(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(MARGIN).max(lifetime.mul_f64(0.8).min(MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_is_read_anew_is_redacted_beside_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first-token").unwrap();
        let source = TokenSource::File(path.clone());
        let token = Token::read(source, CredentialScheme::Bearer).unwrap();
        let redactor = token.redactor(&["tenant-7".to_owned()]);
        std::fs::write(&path, "second-token").unwrap();
        assert!(token.fetch_after(token.generation()).await.unwrap());
        assert_eq!(
            redactor.clean("first-token second-token tenant-7"),
            "[redacted] [redacted] [redacted]"
        );
    }

    #[test]
    fn a_token_is_fetched_before_it_expires() {
        for (lifetime, due) in [(3600, 3570), (60, 30), (30, 24), (10, 8), (0, 0)] {
            let due = Duration::from_secs(due);
            assert_eq!(before_the_end(Duration::from_secs(lifetime)), due, "{lifetime}");
        }
    }
}
