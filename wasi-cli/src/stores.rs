//! The stores that a reference can name, as one type.

use std::{
    ffi::OsString,
    fs::File,
    io::{Read, Seek as _},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use ocicle::{
    Error, Result,
    digest::Digest,
    fs::Dir,
    graph::{
        archive::{ArchiveFile, Wait},
        reference::StoreKind,
    },
    limits::Limits,
    name::{EntryPath, Name},
    spec::{Compression, Descriptor, Index, Raw},
    store::{
        BlobRead, BlobWrite, Collect, Collector, NewBlob, Pending, ReadSeek, RootIndex, SharedBlobs, Store,
        archive::ArchiveKind, layout::LayoutStore,
    },
    text::printable,
};

use crate::{
    copied_archive::{CopiedArchive, Copying},
    failure::Failure,
    label::COMPRESSION_START,
    net::{self, Remote},
    progress::Show,
    stream,
    system::{self, SystemDir},
};

/// How stores are opened.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) limits: Limits,
    pub(crate) show: Show,
    /// The directory into which links of layouts may lead, and where blobs are that a layout lacks.
    pub(crate) shared_blob_dir: Option<PathBuf>,
    /// How registries and web servers are reached.
    pub(crate) network: net::Settings,
    pub(crate) mirrors: net::Mirrors,
}

/// A layout or archive, here or on another machine, or a repository of a registry.
pub(crate) enum AnyStore {
    Layout(Box<LayoutStore<SystemDir>>),
    Archive(Box<ArchiveFile<SystemDir>>),
    Copied(Box<CopiedArchive>),
    Remote(Box<Remote>),
}

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// Returns whether a reference means the archive on standard input.
pub(crate) fn is_standard_input(kind: Option<StoreKind>, path: &str) -> bool {
    path == STANDARD_INPUT && kind != Some(StoreKind::Oci)
}

impl AnyStore {
    /// Opens the layout or archive at a path; `-` is standard input. A registry is not asked yet.
    pub(crate) fn open(kind: Option<StoreKind>, path: &str, opening: &Opening) -> Result<Self, Failure> {
        if let Some(kind @ (StoreKind::Registry | StoreKind::Web)) = kind {
            let opened = Remote::open(kind, path, opening.network, opening.mirrors, &opening.limits);
            return opened.map(|store| Self::Remote(Box::new(store)));
        }
        let &Opening { limits, show, .. } = opening;
        let at_path = |error| Failure::from(at(path, error));
        let (is_file, is_pipe) = (Path::new(path).is_file(), system::is_pipe(Path::new(path)));
        let is_archive = is_file || is_pipe || is_standard_input(kind, path);
        let wanted = match kind {
            Some(StoreKind::OciArchive) => Some(ArchiveKind::Oci),
            Some(StoreKind::DockerArchive) => Some(ArchiveKind::Docker),
            None if is_archive => None,
            Some(StoreKind::Oci) if is_file => {
                return Err(Failure::failed(format!("`oci:` expects a directory; {path} is a file"))
                    .hint(format!("for an archive, write oci-archive:{path} or {path}")));
            }
            _ => return open_layout(path, opening).map(Box::new).map(Self::Layout),
        };
        let copying = Copying { kind: wanted, limits: &limits, show };
        if is_standard_input(kind, path) {
            let archive = CopiedArchive::of_standard_input(&copying);
            return archive
                .map(|archive| Self::Copied(Box::new(archive)))
                .map_err(|error| Failure::from(at("standard input", error)));
        }
        if is_pipe {
            let pipe = File::open(path).map_err(Error::io("open")).map_err(at_path)?;
            let archive = CopiedArchive::of_pipe(pipe, &copying).map_err(at_path)?;
            return Ok(Self::Copied(Box::new(archive)));
        }
        if Path::new(path).is_dir() {
            return Err(Failure::failed(format!("expected an archive; {path} is a directory"))
                .hint(format!("for a layout, write oci:{path} or {path}")));
        }
        let (dir, name) = parent(Path::new(path))?;
        let name =
            Name::new(name.as_encoded_bytes()).map_err(|error| at_path(Error::Misuse(error.to_string())))?;
        if let Some(file) = compressed(&dir, name).map_err(at_path)? {
            let archive = CopiedArchive::of_file(file, Path::new(path), &copying).map_err(at_path)?;
            return Ok(Self::Copied(Box::new(archive)));
        }
        let archive = ArchiveFile::open(dir, name, wanted, &limits).map_err(at_path)?;
        Ok(Self::Archive(Box::new(archive.waiting(patience(path, show == Show::Nothing)))))
    }

    /// Opens the layout at a path, which is created if there is none.
    pub(crate) fn open_or_create_layout(path: &str, opening: &Opening) -> Result<Self, Failure> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(Failure::failed(format!("create directory {path}: {error}")));
            }
            _ => {}
        }
        let dir = system::open_dir(Path::new(path)).map_err(|error| no_layout(path, &error))?;
        let layout = LayoutStore::open_or_create(dir, &opening.limits)
            .map_err(|error| Failure::from(at(path, error)))?;
        sharing(layout, path, opening).map(Box::new).map(Self::Layout)
    }

    /// Returns the store on another machine that this is.
    pub(crate) fn remote(&self) -> Option<&Remote> {
        match self {
            Self::Remote(store) => Some(store),
            _ => None,
        }
    }

    /// Returns whether this is a repository of a registry.
    pub(crate) fn is_registry(&self) -> bool {
        self.remote().is_some_and(Remote::is_registry)
    }

    fn get(&self) -> &dyn Store {
        match self {
            Self::Remote(store) => store.store(),
            Self::Layout(store) => &**store,
            Self::Archive(store) => &**store,
            Self::Copied(store) => &**store,
        }
    }
}

