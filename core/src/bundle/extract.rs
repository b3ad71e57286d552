//! The layers of an image in any directory, without a bundle.

use std::fmt;

use super::{
    layers::{Layers, check_support},
    options::ExtractOptions,
};
use crate::{
    attrs::Xattrs,
    error::{Error, Result},
    fs::{AttrChange, DirPosix, remove_tree},
    image::Image,
    layer::LostLists,
    store::{BlobRead, Repository},
    tree::{merge::Merge, rootfs::RootfsSink, scan::scan},
};

/// Why layers could not be extracted.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExtractError {
    /// The error.
    pub error: Error,
    /// Whether the directory now holds part of the image.
    pub partial: bool,
}

impl From<Error> for ExtractError {
    fn from(error: Error) -> Self {
        Self { error, partial: false }
    }
}

impl fmt::Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partial {
            true => write!(f, "{}\nthe directory now holds part of the image", self.error),
            false => self.error.fmt(f),
        }
    }
}

impl std::error::Error for ExtractError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Extracts the layers of an image into a directory. Existing content acts as the lowest layer: it stays
/// where no layer replaces or removes it. An empty directory becomes the image's root; the attributes of any
/// other one stay unless a layer has some.
///
/// Returns the access control lists of the layers that are not there.
///
/// After a failure, a directory that was empty is empty again; see [`ExtractError::partial`].
///
/// # Errors
/// Those of [`unpack`](super::unpack), but for those that concern bundles.
pub fn extract<S: BlobRead, D: DirPosix>(
    repository: &Repository<S>,
    image: &Image,
    dir: D,
    options: &ExtractOptions,
) -> Result<LostLists, ExtractError> {
    let layers = Layers::new(repository, image, options)?;
    check_support(&dir.support(), options.on_disk.privilege)?;
    let implied = options.on_disk.implied_dir()?;
    let empty = dir.names().map_err(Error::io("read the directory"))?.is_empty();
    let merge = if empty {
        // A default access control list would be inherited by every file.
        let none = AttrChange { xattrs: Some(&Xattrs::new()), ..AttrChange::default() };
        dir.set_self_attrs(&none).map_err(Error::io("clear the attributes of the directory"))?;
        Merge::implying(implied, RootfsSink::over(dir), repository.limits())
    } else {
        Merge::over(scan(&dir, repository.limits())?, implied, RootfsSink::over(dir), repository.limits())
    };
    let mut merge = merge.keep_dirlinks(options.keep_dirlinks);
    let applied = layers.apply(&mut merge).and_then(|()| merge.finish_sink());
    applied.map(|()| merge.tree().lost_lists().clone()).map_err(|error| {
        let sink = merge.into_sink();
        let partial = !empty || clear(sink.root()).is_err();
        ExtractError { error, partial }
    })
}

/// Removes everything in a directory.
fn clear<D: DirPosix>(dir: &D) -> std::io::Result<()> {
    dir.names()?.iter().try_for_each(|name| remove_tree(dir, name.as_name()))
}

#[cfg(test)]
mod tests;
