//! `--dry-run`: whether an edit would succeed, and what it would change.

use std::io::{self, Read, Write};

use ocicle::{
    Repository, Result,
    digest::Digest,
    layer::{Change, ChangeSink},
    spec::{Descriptor, Index, Raw},
    store::{BlobRead, BlobWrite, NewBlob, Pending, ReadSeek, RootIndex},
    text::printable,
};

/// A store that reads from another one and discards what is written.
pub(crate) struct DryRun<'a, S>(&'a S);

/// Returns a repository that reads from another one and keeps nothing of what is written.
pub(crate) fn dry_run<S>(repository: &Repository<S>) -> Repository<DryRun<'_, S>> {
    repository.with_store(DryRun(repository.store()))
}

impl<S: BlobRead> BlobRead for DryRun<'_, S> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        self.0.try_open(blob)
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        self.0.try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.0.try_size(blob)
    }
}

impl<S> BlobWrite for DryRun<'_, S> {
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
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

/// The changes of a layer, one line each.
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
