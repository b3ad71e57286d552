//! Blobs of other machines that are kept, if the user names a directory for them: `OCICLE_BLOB_CACHE`, of at
//! most `OCICLE_BLOB_CACHE_SIZE` bytes. Processes share it: a blob has its name once it is complete, and
//! removing one does not disturb its readers. Errors of the cache are ignored: a blob can be fetched again.

use std::{
    fs::{self, File},
    io::{self, Read, Seek as _, Write as _},
    path::PathBuf,
    time::SystemTime,
};

use ocicle::{
    Descriptor, Digest, Error, Result,
    hash::{HashWrite, Hasher},
    spec::{Index, Raw},
    store::{BlobKind, BlobRead, BlobWrite, NewBlob, Pending, ReadSeek, RootIndex},
};

use super::environment::Environment;
use crate::{args::size::Bytes, new_file::NewFile, system::create_private_dir};

/// The size of the cache, if the user sets none: 4 GiB.
const DEFAULT_SIZE: u64 = 4 << 30;

/// The directory of kept blobs, and its size in bytes.
#[derive(Debug, Clone)]
pub(crate) struct BlobCache {
    dir: PathBuf,
    size: u64,
}

impl BlobCache {
    /// Returns the cache of the user, if there is one.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a size that is not one.
    pub(crate) fn of_user() -> Result<Option<Self>> {
        Self::of(&Environment::of_process())
    }

    fn of(environment: &Environment) -> Result<Option<Self>> {
        let Some(dir) = environment.path("OCICLE_BLOB_CACHE") else { return Ok(None) };
        let size = environment.text("OCICLE_BLOB_CACHE_SIZE").map_or(Ok(Bytes(DEFAULT_SIZE)), str::parse);
        let Bytes(size) = size.map_err(|error| Error::Misuse(format!("OCICLE_BLOB_CACHE_SIZE: {error}")))?;
        Ok(Some(Self { dir: dir.into(), size }))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{}-{}", digest.algorithm_name(), digest.encoded()))
    }

    /// Opens a blob that was kept, which then is the last to be removed.
    fn find(&self, blob: &Descriptor) -> Option<File> {
        let file = File::open(self.path(&blob.digest)).ok()?;
        let whole = file.metadata().ok()?.len() == blob.size;
        let _ = file.set_modified(SystemTime::now()); // a directory of another user
        whole.then_some(file)
    }

    /// Opens a blob that was kept, if it is what it should be: who reads parts cannot tell. A damaged one is
    /// removed.
    fn verified(&self, blob: &Descriptor) -> Option<File> {
        let mut file = self.find(blob)?;
        let mut hash = HashWrite::new(io::sink(), blob.digest.algorithm()?);
        io::copy(&mut file, &mut hash).and_then(|_| file.rewind()).ok()?;
        if hash.finish().1 == blob.digest {
            return Some(file);
        }
        let _ = fs::remove_file(self.path(&blob.digest)); // another process may have done it
        None
    }

    fn begin(&self, blob: &Descriptor) -> Option<NewFile> {
        if blob.size > self.size {
            return None;
        }
        if !self.dir.exists() {
            let _ = self.dir.parent().map(fs::create_dir_all);
            let _ = create_private_dir(&self.dir); // another process may have done it
        }
        NewFile::create_private(&self.path(&blob.digest)).ok()
    }

