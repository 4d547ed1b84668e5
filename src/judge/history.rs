//! Earlier exchanges, by the keys that they held: what became of a key is read from them. Bounded in memory.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::check::keys_in_text;
use crate::contract::Contract;
use crate::exchange::Exchange;

/// Bytes that earlier exchanges may take, about.
const MOST: usize = 256 * 1024 * 1024;
/// Earlier exchanges with the keys of one request that are looked at.
const LOOKED_AT: usize = 48;
/// What an exchange takes beside its bodies, and for each byte of them, about.
const SIZE: (usize, usize) = (2048, 6);

/// An exchange that was judged.
pub(super) struct EarlierExchange {
    pub exchange: Exchange,
    /// The keys that its request held.
    keys: HashSet<String>,
    number: u64,
    size: usize,
}

/// Exchanges that were judged, the oldest first.
#[derive(Default)]
pub(super) struct History {
    exchanges: VecDeque<Arc<EarlierExchange>>,
    by_key: HashMap<String, Vec<Arc<EarlierExchange>>>,
    numbers: u64,
    bytes: usize,
    has_forgotten: bool,
}

impl History {
    /// Whether the oldest are no longer known.
    pub fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }

    /// The exchanges that held any of these keys, the oldest first, and whether these are all of them.
    pub fn with(&self, keys: &HashSet<&str>) -> (Vec<Arc<EarlierExchange>>, bool) {
        let mut found: Vec<Arc<EarlierExchange>> =
            keys.iter().filter_map(|key| self.by_key.get(*key)).flatten().cloned().collect();
        found.sort_by_key(|earlier| earlier.number);
        found.dedup_by_key(|earlier| earlier.number);
        let is_all = found.len() <= LOOKED_AT;
        // The first say who used a key; the last, what became of it since.
        if !is_all {
            found.drain(LOOKED_AT / 2..found.len() - LOOKED_AT / 2);
        }
        (found, is_all)
    }

    /// Takes in an exchange that was judged.
    pub fn add(&mut self, contract: &Contract, exchange: Exchange) {
        let keys = keys_of(contract, &exchange);
        if keys.is_empty() {
            return;
        }
        let bodies = exchange.request.body.as_ref().map_or(0, bytes::Bytes::len)
            + exchange.answer.response().map_or(0, |response| response.body.len());
        let size = SIZE.0 + SIZE.1 * bodies;
        self.numbers += 1;
        let (names, number) = (keys.clone(), self.numbers);
        let earlier = Arc::new(EarlierExchange { exchange, keys, number, size });
        for key in names {
            self.by_key.entry(key).or_default().push(Arc::clone(&earlier));
        }
        self.bytes += size;
        self.exchanges.push_back(earlier);
        while self.bytes > MOST && self.exchanges.len() > 1 {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.exchanges.pop_front() else { return };
        self.has_forgotten = true;
        self.bytes -= oldest.size;
        for key in &oldest.keys {
            if let Some(list) = self.by_key.get_mut(key) {
                list.retain(|earlier| earlier.number != oldest.number);
                if list.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
    }
}

/// The keys that a request holds; of a body that our parser does not read as a batch, those that another reader may find.
fn keys_of(contract: &Contract, exchange: &Exchange) -> HashSet<String> {
    if exchange.intent.is_batch() {
        return exchange.intent.items().iter().filter_map(|item| item.number.clone()).collect();
    }
    let body = exchange.request.body.as_deref().unwrap_or_default();
    keys_in_text(contract, body).into_iter().collect()
}
