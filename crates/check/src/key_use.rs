//! What is known of the further unique keys of an item, given all that came before it. Data only.

/// The further unique keys of an item.
#[derive(Debug, Clone, Default)]
pub struct ItemKeys {
    /// Whether the item is valid and its first key was never used, so that nothing but a further key may reject it.
    pub first_is_fresh: bool,
    /// What is known of each further key, in the contract's order; nothing where the item does not have it as a text.
    pub uses: Vec<Option<KeyUse>>,
}

/// What is known of a further key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyUse {
    /// It was made for this item.
    Fresh,
    /// It was sent before or beside, and may be used all the same.
    Free {
        /// Why.
        because: FreeReason,
        /// The exchange that it was sent in.
        by: usize,
    },
    /// An item with it was accepted in that exchange.
    Used {
        /// The exchange.
        by: usize,
    },
    /// One of several in the same batch with this key; their positions.
    BatchDuplicate(Vec<usize>),
    /// One of several that a barrier released with this key: exchange and position of each.
    ConcurrentDuplicate(Vec<(usize, usize)>),
    /// Nothing can be said of it.
    Open,
}

/// Why a further key may be used though it was sent before or beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeReason {
    /// Another field that belongs to the key has another value.
    OtherField,
    /// Its letter case differs.
    LetterCase,
    /// An earlier request used it, and it is unique within a request only.
    EarlierRequest,
    /// The contract lets it be used again.
    Allowed,
    /// Its request was refused.
    Refused,
    /// Its item was rejected.
    Rejected,
}

impl ItemKeys {
    /// Whether every further key was made for this item.
    #[must_use]
    pub fn are_fresh(&self) -> bool {
        self.uses.iter().flatten().all(|key| *key == KeyUse::Fresh)
    }

    /// Whether every further key but that one was made for this item.
    #[must_use]
    pub fn others_are_fresh(&self, key: usize) -> bool {
        let others = self.uses.iter().enumerate().filter(|(nth, _)| *nth != key);
        others.filter_map(|(_, key)| key.as_ref()).all(|key| *key == KeyUse::Fresh)
    }
}
