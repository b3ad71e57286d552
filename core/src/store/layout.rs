//! An OCI image layout (image-spec, image-layout.md) in a directory, reached through any [`DirWrite`].
//!
//! A file is written under a temporary name beside its final one, made durable, and renamed. A crash leaves
//! the old or the new file, and at worst an unused file `.ocicle-…`.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use super::{
    BlobRead, BlobWrite, NewBlob, Pending, ReadSeek, RootIndex, check_index,
    links::{Roots, SharedBlobs},
    temporary::{TEMPORARY, Temporary, free_name},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    fs::{Dir, DirWrite, FileType, Metadata},
    limits::Limits,
    name::{EntryPath, Name},
    spec::{Descriptor, Index, Layout, Raw},
};

/// The name of the file that marks a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The name of the root index.
pub(super) const INDEX: &str = "index.json";
pub(super) const BLOBS: &str = "blobs";

/// A layout in a directory. Processes and threads may use it concurrently.
///
/// One value represents one edit: from its first [`BlobWrite::hold`] or [`BlobWrite::begin`] until it is
/// dropped, [`Collect::collect`] of any other value waits, in this process or another. So drop it when the
/// edit is done.
///
/// There are two locks, taken in this order: that of `blobs/` (shared by edits, exclusive for removal), and
/// that of the layout's directory (exclusive, for the moment of a change beside or above `blobs/`).
///
/// [`Collect::collect`]: super::Collect::collect
#[derive(Debug)]
pub struct LayoutStore<D: DirWrite> {
    pub(super) dir: D,
    limits: Limits,
    /// The shared lock of `blobs/`, once they are held.
    held: Mutex<Option<D::Lock>>,
    /// The number of the next temporary name to try.
    next: AtomicU64,
    shared: Option<SharedBlobs<D>>,
}

impl<D: DirWrite> LayoutStore<D> {
    /// Creates an empty layout in an empty directory. The file `oci-layout` is written last, since it marks
    /// the layout. The remains of an interrupted call are completed.
    ///
    /// # Errors
    /// [`Error::Exists`] if the directory holds anything else; [`Error::Io`].
    pub fn create(dir: D) -> Result<Self> {
        let store = Self::new(dir, &Limits::default());
        store.fill()?;
        Ok(store)
    }

