//! Writing one blob of a copy.

use std::io::{self, Write};

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
    io::copy(&mut from.blob(blob)?, &mut pending).map_err(io())?;
    pending.flush().map_err(io())?;
    Ok(pending)
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
