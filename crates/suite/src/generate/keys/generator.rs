//! Mints unique keys: never the same one twice, whichever run is beside or after this one.
//!
//! Knows the run id and the clock of a process; must not know what a key is used for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::contract::Contract;
use crate::contract::validity::is_plain;
use crate::generate::Random;
use crate::generate::draft::{Draft, KeyShape};
use crate::generate::keys::form::KeyForm;

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Digits of the counter: in upper case, while what stands before them is in lower case, so that every key
/// tells who changes either.
const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Characters of the nonce: two billion of them, so that a run id that is used every night stays safe.
pub const NONCE: usize = 6;
/// Digits that a shortened key keeps for its counter.
pub(super) const COUNTER: usize = 6;
/// Keys that are JSON numbers stay below 10^14, which every service can read; they start this high to be told apart.
const INTEGERS: std::ops::Range<u64> = 10_000_000_000_000..99_000_000_000_000;

/// The keys of one process: `RUN-ID` `-` nonce `-` counter, at most 40 characters with a default run id.
#[derive(Debug)]
pub struct KeyGenerator {
    prefix: String,
    first_integer: u64,
    counter: Arc<AtomicU64>,
    /// The form that the contract's keys have, where an everyday key will not do; with what this process drew for it.
    form: Option<(KeyForm, u64)>,
    /// Where counts come from instead, where an execution must make the same keys as another one.
    source: Option<CountSource>,
}

/// Reserves `count` counts and gives the first, where the task that asks has counts of its own.
pub type CountSource = fn(u64) -> Option<u64>;

impl KeyGenerator {
    /// A keys whose keys begin with `run_id`; its nonce comes from the operating system.
    #[must_use]
    pub fn new(run_id: &str) -> KeyGenerator {
        KeyGenerator::with_nonce(run_id, os_random())
    }

    /// The same, for a contract whose unique field may be bounded: keys that would not fit lose the
    /// beginning of the run id, then all of it.
    #[must_use]
    pub fn fitting(run_id: &str, contract: &Contract) -> KeyGenerator {
        let further = contract.batch.further.iter().map(|key| &key.field);
        let longest = std::iter::once(&contract.batch.unique)
            .chain(further)
            .filter_map(|name| contract.field(name)?.schema.get("maxLength")?.as_u64())
            .filter_map(|n| usize::try_from(n).ok())
            .min();
        let form = KeyForm::of(contract).map(|form| (form, os_random()));
        KeyGenerator { form, ..KeyGenerator::within(run_id, longest.unwrap_or(usize::MAX)) }
    }

    fn within(run_id: &str, longest: usize) -> KeyGenerator {
        let room = longest.saturating_sub(NONCE + COUNTER + 2);
        let characters = run_id.chars().count();
        let kept: String = run_id.chars().skip(characters.saturating_sub(room)).collect();
        let mut keys = KeyGenerator::new(&kept);
        if room == 0 {
            keys.prefix = keys.prefix.trim_start_matches('-').to_owned();
        }
        keys
    }

    fn with_nonce(run_id: &str, random: u64) -> KeyGenerator {
        let nonce = base36(random, NONCE);
        KeyGenerator {
            prefix: format!("{run_id}-{nonce}-"),
            first_integer: INTEGERS.start
                + random.rotate_left(17) % (INTEGERS.end - INTEGERS.start),
            counter: Arc::default(),
            form: None,
            source: None,
        }
    }

    /// One whose keys differ from these in their nonce, and which shares the counter.
    #[must_use]
    pub fn beside(&self) -> KeyGenerator {
        let random = os_random();
        KeyGenerator {
            prefix: KeyGenerator::prefix_like(&self.prefix),
            counter: Arc::clone(&self.counter),
            form: self.form.as_ref().map(|(form, _)| (form.clone(), random)),
            source: self.source,
            ..KeyGenerator::with_nonce("", random)
        }
    }

    /// The same, with counts from `source` where that has any.
    #[must_use]
    pub fn counting_by(self, source: CountSource) -> KeyGenerator {
        KeyGenerator { source: Some(source), ..self }
    }

