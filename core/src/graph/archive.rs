//! An archive that is edited: new blobs are kept in a layout beside it until the archive is rewritten.

mod lists;

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
    fs::{Dir, DirPosix, FileType, claim, clear, remove_tree},
    limits::Limits,
    name::{Name, NameBuf},
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, BlobWrite, Collect, Collector, FileBytes, NewBlob, Pending, ReadSeek, Repository,
        RootIndex,
        archive::{Archive, ArchiveKind, write::write_with_lists},
        layout::LayoutStore,
        temporary::Temporary,
    },
};

/// An archive in a file. The first edit creates a directory beside it and locks it, which keeps other
/// processes from editing it at the same time; it is removed when this value is dropped. Replacing the index
/// writes a new archive in that directory, with everything reachable from the new index, and renames it over
/// the old one once it is complete.
///
/// If another process has edited the archive since it was opened, [`RootIndex::replace`] reports a conflict,
/// and [`RootIndex::load`] returns the index as it is now. Blobs of the archive as it was opened can still be
/// read.
pub struct ArchiveFile<D: DirPosix + Sync> {
    dir: D,
    name: NameBuf,
    limits: Limits,
    archive: Archive,
    /// The current index, if it was replaced.
    index: Mutex<Option<Raw<Index>>>,
    wait: Box<Wait>,
    edit: OnceLock<Edit<D>>,
    editing: Mutex<()>,
}

/// Called again and again while another process edits an archive; returns whether to wait longer.
pub type Wait = dyn Fn() -> bool + Send + Sync;

/// An edit in progress.
struct Edit<D: DirPosix> {
    /// The new blobs.
    layout: LayoutStore<D>,
    /// The archive as it is now.
    now: Archive,
    /// The directory beside the archive.
    dir: D,
    _lock: Mutex<D::Lock>, // a lock need not be `Sync`
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
            wait: Box::new(|| false),
            edit: OnceLock::new(),
            editing: Mutex::new(()),
        })
    }

    /// Sets how long an edit waits for that of another process. By default it fails at once.
    #[must_use]
    pub fn waiting(mut self, wait: Box<Wait>) -> Self {
        self.wait = wait;
        self
    }

    /// Returns the archive as it was opened.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Returns the edit in progress, which begins with the first call.
    fn edit(&self) -> Result<&Edit<D>> {
        let _guard = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(edit) = self.edit.get() {
            return Ok(edit);
        }
        if self.archive.kind() != ArchiveKind::Oci {
            return Err(self.archive.read_only());
        }
        let (dir, lock) = claim_edit(&self.dir, self.name.as_name(), &self.wait)?;
        match self.begin_edit(dir, lock) {
            Ok(edit) => Ok(self.edit.get_or_init(|| edit)),
            Err(error) => {
                self.remove_edit();
                Err(error)
            }
        }
    }

    fn begin_edit(&self, dir: D, lock: D::Lock) -> Result<Edit<D>> {
        let now = open(&self.dir, self.name.as_name(), Some(ArchiveKind::Oci), &self.limits)?;
        // The lock of a layout is that of its directory, so it needs one of its own.
        let name = Name::literal("layout");
        let layout = dir.create_dir(name).and_then(|()| dir.open_dir(name));
        let layout = LayoutStore::create(layout.map_err(Error::io("create a layout for new blobs"))?)?;
        Ok(Edit { layout, now, dir, _lock: Mutex::new(lock) })
    }

    fn write(&self, edit: &Edit<D>, index: &Raw<Index>) -> Result<()> {
        let repository = Repository::new(self, self.limits);
        let plan = Plan::of_index(&repository, index.clone())?;
        // An archive that lacks blobs can be edited all the same.
        let (there, _) = plan.sorted(&repository)?;
        let name = self.name.as_name();
        // In there, so that an interrupted edit leaves one directory to remove.
        let (file, doing) =
            new_file(&edit.dir, name, |out| rewrite_archive(&edit.now, &repository, index, there, out))?;
        match self.dir.metadata(name) {
            Ok(old) if old.file_type == FileType::File => file.replace(&old, &self.dir, name),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => file.place(&self.dir, name),
        }
        .map_err(Error::io(doing))
    }
}

