//! Images in a tar file, read in place and never unpacked.
//!
//! Members are looked up by name, and links among them are followed inside the archive only, so no path can
//! lead outside.

mod docker;
mod members;
mod oci;
pub(crate) mod saved;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use std::{collections::BTreeMap, io::Cursor, io::Read, ops::Range, sync::Arc};

use self::members::Members;
pub use self::write::write_archive;
use super::{
    BlobRead, BlobWrite, NewBlob, Pending, ReadAt, ReadSeek, RootIndex,
    read_at::{Extent, Part},
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    limits::Limits,
    spec::{Descriptor, Index, Raw},
};

/// An archive that holds images. It is read-only.
///
/// ```
/// use ocicle::{limits::Limits, store::{RootIndex as _, archive::{Archive, ArchiveKind}}};
///
/// let mut tar = tar::Builder::new(Vec::new());
/// for (name, text) in [
///     ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#),
///     ("index.json", r#"{"schemaVersion":2,"manifests":[]}"#),
/// ] {
///     let mut header = tar::Header::new_ustar();
///     header.set_size(text.len() as u64);
///     tar.append_data(&mut header, name, text.as_bytes())?;
/// }
/// let archive = Archive::open(tar.into_inner()?, None, &Limits::default())?;
/// assert_eq!(archive.kind(), ArchiveKind::Oci);
/// assert!(archive.load()?.view().manifests.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Archive {
    kind: ArchiveKind,
    bytes: Arc<dyn ReadAt>,
    blobs: BTreeMap<Digest, Content>,
    index: Raw<Index>,
    /// The lists that the archive has for Docker, if it is of the other kind.
    lists: Vec<DockerList>,
}

/// The formats of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArchiveKind {
    /// An image layout (image-spec, image-layout.md) in a tar: skopeo's and podman's `oci-archive`.
    Oci,
    /// An archive as `docker save` writes it: `manifest.json`, and the configs and layers that it names.
    Docker,
}

impl ArchiveKind {
    /// Returns the name of the member that identifies the format.
    fn marker(self) -> &'static str {
        match self {
            Self::Oci => super::layout::MARKER,
            Self::Docker => saved::MANIFEST,
        }
    }
}

impl std::fmt::Display for ArchiveKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Oci => "oci-archive",
            Self::Docker => "docker-archive",
        })
    }
}

/// A list of images that Docker writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DockerList {
    /// `manifest.json`.
    Manifest,
    /// The older `repositories`.
    Repositories,
}

impl DockerList {
    /// Returns the name of the member.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Manifest => saved::MANIFEST,
            Self::Repositories => "repositories",
        }
    }
}

/// Returns the kind that was asked for, or the first that matches.
fn choose(members: &Members, wanted: Option<ArchiveKind>) -> Result<ArchiveKind> {
    let mut there = Vec::new();
    for kind in [ArchiveKind::Oci, ArchiveKind::Docker] {
        if members.find(kind.marker().as_bytes())?.is_some() {
            there.push(kind);
        }
    }
    match (wanted, there.first()) {
        (None, Some(&kind)) => Ok(kind),
        (Some(kind), Some(_)) if there.contains(&kind) => Ok(kind),
        (Some(kind), Some(other)) => Err(Error::NotFound(format!(
            "{} not found in the archive, but {}: it is of the kind {other}:, not {kind}:",
            kind.marker(),
            other.marker()
        ))),
        (_, None) => Err(Error::NotFound(format!(
            "the archive holds no images: neither {} nor {} found",
            ArchiveKind::Oci.marker(),
            ArchiveKind::Docker.marker()
        ))),
    }
}

/// The content of a blob.
enum Content {
    There(Extent),
    /// Made by this module: a manifest, which Docker's format does not have.
    Made(Arc<[u8]>),
}

impl Archive {
    /// Opens an archive: of the given kind, or of the kind that it is. Docker writes archives that are both,
    /// which are then read as [`ArchiveKind::Oci`], unless that has no images: `docker save NAME@DIGEST`
    /// leaves `index.json` empty.
    ///
    /// # Errors
    /// [`Error::Document`] for anything but a tar, a tar that was cut off, or invalid documents;
    /// [`Error::Unsupported`] for a compressed archive or one with sparse files; [`Error::NotFound`] if it
    /// holds no images of that kind; [`Error::MissingBlob`] or [`Error::NotFound`] for objects that
    /// `manifest.json` names and the archive lacks; [`Error::Limit`]; [`Error::Io`].
    pub fn open(bytes: impl ReadAt + 'static, kind: Option<ArchiveKind>, limits: &Limits) -> Result<Self> {
        let bytes: Arc<dyn ReadAt> = Arc::new(bytes);
        let members = Members::read(&bytes, limits)?;
        let source = Source { bytes: &bytes, members: &members, limits };
        let found = choose(&members, kind)?;
        let archive = Self::of_kind(found, &source)?;
        if kind.is_none() && archive.index.view().manifests.is_empty() && !archive.lists.is_empty() {
            let docker = Self::of_kind(ArchiveKind::Docker, &source)?;
            if !docker.index.view().manifests.is_empty() {
                return Ok(docker);
            }
        }
        Ok(archive)
    }

