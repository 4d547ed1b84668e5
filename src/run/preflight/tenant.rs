//! The preflight of the profile's other tenant: whether the target takes its credentials.
//!
//! What it refuses says nothing of the target, so nothing is judged then.

use std::sync::Arc;

use super::Preflight;
use crate::case::Credential;
use crate::check::shorten;
use crate::compose::OutgoingItem;
use crate::exchange::Exchange;
use crate::execution::plain_batch::exchange_batch_as;
use crate::generate::OptionalFields;
use crate::session::{Amount, Environment};

/// What it sends.
pub(super) fn amount(environment: &Environment) -> Amount {
    if environment.profile.tenants.is_empty() { Amount::default() } else { Amount::new(1, 1) }
}

/// Sends one plain item as the other tenant.
pub(in crate::run) async fn send_preflight(
    environment: &Arc<Environment>,
    exchanges: &mut Vec<Exchange>,
) -> Preflight {
    let Some(name) = environment.profile.tenants.keys().next() else { return Preflight::Passed };
    let draft = environment.generator.item(8, OptionalFields::All);
    let entry = OutgoingItem::with_fresh_key(environment, draft);
    let sent = exchange_batch_as(environment, Credential::OtherTenant, &[entry], exchanges).await;
    match sent.answer.response() {
        Some(response) if matches!(response.status, 401 | 403) => Preflight::Stopped {
            why: format!(
                "{} refused the credentials of the tenant `{name}`: {} {}",
                environment.sender.target.base,
                response.status,
                shorten(&String::from_utf8_lossy(&response.body))
            ),
            advice: "Check `tenants` in the profile, or take it out: then nothing is judged across tenants.".to_owned(),
        },
        _ => Preflight::Passed,
    }
}
