//! How a target can be spoken to, found out once: HTTP/1.1 or HTTP/2, on connections of our own or through a proxy.

use std::sync::Arc;

use rustls::{AlertDescription, ClientConfig, Error};

use super::clients::Clients;
use super::connection::TargetConnection;
use super::incoming::LossReason;
use super::{Sender, tls, tls_error};
use crate::exchange::LossKind;

/// How a target can be spoken to.
pub(super) struct Transport {
    /// Clients for a target that speaks only HTTP/2.
    pub http_2: Option<Clients>,
    /// Why no connection of our own can be used, where that is so.
    pub excluded: Option<String>,
}

impl Transport {
    /// Asks the target, and the proxy.
    ///
    /// # Errors
    /// A [`LossReason`] where no connection was made.
    pub async fn discover(sender: &Sender) -> Result<Transport, LossReason> {
        let mut found = Transport { http_2: None, excluded: None };
        if sender.is_plain() {
            return Ok(found);
        }
        let http_2 = match TargetConnection::open(sender).await {
            // Where it chose nothing of what we offered, it may know HTTP/2 only.
            Ok(connection) => {
                sender.target.is_encrypted()
                    && connection.protocol() != Some(tls::HTTP_1)
                    && chooses_http_2(sender).await
            }
            Err((LossKind::Tls, why)) if why == no_protocol_in_common() => {
                chooses_http_2(sender).await
            }
            // Ordinary requests may pass where tunnels do not.
            Err((LossKind::Proxy, why)) if !sender.target.is_encrypted() => {
                found.excluded = Some(format!("needs a tunnel through the proxy: {why}"));
                false
            }
            Err(failure) => return Err(failure),
        };
        if http_2 {
            found.speak_http_2(sender)?;
        }
        Ok(found)
    }

    fn speak_http_2(&mut self, sender: &Sender) -> Result<(), LossReason> {
        let clients = Clients::new(&sender.options, &http_2(sender), sender.proxy.as_ref(), true)
            .map_err(|error| (LossKind::Connect, error.to_string()))?;
        self.http_2 = Some(clients);
        self.excluded = Some("needs HTTP/1.1, and the target speaks only HTTP/2".to_owned());
        Ok(())
    }
}

/// The same configuration, but offering HTTP/2 alone.
fn http_2(sender: &Sender) -> ClientConfig {
    let mut config = ClientConfig::clone(&sender.tls);
    config.alpn_protocols = vec![tls::HTTP_2.to_vec()];
    config
}

fn no_protocol_in_common() -> String {
    tls_error::explain(&Error::AlertReceived(AlertDescription::NoApplicationProtocol))
}

async fn chooses_http_2(sender: &Sender) -> bool {
    let opened = TargetConnection::open_with(sender, Arc::new(http_2(sender))).await;
    opened.is_ok_and(|connection| connection.protocol() == Some(tls::HTTP_2))
}
