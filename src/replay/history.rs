//! What a target had taken in before a run met its faults: some show only behind it, and a target that was started
//! anew would pass for mended. It must not know what a finding is.

use std::sync::Arc;

use crate::case::Span;
use crate::compose::{self, BodyStyle, OutgoingItem};
use crate::execution::send_request;
use crate::generate::{BatchShape, ValueStyle};
use crate::record::Summary;
use crate::session::Environment;

/// Numbers that are sent at most.
const MOST: u64 = 2_500;
/// Fewer than these are no history.
const LEAST: u64 = 100;
/// Items of a batch: no more than any target takes.
const ITEMS: usize = 25;

/// How many numbers the run left behind, as far as they are sent again; none where there were few.
pub(super) fn left_behind(summary: &Summary) -> Option<u64> {
    let left = summary.tail.as_ref().map_or(0, |tail| tail.left_behind);
    (left >= LEAST).then_some(left.min(MOST))
}

/// Sends a number of plain items with fresh keys, one batch after the other.
pub(super) async fn rebuild_history(environment: &Arc<Environment>, items: u64, seed: u64) {
    let mut left = items;
    while left > 0 && !environment.cancellation.is_cancelled() {
        let wanted = usize::try_from(left).unwrap_or(ITEMS).min(ITEMS);
        let shape = BatchShape {
            items: environment.clamp(Span { low: wanted, high: wanted }),
            style: ValueStyle::Plain,
        };
        let drafts = environment.generator.batch(seed.wrapping_add(left), &shape);
        let count = drafts.len().max(1) as u64;
        let entries: Vec<OutgoingItem> = drafts
            .into_iter()
            .map(|draft| OutgoingItem::with_fresh_key(environment, draft))
            .collect();
        let (bytes, body) = compose::batch(environment, &entries, BodyStyle::Compact);
        let mut request = compose::plain_request(environment, bytes);
        environment.trace(&mut request);
        send_request(environment, &request, body.items().len()).await;
        left = left.saturating_sub(count);
    }
}
