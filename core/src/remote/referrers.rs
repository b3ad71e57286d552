//! The objects that are about another (distribution-spec, "Listing Referrers").

use super::{Client, Credentials, Transport};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, Manifest, MediaType, REF_NAME, Raw, media_type::INDEX},
    store::layout::empty_index,
};

impl<T: Transport, C: Credentials> Client<T, C> {
    /// Returns the descriptors of what is about an object: signatures, lists of its parts, attestations. A
    /// registry without this list may have one under a tag, which clients keep.
    ///
    /// # Errors
    /// [`Error::Document`]; [`Error::Refused`]; [`Error::Io`].
    pub fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>> {
        let url = self.url(&format!("referrers/{digest}"))?;
        let (mut found, mut none) = (Vec::new(), false);
        self.pages(url, Some(INDEX), |answer| {
            match answer.response.status {
                200 => found.extend(entries(digest, answer.body.clone())?),
                404 => none = true,
                _ => return Err(answer.failure()),
            }
            Ok(found.len())
        })?;
        if none && let Some(list) = self.manifest(&tag_of(digest))? {
            found = entries(digest, list.bytes)?;
        }
        Ok(found)
    }

    /// Returns the descriptors of what cosign stored about an object, by its tags: signatures, attestations
    /// and lists of parts. They have those tags.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Io`].
    pub fn cosign_tags(&self, digest: &Digest) -> Result<Vec<Descriptor>> {
        let mut found = Vec::new();
        for end in ["sig", "att", "sbom"] {
            let tag = format!("{}.{end}", tag_of(digest));
            if let Some(mut descriptor) = self.find_manifest(&tag)? {
                descriptor.annotations.insert(REF_NAME.into(), tag);
                found.push(descriptor);
            }
        }
        Ok(found)
    }

    /// Adds an object to the list about its subject, for registries that keep none themselves.
    pub(super) fn list_referrer(&self, object: &Descriptor, bytes: &[u8]) -> Result<()> {
        let what = object.digest.as_str();
        let (subject, artifact_type, annotations) = if object.media_type.is_index() {
            let index = Raw::<Index>::parse(what, bytes.to_vec(), None)?;
            let index = index.view();
            (index.subject.clone(), index.artifact_type.clone(), index.annotations.clone())
        } else {
            let manifest = Raw::<Manifest>::parse(what, bytes.to_vec(), None)?;
            let manifest = manifest.view();
            let kind = manifest.artifact_type.clone().unwrap_or_else(|| manifest.config.media_type.clone());
            (manifest.subject.clone(), Some(kind), manifest.annotations.clone())
        };
        let Some(subject) = subject else { return Ok(()) };
        let tag = tag_of(&subject.digest);
        let list = match self.manifest(&tag)? {
            Some(found) if found.descriptor.media_type.is_index() => Raw::parse(&tag, found.bytes, None)?,
            Some(_) => return Err(Error::Exists(format!("the tag {tag} is not a list of referrers"))),
            None => empty_index()?,
        };
        if list.view().manifests.iter().any(|entry| entry.digest == object.digest) {
            return Ok(());
        }
        let mut entry = Descriptor::new(object.media_type.clone(), object.digest.clone(), object.size);
        entry.artifact_type = artifact_type;
        entry.annotations = annotations;
        let list = list.push(&entry)?;
        self.put_manifest(&tag, &MediaType::literal(INDEX), list.bytes()).map(drop)
    }
}

fn entries(about: &Digest, bytes: Vec<u8>) -> Result<Vec<Descriptor>> {
    Ok(Raw::<Index>::parse(&format!("referrers of {about}"), bytes, None)?.view().manifests.clone())
}

/// Returns the tag under which clients keep the list (distribution-spec, "Referrers Tag Schema").
fn tag_of(digest: &Digest) -> String {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    format!("{}-{}", cut(digest.algorithm_name(), 32), cut(digest.encoded(), 64))
}