    /// Removes the blobs that were used longest ago, until the others fit.
    fn shrink(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let is_blob = entry.file_name().to_str().is_some_and(is_name);
            // Another process may remove it at the same time.
            if is_blob && let Ok(found) = entry.metadata() {
                files.push((found.modified()?, found.len(), entry.path()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if total <= self.size {
                break;
            }
            let _ = fs::remove_file(path);
            total -= size;
        }
        Ok(())
    }
}

/// Returns whether a file is a blob: the user's directory may hold other files.
fn is_name(name: &str) -> bool {
    name.split_once('-')
        .is_some_and(|(algorithm, hex)| format!("{algorithm}:{hex}").parse::<Digest>().is_ok())
}

/// A store whose blobs are kept as they are read.
pub(crate) struct Cached<S> {
    pub(crate) inner: S,
    cache: Option<BlobCache>,
}

impl<S> Cached<S> {
    pub(crate) fn new(inner: S, cache: Option<BlobCache>) -> Self {
        Self { inner, cache }
    }
}

/// A blob on its way: from elsewhere into the cache, or out of it.
struct Passing<'a> {
    content: Box<dyn Read + Send + 'a>,
    rest: Option<Rest<'a>>,
}

/// The part of a blob that is still to come.
struct Rest<'a> {
    cache: &'a BlobCache,
    digest: Digest,
    size: u64,
    hash: Hasher,
    way: Way,
}

enum Way {
    In(NewFile),
    Out,
}

impl Read for Passing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.content.read(buffer)?;
        if got > 0
            && let Some(mut rest) = self.rest.take()
        {
            match (rest.pass(&buffer[..got]), rest.size) {
                (true, 0) => rest.finish(),
                (true, _) => self.rest = Some(rest),
                (false, _) => {}
            }
        }
        Ok(got)
    }
}

impl Rest<'_> {
    /// Takes the next bytes; returns `false` if they cannot be kept.
    fn pass(&mut self, bytes: &[u8]) -> bool {
        let Some(size) = self.size.checked_sub(bytes.len() as u64) else { return false };
        self.size = size;
        self.hash.update(bytes);
        match &mut self.way {
            Way::In(new) => new.file.write_all(bytes).is_ok(),
            Way::Out => true,
        }
    }

    /// Keeps the blob if it is what it should be, or removes it if it is not.
    fn finish(self) {
        let is_right = self.hash.finish() == self.digest;
        match self.way {
            Way::In(new) if is_right => {
                let _ = new.place().and_then(|()| self.cache.shrink());
            }
            Way::Out if !is_right => {
                let _ = fs::remove_file(self.cache.path(&self.digest));
            }
            _ => {}
        }
    }
}

/// Documents and empty blobs are not kept: what a tag means is asked for each time.
fn is_kept(blob: &Descriptor) -> bool {
    blob.size > 0 && NewBlob::known(blob).kind() == BlobKind::Blob
}

impl<S: BlobRead> BlobRead for Cached<S> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        let Some(cache) = self.cache.as_ref().filter(|_| is_kept(blob)) else {
            return self.inner.try_open(blob);
        };
        let rest = |way| {
            let hash = Hasher::new(blob.digest.algorithm()?); // of another algorithm, none is kept
            Some(Rest { cache, digest: blob.digest.clone(), size: blob.size, hash, way })
        };
        if let Some(file) = cache.find(blob) {
            return Ok(Some(Box::new(Passing { content: Box::new(file), rest: rest(Way::Out) })));
        }
        let Some(content) = self.inner.try_open(blob)? else { return Ok(None) };
        let rest = cache.begin(blob).and_then(|new| rest(Way::In(new)));
        Ok(Some(Box::new(Passing { content, rest })))
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        let kept = self.cache.as_ref().filter(|_| is_kept(blob)).and_then(|cache| cache.verified(blob));
        match kept {
            Some(file) => Ok(Some(Box::new(file))),
            None => self.inner.try_seek(blob),
        }
    }

    /// Asks the store: what is kept here, others do not have.
    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.inner.try_size(blob)
    }
}

impl<S: BlobWrite> BlobWrite for Cached<S> {
    fn hold(&self) -> Result<()> {
        self.inner.hold()
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.inner.begin(blob)
    }
}

impl<S: RootIndex> RootIndex for Cached<S> {
    fn load(&self) -> Result<Raw<Index>> {
        self.inner.load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.inner.replace(expected, new)
    }
}

#[cfg(test)]
mod tests;
