//! Mints unique numbers: never the same one twice, whoever runs beside or after us.
//!
//! Knows the run id and the clock of a process; must not know what a number is used for.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::draft::NumberShape;
use crate::contract::Contract;
use crate::contract::validity::is_plain;

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Digits of the counter: in upper case, while what stands before them is in lower case, so that every number
/// tells who changes either.
const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Characters of the nonce: two billion of them, so that a run id that is used every night stays safe.
pub(super) const NONCE: usize = 6;
/// Digits that a shortened number keeps for its counter.
pub(super) const COUNTER: usize = 6;
/// JSON numbers stay below 10^14, which every service can read; they start this high to be told apart.
const INTEGERS: std::ops::Range<u64> = 10_000_000_000_000..99_000_000_000_000;

/// The numbers of one process: `RUN-ID` `-` nonce `-` counter, at most 40 characters with a default run id.
#[derive(Debug)]
pub struct Mint {
    prefix: String,
    first_integer: u64,
    counter: AtomicU64,
}

impl Mint {
    /// A mint whose numbers begin with `run_id`; its nonce comes from the operating system.
    #[must_use]
    pub fn new(run_id: &str) -> Mint {
        Mint::with_nonce(run_id, os_random())
    }

    /// The same, for a contract whose unique field may be bounded: numbers that would not fit lose the
    /// beginning of the run id, then all of it.
    #[must_use]
    pub fn fitting(run_id: &str, contract: &Contract) -> Mint {
        let longest = contract
            .field(&contract.batch.unique)
            .and_then(|f| f.schema.get("maxLength"))
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok());
        Mint::within(run_id, longest.unwrap_or(usize::MAX))
    }

    fn within(run_id: &str, longest: usize) -> Mint {
        let room = longest.saturating_sub(NONCE + COUNTER + 2);
        let characters = run_id.chars().count();
        let kept: String = run_id.chars().skip(characters.saturating_sub(room)).collect();
        let mut mint = Mint::new(&kept);
        if room == 0 {
            mint.prefix = mint.prefix.trim_start_matches('-').to_owned();
        }
        mint
    }

    fn with_nonce(run_id: &str, random: u64) -> Mint {
        let nonce = base36(random, NONCE);
        Mint {
            prefix: format!("{run_id}-{nonce}-"),
            first_integer: INTEGERS.start
                + random.rotate_left(17) % (INTEGERS.end - INTEGERS.start),
            counter: AtomicU64::new(0),
        }
    }

    /// A number that was never used before.
    #[must_use]
    pub fn fresh(&self) -> String {
        self.number(self.next())
    }

    /// Sets `count` numbers aside, for whoever mints many of them one after the other.
    #[must_use]
    pub fn set_aside(self: &Arc<Mint>, count: u64) -> Numbers {
        let next = self.counter.fetch_add(count, Ordering::Relaxed);
        let plain = is_plain(&self.prefix);
        Numbers { mint: Arc::clone(self), next, end: next + count, more: count, plain }
    }

    fn number(&self, count: u64) -> String {
        let mut number = String::with_capacity(self.prefix.len() + COUNTER);
        self.push(count, &mut number);
        number
    }

    fn push(&self, count: u64, out: &mut String) {
        out.push_str(&self.prefix);
        push_base36(out, scatter(count));
    }

    /// How many numbers were minted.
    #[must_use]
    pub fn minted(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }

    /// What every number of this mint begins with; whatever contains it was left behind by this process.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A prefix of any mint with another nonce: numbers that exchange the one for the other are fresh, of the
    /// same length, and to each other what they were before.
    #[must_use]
    pub fn renonced(prefix: &str) -> String {
        let end = prefix.len().saturating_sub(1);
        let stem = prefix.get(..end.saturating_sub(NONCE)).unwrap_or_default();
        format!("{stem}{}-", base36(os_random(), NONCE))
    }

    /// A never used number in that shape; none where the shape is to leave it out.
    #[must_use]
    pub fn shaped(&self, shape: &NumberShape) -> Option<Value> {
        self.shape(shape, || self.next())
    }

    fn shape(&self, shape: &NumberShape, count: impl FnOnce() -> u64) -> Option<Value> {
        match shape {
            NumberShape::Plain => Some(Value::String(self.number(count()))),
            NumberShape::Decorated { before, after } => {
                Some(Value::String(format!("{before}{}{after}", self.number(count()))))
            }
            NumberShape::Padded { length, with } => {
                let mut number = self.number(count());
                let missing = length.saturating_sub(number.chars().count());
                number.extend(std::iter::repeat_n(*with, missing));
                Some(Value::String(number))
            }
            NumberShape::Fixed(value) => Some(value.clone()),
            NumberShape::FreshInteger => Some(Value::from(self.first_integer + count())),
            NumberShape::Absent => None,
        }
    }

    /// Whether a JSON number is one that a mint of any process made.
    #[must_use]
    pub fn is_integer_of_any(number: u64) -> bool {
        INTEGERS.contains(&number)
    }

    fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }
}

/// Numbers that were set aside: cheap to mint, and the same again from a clone.
#[derive(Debug, Clone)]
pub struct Numbers {
    mint: Arc<Mint>,
    next: u64,
    end: u64,
    /// How many are set aside once these are used up.
    more: u64,
    plain: bool,
}

