//! The order of results over a batch that is never whole in memory: one bit for each item, once it is lost.

use serde_json::Value;

use crate::generate::KeyBlock;

/// How many results came, and in which order.
pub(crate) struct StreamedOrder {
    /// Numbers from that of the first item on.
    numbers: KeyBlock,
    items: usize,
    seen: usize,
    over: bool,
    lost: Option<OrderLoss>,
}

/// How the order was lost.
pub(crate) struct OrderLoss {
    /// The first result that belongs to another item.
    pub at: usize,
    /// That item.
    pub from: usize,
    /// An item that has two results.
    pub twice: Option<usize>,
    /// The items that have a result, a bit each.
    answered: Vec<u64>,
}

impl StreamedOrder {
    pub fn new(numbers: KeyBlock, items: usize) -> StreamedOrder {
        StreamedOrder { numbers, items, seen: 0, over: false, lost: None }
    }

    /// Whether no further item can be held beside its result.
    pub fn is_over(&self) -> bool {
        self.over || self.lost.is_some()
    }

    /// Whether results stand in another order than their items.
    pub fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// How it was lost, where it was.
    pub fn lost(&self) -> Option<&OrderLoss> {
        self.lost.as_ref()
    }

    /// How many results came.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// The items have come to their end.
    pub fn end(&mut self) {
        self.over = true;
    }

    /// The next item's own result.
    pub fn right(&mut self) {
        self.seen += 1;
    }

    /// The next result: whether its number is another item's.
    pub fn next(&mut self, own: Option<&str>, echoed: Option<&str>) {
        let at = self.seen;
        self.seen += 1;
        if own == echoed {
            return;
        }
        let Some(from) = echoed.and_then(|number| self.place(number)).filter(|j| *j != at) else {
            return;
        };
        let mut lost =
            OrderLoss { at, from, twice: None, answered: vec![0; self.items.div_ceil(64)] };
        (0..at).for_each(|item| lost.mark(item));
        lost.mark(from);
        self.lost = Some(lost);
    }

    /// A result beyond the items, or after the order was lost.
    pub fn further(&mut self, unique: &str, text: &[u8]) {
        self.seen += 1;
        if self.lost.is_none() {
            return;
        }
        let value: Option<Value> = serde_json::from_slice(text).ok();
        let number = value.as_ref().and_then(|v| v.get(unique)).and_then(Value::as_str);
        let place = number.and_then(|number| self.place(number));
        if let (Some(lost), Some(place)) = (&mut self.lost, place) {
            lost.mark(place);
        }
    }

    /// The number of an item.
    pub fn number(&self, item: usize) -> String {
        self.numbers.nth(item as u64)
    }

    fn place(&self, number: &str) -> Option<usize> {
        let place = usize::try_from(self.numbers.position(number)?).ok()?;
        (place < self.items).then_some(place)
    }
}

impl OrderLoss {
    fn mark(&mut self, item: usize) {
        let (word, bit) = (item / 64, 1 << (item % 64));
        if self.answered[word] & bit != 0 && self.twice.is_none_or(|before| item < before) {
            self.twice = Some(item);
        }
        self.answered[word] |= bit;
    }
}
