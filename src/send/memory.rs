//! The memory that large answers take, all jobs together.
//!
//! A hostile target could otherwise fill it with one large answer for each job.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore};

use super::incoming::{LossReason, too_large};
use crate::exchange::LossKind;

/// Answers up to this many bytes are not counted.
const SMALL: usize = 1024 * 1024;
/// Room is taken in portions of so many bytes.
const PORTION: usize = 1024 * 1024;
/// How long a large answer waits until others have been judged.
const WAIT: Duration = Duration::from_secs(5);

/// Room for large answers.
pub(super) struct Memory {
    portions: Arc<Semaphore>,
    all: u64,
    wait: Duration,
    /// Held by the one large answer that is being read: two halves could block each other for ever.
    reading: Mutex<()>,
}

impl Memory {
    /// Room for `bytes` bytes.
    pub fn new(bytes: u64) -> Memory {
        let portions = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(PORTION);
        let portions = Arc::new(Semaphore::new(portions.min(Semaphore::MAX_PERMITS)));
        Memory { portions, all: bytes, wait: WAIT, reading: Mutex::new(()) }
    }
}

/// A body that grows while it is read; what it takes is given back with the last reference to it.
pub(super) struct Buffered<'a> {
    memory: &'a Memory,
    status: u16,
    most: u64,
    bytes: Vec<u8>,
    held: Option<OwnedSemaphorePermit>,
    reading: Option<MutexGuard<'a, ()>>,
}

/// A whole body and the room that it takes.
struct Held {
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'a> Buffered<'a> {
    /// The body of an answer with that status, which may have `most` bytes.
    pub fn new(memory: &'a Memory, status: u16, most: u64) -> Buffered<'a> {
        Buffered { memory, status, most, bytes: Vec::new(), held: None, reading: None }
    }

    /// Adds what has come.
    ///
    /// # Errors
    /// [`LossKind::TooLarge`] where that is more than an answer may have.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), LossReason> {
        let size = self.bytes.len() + bytes.len();
        if size as u64 > self.most {
            return Err(too_large(self.status, self.most));
        }
        if size > SMALL {
            self.make_room(size.div_ceil(PORTION)).await?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn make_room(&mut self, portions: usize) -> Result<(), LossReason> {
        if self.reading.is_none() {
            self.reading = Some(self.memory.reading.lock().await);
        }
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = u32::try_from(portions.saturating_sub(held)).unwrap_or(u32::MAX);
        if missing == 0 {
            return Ok(());
        }
        let taking = Arc::clone(&self.memory.portions).acquire_many_owned(missing);
        let Ok(Ok(room)) = tokio::time::timeout(self.memory.wait, taking).await else {
            let (_, why) = too_large(self.status, self.memory.all);
            return Err((LossKind::TooLarge, format!("{why}, with the answers before it")));
        };
        match &mut self.held {
            Some(held) => held.merge(room),
            None => self.held = Some(room),
        }
        Ok(())
    }

    /// What has come so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All of it.
    pub fn finish(self) -> Bytes {
        match self.held {
            None => Bytes::from(self.bytes),
            held => Bytes::from_owner(Held { bytes: self.bytes, _room: held }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(memory: &Memory, size: usize) -> Result<Bytes, LossReason> {
        let mut buffered = Buffered::new(memory, 200, 64 * 1024 * 1024);
        for piece in vec![0; size].chunks(300_000) {
            buffered.add(piece).await?;
        }
        Ok(buffered.finish())
    }

    #[tokio::test]
    async fn large_answers_share_their_room_and_give_it_back() {
        let memory = Memory { wait: Duration::ZERO, ..Memory::new(3 * SMALL as u64) };
        let first = body(&memory, 2 * SMALL).await.unwrap();
        let copy = first.clone();
        let (small, second) = (body(&memory, SMALL).await, body(&memory, 2 * SMALL).await);
        assert_eq!(small.unwrap().len(), SMALL);
        assert_eq!(second.unwrap_err().0, LossKind::TooLarge);
        drop((first, copy));
        assert_eq!(body(&memory, 3 * SMALL).await.unwrap().len(), 3 * SMALL);
    }

    #[tokio::test]
    async fn an_answer_ends_where_it_is_larger_than_it_may_be() {
        let memory = Memory::new(SMALL as u64);
        let mut buffered = Buffered::new(&memory, 200, 10);
        buffered.add(b"0123456789").await.unwrap();
        let (kind, why) = buffered.add(b"0").await.unwrap_err();
        assert_eq!(kind, LossKind::TooLarge);
        assert!(why.contains("10 bytes"), "{why}");
        assert_eq!(buffered.finish(), "0123456789");
    }
}
