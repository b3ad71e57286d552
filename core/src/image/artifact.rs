//! Manifests that are not those of images: files, mostly about an image.

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, ErrorKind, Read},
    sync::atomic::AtomicU64,
};

use crate::{
    error::{Error, Result},
    fs::DirPosix,
    limits::Limits,
    name::EntryPath,
    spec::{Annotations, Descriptor, Manifest, MediaType, Raw, media_type::MANIFEST},
    store::{BlobRead, BlobWriter, Repository, Store, put_document, put_empty, temporary::Temporary},
};

/// The annotation of a layer with the name of the file (image-spec, annotations.md).
const TITLE: &str = "org.opencontainers.image.title";

/// An artifact, such as a signature or an SBOM: a manifest without an image.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "a plain view")]
pub struct Artifact {
    /// The descriptor that the artifact was opened with.
    pub descriptor: Descriptor,
    /// The manifest.
    pub manifest: Raw<Manifest>,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct ArtifactFile {
    /// Its path, below the directory that it is written to.
    pub path: EntryPath,
    /// Its content.
    pub blob: Descriptor,
}

/// An artifact that is made: see [`Repository::attach`].
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct NewArtifact<'a> {
    /// Its type, such as `application/spdx+json`.
    pub artifact_type: MediaType,
    /// Its files, which become its layers.
    pub files: Vec<AttachedFile<'a>>,
    /// Annotations of the manifest.
    pub annotations: Annotations,
}

/// A file that is attached to an object.
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct AttachedFile<'a> {
    /// Its name: the title of the layer.
    pub name: String,
    /// The media type of the layer.
    pub media_type: MediaType,
    /// Its content.
    pub content: Box<dyn Read + 'a>,
}

impl fmt::Debug for AttachedFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachedFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Artifact {
    /// Reads the manifest.
    ///
    /// # Errors
    /// Those of [`Repository::document`].
    pub fn open(repository: &Repository<impl BlobRead>, descriptor: &Descriptor) -> Result<Self> {
        Ok(Self { descriptor: descriptor.clone(), manifest: repository.document(descriptor)? })
    }

    /// Returns its type: that of the manifest, or else the media type of the config.
    #[must_use]
    pub fn artifact_type(&self) -> &MediaType {
        let Manifest { artifact_type, config, .. } = self.manifest.view();
        artifact_type.as_ref().unwrap_or(&config.media_type)
    }

    /// Returns the files: the layers with a title. Others, such as the layers of an image, have no name.
    ///
    /// # Errors
    /// [`Error::Document`] for a title that is not the path of a file below a directory, or two equal ones.
    pub fn files(&self, limits: &Limits) -> Result<Vec<ArtifactFile>> {
        let mut seen = BTreeSet::new();
        let layers = self.manifest.view().layers.iter();
        let named = layers.filter_map(|layer| Some((layer, layer.annotations.get(TITLE)?)));
        named
            .map(|(layer, title)| {
                let wrong = |reason: &str| {
                    let what = format!("manifest {}: layer {}", self.descriptor.digest, layer.digest);
                    Error::document(what, format!("the title {title:?} {reason}"))
                };
                let path =
                    EntryPath::clean(title.as_bytes(), limits).map_err(|error| wrong(&error.to_string()))?;
                if title.starts_with('/') || title.split('/').any(|name| name == "..") || path.is_root() {
                    return Err(wrong("is not the path of a file below a directory"));
                }
                match seen.insert(path.clone()) {
                    true => Ok(ArtifactFile { path, blob: layer.clone() }),
                    false => Err(wrong("is that of two layers")),
                }
            })
            .collect()
    }
}

/// The treatment of a file that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one thing or the other")]
pub enum ExistingFile {
    /// It is replaced, once the new content is complete.
    Replace,
    /// It is an error, and stays.
    Keep,
}

impl<S: BlobRead> Repository<S> {
    /// Writes a file of an artifact into a directory, and verifies it. Directories are created, and symbolic
    /// links are not followed. The file has its name once it is complete.
    ///
    /// # Errors
    /// [`Error::Exists`] for a file that is to be kept; [`Error::Io`], also where a part of the path is a
    /// link or a file; those of [`Repository::blob`].
    pub fn write_file<D: DirPosix>(
        &self,
        file: &ArtifactFile,
        dir: &D,
        existing: ExistingFile,
    ) -> Result<()> {
        let failed = || Error::io(format!("write {}", file.path));
        let Some((parents, name)) = file.path.split_last() else {
            return Err(Error::Misuse("a file has a name".into()));
        };
        let mut opened: Option<D> = None;
        for parent in parents.names() {
            let at = opened.as_ref().unwrap_or(dir);
            match at.create_dir(parent) {
                Ok(()) => at.share(parent).map_err(failed())?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed()(error)),
            }
            opened = Some(at.open_dir(parent).map_err(failed())?);
        }
        let at = opened.as_ref().unwrap_or(dir);
        let exists = || Error::Exists(format!("{} already exists", file.path));
        if existing == ExistingFile::Keep && at.metadata(name).is_ok() {
            return Err(exists());
        }
        let mut new = Temporary::new(at, &AtomicU64::new(0)).map_err(failed())?;
        io::copy(&mut self.blob(&file.blob)?, &mut new).map_err(failed())?;
        match existing {
            ExistingFile::Replace => new.place(at, name).map_err(failed()),
            ExistingFile::Keep => new.place_new(at, name).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => exists(),
                _ => failed()(error),
            }),
        }
    }
}

impl<S: Store> Repository<S> {
    /// Stores an artifact about an object, and returns its descriptor for a root index; see
    /// [`add_roots`](crate::graph::describe::add_roots). A registry lists it by its subject.
    ///
    /// # Errors
    /// [`Error::Misuse`], before anything is stored, if the object is neither a manifest nor an index, or two
    /// files have one name; those of the store, and of reading the files.
    pub fn attach(&self, subject: &Descriptor, new: NewArtifact<'_>) -> Result<Descriptor> {
        let Descriptor { media_type, digest, size, .. } = subject;
        if !media_type.is_manifest() && !media_type.is_index() {
            let what = format!("{digest} is of type {media_type}: an artifact is about a manifest or index");
            return Err(Error::Misuse(what));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = new.files.iter().find(|file| !names.insert(&file.name)) {
            return Err(Error::Misuse(format!("two files of the artifact have the name {}", twice.name)));
        }
        let mut layers = new.files.into_iter().map(|file| self.put(file)).collect::<Result<Vec<_>>>()?;
        let empty = put_empty(self.store())?;
        if layers.is_empty() {
            layers.push(empty.clone());
        }
        let manifest = Raw::new(Manifest {
            artifact_type: Some(new.artifact_type.clone()),
            subject: Some(Descriptor::new(media_type.clone(), digest.clone(), *size)),
            annotations: new.annotations,
            ..Manifest::new(empty, layers)
        })?;
        let made = put_document(self.store(), &manifest, &MediaType::literal(MANIFEST))?;
        Ok(Descriptor { artifact_type: Some(new.artifact_type), ..made })
    }

    fn put(&self, AttachedFile { name, media_type, mut content }: AttachedFile<'_>) -> Result<Descriptor> {
        let mut writer = BlobWriter::new(self.store(), media_type)?;
        io::copy(&mut content, &mut writer).map_err(Error::io(format_args!("copy {name}")))?;
        let mut layer = writer.finish()?;
        layer.annotations.insert(TITLE.into(), name);
        Ok(layer)
    }
}
