//! Archives that cannot be read in place: compressed ones, and those from a pipe. Each run copies them once,
//! decompressed, into a file without a name.

use std::{
    env, io,
    io::Read,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use ocicle::{
    Error, Result,
    digest::Digest,
    fs::{Dir, DirWrite as _},
    layer::decompress::decompress,
    limits::Limits,
    name::Name,
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, BlobWrite, Collect, Collector, FileBytes, NewBlob, Pending, ReadSeek, RootIndex,
        archive::{Archive, ArchiveKind},
    },
};

use crate::{
    new_file::{random_name, remove_stale},
    progress::{Meter, Show},
    system::{self, SystemDir},
};

/// A file of this system.
type SystemFile = <SystemDir as Dir>::File;

/// An archive that was copied. It is read-only.
pub(crate) struct CopiedArchive {
    archive: Archive,
    from: Origin,
}

/// The places that archives are copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    CompressedFile,
    Pipe,
}

/// How an archive is copied.
pub(crate) struct Copying<'a> {
    pub(crate) kind: Option<ArchiveKind>,
    pub(crate) limits: &'a Limits,
    pub(crate) show: Show,
}

impl CopiedArchive {
    /// Copies a compressed file; `path` is where it is.
    pub(crate) fn of_file(file: SystemFile, path: &Path, how: &Copying<'_>) -> Result<Self> {
        use ocicle::fs::File as _;
        let size = file.metadata().map_err(Error::io("stat"))?.size;
        let beside = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::copy(file, Origin::CompressedFile, (beside, Some(size)), how)
    }

    /// Copies standard input, which can be done once.
    pub(crate) fn of_standard_input(how: &Copying<'_>) -> Result<Self> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(Error::Misuse("standard input can be read only once".into()));
        }
        Self::of_pipe(io::stdin(), how)
    }

    /// Copies what comes out of a pipe.
    pub(crate) fn of_pipe(pipe: impl Read + Send, how: &Copying<'_>) -> Result<Self> {
        Self::copy(pipe, Origin::Pipe, (Path::new("."), None), how)
    }

    /// `beside` is a directory where a temporary file may be made, if there is no better one.
    fn copy(
        source: impl Read + Send,
        from: Origin,
        (beside, size): (&Path, Option<u64>),
        how: &Copying<'_>,
    ) -> Result<Self> {
        let doing = match from {
            Origin::CompressedFile => "decompressing",
            Origin::Pipe => "reading the archive",
        };
        let mut file = temporary_file(beside)?;
        let meter = Meter::new(doing, size, how.show);
        decompress(meter.count(source), how.limits, &mut file)?;
        Ok(Self { archive: Archive::open(FileBytes(file), how.kind, how.limits)?, from })
    }

    fn read_only(&self) -> Error {
        let what = match self.from {
            Origin::CompressedFile => "a compressed archive is read-only",
            Origin::Pipe => "an archive from a pipe is read-only",
        };
        Error::Unsupported(format!(
            "{what}\nhint: copy it first, with `ocicle copy ARCHIVE oci:DIRECTORY` or `oci-archive:FILE`"
        ))
    }
}

/// Creates a file for reading and writing that has no name any more: it is gone when this process ends.
fn temporary_file(beside: &Path) -> Result<SystemFile> {
    let dirs = match env::var_os("TMPDIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => vec![PathBuf::from(dir)],
        // As for other tools of the field: `/tmp` is often in memory.
        None => vec!["/var/tmp".into(), "/tmp".into(), beside.to_owned()],
    };
    let mut last = None;
    for dir in dirs {
        match unnamed_file(&dir) {
            Ok(file) => return Ok(file),
            Err(error) => last = Some((dir, error)),
        }
    }
    let (dir, error) = last.unwrap_or_else(|| (beside.to_owned(), io::ErrorKind::NotFound.into()));
    Err(Error::io(format_args!("create a temporary file in {}", dir.display()))(error))
}

fn unnamed_file(path: &Path) -> io::Result<SystemFile> {
    let dir = system::open_dir(path)?;
    remove_stale(path);
    loop {
        let name = random_name();
        let name = Name::new(name.as_bytes()).map_err(io::Error::other)?;
        let file = match dir.create_file(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            created => created?,
        };
        match dir.remove_file(name) {
            // Another process may have taken it for stale.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(file),
        }
    }
}

impl BlobRead for CopiedArchive {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        self.archive.try_open(blob)
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        self.archive.try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.archive.try_size(blob)
    }
}

/// Writing is always [`Error::Unsupported`].
impl BlobWrite for CopiedArchive {
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        Err(self.read_only())
    }
}

/// Replacing is always [`Error::Unsupported`].
impl RootIndex for CopiedArchive {
    fn load(&self) -> Result<Raw<Index>> {
        self.archive.load()
    }

    fn replace(&self, _: &Digest, _: &Raw<Index>) -> Result<()> {
        Err(self.read_only())
    }
}

/// Always [`Error::Unsupported`].
impl Collect for CopiedArchive {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        Err(self.read_only())
    }
}
