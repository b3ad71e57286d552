//! A store that keeps nothing of what is written: for finding out whether an edit would work.

use std::io::{self, Write};

use ocicle::{
    Result,
    digest::Digest,
    spec::{Index, Raw},
    store::{BlobRead, BlobWrite, Pending, ReadSeek, RootIndex},
};

/// Reads from another store.
pub(crate) struct DryRun<'a, S>(pub(crate) &'a S);

impl<S: BlobRead> BlobRead for DryRun<'_, S> {
    fn try_open(&self, digest: &Digest) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        self.0.try_open(digest)
    }

    fn try_size(&self, digest: &Digest) -> Result<Option<u64>> {
        self.0.try_size(digest)
    }
}

impl<S> BlobWrite for DryRun<'_, S> {
    fn begin(&self) -> Result<Box<dyn Pending + '_>> {
        Ok(Box::new(Nowhere))
    }
}

impl<S: RootIndex> RootIndex for DryRun<'_, S> {
    fn load(&self) -> Result<Raw<Index>> {
        self.0.load()
    }

    fn replace(&self, _: &Digest, _: &Raw<Index>) -> Result<()> {
        Ok(())
    }
}

struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pending for Nowhere {
    fn publish(self: Box<Self>, _: &Digest) -> Result<()> {
        Ok(())
    }
}
