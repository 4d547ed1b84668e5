//! Which cells of the request schema were exercised, and how often.
//!
//! A request counts once it was answered; what the answer was plays no part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exchange::{BodyIntent, Exchange, Situation};
use crate::generate::coverage::{CoverageMap, ItemPosition};

/// How often each cell was exercised: by its number, first, in the middle, last, and alone. Those of the
/// envelope have no position; they are counted as alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CoverageCounts(#[serde(with = "super::map_as_pairs")] pub BTreeMap<usize, [u64; 4]>);

impl CoverageCounts {
    /// Counts what an ordinary request held that was answered.
    pub fn count(&mut self, cells: &CoverageMap, exchange: &Exchange) {
        if exchange.intent.situation != Situation::Ordinary || exchange.answer.response().is_none()
        {
            return;
        }
        let only = ItemPosition::Only as usize;
        let mut seen = |cell: usize, position: usize| {
            self.0.entry(cell).or_default()[position] += 1;
        };
        match (&exchange.intent.body, &exchange.request.body) {
            (BodyIntent::Batch { items, .. }, body) => {
                cells.in_batch(items.len(), |cell| seen(cell, only));
                if let Some(cell) = body.as_ref().and_then(|b| cells.beside_items(b)) {
                    seen(cell, only);
                }
                for (index, item) in items.iter().enumerate() {
                    let position = ItemPosition::of(index, items.len()) as usize;
                    cells.in_item(&item.value, |cell| seen(cell, position));
                }
            }
            (_, Some(body)) => cells.in_body(body, |cell| seen(cell, only)),
            (_, None) => {}
        }
    }

    /// Adds another part's.
    pub fn add(&mut self, other: &CoverageCounts) {
        for (cell, counts) in &other.0 {
            let mine = self.0.entry(*cell).or_default();
            for (mine, more) in mine.iter_mut().zip(counts) {
                *mine += more;
            }
        }
    }
}
