//! The choices that a caller has.

use crate::{
    attrs::Time,
    digest::Digest,
    layer::{on_disk::OnDisk, overlayfs::Namespace},
    name::EntryPath,
    spec::{Compression, History},
};

/// The layout of a bundle, and the form of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// ocicle's own: a repack reads only what has changed.
    #[default]
    Native,
    /// umoci's, which both tools read.
    Umoci,
    /// A directory for each layer, for overlayfs to mount, with its marks in this namespace.
    Overlayfs(Namespace),
}

/// Options for putting layers into a directory.
///
/// ```
/// use ocicle::{bundle::ExtractOptions, layer::on_disk::OnDisk};
///
/// let options = ExtractOptions::default().on_disk(OnDisk::rootless(1000, 100)).keep_dirlinks(true);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExtractOptions {
    pub(super) on_disk: OnDisk,
    pub(super) keep_dirlinks: bool,
    pub(super) start_from: Option<Digest>,
}

impl ExtractOptions {
    /// Sets how entries are stored on the disk. A repack undoes it. The default is as they are in the image.
    #[must_use]
    pub fn on_disk(self, on_disk: OnDisk) -> Self {
        Self { on_disk, ..self }
    }

    /// Sets whether a directory of a layer keeps a symbolic link to a directory in its place; see
    /// [`Merge::keep_dirlinks`](crate::tree::merge::Merge::keep_dirlinks). The default is false.
    #[must_use]
    pub fn keep_dirlinks(self, keep_dirlinks: bool) -> Self {
        Self { keep_dirlinks, ..self }
    }

    /// Sets the lowest layer to extract; those below it are left out. The default, `None`, is all.
    #[must_use]
    pub fn start_from(self, layer: impl Into<Option<Digest>>) -> Self {
        Self { start_from: layer.into(), ..self }
    }
}

/// Options for unpacking an image into a bundle.
///
/// ```
/// use ocicle::bundle::{ExtractOptions, Format, UnpackOptions};
///
/// let layers = ExtractOptions::default().keep_dirlinks(true);
/// let options = UnpackOptions::default().format(Format::Umoci).extract(layers);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct UnpackOptions {
    pub(super) format: Format,
    pub(super) extract: ExtractOptions,
    pub(super) resolv_conf: bool,
}

impl UnpackOptions {
    /// Sets the format of the bundle.
    #[must_use]
    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Sets how the layers are put into the root file system.
    #[must_use]
    pub fn extract(self, extract: ExtractOptions) -> Self {
        Self { extract, ..self }
    }

    /// Sets whether the host has a file `/etc/resolv.conf`, for containers that share its network. The
    /// default is false.
    #[must_use]
    pub fn resolv_conf(self, resolv_conf: bool) -> Self {
        Self { resolv_conf, ..self }
    }
}

/// Options for making a `config.json`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RuntimeOptions {
    pub(super) root: String,
    pub(super) on_disk: OnDisk,
    pub(super) resolv_conf: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self { root: super::files::ROOTFS.into(), on_disk: OnDisk::default(), resolv_conf: false }
    }
}

impl RuntimeOptions {
    /// Sets the path of the root file system, as seen from the bundle. The default is `rootfs`.
    #[must_use]
    pub fn root(self, root: impl Into<String>) -> Self {
        Self { root: root.into(), ..self }
    }

    /// Sets how entries are stored in the root file system.
    #[must_use]
    pub fn on_disk(self, on_disk: OnDisk) -> Self {
        Self { on_disk, ..self }
    }

    /// Sets whether the host has a file `/etc/resolv.conf`, for containers that share its network. The
    /// default is false.
    #[must_use]
    pub fn resolv_conf(self, resolv_conf: bool) -> Self {
        Self { resolv_conf, ..self }
    }
}

/// Options for comparing the files of a bundle with its record.
///
/// ```
/// let options = ocicle::bundle::CompareOptions::default().verify(true);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CompareOptions {
    pub(super) verify: bool,
    pub(super) masked: Vec<EntryPath>,
}

impl CompareOptions {
    /// Sets whether every file is read. By default an unchanged stamp proves that a file has not changed.
    #[must_use]
    pub fn verify(self, verify: bool) -> Self {
        Self { verify, ..self }
    }

    /// Sets the paths at and below which changes are ignored.
    #[must_use]
    pub fn masked(self, masked: impl IntoIterator<Item = EntryPath>) -> Self {
        Self { masked: masked.into_iter().collect(), ..self }
    }
}

/// Options for repacking a bundle.
///
/// ```
/// use ocicle::{bundle::RepackOptions, spec::Compression};
///
/// let options = RepackOptions::default().compression(Compression::Zstd).refresh(true);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RepackOptions {
    pub(super) compare: CompareOptions,
    pub(super) compression: Option<Compression>,
    pub(super) latest: Option<Time>,
    pub(super) history: Option<History>,
    pub(super) refresh: bool,
}

impl RepackOptions {
    /// Sets how changes are found.
    #[must_use]
    pub fn compare(self, compare: CompareOptions) -> Self {
        Self { compare, ..self }
    }

    /// Sets the compression of the new layer. The default, `None`, is that of the image's last layer, or gzip
    /// if the image has none.
    #[must_use]
    pub fn compression(self, compression: impl Into<Option<Compression>>) -> Self {
        Self { compression: compression.into(), ..self }
    }

    /// Sets the latest time in the layer; later ones become this one. The default, `None`, leaves times
    /// alone.
    #[must_use]
    pub fn latest(self, latest: impl Into<Option<Time>>) -> Self {
        Self { latest: latest.into(), ..self }
    }

    /// Sets the history entry of the new layer. The default, `None`, adds no entry.
    #[must_use]
    pub fn history(self, history: impl Into<Option<History>>) -> Self {
        Self { history: history.into(), ..self }
    }

    /// Sets whether the bundle records the new image, so that the next repack continues from there. The
    /// default is false.
    #[must_use]
    pub fn refresh(self, refresh: bool) -> Self {
        Self { refresh, ..self }
    }
}