    fn of_kind(kind: ArchiveKind, source: &Source<'_>) -> Result<Self> {
        let mut lists = Vec::new();
        let (index, blobs) = match kind {
            ArchiveKind::Oci => oci::open(source)?,
            ArchiveKind::Docker => docker::open(source)?,
        };
        if kind == ArchiveKind::Oci && source.members.find(DockerList::Manifest.name().as_bytes())?.is_some()
        {
            lists.push(DockerList::Manifest);
            if source.members.find(DockerList::Repositories.name().as_bytes())?.is_some() {
                lists.push(DockerList::Repositories);
            }
        }
        Ok(Self { kind, bytes: Arc::clone(source.bytes), blobs, index, lists })
    }

    /// Returns the lists for Docker in an archive that is read as [`ArchiveKind::Oci`].
    pub(crate) fn lists(&self) -> &[DockerList] {
        &self.lists
    }

    /// Returns its format.
    #[must_use]
    pub fn kind(&self) -> ArchiveKind {
        self.kind
    }

    /// Returns the range of a blob in the archive, in bytes; `None` if the blob is absent, or was made when
    /// the archive was opened.
    #[must_use]
    pub fn extent(&self, digest: &Digest) -> Option<Range<u64>> {
        match self.blobs.get(digest)? {
            Content::There(Extent { start, size }) => Some(*start..start + size),
            Content::Made(_) => None,
        }
    }

    /// Returns its blobs with their sizes in bytes, by digest.
    pub fn blobs(&self) -> impl Iterator<Item = (&Digest, u64)> {
        self.blobs.iter().map(|(digest, content)| (digest, content.size()))
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::There(extent) => extent.size,
            Self::Made(bytes) => bytes.len() as u64,
        }
    }
}

impl BlobRead for Archive {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(self.blobs.get(&blob.digest).map(|content| match content {
            Content::There(extent) => Box::new(Part::new(&self.bytes, *extent)) as Box<dyn Read + Send + '_>,
            Content::Made(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        }))
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(self.blobs.get(&blob.digest).map(|content| match content {
            Content::There(extent) => Box::new(Part::new(&self.bytes, *extent)) as Box<dyn ReadSeek + '_>,
            Content::Made(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        }))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        Ok(self.blobs.get(&blob.digest).map(Content::size))
    }
}

/// Writing is always [`Error::Unsupported`].
impl BlobWrite for Archive {
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        Err(self.read_only())
    }
}

/// Replacing is always [`Error::Unsupported`].
impl RootIndex for Archive {
    fn load(&self) -> Result<Raw<Index>> {
        Ok(self.index.clone())
    }

    fn replace(&self, _: &Digest, _: &Raw<Index>) -> Result<()> {
        Err(self.read_only())
    }
}

impl Archive {
    pub(crate) fn read_only(&self) -> Error {
        let kind = match self.kind {
            ArchiveKind::Oci => "this archive",
            ArchiveKind::Docker => "an archive of Docker's format",
        };
        Error::Unsupported(format!(
            "{kind} is read-only\nhint: copy it first, with `ocicle copy ARCHIVE oci:DIRECTORY`"
        ))
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("kind", &self.kind)
            .field("blobs", &self.blobs.len())
            .finish_non_exhaustive()
    }
}

/// An archive whose members are known.
struct Source<'a> {
    bytes: &'a Arc<dyn ReadAt>,
    members: &'a Members,
    limits: &'a Limits,
}

impl Source<'_> {
    /// Reads a whole document.
    fn document(&self, name: &str) -> Result<Vec<u8>> {
        let Some(extent) = self.members.find(name.as_bytes())? else {
            return Err(Error::NotFound(format!("{name:?} not found in the archive")));
        };
        if extent.size > self.limits.document {
            return Err(Error::limit(name, "document", self.limits.document));
        }
        let mut bytes = Vec::new();
        Part::new(self.bytes, extent)
            .read_to_end(&mut bytes)
            .map_err(Error::io(format_args!("read {name:?} of the archive")))?;
        Ok(bytes)
    }
}