    fn fill(&self) -> Result<()> {
        let (store, dir) = (self, &self.dir);
        let names = dir.names().map_err(Error::io("read the directory"))?;
        if names.iter().any(|name| name.as_name() == Name::literal(MARKER)) {
            return Err(Error::Exists("a layout already exists".into()));
        }
        for name in &names {
            let leftover = match is_leftover(dir, name.as_name()) {
                // Another call was running, and was faster.
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => true,
                result => result?,
            };
            if !leftover {
                let name = EntryPath::root().join(name.as_name());
                return Err(Error::Exists(format!(
                    "a new layout needs an empty directory, but {name} already exists"
                )));
            }
        }
        let blobs = store.blobs_dir()?;
        store.ensure_dir(&blobs, Name::literal("sha256"), "blobs/sha256")?;
        // Another call may have done the same meanwhile, and its index may have entries by now.
        let _lock = store.dir.lock().map_err(Error::io("lock the layout"))?;
        match store.dir.metadata(Name::literal(MARKER)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(format_args!("stat {MARKER}"))(error)),
            Ok(_) => return Err(Error::Exists("a layout already exists".into())),
        }
        store.write(INDEX, empty_index()?.bytes())?;
        let marker = Raw::new(Layout::default())?;
        store.write(MARKER, marker.bytes())
    }

    /// Opens a layout.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the directory is not a layout; [`Error::Document`] if it has another version;
    /// [`Error::Io`].
    pub fn open(dir: D, limits: &Limits) -> Result<Self> {
        let store = Self::new(dir, limits);
        store.check()?;
        Ok(store)
    }

    fn check(&self) -> Result<()> {
        Raw::<Layout>::parse(MARKER, self.read(MARKER)?, None).map(drop)
    }

    /// Opens a layout, which is created if the directory is empty or has only what an interrupted call left.
    /// Several processes may do so at a time: one creates it, and the others open it.
    ///
    /// # Errors
    /// Those of [`LayoutStore::open`]; [`Error::Io`].
    pub fn open_or_create(dir: D, limits: &Limits) -> Result<Self> {
        let store = Self::new(dir, limits);
        let absent = match store.check() {
            Err(error @ Error::NotFound(_)) => error,
            checked => return checked.map(|()| store),
        };
        match store.fill() {
            Ok(()) => Ok(store),
            // Either there are other files, or another process created the layout.
            Err(Error::Exists(_)) => match store.check() {
                Err(Error::NotFound(_)) => Err(absent),
                checked => checked.map(|()| store),
            },
            Err(error) => Err(error),
        }
    }

    /// Reads blobs that the layout lacks from a directory that it shares with others. Nothing is written
    /// there.
    #[must_use]
    pub fn sharing(mut self, shared: SharedBlobs<D>) -> Self {
        self.shared = Some(shared);
        self
    }

    fn new(dir: D, limits: &Limits) -> Self {
        Self { dir, limits: *limits, held: Mutex::new(None), next: AtomicU64::new(0), shared: None }
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Option<D::Lock>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn blobs_dir(&self) -> Result<D> {
        self.ensure_dir(&self.dir, Name::literal(BLOBS), BLOBS)
    }

    fn read(&self, name: &'static str) -> Result<Vec<u8>> {
        let file = self.dir.open_file(Name::literal(name)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Error::NotFound(format!("not a layout: {name} not found\nhint: `ocicle init` creates one"))
            }
            _ => Error::io(format_args!("open {name}"))(error),
        })?;
        let mut bytes = Vec::new();
        file.take(self.limits.document + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::io(format_args!("read {name}")))?;
        if bytes.len() as u64 > self.limits.document {
            return Err(Error::limit(name, "document", self.limits.document));
        }
        Ok(bytes)
    }

    /// Opens a directory, which is created if it does not exist.
    fn ensure_dir(&self, dir: &D, name: Name<'_>, place: &str) -> Result<D> {
        match dir.open_dir(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // If two processes create it at once, the second would replace the directory that the first
                // has open.
                let _lock = self.dir.lock().map_err(Error::io("lock the layout"))?;
                match dir.metadata(name) {
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        self.make_dir(dir, name)
                            .map_err(Error::io(format_args!("create directory {place}")))?;
                    }
                    Err(error) => return Err(Error::io(format_args!("stat {place}"))(error)),
                    Ok(_) => {}
                }
                dir.open_dir(name)
            }
            result => result,
        }
        .map_err(Error::io(format_args!("open directory {place}")))
    }

    /// Creates a directory that has its mode as soon as it has its name, even after a crash.
    fn make_dir(&self, to: &D, name: Name<'_>) -> io::Result<()> {
        let temporary = free_name(&self.next, |name| self.dir.create_dir(name))?.1;
        let temporary = temporary.as_name();
        let made = self.dir.share(temporary).and_then(|()| self.dir.rename(temporary, to, name));
        if let Err(error) = made {
            let _ = self.dir.remove_dir(temporary); // the first error is the one to report
            return Err(error);
        }
        to.sync()
    }

    /// Creates a file, which belongs to the owner of the layout.
    fn temporary(&self, what: &str) -> Result<Temporary<'_, D>> {
        Temporary::new(&self.dir, &self.next)
            .and_then(Temporary::given)
            .map_err(Error::io(format_args!("create {what}")))
    }

    fn write(&self, name: &'static str, bytes: &[u8]) -> Result<()> {
        let mut file = self.temporary(name)?;
        file.write_all(bytes).map_err(Error::io(format_args!("write {name}")))?;
        file.place(&self.dir, Name::literal(name)).map_err(Error::io(format_args!("write {name}")))
    }

    /// Finds the file of a blob, and passes its directory and name on; returns `None` if it does not exist.
    fn find<T>(
        &self,
        digest: &Digest,
        doing: &str,
        mut found: impl FnMut(&D, Name<'_>) -> io::Result<T>,
    ) -> Result<Option<T>> {
        let [algorithm, encoded] = [digest.algorithm_name(), digest.encoded()].map(name_of);
        let names = [Name::literal(BLOBS), algorithm?, encoded?];
        let roots = Roots::new(&self.dir, self.shared.as_ref(), &self.limits);
        let mut at = |dir: &D, name: Name<'_>| match found(dir, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(Some).map_err(Error::io(format_args!("{doing} blob {digest}"))),
        };
        let here = self.algorithm(digest).and_then(|dir| dir.map_or(Ok(None), |dir| at(&dir, names[2])));
        match here {
            Err(_) if self.is_linked(&names) => roots.in_layout(&names, &mut at).map(Option::flatten),
            Ok(None) => roots.in_shared(&names[1..], &mut at).map(Option::flatten),
            here => here,
        }
    }

    /// Returns whether one of these entries, each below the one before, is a symbolic link.
    fn is_linked(&self, names: &[Name<'_>]) -> bool {
        let mut dir = None;
        for name in names {
            let above = dir.as_ref().unwrap_or(&self.dir);
            if above.metadata(*name).is_ok_and(|found| found.file_type == FileType::Symlink) {
                return true;
            }
            let Ok(below) = above.open_dir(*name) else { return false };
            dir = Some(below);
        }
        false
    }

    /// Opens the file of a blob; returns `None` if it does not exist.
    fn try_file(&self, digest: &Digest) -> Result<Option<D::File>> {
        self.find(digest, "open", Dir::open_file)
    }

    /// Opens the directory of a digest's algorithm; returns `None` if it does not exist.
    pub(super) fn algorithm(&self, digest: &Digest) -> Result<Option<D>> {
        let name = name_of(digest.algorithm_name())?;
        let open = |dir: &D, name| match dir.open_dir(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            result => {
                result.map(Some).map_err(Error::io(format_args!("open {BLOBS}/{}", digest.algorithm_name())))
            }
        };
        match open(&self.dir, Name::literal(BLOBS))? {
            Some(blobs) => open(&blobs, name),
            None => Ok(None),
        }
    }
}