    /// Whether keys have a form that their schema demands, in which nobody finds them again.
    #[must_use]
    pub fn has_form(&self) -> bool {
        self.form.is_some()
    }

    /// A key that was never used before.
    #[must_use]
    pub fn fresh(&self) -> String {
        self.key(self.next())
    }

    /// Reserves `count` keys, for a caller that makes many of them one after the other.
    #[must_use]
    pub fn reserve(self: &Arc<KeyGenerator>, count: u64) -> KeyBlock {
        let next = self.counts(count);
        let plain = is_plain(&self.prefix);
        KeyBlock { keys: Arc::clone(self), next, end: next + count, more: count, plain }
    }

    fn key(&self, count: u64) -> String {
        let mut key = String::with_capacity(self.prefix.len() + COUNTER);
        self.push(count, &mut key);
        key
    }

    fn push(&self, count: u64, out: &mut String) {
        out.push_str(&self.prefix);
        push_base36(out, scatter(count));
    }

    /// How many keys were made.
    #[must_use]
    pub fn issued(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }

    /// What every key of this keys begins with; whatever contains it was left behind by this process.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A prefix of any keys with another nonce: keys that exchange the one for the other are fresh, of the
    /// same length, and to each other what they were before.
    #[must_use]
    pub fn prefix_like(prefix: &str) -> String {
        let end = prefix.len().saturating_sub(1);
        let stem = prefix.get(..end.saturating_sub(NONCE)).unwrap_or_default();
        format!("{stem}{}-", base36(os_random(), NONCE))
    }

    /// A never used key in that shape; none where the shape is to leave it out.
    #[must_use]
    pub fn with_shape(&self, shape: &KeyShape) -> Option<Value> {
        self.shape(shape, || self.next())
    }

    /// Puts a key that was never used before in the place of each further unique key that an item is to have.
    pub fn mint(&self, draft: &mut Draft) {
        draft.mint(|| self.fresh());
    }

    fn shape(&self, shape: &KeyShape, count: impl FnOnce() -> u64) -> Option<Value> {
        match shape {
            KeyShape::Plain | KeyShape::Formed(_) => Some(match &self.form {
                Some((form, drawn)) => form.key(*drawn, count()),
                None => Value::String(self.key(count())),
            }),
            KeyShape::Decorated { before, after } => {
                Some(Value::String(format!("{before}{}{after}", self.key(count()))))
            }
            KeyShape::Padded { length, with } => {
                let mut key = self.key(count());
                let missing = length.saturating_sub(key.chars().count());
                key.extend(std::iter::repeat_n(*with, missing));
                Some(Value::String(key))
            }
            KeyShape::Fixed(value) => Some(value.clone()),
            KeyShape::FreshInteger => Some(Value::from(self.first_integer + count())),
            KeyShape::Absent => None,
        }
    }

    /// A UUID that was never used before.
    #[must_use]
    pub fn uuid(&self) -> String {
        let uuid = KeyForm::Uuid.key(os_random(), self.next());
        uuid.as_str().unwrap_or_default().to_owned()
    }

    /// Whether a JSON number is a key that a generator of any process made.
    #[must_use]
    pub fn is_integer_key(number: u64) -> bool {
        INTEGERS.contains(&number)
    }

    fn next(&self) -> u64 {
        self.counts(1)
    }

    fn counts(&self, count: u64) -> u64 {
        let given = self.source.and_then(|source| source(count));
        given.unwrap_or_else(|| self.draw(count))
    }

    /// The first of `count` counts that nobody else has, whatever the source.
    #[must_use]
    pub fn draw(&self, count: u64) -> u64 {
        self.counter.fetch_add(count, Ordering::Relaxed)
    }
}

/// Keys that were reserved: cheap to make, and the same again from a clone.
#[derive(Debug, Clone)]
pub struct KeyBlock {
    keys: Arc<KeyGenerator>,
    next: u64,
    end: u64,
    /// How many are reserved once these are used up.
    more: u64,
    plain: bool,
}

impl KeyBlock {
    /// Whether all of them are plain text (INTERPRETATION-18).
    #[must_use]
    pub fn are_plain(&self) -> bool {
        self.plain
    }

