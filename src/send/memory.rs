//! The memory that answers take, all jobs together: what is too large for it is looked at while it comes, and not
//! held.
//!
//! A hostile target could otherwise fill it with one large answer for each job. It must not know what an answer
//! ought to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore};

use super::allowance::Allowance;
use super::incoming::{LossReason, too_large};
use crate::exchange::{Outline, Outliner, parsed_size};

/// Bytes that all answers together may take, parsed.
const ALL: usize = 48 * 1024 * 1024;
/// An answer up to this size is not counted.
const SMALL: u64 = 64 * 1024;
/// Answers up to this size are read side by side; of larger ones, one at a time.
const MODEST: u64 = 4 * 1024 * 1024;
/// Room is taken in portions of this number of bytes.
const PORTION: usize = 64 * 1024;
/// What an answer may take for each item of its batch, uncounted: the request takes as much.
const ITEM: u64 = 2560;
/// How long a large answer waits until others have been judged.
const WAIT: Duration = Duration::from_secs(10);
/// Bytes that are kept of an answer that is not held.
const BEGINNING: usize = 64 * 1024;

/// Room for answers.
pub(super) struct Memory {
    portions: Arc<Semaphore>,
    wait: Duration,
    /// Held by the one large answer that is being read: two halves could block each other for ever.
    turn: Mutex<()>,
    /// Set once one waited for room in vain, until there is some: others need not wait as long.
    is_full: AtomicBool,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::of(ALL)
    }
}

impl Memory {
    fn of(bytes: usize) -> Memory {
        let portions = Arc::new(Semaphore::new(bytes / PORTION));
        Memory { portions, wait: WAIT, turn: Mutex::new(()), is_full: AtomicBool::new(false) }
    }
}

/// What an answer may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerBounds {
    /// Bytes of its body.
    pub most: u64,
    /// Items of the batch that it answers.
    pub items: usize,
}

impl AnswerBounds {
    /// What it takes before any of it counts.
    fn free(self) -> u64 {
        SMALL + ITEM.saturating_mul(self.items as u64)
    }

    /// Whether a body may be parsed without asking for room.
    pub fn is_modest(self, body: &[u8]) -> bool {
        parsed_size(body) <= self.free() + MODEST
    }
}

/// A body that grows while it is read; what it takes is given back with the last reference to it.
pub(super) struct Buffered<'a> {
    memory: &'a Memory,
    allowance: &'a Allowance,
    status: u16,
    bounds: AnswerBounds,
    /// What is held of it: all, or the beginning.
    bytes: Vec<u8>,
    /// Bytes that have come.
    came: u64,
    /// What they would take, parsed.
    size: u64,
    room: Option<OwnedSemaphorePermit>,
    turn: Option<MutexGuard<'a, ()>>,
    /// Set once it is not held any more.
    outliner: Option<Outliner>,
}

