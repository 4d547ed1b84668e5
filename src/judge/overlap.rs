//! Which exchanges are judged as simultaneous: those that share a key and overlap in time, with everything that can't be
//! put in order beside them.
//!
//! It must not know what is judged.

use std::collections::{BTreeMap, HashMap};

use super::prepare::PreparedExchange;

/// Microseconds by which the clocks of two machines may differ.
const CLOCKS: i64 = 2_000_000;
/// Microseconds by which the times of one file may be wrong.
const ROUNDING: i64 = 1_000_000;

/// When a group ends, and its number.
type GroupPlace = (i64, u64);

/// Exchanges that are not judged yet.
pub(super) struct Overlaps {
    open: BTreeMap<GroupPlace, OverlapGroup>,
    by_key: HashMap<String, GroupPlace>,
    numbers: u64,
    /// Whether exchanges come from several sources, whose clocks may differ.
    has_many: bool,
    is_live: bool,
}

/// Exchanges that are judged together.
#[derive(Default)]
pub(super) struct OverlapGroup {
    pub members: Vec<PreparedExchange>,
    slack: i64,
}

impl Overlaps {
    pub fn new(has_many: bool, is_live: bool) -> Overlaps {
        Overlaps { open: BTreeMap::new(), by_key: HashMap::new(), numbers: 0, has_many, is_live }
    }

    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// Takes in an exchange, which began no earlier than those before it.
    pub fn add(&mut self, exchange: PreparedExchange) {
        let mut places: Vec<GroupPlace> =
            exchange.keys().filter_map(|key| self.by_key.get(key)).copied().collect();
        places.sort_unstable();
        places.dedup();
        places.retain(|place| self.may_overlap(*place, &exchange));
        let mut joined = OverlapGroup { slack: exchange.span.slack, ..OverlapGroup::default() };
        let mut ended = exchange.span.ended;
        for place in places {
            let Some(group) = self.open.remove(&place) else { continue };
            ended = ended.max(place.0);
            joined.slack = joined.slack.max(group.slack);
            joined.members.extend(group.members);
        }
        joined.members.push(exchange);
        joined.members.sort_by_key(|member| member.span.begun);
        self.numbers += 1;
        let place = (ended, self.numbers);
        for key in joined.members.iter().flat_map(PreparedExchange::keys) {
            match self.by_key.get_mut(key) {
                Some(known) => *known = place,
                None => {
                    self.by_key.insert(key.to_owned(), place);
                }
            }
        }
        self.open.insert(place, joined);
    }

    fn may_overlap(&self, place: GroupPlace, exchange: &PreparedExchange) -> bool {
        let Some(group) = self.open.get(&place) else { return false };
        let is_same = group.members.iter().all(|member| member.source == exchange.source);
        let slack = if is_same { group.slack.max(exchange.span.slack) } else { CLOCKS };
        place.0.saturating_add(slack) > exchange.span.begun
    }

    /// The group that ended first, where nothing that begins from now on can belong to it.
    pub fn next_closed(&mut self, begun: i64) -> Option<OverlapGroup> {
        let margin = match (self.has_many, self.is_live) {
            (true, _) => CLOCKS,
            (false, true) => 0,
            (false, false) => ROUNDING,
        };
        let place = *self.open.keys().next()?;
        if place.0.saturating_add(margin) > begun {
            return None;
        }
        let group = self.open.remove(&place)?;
        for key in group.members.iter().flat_map(PreparedExchange::keys) {
            if self.by_key.get(key) == Some(&place) {
                self.by_key.remove(key);
            }
        }
        Some(group)
    }
}
