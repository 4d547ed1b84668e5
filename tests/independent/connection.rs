//! A connection: heads and bodies in, bytes out.

use super::http::{Framing, Head, Refused, chunk_size, header};
use bytes::{Buf, BytesMut};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Why a request can't be read on.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The client has left or fallen silent: there is nobody to answer.
    Gone,
    /// To be answered with this status, and the connection closed.
    Refused(u16),
}

impl From<Refused> for Trouble {
    fn from(Refused(status): Refused) -> Self {
        Self::Refused(status)
    }
}

/// How long a client may be silent in the middle of a request, or deaf in that of an answer.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_HEAD: usize = 32 * 1024;
const LONGEST_CHUNK_LINE: usize = 4 * 1024;

pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        // Without it small pieces would wait for each other; where it fails they do.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: BytesMut::new() }
    }

    /// Reads the next head, waiting this long for its first byte.
    pub async fn head(&mut self, idle: Duration) -> Result<Head, Trouble> {
        if self.buffer.is_empty() {
            match timeout(idle, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(count)) if count > 0 => {}
                _ => return Err(Trouble::Gone),
            }
        }
        let mut left = LONGEST_HEAD;
        let mut line = self.line(&mut left, 414).await?;
        // Clients of old send an empty line behind a body.
        for _ in 0..3 {
            if line.is_empty() {
                line = self.line(&mut left, 414).await?;
            }
        }
        let mut head = Head::begin(&line)?;
        loop {
            let line = self.line(&mut left, 431).await?;
            if line.is_empty() {
                return Ok(head.finish()?);
            }
            head.add(&line)?;
        }
    }

    /// Reads a whole body, if it is no longer than this.
    pub async fn body(&mut self, framing: Framing, limit: usize) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        match framing {
            Framing::None => {}
            Framing::Length(length) => self.take(length, &mut body, limit).await?,
            Framing::Chunked => loop {
                let line = self.line(&mut { LONGEST_CHUNK_LINE }, 400).await?;
                let size = chunk_size(&line)?;
                if size == 0 {
                    self.trailer().await?;
                    break;
                }
                self.take(size, &mut body, limit).await?;
                if !self.line(&mut 2, 400).await?.is_empty() {
                    return Err(Trouble::Refused(400));
                }
            },
        }
        Ok(body)
    }

    async fn trailer(&mut self) -> Result<(), Trouble> {
        let mut left = LONGEST_HEAD;
        loop {
            let line = self.line(&mut left, 431).await?;
            if line.is_empty() {
                return Ok(());
            }
            header(&line)?;
        }
    }

    /// Moves this number of bytes of the stream to the body.
    async fn take(&mut self, length: u64, body: &mut Vec<u8>, limit: usize) -> Result<(), Trouble> {
        let mut left = usize::try_from(length).unwrap_or(usize::MAX);
        if left > limit - body.len() {
            return Err(Trouble::Refused(413));
        }
        while left > 0 {
            if self.buffer.is_empty() {
                self.fill().await?;
            }
            let count = left.min(self.buffer.len());
            body.extend_from_slice(&self.buffer[..count]);
            self.buffer.advance(count);
            left -= count;
        }
        Ok(())
    }

    /// Reads a line, which ends in CR LF, and takes its length off what is left.
    async fn line(&mut self, left: &mut usize, too_long: u16) -> Result<BytesMut, Trouble> {
        let mut searched = 0;
        let end = loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                break searched + at;
            }
            searched = self.buffer.len();
            if searched >= *left {
                return Err(Trouble::Refused(too_long));
            }
            self.fill().await?;
        };
        if end >= *left {
            return Err(Trouble::Refused(too_long));
        }
        *left -= end + 1;
        let mut line = self.buffer.split_to(end + 1);
        if end == 0 || line[end - 1] != b'\r' {
            return Err(Trouble::Refused(400));
        }
        line.truncate(end - 1);
        Ok(line)
    }

    async fn fill(&mut self) -> Result<(), Trouble> {
        self.buffer.reserve(16 * 1024);
        match timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await {
            // It may have closed its side only, and still wait for a word.
            Ok(Ok(0)) => Err(Trouble::Refused(400)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Trouble::Gone),
        }
    }

    /// Sends these bytes; in small pieces at first, where told so.
    pub async fn send(&mut self, mut bytes: &[u8], dribble: bool) -> Result<(), Trouble> {
        if dribble {
            for _ in 0..12 {
                let (piece, rest) = bytes.split_at(7.min(bytes.len()));
                self.write(piece).await?;
                bytes = rest;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (piece, rest) = bytes.split_at(bytes.len() / 2);
            self.write(piece).await?;
            bytes = rest;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.write(bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        match timeout(PATIENCE, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Trouble::Gone),
        }
    }

    /// Closes so that the answer arrives: bytes that nobody read would make it a reset.
    pub async fn close(mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let read_away = async {
            let mut waste = vec![0; 64 * 1024];
            while let Ok(Ok(1..)) =
                timeout(Duration::from_secs(2), self.stream.read(&mut waste)).await
            {}
        };
        // A client that still sends after that wants no answer.
        let _ = timeout(PATIENCE, read_away).await;
    }
}