/// A whole body and the room that it takes.
struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'a> Buffered<'a> {
    /// The body of an answer with that status; waiting for room takes nothing of `allowance`.
    pub fn new(
        memory: &'a Memory,
        allowance: &'a Allowance,
        status: u16,
        bounds: AnswerBounds,
    ) -> Buffered<'a> {
        Buffered {
            memory,
            allowance,
            status,
            bounds,
            bytes: Vec::new(),
            came: 0,
            size: 0,
            room: None,
            turn: None,
            outliner: None,
        }
    }

    /// Adds what has come.
    ///
    /// # Errors
    /// [`LossKind::TooLarge`](crate::exchange::LossKind::TooLarge) where that is more than an answer may have.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), LossReason> {
        self.came += bytes.len() as u64;
        if self.came > self.bounds.most {
            return Err(too_large(self.status, self.bounds.most));
        }
        if self.outliner.is_none() {
            self.size += parsed_size(bytes);
            if !self.has_room().await {
                self.let_go().await;
            }
        }
        if let Some(outliner) = &mut self.outliner {
            outliner.take(bytes);
            let missing = BEGINNING.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(missing)]);
            return Ok(());
        }
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            // To double it would take half of it for nothing.
            self.bytes.reserve_exact(bytes.len().max(self.bytes.len() / 4));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes the room that is missing; false where there is none.
    async fn has_room(&mut self) -> bool {
        let counted = self.size.saturating_sub(self.bounds.free());
        let portions = usize::try_from(counted).unwrap_or(usize::MAX).div_ceil(PORTION);
        let held = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = portions.saturating_sub(held);
        if missing == 0 {
            return true;
        }
        let Ok(missing) = u32::try_from(missing) else { return false };
        if portions > ALL / PORTION {
            return false;
        }
        let free = Arc::clone(&self.memory.portions).try_acquire_many_owned(missing).ok();
        if free.is_some() {
            self.memory.is_full.store(false, Ordering::Relaxed);
        }
        let room = if let Some(room) = free.filter(|_| counted <= MODEST || self.turn.is_some()) {
            room
        } else {
            self.take_turn().await;
            let taking = Arc::clone(&self.memory.portions).acquire_many_owned(missing);
            let is_full = &self.memory.is_full;
            let wait =
                if is_full.load(Ordering::Relaxed) { Duration::ZERO } else { self.memory.wait };
            let taking = tokio::time::timeout(wait, taking);
            let taken = self.allowance.standing_still(taking).await;
            is_full.store(taken.is_err(), Ordering::Relaxed);
            let Ok(Ok(room)) = taken else { return false };
            room
        };
        match &mut self.room {
            Some(held) => held.merge(room),
            None => self.room = Some(room),
        }
        true
    }

    async fn take_turn(&mut self) {
        if self.turn.is_none() {
            let turn = self.memory.turn.lock();
            self.turn = Some(self.allowance.standing_still(turn).await);
        }
    }

    /// From here on only the outline is made: of one answer at a time.
    async fn let_go(&mut self) {
        self.take_turn().await;
        let mut outliner = Outliner::default();
        outliner.take(&self.bytes);
        self.outliner = Some(outliner);
        self.bytes.truncate(BEGINNING);
        self.bytes.shrink_to_fit();
        self.room = None;
    }

    /// What is held of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much has come.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// All of it, or its beginning and its outline.
    pub fn finish(self) -> (Bytes, Option<Arc<Outline>>) {
        let outline = self.outliner.map(|outliner| Arc::new(outliner.finish()));
        let bytes = match self.room {
            None => Bytes::from(self.bytes),
            Some(room) => Bytes::from_owner(Held { bytes: self.bytes, _room: room }),
        };
        (bytes, outline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::LossKind;

    const MIB: usize = 1024 * 1024;
    const BOUNDS: AnswerBounds = AnswerBounds { most: 64 * MIB as u64, items: 1 };

    /// A body of this number of bytes; twice as many count.
    async fn body(memory: &Memory, size: usize) -> (Bytes, Option<Arc<Outline>>) {
        let allowance = Allowance::new(Duration::from_mins(1));
        let mut buffered = Buffered::new(memory, &allowance, 200, BOUNDS);
        for piece in vec![b'0'; size].chunks(300_000) {
            buffered.add(piece).await.unwrap();
        }
        buffered.finish()
    }

    #[tokio::test]
    async fn large_answers_share_their_room_and_give_it_back() {
        let memory = Memory { wait: Duration::ZERO, ..Memory::of(6 * MIB) };
        let (first, outline) = body(&memory, 2 * MIB).await;
        assert_eq!((first.len(), outline), (2 * MIB, None));
        let copy = first.clone();
        // What there is no room for is not held, and still looked at to its end.
        let (beginning, outline) = body(&memory, 2 * MIB).await;
        assert_eq!((beginning.len(), outline.unwrap().bytes), (BEGINNING, 2 * MIB as u64));
        assert_eq!(body(&memory, MIB / 64).await.0.len(), MIB / 64);
        drop((first, copy));
        assert_eq!(body(&memory, 3 * MIB).await.0.len(), 3 * MIB);
    }

    #[tokio::test]
    async fn what_is_small_as_text_and_large_once_parsed_is_not_held() {
        let memory = Memory::default();
        let allowance = Allowance::new(Duration::from_mins(1));
        let mut buffered = Buffered::new(&memory, &allowance, 200, BOUNDS);
        for piece in format!("{{\"results\":[1{}]}}", ",1".repeat(MIB)).as_bytes().chunks(4096) {
            buffered.add(piece).await.unwrap();
        }
        let (beginning, outline) = buffered.finish();
        assert_eq!(beginning.len(), BEGINNING);
        assert_eq!(outline.unwrap().elements("results"), Some(MIB as u64 + 1));
    }

    #[tokio::test]
    async fn an_answer_ends_where_it_is_larger_than_it_may_be() {
        let memory = Memory::default();
        let bounds = AnswerBounds { most: 10, items: 1 };
        let allowance = Allowance::new(Duration::from_mins(1));
        let mut buffered = Buffered::new(&memory, &allowance, 200, bounds);
        buffered.add(b"0123456789").await.unwrap();
        let (kind, why) = buffered.add(b"0").await.unwrap_err();
        assert_eq!(kind, LossKind::TooLarge);
        assert!(why.contains("10 bytes"), "{why}");
        assert_eq!(buffered.finish().0, "0123456789");
    }
}