    /// Appends the next key.
    pub fn push(&mut self, out: &mut String) {
        let count = self.count();
        self.keys.push(count, out);
    }

    /// The next key in that shape; none where the shape is to leave it out.
    #[must_use]
    pub fn with_shape(&mut self, shape: &KeyShape) -> Option<Value> {
        let keys = Arc::clone(&self.keys);
        keys.shape(shape, || self.count())
    }

    /// Puts the key that was taken last in the place of each further unique key that an item is to have: so it takes none
    /// of those that tell where an item stands.
    pub fn mint(&self, draft: &mut Draft) {
        draft.mint(|| self.keys.key(self.next.saturating_sub(1)));
    }

    /// The `nth` key from here on, from 0, without taking it.
    #[must_use]
    pub fn nth(&self, nth: u64) -> String {
        self.keys.key(self.next + nth)
    }

    /// How many keys stand before the one that `text` holds among those still reserved; nothing where it
    /// holds none of them.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<u64> {
        let start = text.find(&self.keys.prefix)? + self.keys.prefix.len();
        let digits = text.get(start..start + COUNTER)?;
        let count = digits.bytes().try_fold(0_u64, |count, byte| {
            let digit = DIGITS.iter().position(|b| *b == byte)?;
            count.checked_mul(36)?.checked_add(u64::try_from(digit).ok()?)
        })?;
        let count = gather(count);
        (self.next..self.end).contains(&count).then(|| count - self.next)
    }

    fn count(&mut self) -> u64 {
        if self.next == self.end {
            *self = self.keys.reserve(self.more);
        }
        self.next += 1;
        self.next - 1
    }
}

/// `bptest-YYMMDD-` and six random characters.
#[must_use]
pub fn default_run_id(now: DateTime<Utc>) -> String {
    format!("bptest-{}-{}", now.format("%y%m%d"), base36(os_random(), 6))
}

/// Random bits of the operating system. Where it gives none, process, time and a counter keep apart what
/// several processes, and one process twice, draw.
fn os_random() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    getrandom::u64().unwrap_or_else(|_| {
        let time = Utc::now().timestamp_nanos_opt().unwrap_or_default().cast_unsigned();
        let process = u64::from(std::process::id()) << 32;
        Random::new(time ^ process ^ DRAWN.fetch_add(1, Ordering::Relaxed)).bits()
    })
}

fn base36(mut number: u64, digits: usize) -> String {
    let mut text = String::with_capacity(digits);
    for _ in 0..digits {
        text.push(digit(number % 36));
        number /= 36;
    }
    text
}

/// Counts that differ in their last digit alone stay together, as a target that keeps neighbours together likes it.
const BLOCK: u64 = 36;
/// As many blocks as fit into the counter's other digits: 36 to the power of [`COUNTER`] less one.
const BLOCKS: u64 = 60_466_176;
/// Where a count goes in its block and a block among the blocks: coprime to [`BLOCK`], and their inverses.
const SCATTER: (u64, u64) = (23, 37_370_153);
const GATHER: (u64, u64) = (11, 47_534_873);

/// Another count for each count: keys that follow each other must not look as if they did, or results
/// sorted by key would stand in request order, and a weak hash would tell them apart by their order.
fn scatter(count: u64) -> u64 {
    permute(count, SCATTER)
}

/// The count that [`scatter`] made this one from.
fn gather(scattered: u64) -> u64 {
    permute(scattered, GATHER)
}

fn permute(count: u64, (within, among): (u64, u64)) -> u64 {
    let (block, at) = (count / BLOCK, count % BLOCK);
    if block < BLOCKS { block * among % BLOCKS * BLOCK + at * within % BLOCK } else { count }
}

/// At least [`COUNTER`] digits: a counter of fixed width can't turn into another by what is put before or
/// behind it, as padding and look-alikes do.
fn push_base36(text: &mut String, mut number: u64) {
    // As many as the largest number has.
    let mut digits = [b'0'; 13];
    let mut at = digits.len();
    while number > 0 {
        at -= 1;
        digits[at] = DIGITS[usize::try_from(number % 36).unwrap_or(0)];
        number /= 36;
    }
    let from = at.min(digits.len() - COUNTER);
    text.push_str(std::str::from_utf8(&digits[from..]).unwrap_or_default());
}

