//! Sending a body piece by piece: what is too large to be held.

use std::time::{Duration, Instant};

use super::sign::SignedBody;
use super::{Sender, SpooledExchange, StreamedExchange, Turn, http};
use crate::exchange::{Loss, Request};

/// A streamed request: it counts as sent when it ends, however that is.
struct Leaving<'a> {
    sender: &'a Sender,
    items: usize,
    is_unreached: bool,
}

impl Leaving<'_> {
    fn ended(mut self, loss: Option<&Loss>) {
        self.is_unreached = loss.is_some_and(|loss| loss.kind.is_unreached());
    }
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if !self.is_unreached {
            self.sender.note_sent(self.items, None);
        }
    }
}

impl Sender {
    /// Sends a body piece by piece, `length` bytes of it where that is known, and hands on what comes back
    /// meanwhile. Gives the time from the first byte sent to the last byte received. `hash` is the SHA-256 of the
    /// body and its length, where requests are signed.
    ///
    /// # Errors
    /// A [`Loss`] where no whole answer came.
    pub async fn stream(
        &self,
        request: &Request,
        length: Option<u64>,
        hash: Option<([u8; 32], u64)>,
        items: usize,
        exchange: &mut impl StreamedExchange,
    ) -> Result<Duration, Loss> {
        self.discover().await;
        let ended = Box::pin(self.stream_now(request, length, hash, items, exchange)).await;
        match &ended {
            Ok(_) => self.good_answers.begin(),
            Err(loss) => self.good_answers.note_bad(&loss.message),
        }
        ended
    }

    async fn stream_now(
        &self,
        request: &Request,
        length: Option<u64>,
        hash: Option<([u8; 32], u64)>,
        items: usize,
        exchange: &mut impl StreamedExchange,
    ) -> Result<Duration, Loss> {
        // Signatures may say when they were made: nothing is waited for behind them.
        let turn = self.pace.turn().await;
        let body = hash.map(|(hash, length)| SignedBody::Hash(hash, length));
        let signature = self.signature(request, body).await?;
        // What repeats them is judged while it comes.
        let values: Vec<String> = signature.iter().map(|(_, value)| value.clone()).collect();
        let _ = self.token.redactor(&values);
        // What the end of a run cuts off has left too, as far as it came.
        let leaving = Leaving { sender: self, items, is_unreached: false };
        let signed = (&turn, signature.as_slice());
        let ended = if self.traffic_log.get().is_some() {
            let begun = Instant::now();
            let mut spooled = SpooledExchange::new(exchange);
            let ended = self.stream_signed(request, length, signed, items, &mut spooled).await;
            spooled.ended(self, request, begun, &ended);
            ended
        } else {
            self.stream_signed(request, length, signed, items, exchange).await
        };
        if let Err(loss) = &ended {
            self.outcomes.note_loss(loss);
        }
        leaving.ended(ended.as_ref().err());
        ended
    }

    async fn stream_signed(
        &self,
        request: &Request,
        length: Option<u64>,
        (turn, signature): (&Turn, &[(String, String)]),
        items: usize,
        exchange: &mut impl StreamedExchange,
    ) -> Result<Duration, Loss> {
        if let Some(mut lane) = self.lane(request) {
            lane.stream(self, length, items, (turn, signature), exchange).await
        } else {
            http::stream(self, request, signature, length, items, exchange).await
        }
    }
}