/// Returns whether a name is a leftover of an interrupted [`LayoutStore::create`]: a temporary file or
/// directory, `blobs` without blobs, an index without entries.
fn is_leftover<D: Dir>(dir: &D, name: Name<'_>) -> Result<bool> {
    let io = || Error::io(format!("read {name}"));
    match (dir.metadata(name).map_err(io())?.file_type, name.as_bytes()) {
        (FileType::File, bytes) if bytes.starts_with(TEMPORARY.as_bytes()) => Ok(true),
        (FileType::Dir, bytes) if bytes.starts_with(TEMPORARY.as_bytes()) => {
            is_empty(dir, name).map_err(io())
        }
        (FileType::Dir, bytes) if bytes == BLOBS.as_bytes() => {
            let blobs = dir.open_dir(name).map_err(io())?;
            for algorithm in blobs.names().map_err(io())? {
                if !is_empty(&blobs, algorithm.as_name()).map_err(io())? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (FileType::File, bytes) if bytes == INDEX.as_bytes() => {
            let empty = empty_index()?;
            let mut found = Vec::new();
            let file = dir.open_file(name).map_err(io())?;
            file.take(empty.bytes().len() as u64 + 1).read_to_end(&mut found).map_err(io())?;
            Ok(found == empty.bytes())
        }
        _ => Ok(false),
    }
}

/// Returns whether a name is a directory without entries.
pub(super) fn is_empty<D: Dir>(dir: &D, name: Name<'_>) -> io::Result<bool> {
    match dir.metadata(name)?.file_type {
        FileType::Dir => Ok(dir.open_dir(name)?.names()?.is_empty()),
        _ => Ok(false),
    }
}

/// Returns an index without entries.
pub(crate) fn empty_index() -> Result<Raw<Index>> {
    Raw::new(Index::new(Vec::new()))
}

impl<D: DirWrite + Sync> BlobRead for LayoutStore<D> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(self.try_file(&blob.digest)?.map(|file| Box::new(file) as Box<dyn Read + Send + '_>))
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(self.try_file(&blob.digest)?.map(|file| Box::new(file) as Box<dyn ReadSeek + '_>))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.find(&blob.digest, "stat", |dir, name| match dir.metadata(name)? {
            Metadata { file_type: FileType::File, size, .. } => Ok(size),
            _ => Err(io::Error::new(ErrorKind::InvalidInput, "expected a regular file")),
        })
    }
}

impl<D: DirWrite + Sync> BlobWrite for LayoutStore<D> {
    fn hold(&self) -> Result<()> {
        let mut held = self.held();
        if held.is_none() {
            *held = Some(self.blobs_dir()?.lock_shared().map_err(Error::io("lock the blobs"))?);
        }
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.hold()?;
        Ok(Box::new(LayoutPending { store: self, file: self.temporary("a blob")? }))
    }
}

struct LayoutPending<'a, D: DirWrite> {
    store: &'a LayoutStore<D>,
    file: Temporary<'a, D>,
}

impl<D: DirWrite> Write for LayoutPending<'_, D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<D: DirWrite + Sync> Pending for LayoutPending<'_, D> {
    fn publish(self: Box<Self>, digest: &Digest) -> Result<()> {
        let blobs = self.store.blobs_dir()?;
        let place = format!("{BLOBS}/{}", digest.algorithm_name());
        let dir = self.store.ensure_dir(&blobs, name_of(digest.algorithm_name())?, &place)?;
        self.file
            .place(&dir, name_of(digest.encoded())?)
            .map_err(Error::io(format_args!("write blob {digest}")))
    }
}

impl<D: DirWrite> RootIndex for LayoutStore<D> {
    fn load(&self) -> Result<Raw<Index>> {
        Raw::parse(INDEX, self.read(INDEX)?, None)
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        check_index(new, &self.limits)?;
        let _lock = self.dir.lock().map_err(Error::io("lock the layout"))?;
        let actual = self.load()?.digest();
        if actual != *expected {
            return Err(Error::Conflict { expected: expected.clone(), actual });
        }
        self.write(INDEX, new.bytes())
    }
}

pub(super) fn name_of(part: &str) -> Result<Name<'_>> {
    Name::new(part.as_bytes()).map_err(|error| Error::Unsupported(format!("digest part {part:?}: {error}")))
}
