//! A store in memory: for tests, and for layouts that the caller has as bytes.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    BlobRead, BlobWrite, Collect, Collector, NewBlob, Pending, ReadSeek, RootIndex, check_index, layout,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    limits::Limits,
    spec::{Descriptor, Index, Layout, Raw},
};

/// A store in memory. It may be shared between threads.
///
/// ```
/// use ocicle::{limits::Limits, store::{RootIndex as _, memory::MemoryStore}};
///
/// let files = [
///     ("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
///     ("index.json".into(), br#"{"schemaVersion":2,"manifests":[]}"#.to_vec()),
/// ];
/// let store = MemoryStore::from_layout(files, &Limits::default())?;
/// assert!(store.load()?.view().manifests.is_empty());
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    content: Mutex<Content>,
    limits: Limits,
}

#[derive(Debug)]
struct Content {
    blobs: BTreeMap<Digest, Arc<[u8]>>,
    index: Raw<Index>,
}

impl MemoryStore {
    /// Returns an empty store.
    ///
    /// # Errors
    /// None, in truth; the empty index is made like any other.
    pub fn new() -> Result<Self> {
        Ok(Self::with(BTreeMap::new(), layout::empty_index()?, &Limits::default()))
    }

    fn with(blobs: BTreeMap<Digest, Arc<[u8]>>, index: Raw<Index>, limits: &Limits) -> Self {
        Self { content: Mutex::new(Content { blobs, index }), limits: *limits }
    }

    /// Returns a store with the files of a layout: `oci-layout`, `index.json` and
    /// `blobs/<algorithm>/<encoded>`. Other files are ignored, as image-spec (image-layout.md) requires.
    ///
    /// # Errors
    /// [`Error::NotFound`] if one of the first two is missing; [`Error::Limit`] if one is larger than
    /// [`Limits::document`]; [`Error::Document`].
    pub fn from_layout(files: impl IntoIterator<Item = (String, Vec<u8>)>, limits: &Limits) -> Result<Self> {
        let (mut marker, mut index, mut blobs) = (None, None, BTreeMap::new());
        for (path, bytes) in files {
            match path.as_str() {
                layout::MARKER => marker = Some(bytes),
                layout::INDEX => index = Some(bytes),
                _ => {
                    let digest = path
                        .strip_prefix("blobs/")
                        .and_then(|path| path.split_once('/'))
                        .and_then(|(algorithm, encoded)| format!("{algorithm}:{encoded}").parse().ok());
                    if let Some(digest) = digest {
                        blobs.insert(digest, bytes.into());
                    }
                }
            }
        }
        let document = |name: &str, bytes: Option<Vec<u8>>| match bytes {
            None => Err(Error::NotFound(format!("{name} not found: not the files of an OCI image layout"))),
            Some(bytes) if bytes.len() as u64 > limits.document => {
                Err(Error::limit(name, "document", limits.document))
            }
            Some(bytes) => Ok(bytes),
        };
        Raw::<Layout>::parse(layout::MARKER, document(layout::MARKER, marker)?, None)?;
        let index = Raw::parse(layout::INDEX, document(layout::INDEX, index)?, None)?;
        Ok(Self::with(blobs, index, limits))
    }

    fn cursor(&self, digest: &Digest) -> Option<Cursor<Arc<[u8]>>> {
        self.content().blobs.get(digest).cloned().map(Cursor::new)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlobRead for MemoryStore {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(self.cursor(&blob.digest).map(|blob| Box::new(blob) as Box<dyn Read + Send + '_>))
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(self.cursor(&blob.digest).map(|blob| Box::new(blob) as Box<dyn ReadSeek + '_>))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        Ok(self.content().blobs.get(&blob.digest).map(|blob| blob.len() as u64))
    }
}

impl BlobWrite for MemoryStore {
    /// Does nothing: see [`Collect`].
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        Ok(Box::new(MemoryPending { store: self, bytes: Vec::new() }))
    }
}

struct MemoryPending<'a> {
    store: &'a MemoryStore,
    bytes: Vec<u8>,
}

impl Write for MemoryPending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pending for MemoryPending<'_> {
    fn publish(self: Box<Self>, digest: &Digest) -> Result<()> {
        self.store.content().blobs.insert(digest.clone(), self.bytes.into());
        Ok(())
    }
}

/// A store in memory does not know whether an edit is in progress: threads that share it must not edit while
/// one collects.
impl Collect for MemoryStore {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        Ok(Box::new(MemoryCollector(self)))
    }
}

struct MemoryCollector<'a>(&'a MemoryStore);

impl Collector for MemoryCollector<'_> {
    fn blobs(&self) -> Result<Vec<(Digest, u64)>> {
        let content = self.0.content();
        Ok(content.blobs.iter().map(|(digest, bytes)| (digest.clone(), bytes.len() as u64)).collect())
    }

    fn remove(&self, digest: &Digest) -> Result<()> {
        self.0.content().blobs.remove(digest);
        Ok(())
    }

    fn leftovers(&self) -> Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }

    fn remove_leftover(&self, name: &str) -> Result<()> {
        Err(Error::Misuse(format!("{name}: memory has no temporary files")))
    }
}

impl RootIndex for MemoryStore {
    fn load(&self) -> Result<Raw<Index>> {
        Ok(self.content().index.clone())
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        check_index(new, &self.limits)?;
        let mut content = self.content();
        let actual = content.index.digest();
        if actual != *expected {
            return Err(Error::Conflict { expected: expected.clone(), actual });
        }
        content.index = new.clone();
        Ok(())
    }
}
