//! The layers of an image in any directory: no bundle, and nothing that a repack would need.

use std::fmt;

use super::unpack::{Options, check_support, first_layer};
use crate::{
    attrs::Xattrs,
    error::{Error, Result},
    fs::{AttrChange, DirPosix, remove_tree},
    image::{Image, layers::apply_layers_from},
    limits::Limits,
    store::BlobRead,
    tree::{merge::Merge, rootfs::RootfsSink, scan::scan},
};

/// Why layers did not get into a directory.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failed {
    /// What went wrong.
    pub error: Error,
    /// Whether part of the image is in the directory now.
    pub left: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, left: false }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.left {
            true => write!(f, "{}; what had been unpacked by then is in the directory now", self.error),
            false => self.error.fmt(f),
        }
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Unpacks the layers of an image into a directory. What is there is what a layer lies on: it is merged over, and stays where no
/// layer has anything else. An empty directory becomes the image's root; of any other one, the attributes stay unless a layer
/// has some. `format` and `resolv_conf` of the options mean nothing here.
///
/// After a failure a directory that was empty is empty again; see [`Failed::left`].
///
/// # Errors
/// Those of [`super::unpack::unpack`], less those that are about bundles.
pub fn unpack_onto<S: BlobRead + ?Sized, D: DirPosix>(
    store: &S,
    image: &Image,
    dir: D,
    options: &Options,
    limits: &Limits,
) -> Result<(), Failed> {
    let first = first_layer(image, options)?;
    let how = &options.on_disk;
    check_support(&dir.support(), how.privilege)?;
    let implied = how.implied_dir()?;
    let empty = dir.names().map_err(Error::io("read the directory"))?.is_empty();
    let merge = if empty {
        // A default access control list would go on to every file.
        let none = Xattrs::new();
        let none = AttrChange::default().xattrs(&none);
        dir.set_self_attrs(&none).map_err(Error::io("clear the attributes of the directory"))?;
        Merge::implying(implied, RootfsSink::over(dir), limits)
    } else {
        Merge::over(scan(&dir, limits)?, implied, RootfsSink::over(dir), limits)
    };
    let mut merge = merge.keep_dirlinks(options.keep_dirlinks);
    let result = apply_layers_from(store, image, first, how, &mut merge, limits);
    result.and_then(|()| merge.finish_sink()).map_err(|error| {
        let mirror = merge.into_sink();
        let left = !empty || clear(mirror.root()).is_err();
        Failed { error, left }
    })
}

fn clear<D: DirPosix>(dir: &D) -> std::io::Result<()> {
    dir.names()?.iter().try_for_each(|name| remove_tree(dir, name.as_name()))
}

#[cfg(test)]
mod tests;
