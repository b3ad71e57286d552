//! The stages in a thread each: read and decompress, hash, apply. A fixed number of buffers circulates, so
//! that memory is constant and a slow stage holds the others back.
//!
//! Stopping early cannot hang: a stage that stops drops its ends of the channels, and the next send or
//! receive of the others fails.

use std::{
    io::{self, BufRead, Read},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use super::{
    Archive,
    stage::{CHUNK, Content, DiffId},
};
use crate::error::Result;

/// Smaller blobs are read in less time than it takes to start threads.
pub(super) const WORTHWHILE: u64 = 32 << 10;

/// The number of buffers that circulate.
const BUFFERS: usize = 8;

/// A message between stages: a chunk of content, an empty chunk at the verified end, or an error.
type Message = Result<Chunk>;

struct Chunk {
    buffer: Vec<u8>,
    length: usize,
}

/// Calls a function with the archive of a layer. Gives the function back if the system lets no more threads
/// start; nothing is read then.
pub(super) fn read_archive<T, F: FnOnce(Archive<'_>) -> Result<T>>(
    (content, diff_id): (Content<'_>, DiffId),
    read: F,
) -> std::result::Result<Result<T>, F> {
    thread::scope(|scope| {
        let (content_sender, content_receiver) = channel();
        let (hashed_sender, hashed_receiver) = channel();
        let (empty_sender, empty_receiver) = channel();
        let hashing = thread::Builder::new()
            .name("diff_id".into())
            .spawn_scoped(scope, move || hash(diff_id, &content_receiver, &hashed_sender));
        if hashing.is_err() {
            return Err(read);
        }
        let inflating = thread::Builder::new()
            .name("inflate".into())
            .spawn_scoped(scope, move || inflate(content, &empty_receiver, &content_sender));
        if inflating.is_err() {
            return Err(read); // the other thread stops, as its channels are closed
        }
        let archive =
            Chunks { full: hashed_receiver, empty: empty_sender, current: None, start: 0, ended: false };
        Ok(read(Box::new(archive)))
    })
}

/// Runs in the first thread. A failed send or receive means that the reader has stopped.
fn inflate(mut content: Content<'_>, empty: &Receiver<Vec<u8>>, full: &Sender<Message>) {
    let mut made = 0;
    loop {
        let buffer = match empty.try_recv() {
            Ok(buffer) => Some(buffer),
            Err(_) if made < BUFFERS => {
                made += 1;
                Some(vec![0; CHUNK])
            }
            Err(_) => empty.recv().ok(),
        };
        let Some(mut buffer) = buffer else { return };
        let message = content.fill(&mut buffer).map(|length| Chunk { buffer, length });
        let last = message.as_ref().map_or(true, |chunk| chunk.length == 0);
        if full.send(message).is_err() || last {
            return;
        }
    }
}

/// Runs in the second thread.
fn hash(mut diff_id: DiffId, unhashed: &Receiver<Message>, hashed: &Sender<Message>) {
    while let Ok(message) = unhashed.recv() {
        let message = match message {
            Ok(chunk) if chunk.length == 0 => {
                // If the reader has stopped, nothing is left to do.
                let _ = hashed.send(diff_id.check().map(|()| chunk));
                return;
            }
            Ok(chunk) => {
                diff_id.update(chunk.bytes());
                Ok(chunk)
            }
            failed => failed,
        };
        if hashed.send(message).is_err() {
            return;
        }
    }
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

/// The last stage: a reader of the chunks, which returns the buffers.
struct Chunks {
    full: Receiver<Message>,
    empty: Sender<Vec<u8>>,
    current: Option<Chunk>,
    start: usize,
    ended: bool,
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let used_up = self.current.as_ref().is_none_or(|chunk| chunk.length == self.start);
        if used_up && !self.ended {
            if let Some(chunk) = self.current.take() {
                // The first thread may have ended, and then it needs no buffer.
                let _ = self.empty.send(chunk.buffer);
            }
            self.start = 0;
            let stopped = |_| io::Error::other("the thread that reads ahead has failed");
            let chunk = self.full.recv().map_err(stopped)??;
            self.ended = chunk.length == 0;
            self.current = Some(chunk);
        }
        Ok(self.current.as_ref().and_then(|chunk| chunk.bytes().get(self.start..)).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let length = self.current.as_ref().map_or(0, |chunk| chunk.length);
        self.start = (self.start + amount).min(length);
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.fill_buf()?.read(buffer)?;
        self.consume(got);
        Ok(got)
    }
}
