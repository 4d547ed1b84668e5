//! What every trial of a run shares.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::case::Span;
use crate::contract::{Contract, Problem, Profile};
use crate::generate::{Generator, Mint};
use crate::send::Sender;

/// What every trial of a run shares.
pub struct Environment {
    /// The contract, with what the profile adds.
    pub contract: Arc<Contract>,
    /// What is known of the target.
    pub profile: Arc<Profile>,
    /// Draws batches.
    pub generator: Arc<Generator>,
    /// Mints numbers.
    pub mint: Arc<Mint>,
    /// Sends.
    pub sender: Arc<Sender>,
}

impl Environment {
    /// What trials of a run with that id share.
    ///
    /// # Errors
    /// A [`Problem`] where nothing can be generated from contract and profile.
    pub fn new(
        contract: Arc<Contract>,
        profile: Profile,
        sender: Sender,
        run_id: &str,
    ) -> Result<Environment, Problem> {
        let generator = Arc::new(Generator::new(Arc::clone(&contract), &profile)?);
        let mint = Arc::new(Mint::fitting(run_id, &contract));
        Ok(Environment {
            contract,
            profile: Arc::new(profile),
            generator,
            mint,
            sender: Arc::new(sender),
        })
    }

    /// A range of counts, within what the target takes.
    #[must_use]
    pub fn clamp(&self, span: Span) -> RangeInclusive<usize> {
        let limit = self.profile.limits.batch_items.unwrap_or(usize::MAX);
        span.low.min(limit)..=span.high.min(limit)
    }

    /// Host and port as a `Host` header has them.
    #[must_use]
    pub fn host(&self) -> String {
        let url = &self.sender.target.url;
        match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or("localhost")),
            None => url.host_str().unwrap_or("localhost").to_owned(),
        }
    }
}
