//! Writes a request piece by piece, as fast as the other side takes it.
//!
//! It must not know what comes back.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::StreamedExchange;
use crate::send::connection::TargetConnection;

/// So many pieces are written before the other side is listened to again.
const BURST: usize = 8;

/// A request on its way out.
pub(super) struct RequestWriter<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// What is written after it.
    pub(super) rest: &'a [u8],
    /// How much of `out` is written.
    pub(super) written: usize,
    pub(super) state: WriteState,
}

/// How much of a request is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteState {
    /// Pieces are still to come.
    Pieces,
    /// All is handed over, but perhaps not on its way yet.
    Flush,
    /// All is on its way.
    Done,
    /// The other side takes no more. That is no end: its answer may be there already.
    Refused,
}

impl RequestWriter<'_> {
    /// Writes what can be written now.
    pub(super) fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut TargetConnection>,
        streamed: &mut impl StreamedExchange,
    ) {
        let mut pieces = 0;
        while self.state == WriteState::Pieces {
            if !self.rest.is_empty() {
                let parts = [IoSlice::new(&self.out[self.written..]), IoSlice::new(self.rest)];
                match stream.as_mut().poll_write_vectored(cx, &parts) {
                    Poll::Ready(Ok(count)) => {
                        let head = count.min(self.out.len() - self.written);
                        self.written += head;
                        self.rest = &self.rest[count - head..];
                    }
                    Poll::Ready(Err(_)) => self.state = WriteState::Refused,
                    Poll::Pending => return,
                }
                continue;
            }
            if self.written == self.out.len() {
                if pieces == BURST {
                    cx.waker().wake_by_ref();
                    return;
                }
                pieces += 1;
                self.out.clear();
                self.written = 0;
                if !streamed.next_piece(self.out) {
                    self.state = WriteState::Flush;
                    break;
                }
            }
            match stream.as_mut().poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(_)) => self.state = WriteState::Refused,
                Poll::Pending => return,
            }
        }
        if self.state == WriteState::Flush {
            self.state = match stream.poll_flush(cx) {
                Poll::Ready(Ok(())) => WriteState::Done,
                Poll::Ready(Err(_)) => WriteState::Refused,
                Poll::Pending => WriteState::Flush,
            };
        }
    }
}

/// Puts the pieces of a body into chunks.
pub(super) struct ChunkedPieces<'a, E> {
    pub(super) inner: &'a mut E,
    pub(super) piece: Vec<u8>,
    pub(super) over: bool,
}

impl<E: StreamedExchange> StreamedExchange for ChunkedPieces<'_, E> {
    fn next_piece(&mut self, out: &mut Vec<u8>) -> bool {
        if self.over {
            return false;
        }
        self.piece.clear();
        self.over = !self.inner.next_piece(&mut self.piece);
        // An empty piece would be the last chunk.
        if self.over || !self.piece.is_empty() {
            push_chunk(out, &self.piece);
        }
        true
    }

    fn take_body(&mut self, status: u16, head: &[u8], body: &mut Vec<u8>) {
        self.inner.take_body(status, head, body);
    }
}

fn push_chunk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}
