//! The layers of an image, one on top of the other.

use super::Image;
use crate::{
    error::Result,
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
/// [`Error::Mismatch`](crate::Error::Mismatch), [`Error::Layer`](crate::Error::Layer), [`Error::Limit`](crate::Error::Limit);
/// [`Error::MissingBlob`](crate::Error::MissingBlob); [`Error::Io`](crate::Error::Io) of the store or the mirror.
pub fn apply_layers<S: BlobRead + ?Sized, M: Mirror>(
    store: &S,
    image: &Image,
    merge: &mut Merge<M>,
    limits: &Limits,
) -> Result<()> {
    for (descriptor, diff_id) in image.layers() {
        read_layer(store, descriptor, diff_id, limits, merge)?;
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
