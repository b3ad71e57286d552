//! A layout whose files the caller finds: those of a browser, or of a server.

use std::{io::Read, sync::Arc};

use super::{
    BlobRead, BlobWrite, NewBlob, Pending, ReadAt, ReadSeek, RootIndex,
    layout::{BLOBS, INDEX, MARKER},
    read_at::Part,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    limits::Limits,
    spec::{Descriptor, Index, Layout, Raw},
};

/// Finds files by their paths, such as `index.json` or `blobs/sha256/1f2e…`.
pub trait Files: Sync {
    /// Opens the file at a path; returns `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Io`] if that cannot be determined.
    fn find(&self, path: &str) -> Result<Option<Arc<dyn ReadAt>>>;
}

/// A read-only layout of files. [`Overlay`](super::overlay::Overlay) makes it editable.
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc};
/// use ocicle::{limits::Limits, store::{ReadAt, RootIndex as _, files::{FileStore, Files}}};
///
/// struct Memory(BTreeMap<&'static str, Vec<u8>>);
///
/// impl Files for Memory {
///     fn find(&self, path: &str) -> ocicle::Result<Option<Arc<dyn ReadAt>>> {
///         Ok(self.0.get(path).map(|bytes| Arc::new(bytes.clone()) as Arc<dyn ReadAt>))
///     }
/// }
///
/// let files = BTreeMap::from([
///     ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
///     ("index.json", br#"{"schemaVersion":2,"manifests":[]}"#.to_vec()),
/// ]);
/// let store = FileStore::open(Memory(files), &Limits::default())?;
/// assert!(store.load()?.view().manifests.is_empty());
/// # Ok::<(), ocicle::Error>(())
/// ```
#[derive(Debug)]
pub struct FileStore<F> {
    files: F,
    index: Raw<Index>,
}

impl<F: Files> FileStore<F> {
    /// Opens a layout.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the files are not those of a layout; [`Error::Document`]; [`Error::Limit`] if
    /// one of its documents is larger than [`Limits::document`]; [`Error::Io`].
    pub fn open(files: F, limits: &Limits) -> Result<Self> {
        Raw::<Layout>::parse(MARKER, document(&files, MARKER, limits)?, None)?;
        let index = Raw::parse(INDEX, document(&files, INDEX, limits)?, None)?;
        Ok(Self { files, index })
    }

    fn blob(&self, digest: &Digest) -> Result<Option<Arc<dyn ReadAt>>> {
        self.files.find(&format!("{BLOBS}/{}/{}", digest.algorithm_name(), digest.encoded()))
    }
}

fn document<F: Files>(files: &F, name: &str, limits: &Limits) -> Result<Vec<u8>> {
    let file = files
        .find(name)?
        .ok_or_else(|| Error::NotFound(format!("{name} not found: not the files of an OCI image layout")))?;
    let mut part = whole(&file, name)?;
    if part.size() > limits.document {
        return Err(Error::limit(name, "document", limits.document));
    }
    let mut bytes = Vec::new();
    part.read_to_end(&mut bytes).map_err(Error::io(format_args!("read {name}")))?;
    Ok(bytes)
}

fn whole(file: &Arc<dyn ReadAt>, name: &str) -> Result<Part> {
    Part::whole(file).map_err(Error::io(format_args!("open {name}")))
}

impl<F: Files> FileStore<F> {
    fn try_part(&self, digest: &Digest) -> Result<Option<Part>> {
        let Some(file) = self.blob(digest)? else { return Ok(None) };
        whole(&file, digest.as_str()).map(Some)
    }
}

impl<F: Files> BlobRead for FileStore<F> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(self.try_part(&blob.digest)?.map(|part| Box::new(part) as Box<dyn Read + Send + '_>))
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(self.try_part(&blob.digest)?.map(|part| Box::new(part) as Box<dyn ReadSeek + '_>))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        let Some(file) = self.blob(&blob.digest)? else { return Ok(None) };
        file.size().map(Some).map_err(Error::io(format_args!("open {}", blob.digest)))
    }
}

/// Writing is always [`Error::Unsupported`].
impl<F: Files> BlobWrite for FileStore<F> {
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        Err(read_only())
    }
}

/// Replacing is always [`Error::Unsupported`].
impl<F: Files> RootIndex for FileStore<F> {
    fn load(&self) -> Result<Raw<Index>> {
        Ok(self.index.clone())
    }

    fn replace(&self, _: &Digest, _: &Raw<Index>) -> Result<()> {
        Err(read_only())
    }
}

fn read_only() -> Error {
    Error::Unsupported("these files are read-only".into())
}
