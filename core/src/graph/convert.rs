//! Converting Docker's documents to OCI's.

use std::collections::HashMap;

use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Document, Index, Manifest, Raw},
    store::{BlobRead, BlobWrite, Repository, put_document},
};

/// Stores everything reachable from an index with OCI's media types instead of Docker's; returns the new
/// index. Layers and configs are unchanged; so are objects that are OCI's already or that the store does not
/// have.
///
/// # Errors
/// Those of [`Repository::document`], [`Error::Limit`] past
/// [`Limits::depth`](crate::Limits::depth), and of the store.
pub fn to_oci<S: BlobRead + BlobWrite>(repository: &Repository<S>, index: &Raw<Index>) -> Result<Raw<Index>> {
    Converter { repository, done: HashMap::new() }.entries(index, 0)
}

struct Converter<'a, S> {
    repository: &'a Repository<S>,
    done: HashMap<Digest, Converted>,
}

/// A new object with its content.
type Converted = Option<(Descriptor, Vec<u8>)>;

impl<S: BlobRead + BlobWrite> Converter<'_, S> {
    fn entries(&mut self, index: &Raw<Index>, depth: usize) -> Result<Raw<Index>> {
        if depth > self.repository.limits().depth {
            let what = format!("index {}: depth of indexes", index.digest());
            return Err(Error::limit(what, "depth", self.repository.limits().depth as u64));
        }
        let (new, ()) = index.edit_entries(|entries| {
            for (position, entry) in index.view().manifests.iter().enumerate() {
                if let Some((new, bytes)) = self.object(entry, depth)? {
                    entries.retarget(position, &new, &bytes)?;
                }
            }
            Ok(())
        })?;
        Ok(new)
    }

    fn object(&mut self, old: &Descriptor, depth: usize) -> Result<Converted> {
        if let Some(done) = self.done.get(&old.digest) {
            return Ok(done.clone());
        }
        let done = if old.media_type.is_index() {
            match self.repository.document::<Index>(old) {
                Err(Error::MissingBlob(_)) => None,
                index => {
                    let index = index?;
                    let new = self.entries(&index, depth + 1)?.with_oci_types()?;
                    self.put(old, &index, &new)?
                }
            }
        } else if old.media_type.is_manifest() {
            match self.repository.document::<Manifest>(old) {
                Err(Error::MissingBlob(_)) => None,
                manifest => {
                    let manifest = manifest?;
                    self.put(old, &manifest, &manifest.with_oci_types()?)?
                }
            }
        } else {
            None
        };
        self.done.insert(old.digest.clone(), done.clone());
        Ok(done)
    }

    fn put<T: Document>(&self, entry: &Descriptor, old: &Raw<T>, new: &Raw<T>) -> Result<Converted> {
        let media_type = entry.media_type.to_oci();
        if old.bytes() == new.bytes() && media_type == entry.media_type {
            return Ok(None);
        }
        Ok(Some((put_document(self.repository.store(), new, &media_type)?, new.bytes().to_vec())))
    }
}
