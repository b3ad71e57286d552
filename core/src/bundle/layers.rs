//! The layers to put on a disk.

use super::options::ExtractOptions;
use crate::{
    error::{Error, Result},
    fs::Support,
    image::{
        Image,
        layers::{apply_layers_from, find_layer},
    },
    layer::on_disk::Privilege,
    limits::Limits,
    store::{BlobRead, Repository},
    tree::{
        Tree,
        merge::{Merge, TreeSink},
    },
};

/// The layers of an image that the options ask for.
pub(super) struct Layers<'a, S> {
    repository: &'a Repository<S>,
    image: &'a Image,
    /// The number of lowest layers that are skipped.
    skipped: usize,
    pub(super) options: &'a ExtractOptions,
}

impl<'a, S: BlobRead> Layers<'a, S> {
    /// # Errors
    /// [`Error::NotFound`] if the image does not have the layer to start from.
    pub(super) fn new(
        repository: &'a Repository<S>,
        image: &'a Image,
        options: &'a ExtractOptions,
    ) -> Result<Self> {
        let skipped = match &options.start_from {
            Some(layer) => find_layer(image, layer.as_str())?.0,
            None => 0,
        };
        Ok(Self { repository, image, skipped, options })
    }

    /// Returns the limits on what is read.
    pub(super) fn limits(&self) -> &'a Limits {
        self.repository.limits()
    }

    /// Returns whether no layer is left out.
    pub(super) fn are_all(&self) -> bool {
        self.skipped == 0
    }

    /// Returns the number of layers that are put on the disk.
    pub(super) fn count(&self) -> usize {
        self.image.layers().len() - self.skipped
    }

    /// Merges the layers over nothing.
    pub(super) fn merge<M: TreeSink>(&self, sink: M) -> Result<(Tree, M)> {
        let implied = self.options.on_disk.implied_dir()?;
        let mut merge =
            Merge::implying(implied, sink, self.limits()).keep_dirlinks(self.options.keep_dirlinks);
        self.apply(&mut merge)?;
        merge.finish()
    }

    /// Applies the layers to a merge that has begun.
    pub(super) fn apply<M: TreeSink>(&self, merge: &mut Merge<M>) -> Result<()> {
        apply_layers_from(self.repository, self.image, self.skipped, &self.options.on_disk, merge)
    }
}

/// Refuses a directory that cannot hold what entries are made of.
pub(super) fn check_support(support: &Support, privilege: Privilege) -> Result<()> {
    let able = match privilege {
        Privilege::Full => support.owner && support.devices,
        Privilege::Namespace => support.owner,
        Privilege::None => true,
    };
    if able && support.mode && support.xattrs {
        return Ok(());
    }
    let what = match privilege {
        Privilege::None => "modes and extended attributes",
        _ => "owners, modes, extended attributes and devices",
    };
    Err(Error::Unsupported(format!(
        "this directory cannot hold the image's {what}\n\
         hint: use a file system that can, as root or rootless; or unpack a bundle in the native format, \
         which keeps them in its manifest; or export a tar archive"
    )))
}
