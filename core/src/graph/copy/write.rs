//! Writing one blob of a copy.

use std::{
    io::{self, Read, Write},
    sync::mpsc,
    thread,
};

use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::Descriptor,
    store::{BlobRead, BlobWrite, NewBlob, Pending, Repository},
};

/// Writes and verifies a blob, which is not published yet. If the destination loses what it has of the blob,
/// now or when it is published, the blob is written once more.
pub(super) fn write_blob<'a, S: BlobRead, T: BlobRead + BlobWrite>(
    from: &'a Repository<S>,
    to: &'a Repository<T>,
    blob: &'a Descriptor,
) -> Result<(Box<dyn Pending + 'a>, Digest)> {
    let again = move || write(from, to, blob);
    let pending = match again() {
        Err(error) if is_lost(&error) => again()?,
        Err(error) => return Err(error),
        Ok(pending) => Box::new(Written { pending, again }),
    };
    Ok((pending, blob.digest.clone()))
}

fn write<'a, S: BlobRead, T: BlobRead + BlobWrite>(
    from: &Repository<S>,
    to: &'a Repository<T>,
    blob: &Descriptor,
) -> Result<Box<dyn Pending + 'a>> {
    let io = || Error::io(format!("copy blob {}", blob.digest));
    let mut pending = to.store().begin(&NewBlob::known(blob))?;
    let mut content = from.blob(blob)?;
    let copied = match blob.size >= AHEAD_FROM && cfg!(all(feature = "parallel", not(target_family = "wasm")))
    {
        true => copy_ahead(&mut content, &mut pending),
        false => io::copy(&mut content, &mut pending).map(drop),
    };
    copied.and_then(|()| pending.flush()).map_err(io())?;
    Ok(pending)
}

/// The size of a blob from which reading ahead is worth a thread.
const AHEAD_FROM: u64 = 4 << 20;
/// The bytes of a chunk that is read ahead, and the number of chunks. Several blobs are copied at a time.
const CHUNK: usize = 256 << 10;
const CHUNKS: usize = 8;

/// Copies all of a reader. What follows is read, and verified, while a part is on its way: a registry takes a
/// part only when all of it arrived.
fn copy_ahead(from: &mut (dyn Read + Send), to: &mut dyn Write) -> io::Result<()> {
    let started = thread::scope(|scope| {
        let (full, chunks) = mpsc::sync_channel(CHUNKS);
        let (used, again) = mpsc::channel::<Vec<u8>>();
        let source = &mut *from;
        let read = move || {
            loop {
                let mut chunk = again.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
                chunk.clear();
                let result = source.take(CHUNK as u64).read_to_end(&mut chunk);
                let is_last = !matches!(result, Ok(1..));
                // Where nobody receives, writing failed.
                if full.send(result.map(|_| chunk)).is_err() || is_last {
                    return;
                }
            }
        };
        if thread::Builder::new().name("read".into()).spawn_scoped(scope, read).is_err() {
            return Ok(false);
        }
        for chunk in chunks {
            let chunk = chunk?;
            to.write_all(&chunk)?;
            let _ = used.send(chunk); // the reader may have ended
        }
        Ok::<_, io::Error>(true)
    })?;
    match started {
        true => Ok(()),
        false => io::copy(from, to).map(drop), // the system lets no more threads start
    }
}

/// Returns whether a registry forgot an upload, or has another part of it than was sent.
fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 404 | 416, .. })
}

/// A blob that was written, and can be again.
struct Written<'a, F> {
    pending: Box<dyn Pending + 'a>,
    again: F,
}

impl<F: Send> Write for Written<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pending.flush()
    }
}

impl<'a, F: FnOnce() -> Result<Box<dyn Pending + 'a>> + Send> Pending for Written<'a, F> {
    fn publish(self: Box<Self>, digest: &Digest) -> Result<()> {
        let Self { pending, again } = *self;
        match pending.publish(digest) {
            Err(error) if is_lost(&error) => again()?.publish(digest),
            published => published,
        }
    }
}

#[cfg(all(test, feature = "parallel"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use std::io::{self, Cursor, Read, Write};

    use super::{CHUNK, copy_ahead};

    /// Fails after some bytes.
    struct Breaks(usize);

    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = buffer.len().min(self.0);
            self.0 -= some;
            if some == 0 { Err(io::Error::other("broken")) } else { Ok(some) }
        }
    }

    impl Write for Breaks {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut unused = vec![0; bytes.len()];
            self.read(&mut unused)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_read_ahead_is_all_and_in_order() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK * 20 + 3] {
            let content: Vec<u8> = (0..size).map(|number| (number / 7) as u8).collect();
            let mut copy = Vec::new();
            copy_ahead(&mut Cursor::new(&content), &mut copy).unwrap();
            assert!(copy == content, "{size}");
        }
    }

    #[test]
    fn either_end_may_break() {
        for bytes in [0, CHUNK * 3 + 1] {
            let error = copy_ahead(&mut Breaks(bytes), &mut io::sink()).unwrap_err();
            assert_eq!(error.to_string(), "broken");
            let error = copy_ahead(&mut io::repeat(1), &mut Breaks(bytes)).unwrap_err();
            assert_eq!(error.to_string(), "broken");
        }
    }
}
