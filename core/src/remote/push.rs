//! The changes of a root index that a registry can keep.

use std::{collections::HashMap, io::Read as _};

use super::name::is_tag;
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, IMAGE_NAME, Index, REF_NAME},
    store::{BlobRead, Repository},
};

/// Checks that a registry can keep the entries of a root index: each has a tag that is one, or is about
/// another object. A push checks it as well, but then blobs were sent.
///
/// # Errors
/// [`Error::Unsupported`]; those of [`Repository::blob`].
pub fn check_entries<S: BlobRead>(repository: &Repository<S>, index: &Index) -> Result<()> {
    for entry in &index.manifests {
        match entry.ref_name() {
            Some(tag) => check_tag(tag)?,
            None => {
                let mut bytes = Vec::new();
                let content = repository.blob(entry)?.take(repository.limits().document);
                { content }
                    .read_to_end(&mut bytes)
                    .map_err(Error::io(format_args!("read {}", entry.digest)))?;
                check_untagged(entry, &bytes)?;
            }
        }
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<()> {
    match is_tag(tag) {
        true => Ok(()),
        false => Err(Error::Unsupported(format!(
            "{tag:?} is not a tag of a registry: expected at most 128 letters, digits, `.`, `_` and `-`"
        ))),
    }
}

/// Checks that an object without a tag is about another: a registry lists it there.
pub(super) fn check_untagged(entry: &Descriptor, bytes: &[u8]) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct About {
        subject: Option<serde::de::IgnoredAny>,
    }
    if serde_json::from_slice::<About>(bytes).is_ok_and(|about| about.subject.is_some()) {
        return Ok(());
    }
    let what = format!("{}: a registry keeps no entries without a tag", entry.digest);
    Err(Error::Unsupported(format!("{what}\nhint: write docker://…:TAG")))
}

/// The tags to set and to remove.
pub(super) struct Push<'a> {
    pub(super) put: Vec<&'a Descriptor>,
    /// New entries without a tag.
    pub(super) untagged: Vec<&'a Descriptor>,
    /// The tags that change, and what they were.
    pub(super) expected: Vec<(&'a str, Option<&'a Digest>)>,
    pub(super) removed: Vec<&'a str>,
}

impl<'a> Push<'a> {
    pub(super) fn of(old: &'a Index, new: &'a Index) -> Result<Self> {
        let tags = |index: &'a Index| -> HashMap<&'a str, &'a Descriptor> {
            index.manifests.iter().filter_map(|entry| Some((entry.ref_name()?, entry))).collect()
        };
        let (before, after) = (tags(old), tags(new));
        let (mut put, mut untagged, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for entry in &new.manifests {
            let Some(tag) = entry.ref_name() else {
                untagged.extend((!old.manifests.contains(entry)).then_some(entry));
                continue;
            };
            check_tag(tag)?;
            let was = before.get(tag).copied();
            let names = [REF_NAME, IMAGE_NAME];
            let other = entry.annotations.iter().find(|(key, value)| {
                !names.contains(&key.as_str())
                    && was.is_none_or(|was| was.annotations.get(*key) != Some(value))
            });
            if let Some((key, _)) = other {
                return Err(Error::Unsupported(format!(
                    "the annotation {key} of the entry {tag}: a registry keeps no annotations of entries, \
                     only those of manifests and indexes"
                )));
            }
            match was.filter(|was| was.digest == entry.digest) {
                Some(was) if was.platform != entry.platform => {
                    return Err(Error::Unsupported(format!(
                        "the platform of the entry {tag}: a registry keeps none; that of an image is in its \
                         config, and indexes have those of their entries"
                    )));
                }
                Some(_) => {}
                None => {
                    expected.push((tag, was.map(|was| &was.digest)));
                    put.push(entry);
                }
            }
        }
        let removed: Vec<_> = before.keys().filter(|tag| !after.contains_key(*tag)).copied().collect();
        expected.extend(removed.iter().map(|tag| (*tag, Some(&before[tag].digest))));
        Ok(Self { put, untagged, expected, removed })
    }
}
