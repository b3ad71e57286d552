//! The layers of an image, one on top of the other.

use super::Image;
use crate::{
    error::{Error, Result},
    layer::reader::read_layer,
    limits::Limits,
    store::BlobRead,
    tree::{
        Tree,
        merge::{Merge, Mirror},
    },
};

/// Applies every layer, the base first. Each blob's size and digest and each diff_id is verified in passing; what a layer
/// did is to be thrown away if this fails.
///
/// # Errors
/// [`Error::Mismatch`] naming the layer by number, from 1, and digest; [`Error::Layer`], [`Error::Limit`]; [`Error::MissingBlob`];
/// [`Error::Io`] of the store or the mirror.
pub fn apply_layers<S: BlobRead + ?Sized, M: Mirror>(
    store: &S,
    image: &Image,
    merge: &mut Merge<M>,
    limits: &Limits,
) -> Result<()> {
    for (number, (descriptor, diff_id)) in image.layers().enumerate() {
        read_layer(store, descriptor, diff_id, limits, merge).map_err(|error| match error {
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

/// The merged file system of an image, without extracting anything.
///
/// # Errors
/// As [`apply_layers`].
pub fn merged<S: BlobRead + ?Sized>(store: &S, image: &Image, limits: &Limits) -> Result<Tree> {
    let mut merge = Merge::new(Tree::new(), (), limits);
    apply_layers(store, image, &mut merge, limits)?;
    Ok(merge.finish()?.0)
}