/// Opens a file if it is compressed.
fn compressed(dir: &SystemDir, name: Name<'_>) -> Result<Option<<SystemDir as Dir>::File>> {
    let mut file = dir.open_file(name).map_err(Error::io(format_args!("open {name}")))?;
    let mut start = Vec::new();
    let read = (&mut file).take(COMPRESSION_START as u64).read_to_end(&mut start);
    read.and_then(|_| file.rewind()).map_err(Error::io(format_args!("read {name}")))?;
    Ok((Compression::of_start(&start) != Compression::None).then_some(file))
}

/// The time for which an edit of an archive waits for that of another process.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The time after which the user is told what it waits for.
const SILENT_WAIT: Duration = Duration::from_secs(1);

/// Waits while another process edits an archive, and tells the user.
pub(crate) fn patience(path: &str, quiet: bool) -> Box<Wait> {
    let path = printable(path);
    let (since, told) = (OnceLock::new(), AtomicBool::new(quiet));
    Box::new(move || {
        let waited = since.get_or_init(Instant::now).elapsed();
        if waited >= SILENT_WAIT && !told.swap(true, Ordering::Relaxed) {
            stream::message(format_args!("waiting until another edit of {path} is finished"));
        }
        thread::sleep(Duration::from_millis(10));
        waited < LONGEST_WAIT
    })
}

fn open_layout(path: &str, opening: &Opening) -> Result<LayoutStore<SystemDir>, Failure> {
    let dir = system::open_dir(Path::new(&path)).map_err(|error| no_layout(path, &error))?;
    let layout = LayoutStore::open(dir, &opening.limits).map_err(|error| Failure::from(at(path, error)))?;
    sharing(layout, path, opening)
}

/// Adds the directory of shared blobs to a layout.
fn sharing(
    layout: LayoutStore<SystemDir>,
    path: &str,
    opening: &Opening,
) -> Result<LayoutStore<SystemDir>, Failure> {
    let Some(shared) = &opening.shared_blob_dir else { return Ok(layout) };
    let place = |path: &Path| {
        let whole = path.canonicalize().map_err(Error::io(format_args!("{}", path.display())))?;
        Ok::<_, Error>(EntryPath::clean(whole.as_os_str().as_encoded_bytes(), &opening.limits)?)
    };
    let dir = open_dir(shared)?;
    Ok(layout.sharing(SharedBlobs { dir, path: place(shared)?, layout: place(Path::new(path))? }))
}

/// Adds the path of the store to an error.
fn at(path: &str, error: Error) -> Error {
    match error {
        Error::NotFound(message) => Error::NotFound(format!("{path}: {message}")),
        Error::Unsupported(message) => Error::Unsupported(format!("{path}: {message}")),
        Error::Document { what, reason } => Error::Document { what: format!("{path}: {what}"), reason },
        Error::Layer { what, reason } => Error::Layer { what: format!("{path}: {what}"), reason },
        Error::Limit { what, name, limit } => Error::Limit { what: format!("{path}: {what}"), name, limit },
        Error::Io { doing, source } => Error::Io { doing: format!("{path}: {doing}"), source },
        other => other,
    }
}

/// Returns the failure to open the directory of a layout.
fn no_layout(path: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::failed(format!("open layout {path}: {error}"));
    let hint = match path.rsplit_once(':') {
        _ if error.kind() != std::io::ErrorKind::NotFound => return failure,
        _ if path.contains("://") => {
            "references begin with docker:// for registries, https:// for web servers".into()
        }
        Some((layout, tag)) if !tag.contains('/') => format!("for the tag {tag}, write {layout}#{tag}"),
        _ if system::IS_SANDBOX && path.starts_with('/') => {
            "a sandbox can only open preopened directories, under the names that they have there".into()
        }
        _ => format!("`ocicle init {path}` creates a layout"),
    };
    failure.hint(hint)
}

/// Opens a directory.
pub(crate) fn open_dir(path: &Path) -> Result<SystemDir, Failure> {
    system::open_dir(path)
        .map_err(|error| Failure::failed(format!("open directory {}: {error}", path.display())))
}

/// Opens the directory of a file, and returns the file's name there. Symbolic links to the file are followed,
/// so that an edit replaces the file and not the link.
pub(crate) fn parent(path: &Path) -> Result<(SystemDir, OsString), Failure> {
    let path =
        system::follow(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    let Some(name) = path.file_name() else {
        return Err(Failure::usage(format!("not a file name: {}", path.display())));
    };
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    Ok((open_dir(dir)?, name.to_owned()))
}

impl BlobRead for AnyStore {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        self.get().try_open(blob)
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        self.get().try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.get().try_size(blob)
    }
}

impl BlobWrite for AnyStore {
    fn hold(&self) -> Result<()> {
        self.get().hold()
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.get().begin(blob)
    }
}

impl RootIndex for AnyStore {
    fn load(&self) -> Result<Raw<Index>> {
        self.get().load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.get().replace(expected, new)
    }
}

impl Collect for AnyStore {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        match self {
            Self::Layout(store) => store.collect(),
            Self::Archive(store) => store.collect(),
            Self::Copied(store) => store.collect(),
            Self::Remote(store) => store.collect(),
        }
    }
}
