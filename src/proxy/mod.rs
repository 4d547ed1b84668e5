//! Stands between a client and a target, hands every byte on, and has the exchanges judged as they end.
//!
//! Only the `Host` header is changed, since the target may look at it. It must not know what an exchange means.

mod live;
mod message;
mod relay;
mod room;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::contract::Contract;
use crate::judge::TrafficJudge;
use crate::record::Summary;
use crate::send::Sender;
use crate::session::Cancellation;

use live::Live;
use room::CaptureRoom;

/// How long exchanges that are under way may go on when the proxy ends.
const GRACE: Duration = Duration::from_secs(2);

/// Where a proxy stands, and what it looks at.
pub struct TrafficProxy {
    /// Where clients connect to.
    pub listener: TcpListener,
    /// Connects to the target.
    pub sender: Sender,
    /// Which exchanges are to be judged.
    pub contract: Arc<Contract>,
}

/// Hands on what clients send until `cancellation`, and judges it.
///
/// # Errors
/// Where the record can't be written.
pub async fn proxy(
    proxy: TrafficProxy,
    judge: TrafficJudge,
    cancellation: &Cancellation,
) -> std::io::Result<Option<Summary>> {
    let (live, entries) = Live::new();
    let judging = tokio::spawn(live::judge_all(Arc::clone(&live), entries, judge));
    let shared = Arc::new(relay::Shared {
        live: Arc::clone(&live),
        room: CaptureRoom::default(),
        sender: proxy.sender,
        contract: proxy.contract,
    });
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            () = cancellation.cancelled() => break,
            accepted = proxy.listener.accept() => match accepted {
                Ok((client, _)) => {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move { relay::serve(&shared, client).await });
                }
                // Too many files are open: some will be closed soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    let _ = tokio::time::timeout(GRACE, live.idle()).await;
    connections.shutdown().await;
    live.end();
    drop(shared);
    match judging.await {
        Ok(judged) => judged,
        Err(error) => Err(std::io::Error::other(error)),
    }
}
