//! An archive that is edited: new blobs are kept in a layout beside it until the archive is rewritten.

use std::{
    io::{self, BufWriter, ErrorKind, Read, Write},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::copy::Plan;
use crate::{
    digest::Digest,
    error::{Error, Result},
    fs::{Dir, DirPosix, FileType, remove_tree},
    limits::Limits,
    name::{Name, NameBuf},
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, BlobWrite, Collect, Collector, FileBytes, NewBlob, Pending, ReadSeek, Repository,
        RootIndex,
        archive::{Archive, ArchiveKind, write_archive},
        layout::LayoutStore,
        temporary::Temporary,
    },
};

/// An archive in a file. The first edit creates a directory beside it, which keeps other processes from
/// editing it at the same time and is removed when this value is dropped. Replacing the index writes a new
/// archive in that directory, with everything reachable from the new index, and renames it over the old one
/// once it is complete.
pub struct ArchiveFile<D: DirPosix + Sync> {
    dir: D,
    name: NameBuf,
    limits: Limits,
    archive: Archive,
    /// The current index, if it was replaced.
    index: Mutex<Option<Raw<Index>>>,
    edit: OnceLock<LayoutStore<D>>,
    editing: Mutex<()>,
}

impl<D: DirPosix + Sync> ArchiveFile<D>
where
    D::File: 'static,
{
    /// Opens the archive with that name; see [`Archive::open`].
    ///
    /// # Errors
    /// Those of [`Archive::open`], and [`Error::Io`].
    pub fn open(dir: D, name: Name<'_>, kind: Option<ArchiveKind>, limits: &Limits) -> Result<Self> {
        let archive = open(&dir, name, kind, limits)?;
        Ok(Self {
            dir,
            name: name.into(),
            limits: *limits,
            archive,
            index: Mutex::new(None),
            edit: OnceLock::new(),
            editing: Mutex::new(()),
        })
    }

    /// Returns the archive as it was opened.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Returns the layout for new blobs; the first edit creates it.
    fn edit(&self) -> Result<&LayoutStore<D>> {
        let _guard = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(edit) = self.edit.get() {
            return Ok(edit);
        }
        if self.archive.kind() != ArchiveKind::Oci {
            return Err(self.archive.read_only());
        }
        let name = edit_name(self.name.as_name())?;
        self.dir.create_dir(name.as_name()).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Error::Exists(format!(
                "another edit of {} is in progress, or was interrupted\nhint: if no process is running, remove {}",
                self.name.as_name(),
                name.as_name()
            )),
            _ => Error::io(format_args!("create directory {}", name.as_name()))(error),
        })?;
        let made = self.make_edit(name.as_name());
        if made.is_err() {
            let _ = remove_tree(&self.dir, name.as_name()); // the first error is the one to report
        }
        let made = made?;
        Ok(self.edit.get_or_init(|| made))
    }

    fn make_edit(&self, name: Name<'_>) -> Result<LayoutStore<D>> {
        let dir = self.dir.open_dir(name).map_err(Error::io(format_args!("open directory {name}")))?;
        // From here on no other process edits it; but one may have, since it was opened.
        let now = open(&self.dir, self.name.as_name(), Some(ArchiveKind::Oci), &self.limits)?;
        if now.load()?.digest() != self.archive.load()?.digest() {
            return Err(Error::Unsupported(format!(
                "{} was changed by another process meanwhile\nhint: try again",
                self.name.as_name()
            )));
        }
        LayoutStore::create(dir)
    }

    fn write(&self, index: &Raw<Index>) -> Result<()> {
        let repository = Repository::new(self, self.limits);
        let plan = Plan::of_index(&repository, index.clone())?;
        // An archive that lacks blobs can be edited all the same.
        let (there, _) = plan.sorted(&repository)?;
        let name = edit_name(self.name.as_name())?;
        // In there, so that an interrupted edit leaves one directory to remove.
        let edit = self
            .dir
            .open_dir(name.as_name())
            .map_err(Error::io(format_args!("open directory {}", name.as_name())))?;
        replace_file_from(&edit, &self.dir, self.name.as_name(), |out| write_archive(self, index, there, out))
    }
}

