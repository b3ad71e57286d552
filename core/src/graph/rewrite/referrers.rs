//! Referrers: signatures, SBOMs and attestations of an image.
//!
//! Three kinds are known: `subject` in a manifest or index (image-spec 1.1), BuildKit's annotation in the
//! entry of an attestation, and the tags of cosign.

use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::cosign,
    spec::{Descriptor, Document, Entries, IMAGE_NAME, Index, Manifest, REF_NAME, Raw},
    store::{BlobRead, Repository, Store, put_document},
};

/// BuildKit's annotation: the digest of the image that an attestation refers to.
const ATTESTED: &str = "vnd.docker.reference.digest";

/// The treatment of the referrers of a replaced object. A signature of the old object does not match the new
/// one in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_enums, reason = "all that can be done with them")]
pub enum Referrers {
    /// Kept, as referrers of the old object.
    #[default]
    Keep,
    /// Copied to the end of their indexes, as referrers of the new object.
    Copy,
    /// Removed where the edit is in place; elsewhere their subject still exists.
    Drop,
}

/// Returns whether the object of an entry refers to that subject. An absent object does not.
pub(super) fn is_about<S: BlobRead>(
    repository: &Repository<S>,
    entry: &Descriptor,
    object: &Digest,
) -> Result<bool> {
    Ok(subjects_of(repository, entry)?.contains(object))
}

/// Returns the digests of the objects that the object of an entry refers to. An absent one refers to none.
pub(in crate::graph) fn subjects_of<S: BlobRead>(
    repository: &Repository<S>,
    entry: &Descriptor,
) -> Result<Vec<Digest>> {
    let attested = entry.annotations.get(ATTESTED).and_then(|digest| digest.parse().ok());
    let subject = if entry.media_type.is_manifest() {
        repository.document::<Manifest>(entry).map(|manifest| manifest.view().subject.clone())
    } else if entry.media_type.is_index() {
        repository.document::<Index>(entry).map(|index| index.view().subject.clone())
    } else {
        Ok(None)
    };
    let subject = match subject {
        Err(Error::MissingBlob(_)) => None,
        subject => subject?.map(|subject| subject.digest),
    };
    Ok(attested.into_iter().chain(subject).collect())
}

/// Appends a copy of a referrer that refers to `new` to its index.
pub(super) fn copy_for<S: Store>(
    repository: &Repository<S>,
    index: &mut Entries<'_>,
    position: usize,
    new: (&Descriptor, &[u8]),
) -> Result<()> {
    let Some(entry) = index.views().get(position).cloned() else { return Ok(()) };
    let last = index.duplicate(position)?;
    // Two entries with the same tag would make it ambiguous.
    index.annotate(last, &[(REF_NAME, None), (IMAGE_NAME, None)])?;
    if let Some(tag) = cosign::retagged(&entry, &new.0.digest) {
        return index.annotate(last, &[(REF_NAME, Some(&tag))]);
    }
    if entry.annotations.contains_key(ATTESTED) {
        return index.annotate(last, &[(ATTESTED, Some(new.0.digest.as_str()))]);
    }
    let (copy, bytes) = if entry.media_type.is_index() {
        about::<S, Index>(repository, &entry, new)?
    } else {
        about::<S, Manifest>(repository, &entry, new)?
    };
    index.retarget(last, &copy, &bytes)
}

fn about<S: Store, T: Document>(
    repository: &Repository<S>,
    entry: &Descriptor,
    (new, bytes): (&Descriptor, &[u8]),
) -> Result<(Descriptor, Vec<u8>)> {
    let document: Raw<T> = repository.document::<T>(entry)?.set_subject(new, bytes)?;
    Ok((put_document(repository.store(), &document, &entry.media_type)?, document.bytes().to_vec()))
}
