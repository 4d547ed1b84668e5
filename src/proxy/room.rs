//! The memory that recorded bodies take, all connections together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::har::TrafficBody;

/// Bytes of all bodies that wait for their judgement.
const ALL: usize = 256 * 1024 * 1024;
/// Bytes of one body.
const ONE: usize = 64 * 1024 * 1024;

/// How much of it is taken.
#[derive(Clone, Default)]
pub(super) struct CaptureRoom(Arc<AtomicUsize>);

/// A body as it passes by. What there is no room for is not known.
pub(super) struct BodyCapture {
    room: Option<CaptureRoom>,
    bytes: Vec<u8>,
}

/// Room that is given back when its exchange was judged.
pub(super) struct TakenRoom {
    room: CaptureRoom,
    bytes: usize,
}

impl CaptureRoom {
    fn take(&self, bytes: usize) -> bool {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > ALL {
            self.0.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Room for an exchange of these bodies, which they took already.
    pub fn taken(&self, bytes: usize) -> TakenRoom {
        TakenRoom { room: self.clone(), bytes }
    }
}

impl Drop for TakenRoom {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl BodyCapture {
    /// A capture that keeps what passes by, where `keeps`.
    pub fn new(room: &CaptureRoom, keeps: bool) -> BodyCapture {
        BodyCapture { room: keeps.then(|| room.clone()), bytes: Vec::new() }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        let Some(room) = &self.room else { return };
        if self.bytes.len() + bytes.len() > ONE || !room.take(bytes.len()) {
            room.0.fetch_sub(self.bytes.len(), Ordering::Relaxed);
            self.bytes = Vec::new();
            self.room = None;
            return;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// What was kept, and how many bytes of room that takes from now on.
    pub fn finish(mut self, has_body: bool) -> (TrafficBody, usize) {
        let Some(room) = self.room.take() else { return (TrafficBody::Unknown, 0) };
        let bytes = std::mem::take(&mut self.bytes);
        let size = bytes.len();
        // What is dropped by now gives its room back; this is handed on.
        drop(room);
        if has_body {
            (TrafficBody::Whole(Bytes::from(bytes)), size)
        } else {
            (TrafficBody::None, size)
        }
    }
}

impl Drop for BodyCapture {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.0.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        }
    }
}