fn digit(value: u64) -> char {
    usize::try_from(value).ok().and_then(|i| BASE36.get(i)).map_or('0', |b| char::from(*b))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_are_short_and_never_the_same() {
        let id = default_run_id(DateTime::from_timestamp(1_795_000_000, 0).unwrap());
        assert!(id.starts_with("bptest-261118-") && id.len() == 20, "{id}");
        let keys = Arc::new(KeyGenerator::new(&id));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let keys = keys.clone();
                std::thread::spawn(move || (0..1000).map(|_| keys.fresh()).collect::<Vec<_>>())
            })
            .collect();
        let mut seen = HashSet::new();
        for key in threads.into_iter().flat_map(|t| t.join().unwrap()) {
            assert!(key.starts_with(&id) && key.len() <= 40, "{key}");
            assert!(seen.insert(key));
        }
        let other = KeyGenerator::new(&id);
        assert_ne!(keys.prefix(), other.prefix());
        keys.counter.store(u64::MAX - 1, Ordering::Relaxed);
        assert!(keys.fresh().len() <= 42);
    }

    #[test]
    fn numbers_fit_a_bounded_field() {
        let shipped = Contract::shipped().unwrap();
        let id = "bptest-261122-k3x9qz";
        assert!(KeyGenerator::fitting(id, &shipped).fresh().starts_with(id));
        for (room, prefix) in [(20, "k3x9qz-"), (13, "")] {
            let keys = KeyGenerator::within(id, room);
            keys.counter.store(36_u64.pow(5) - 1, Ordering::Relaxed);
            let key = keys.fresh();
            assert!(key.len() <= room && key.starts_with(prefix), "{key}");
        }
    }

    #[test]
    fn counts_are_scattered_and_gathered_again() {
        for count in [0, 1, 2, 35, 36, 37, 1_000_000, BLOCKS * BLOCK - 1, BLOCKS * BLOCK, u64::MAX]
        {
            assert_eq!(gather(scatter(count)), count);
        }
        let keys = KeyGenerator::new("bptest");
        let drawn: Vec<String> = (0..50).map(|_| keys.fresh()).collect();
        assert!(!drawn.is_sorted() && drawn.iter().all(|n| n.len() == drawn[0].len()));
    }

    #[test]
    fn reserved_keys_are_like_any_other_and_know_their_place() {
        let keys = Arc::new(KeyGenerator::new("bptest-261122-k3x9qz"));
        let mut block = keys.reserve(3);
        let first = block.clone();
        let mut seen = HashSet::new();
        for round in 0..7 {
            let mut key = String::new();
            block.push(&mut key);
            let place = first.position(&key);
            assert_eq!(place, (round < 3).then_some(round), "{key}");
            assert!(seen.insert(key) && seen.insert(keys.fresh()));
        }
        for foreign in ["", "bptest-261122-k3x9qz", &format!("{}00000", keys.prefix())] {
            assert_eq!(first.position(foreign), None, "{foreign}");
        }
        assert_eq!(keys.issued(), 3 * 3 + 7);
    }

    #[test]
    fn shapes_keep_the_number_fresh() {
        let keys = KeyGenerator::new("bptest-261122-k3x9qz");
        let decorated =
            KeyShape::Decorated { before: "\u{202e}".to_owned(), after: "é".to_owned() };
        let text = keys.with_shape(&decorated).unwrap();
        assert!(text.as_str().unwrap().starts_with("\u{202e}bptest-261122-k3x9qz-"));
        let padded = keys.with_shape(&KeyShape::Padded { length: 255, with: '😀' }).unwrap();
        assert_eq!(padded.as_str().unwrap().chars().count(), 255);
        let a = keys.with_shape(&KeyShape::FreshInteger).unwrap();
        let b = keys.with_shape(&KeyShape::FreshInteger).unwrap();
        assert!(a.is_u64() && a != b);
        assert_eq!(keys.with_shape(&KeyShape::Absent), None);
        assert_eq!(keys.with_shape(&KeyShape::Fixed(Value::Null)), Some(Value::Null));
        assert_eq!(keys.issued(), 4);
    }
}