impl<D: DirPosix + Sync> ArchiveFile<D> {
    fn remove_edit(&self) {
        if let Ok(name) = edit_name(self.name.as_name()) {
            let _ = remove_tree(&self.dir, name.as_name()); // the next edit takes it over
        }
    }
}

/// Writes what an edit makes of an archive: a layout with this index and these blobs, as
/// [`write_archive`](crate::store::archive::write_archive) does, and the lists for Docker that the old one
/// has (`manifest.json`, `repositories`).
///
/// # Errors
/// Those of [`write_archive`](crate::store::archive::write_archive), and of reading the documents of `index`.
pub fn rewrite_archive<'a, S: BlobRead>(
    old: &Archive,
    repository: &Repository<S>,
    index: &Raw<Index>,
    blobs: impl IntoIterator<Item = &'a Descriptor>,
    out: &mut dyn Write,
) -> Result<()> {
    let lists = lists::lists(repository, index, old.lists())?;
    write_with_lists(repository.store(), index, blobs, &lists, out)
}

/// Writes a new archive; it gets its name once it is complete and durable. Returns `false` if there is a file
/// of that name, also one that another process made meanwhile: then nothing is written. `wait` is as for
/// [`ArchiveFile::waiting`].
///
/// # Errors
/// Those of `fill`; [`Error::Exists`] if another process is still at it; [`Error::Io`].
pub fn create_archive<D: DirPosix>(
    dir: &D,
    name: Name<'_>,
    wait: &Wait,
    fill: impl FnOnce(&mut (dyn WriteSeek + '_)) -> Result<()>,
) -> Result<bool> {
    let (edit, _lock) = claim_edit(dir, name, wait)?;
    let created = match dir.metadata(name) {
        Ok(_) => Ok(false),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io(format_args!("stat {name}"))(error))
        }
        Err(_) => new_file(&edit, name, fill).and_then(|(file, doing)| match file.place_new(dir, name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            placed => placed.map(|()| true).map_err(Error::io(doing)),
        }),
    };
    let _ = remove_tree(dir, edit_name(name)?.as_name()); // the next edit takes it over
    created
}

