//! The layers of an image, one on top of the other.

use super::Image;
use crate::{
    error::{Error, Result},
    layer::{
        on_disk::{OnDisk, ToDisk},
        reader::read_layer,
    },
    limits::Limits,
    store::BlobRead,
    tree::{
        Tree,
        merge::{Merge, Mirror},
    },
};

/// Applies every layer, the base first, as `how` puts its entries on a disk. Each blob's size and digest and each diff_id is verified in passing; what a layer
/// did is to be thrown away if this fails.
///
/// # Errors
/// [`Error::Mismatch`] naming the layer by number, from 1, and digest; [`Error::Layer`], [`Error::Limit`]; [`Error::MissingBlob`];
/// those of [`OnDisk::to_disk`]; [`Error::Io`] of the store or the mirror.
pub fn apply_layers<S: BlobRead + ?Sized, M: Mirror>(
    store: &S,
    image: &Image,
    how: &OnDisk,
    merge: &mut Merge<M>,
    limits: &Limits,
) -> Result<()> {
    for (number, (descriptor, diff_id)) in image.layers().enumerate() {
        let sink = &mut ToDisk { sink: merge, how };
        read_layer(store, descriptor, diff_id, limits, sink).map_err(|error| match error {
            Error::Mismatch { property, expected, actual, .. } => {
                let subject = format!("layer {} ({})", number + 1, descriptor.digest);
                Error::Mismatch { subject, property, expected, actual }
            }
            other => other,
        })?;
        merge.next_layer();
    }
    Ok(())
}

/// The merged file system of an image as `how` puts it on a disk, without extracting anything.
///
/// # Errors
/// As [`apply_layers`].
pub fn merged<S: BlobRead + ?Sized>(store: &S, image: &Image, how: &OnDisk, limits: &Limits) -> Result<Tree> {
    let mut merge = Merge::implying(how.implied_dir()?, (), limits);
    apply_layers(store, image, how, &mut merge, limits)?;
    Ok(merge.finish()?.0)
}