impl Numbers {
    /// Whether all of them are plain text (INTERPRETATION-18).
    #[must_use]
    pub fn are_plain(&self) -> bool {
        self.plain
    }

    /// Appends the next number.
    pub fn push(&mut self, out: &mut String) {
        let count = self.count();
        self.mint.push(count, out);
    }

    /// The next number in that shape; none where the shape is to leave it out.
    #[must_use]
    pub fn shaped(&mut self, shape: &NumberShape) -> Option<Value> {
        let mint = Arc::clone(&self.mint);
        mint.shape(shape, || self.count())
    }

    /// The `nth` number from here on, from 0, without taking it.
    #[must_use]
    pub fn nth(&self, nth: u64) -> String {
        self.mint.number(self.next + nth)
    }

    /// How many numbers stand before the one that `text` holds among those still set aside; nothing where it
    /// holds none of them.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<u64> {
        let start = text.find(&self.mint.prefix)? + self.mint.prefix.len();
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
            *self = self.mint.set_aside(self.more);
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

/// The standard library seeds its hashers from the operating system; process, time and a counter keep
/// apart what one process draws twice.
fn os_random() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_i64(Utc::now().timestamp_nanos_opt().unwrap_or_default());
    hasher.write_u64(DRAWN.fetch_add(1, Ordering::Relaxed));
    hasher.finish()
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

/// Another count for each count: numbers that follow each other must not look as if they did, or results
/// sorted by number would stand in request order, and a weak hash would tell them apart by their order.
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
        let mint = Arc::new(Mint::new(&id));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let mint = mint.clone();
                std::thread::spawn(move || (0..1000).map(|_| mint.fresh()).collect::<Vec<_>>())
            })
            .collect();
        let mut seen = HashSet::new();
        for number in threads.into_iter().flat_map(|t| t.join().unwrap()) {
            assert!(number.starts_with(&id) && number.len() <= 40, "{number}");
            assert!(seen.insert(number));
        }
        let other = Mint::new(&id);
        assert_ne!(mint.prefix(), other.prefix());
        mint.counter.store(u64::MAX - 1, Ordering::Relaxed);
        assert!(mint.fresh().len() <= 42);
    }

    #[test]
    fn numbers_fit_a_bounded_field() {
        let shipped = Contract::shipped().unwrap();
        let id = "bptest-261122-k3x9qz";
        assert!(Mint::fitting(id, &shipped).fresh().starts_with(id));
        for (room, prefix) in [(20, "k3x9qz-"), (13, "")] {
            let mint = Mint::within(id, room);
            mint.counter.store(36_u64.pow(5) - 1, Ordering::Relaxed);
            let number = mint.fresh();
            assert!(number.len() <= room && number.starts_with(prefix), "{number}");
        }
    }

    #[test]
    fn counts_are_scattered_and_gathered_again() {
        for count in [0, 1, 2, 35, 36, 37, 1_000_000, BLOCKS * BLOCK - 1, BLOCKS * BLOCK, u64::MAX]
        {
            assert_eq!(gather(scatter(count)), count);
        }
        let mint = Mint::new("bptest");
        let drawn: Vec<String> = (0..50).map(|_| mint.fresh()).collect();
        assert!(!drawn.is_sorted() && drawn.iter().all(|n| n.len() == drawn[0].len()));
    }

    #[test]
    fn numbers_set_aside_are_like_any_other_and_know_their_place() {
        let mint = Arc::new(Mint::new("bptest-261122-k3x9qz"));
        let mut numbers = mint.set_aside(3);
        let first = numbers.clone();
        let mut seen = HashSet::new();
        for round in 0..7 {
            let mut number = String::new();
            numbers.push(&mut number);
            let place = first.position(&number);
            assert_eq!(place, (round < 3).then_some(round), "{number}");
            assert!(seen.insert(number) && seen.insert(mint.fresh()));
        }
        for foreign in ["", "bptest-261122-k3x9qz", &format!("{}00000", mint.prefix())] {
            assert_eq!(first.position(foreign), None, "{foreign}");
        }
        assert_eq!(mint.minted(), 3 * 3 + 7);
    }

    #[test]
    fn shapes_keep_the_number_fresh() {
        let mint = Mint::new("bptest-261122-k3x9qz");
        let decorated =
            NumberShape::Decorated { before: "\u{202e}".to_owned(), after: "é".to_owned() };
        let text = mint.shaped(&decorated).unwrap();
        assert!(text.as_str().unwrap().starts_with("\u{202e}bptest-261122-k3x9qz-"));
        let padded = mint.shaped(&NumberShape::Padded { length: 255, with: '😀' }).unwrap();
        assert_eq!(padded.as_str().unwrap().chars().count(), 255);
        let a = mint.shaped(&NumberShape::FreshInteger).unwrap();
        let b = mint.shaped(&NumberShape::FreshInteger).unwrap();
        assert!(a.is_u64() && a != b);
        assert_eq!(mint.shaped(&NumberShape::Absent), None);
        assert_eq!(mint.shaped(&NumberShape::Fixed(Value::Null)), Some(Value::Null));
        assert_eq!(mint.minted(), 4);
    }
}
