//! The layers of an image, applied in order.

use super::Image;
use crate::{
    digest::Digest,
    error::{Error, Result},
    layer::{
        on_disk::{OnDisk, ToDisk},
        reader::read_layer,
    },
    store::{BlobRead, Repository},
    tree::{
        Tree,
        merge::{Merge, TreeSink},
    },
};

/// Applies every layer, the base first, as `how` maps its entries to a disk. Each blob's size and digest and
/// each diff_id is verified while it is read; if this fails, what was written must be discarded.
///
/// # Errors
/// [`Error::Mismatch`] naming the layer by number, from 1, and digest; [`Error::Layer`], [`Error::Limit`];
/// [`Error::MissingBlob`]; those of [`OnDisk::to_disk`]; [`Error::Io`] of the store or the mirror.
pub fn apply_layers<S: BlobRead, M: TreeSink>(
    repository: &Repository<S>,
    image: &Image,
    how: &OnDisk,
    merge: &mut Merge<M>,
) -> Result<()> {
    apply_layers_from(repository, image, 0, how, merge)
}

/// Applies the layers as [`apply_layers`] does, but skips the lowest `first` layers.
///
/// # Errors
/// Those of [`apply_layers`]; [`Error::Layer`] also for a hard link to a file of a layer that was skipped.
pub fn apply_layers_from<S: BlobRead, M: TreeSink>(
    repository: &Repository<S>,
    image: &Image,
    first: usize,
    how: &OnDisk,
    merge: &mut Merge<M>,
) -> Result<()> {
    for (number, (descriptor, diff_id)) in image.layers().enumerate().skip(first) {
        let sink = &mut ToDisk { sink: merge, how };
        let lost = read_layer(repository, descriptor, diff_id, sink).map_err(|error| match error {
            Error::Mismatch { property, expected, actual, .. } => {
                let subject = format!("layer {} ({})", number + 1, descriptor.digest);
                Error::Mismatch { subject, property, expected, actual }
            }
            other => other,
        })?;
        merge.lose(lost);
        merge.next_layer()?;
    }
    Ok(())
}

/// Finds a layer by its digest, or by the beginning of one, with or without its algorithm: returns its
/// position, from 0, and its digest. If the image has the layer twice, the lower one is returned.
///
/// # Errors
/// [`Error::NotFound`] if no digest, or more than one, begins so; it lists the layers.
pub fn find_layer<'a>(image: &'a Image, beginning: &str) -> Result<(usize, &'a Digest)> {
    let digests = || image.layers().map(|(layer, _)| &layer.digest);
    let begins = |digest: &Digest| {
        let encoded = digest.as_str().split_once(':').map_or("", |(_, encoded)| encoded);
        digest.as_str().starts_with(beginning) || encoded.starts_with(beginning)
    };
    let mut found = digests().enumerate().filter(|(_, digest)| !beginning.is_empty() && begins(digest));
    let refuse = |what: &str| {
        let list: String = digests().map(|digest| format!("\n  {digest}")).collect();
        Err(Error::NotFound(format!("{beginning:?} matches {what} of the image; it has{list}")))
    };
    let Some((position, first)) = found.next() else { return refuse("no layer") };
    if found.any(|(_, other)| other != first) {
        return refuse("more than one layer");
    }
    Ok((position, first))
}

/// Returns the merged tree of an image, as `how` maps it to a disk, without extracting anything.
///
/// # Errors
/// Those of [`apply_layers`].
pub fn merged<S: BlobRead>(repository: &Repository<S>, image: &Image, how: &OnDisk) -> Result<Tree> {
    let mut merge = Merge::implying(how.implied_dir()?, (), repository.limits());
    apply_layers(repository, image, how, &mut merge)?;
    Ok(merge.finish()?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        image::testing::image,
        store::Repository,
        tree::testing::{dir, file},
    };

    #[test]
    fn layers_are_found_by_the_beginning_of_their_digest() {
        let store = Repository::in_memory().unwrap();
        let layers: [&[_]; 3] = [&[file("a", "1")], &[dir("d")], &[file("a", "1")]];
        let image = image(&store, &layers);
        let digests: Vec<&str> = image.layers().map(|(layer, _)| layer.digest.as_str()).collect();
        let found =
            |text: &str| find_layer(&image, text).map(|(position, digest)| (position, digest.as_str()));
        for (position, digest) in [(0, digests[0]), (1, digests[1]), (0, digests[2])] {
            for text in [digest, &digest[..20], &digest[7..], &digest[7..12]] {
                assert_eq!(found(text).unwrap(), (position, digest), "{text}");
            }
        }
        let list = format!("\n  {}\n  {}\n  {}", digests[0], digests[1], digests[0]);
        for (text, message) in [
            ("", "no layer"),
            ("sha512:", "no layer"),
            ("xyz", "no layer"),
            ("sha256:", "more than one layer"),
        ] {
            let error = found(text).unwrap_err().to_string();
            assert_eq!(error, format!("{text:?} matches {message} of the image; it has{list}"));
        }
    }
}