/// Writes a file and renames it into place once it is complete and durable. A file that had the name before
/// is replaced; its mode is kept and, where the system allows it, its owner.
///
/// # Errors
/// Those of `fill`; [`Error::Io`].
pub fn replace_file<D: DirPosix>(
    dir: &D,
    name: Name<'_>,
    fill: impl FnOnce(&mut (dyn WriteSeek + '_)) -> Result<()>,
) -> Result<()> {
    replace_file_from(dir, dir, name, fill)
}

/// Does the same for a file that is written in another directory of the same file system.
fn replace_file_from<D: DirPosix>(
    from: &D,
    to: &D,
    name: Name<'_>,
    fill: impl FnOnce(&mut (dyn WriteSeek + '_)) -> Result<()>,
) -> Result<()> {
    let doing = || Error::io(format!("write {name}"));
    let file = Temporary::new(from, &AtomicU64::new(0)).map_err(doing())?;
    let mut out = BufWriter::with_capacity(256 << 10, file);
    fill(&mut out)?;
    let file = out.into_inner().map_err(|error| doing()(error.into_error()))?;
    match to.metadata(name) {
        Ok(old) if old.file_type == FileType::File => file.replace(&old, to, name),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => file.place(to, name),
    }
    .map_err(doing())
}

/// A file being written that can seek.
pub trait WriteSeek: Write + io::Seek {}

impl<T: Write + io::Seek> WriteSeek for T {}

fn open<D: Dir>(dir: &D, name: Name<'_>, kind: Option<ArchiveKind>, limits: &Limits) -> Result<Archive>
where
    D::File: 'static,
{
    let file = dir.open_file(name).map_err(Error::io(format_args!("open {name}")))?;
    Archive::open(FileBytes(file), kind, limits)
}

fn edit_name(name: Name<'_>) -> Result<NameBuf> {
    let text = [b".", name.as_bytes(), b".ocicle-edit"].concat();
    Name::new(&text).map(Into::into).map_err(|error| Error::Unsupported(format!("{name}: {error}")))
}

impl<D: DirPosix + Sync> BlobRead for ArchiveFile<D> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        match self.edit.get().map(|edit| edit.try_open(blob)).transpose()?.flatten() {
            None => self.archive.try_open(blob),
            found => Ok(found),
        }
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        match self.edit.get().map(|edit| edit.try_seek(blob)).transpose()?.flatten() {
            None => self.archive.try_seek(blob),
            found => Ok(found),
        }
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        match self.edit.get().map(|edit| edit.try_size(blob)).transpose()?.flatten() {
            None => self.archive.try_size(blob),
            found => Ok(found),
        }
    }
}

impl<D: DirPosix + Sync> BlobWrite for ArchiveFile<D>
where
    D::File: 'static,
{
    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.edit()?.begin(blob)
    }
}

impl<D: DirPosix + Sync> RootIndex for ArchiveFile<D>
where
    D::File: 'static,
{
    fn load(&self) -> Result<Raw<Index>> {
        match &*self.index.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(index) => Ok(index.clone()),
            None => self.archive.load(),
        }
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.edit()?;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let actual = match &*index {
            Some(index) => index.digest(),
            None => self.archive.load()?.digest(),
        };
        if actual != *expected {
            return Err(Error::Conflict { expected: expected.clone(), actual });
        }
        self.write(new)?;
        *index = Some(new.clone());
        Ok(())
    }
}

impl<D: DirPosix + Sync> Collect for ArchiveFile<D>
where
    D::File: 'static,
{
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        Ok(Box::new(ArchiveCollector { file: self, removed: AtomicBool::new(false) }))
    }
}

/// A collector for an archive: only reachable blobs are written, so rewriting removes the others.
struct ArchiveCollector<'a, D: DirPosix + Sync> {
    file: &'a ArchiveFile<D>,
    removed: AtomicBool,
}

impl<D: DirPosix + Sync> Collector for ArchiveCollector<'_, D>
where
    D::File: 'static,
{
    fn blobs(&self) -> Result<Vec<(Digest, u64)>> {
        Ok(self.file.archive.blobs().map(|(digest, size)| (digest.clone(), size)).collect())
    }

    fn remove(&self, _: &Digest) -> Result<()> {
        self.removed.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn leftovers(&self) -> Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }

    fn remove_leftover(&self, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        if !self.removed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.file.edit()?;
        self.file.write(&self.file.load()?)
    }
}

impl<D: DirPosix + Sync> std::fmt::Debug for ArchiveFile<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveFile").field("archive", &self.archive).finish_non_exhaustive()
    }
}

impl<D: DirPosix + Sync> Drop for ArchiveFile<D> {
    fn drop(&mut self) {
        if self.edit.take().is_some()
            && let Ok(name) = edit_name(self.name.as_name())
        {
            let _ = remove_tree(&self.dir, name.as_name()); // nothing depends on it
        }
    }
}