/// Writes a Docker archive again, in place of itself: `fill` is passed the archive as it is, and writes the
/// new one. `wait` is as for [`ArchiveFile::waiting`].
///
/// # Errors
/// Those of [`Archive::open`] and `fill`; [`Error::Exists`] if another process is still at it;
/// [`Error::Io`]. The archive is unchanged then.
pub fn rewrite_docker_archive<D: DirPosix>(
    dir: &D,
    name: Name<'_>,
    limits: &Limits,
    wait: &Wait,
    fill: impl FnOnce(&Archive, &mut (dyn WriteSeek + '_)) -> Result<()>,
) -> Result<()>
where
    D::File: 'static,
{
    let (edit, _lock) = claim_edit(dir, name, wait)?;
    let written = open(dir, name, Some(ArchiveKind::Docker), limits).and_then(|old| {
        let (file, doing) = new_file(&edit, name, |out| fill(&old, out))?;
        let replaced = dir.metadata(name).and_then(|old| file.replace(&old, dir, name));
        replaced.map_err(Error::io(doing))
    });
    let _ = remove_tree(dir, edit_name(name)?.as_name()); // the next edit takes it over
    written
}

/// Locks the directory beside an archive.
fn claim_edit<D: DirPosix>(dir: &D, name: Name<'_>, wait: &Wait) -> Result<(D, D::Lock)> {
    let edit = edit_name(name)?;
    let edit = edit.as_name();
    let io = || Error::io(format!("create directory {edit}"));
    loop {
        match claim(dir, edit).map_err(io())? {
            Some((claimed, lock)) => {
                clear(&claimed).map_err(io())?;
                return Ok((claimed, lock));
            }
            None if wait() => {}
            None => {
                return Err(Error::Exists(format!(
                    "another edit of {name} is in progress\nhint: if no process is running, remove {edit}"
                )));
            }
        }
    }
}

/// Returns the size in bytes of all files in a directory and below.
fn size_of<D: Dir>(dir: &D) -> io::Result<u64> {
    dir.names()?.iter().try_fold(0_u64, |sum, name| {
        let metadata = dir.metadata(name.as_name())?;
        let size = match metadata.file_type {
            FileType::Dir => size_of(&dir.open_dir(name.as_name())?)?,
            _ => metadata.size,
        };
        Ok(sum.saturating_add(size))
    })
}

/// Writes a file under a temporary name. Returns it, and the words for errors of giving it its name.
fn new_file<'a, D: DirPosix>(
    dir: &'a D,
    name: Name<'_>,
    fill: impl FnOnce(&mut (dyn WriteSeek + '_)) -> Result<()>,
) -> Result<(Temporary<'a, D>, String)> {
    let doing = format!("write {name}");
    let file = Temporary::new(dir, &AtomicU64::new(0)).map_err(Error::io(&doing))?;
    let mut out = BufWriter::with_capacity(256 << 10, file);
    fill(&mut out)?;
    let file = out.into_inner().map_err(|error| Error::io(&doing)(error.into_error()))?;
    Ok((file, doing))
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
        if let Some(edit) = self.edit.get() {
            for store in [&edit.layout as &dyn BlobRead, &edit.now] {
                if let Some(found) = store.try_open(blob)? {
                    return Ok(Some(found));
                }
            }
        }
        self.archive.try_open(blob)
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        if let Some(edit) = self.edit.get() {
            for store in [&edit.layout as &dyn BlobRead, &edit.now] {
                if let Some(found) = store.try_seek(blob)? {
                    return Ok(Some(found));
                }
            }
        }
        self.archive.try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        if let Some(edit) = self.edit.get() {
            for store in [&edit.layout as &dyn BlobRead, &edit.now] {
                if let Some(found) = store.try_size(blob)? {
                    return Ok(Some(found));
                }
            }
        }
        self.archive.try_size(blob)
    }
}

impl<D: DirPosix + Sync> BlobWrite for ArchiveFile<D>
where
    D::File: 'static,
{
    /// Does nothing: the archive that was opened can be read whatever takes its name.
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.edit()?.layout.begin(blob)
    }
}

impl<D: DirPosix + Sync> RootIndex for ArchiveFile<D>
where
    D::File: 'static,
{
    fn load(&self) -> Result<Raw<Index>> {
        match (&*self.index.lock().unwrap_or_else(PoisonError::into_inner), self.edit.get()) {
            (Some(index), _) => Ok(index.clone()),
            (None, Some(edit)) => edit.now.load(),
            (None, None) => self.archive.load(),
        }
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        let edit = self.edit()?;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let actual = match &*index {
            Some(index) => index.digest(),
            None => edit.now.load()?.digest(),
        };
        if actual != *expected {
            return Err(Error::Conflict { expected: expected.clone(), actual });
        }
        self.write(edit, new)?;
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

    /// Returns the directory beside the archive, unless another process has it.
    fn leftovers(&self) -> Result<Vec<(String, u64)>> {
        let ArchiveFile { dir, name, edit, .. } = self.file;
        let left = edit_name(name.as_name())?;
        let left = left.as_name();
        let io = || Error::io(format!("read {left}"));
        if edit.get().is_some() {
            return Ok(Vec::new());
        }
        let opened = match dir.open_dir(left) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(io())?,
        };
        let Some(_lock) = opened.try_lock().map_err(io())? else { return Ok(Vec::new()) };
        Ok(vec![(left.to_string(), size_of(&opened).map_err(io())?)])
    }

    fn remove_leftover(&self, name: &str) -> Result<()> {
        // Claiming it removes what is in it.
        let archive = self.file.name.as_name();
        let (_, lock) = claim_edit(&self.file.dir, archive, &self.file.wait)?;
        let removed = remove_tree(&self.file.dir, edit_name(archive)?.as_name());
        drop(lock);
        removed.map_err(Error::io(format_args!("remove {name}")))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        if !self.removed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let edit = self.file.edit()?;
        self.file.write(edit, &self.file.load()?)
    }
}

impl<D: DirPosix + Sync> std::fmt::Debug for ArchiveFile<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveFile").field("archive", &self.archive).finish_non_exhaustive()
    }
}

impl<D: DirPosix + Sync> Drop for ArchiveFile<D> {
    fn drop(&mut self) {
        if let Some(edit) = self.edit.take() {
            self.remove_edit();
            drop(edit); // the lock is held until then
        }
    }
}
