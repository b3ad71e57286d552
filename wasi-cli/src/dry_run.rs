//! For finding out whether an edit would work, and what it would do.

use std::io::{self, Read, Write};

use ocicle::{
    Result,
    digest::Digest,
    layer::{Change, ChangeSink},
    spec::{Index, Raw},
    store::{BlobRead, BlobWrite, Pending, ReadSeek, RootIndex},
    text::printable,
};

/// A store that keeps nothing of what is written. Reads from another store.
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

/// What would be in a layer, a line for each change.
#[derive(Default)]
pub(crate) struct Lines(pub(crate) Vec<String>);

impl ChangeSink for Lines {
    fn put(&mut self, change: &Change, _: &mut dyn Read) -> Result<()> {
        let (verb, path) = match change {
            Change::Put(entry) => ("put", &entry.path),
            Change::Remove(path) => ("remove", path),
            Change::ClearLower(path) => ("clear", path),
        };
        self.0.push(format!("{verb} /{}", printable(&path.to_string())));
        Ok(())
    }
}
