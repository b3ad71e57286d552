//! The images of some platforms: indexes that list no others.

use std::collections::BTreeSet;

use super::{cosign, list::attestation, walk::platform_of};
use crate::{
    digest::Digest,
    error::{Error, Result},
    spec::{Descriptor, Index, Manifest, Platform, Raw},
    store::{BlobRead, BlobWrite, Repository, put_document},
};

/// Leaves out the images of other platforms, at any depth: stores indexes that list the wanted ones alone,
/// and returns the new index. What is about an image that stays, stays beside it. An object that is neither
/// is left out, and so is an index of which nothing is left.
///
/// # Errors
/// [`Error::NotFound`] if there is no image of a wanted platform; [`Error::Limit`] past
/// [`Limits::depth`](crate::Limits::depth); those of [`Repository::document`] and of the store.
pub fn select_platforms<S: BlobRead + BlobWrite>(
    repository: &Repository<S>,
    index: &Raw<Index>,
    wanted: &[Platform],
) -> Result<Raw<Index>> {
    let mut selection = Selection {
        repository,
        wanted,
        found: vec![false; wanted.len()],
        there: BTreeSet::new(),
        kept: BTreeSet::new(),
    };
    let selected = selection.entries(index, 0)?;
    match wanted.iter().zip(&selection.found).find(|(_, found)| !**found) {
        None => Ok(selected),
        Some((missing, _)) => {
            let there: Vec<_> = selection.there.into_iter().collect();
            let there = if there.is_empty() { "none".into() } else { there.join(", ") };
            Err(Error::NotFound(format!("no image for {missing}\nhint: there is {there}")))
        }
    }
}

struct Selection<'a, S> {
    repository: &'a Repository<S>,
    wanted: &'a [Platform],
    /// Whether each wanted platform was found.
    found: Vec<bool>,
    /// The platforms that there are, as text.
    there: BTreeSet<String>,
    /// The images that stay.
    kept: BTreeSet<Digest>,
}

/// The treatment of an entry.
enum Fate {
    Keep,
    Remove,
    /// It becomes an index of less, with these bytes.
    Reduce(Box<(Descriptor, Vec<u8>)>),
}

impl<S: BlobRead + BlobWrite> Selection<'_, S> {
    fn entries(&mut self, index: &Raw<Index>, depth: usize) -> Result<Raw<Index>> {
        if depth > self.repository.limits().depth {
            let what = format!("index {}: depth of indexes", index.digest());
            return Err(Error::limit(what, "depth", self.repository.limits().depth as u64));
        }
        let entries = &index.view().manifests;
        let mut fates = entries.iter().map(|entry| self.fate(entry, depth)).collect::<Result<Vec<_>>>()?;
        // What is about something that stays may have a signature itself.
        let mut more = true;
        while more {
            more = false;
            for (entry, fate) in entries.iter().zip(&mut fates) {
                if matches!(fate, Fate::Remove) && self.is_about_kept(entry) {
                    *fate = Fate::Keep;
                    more |= self.kept.insert(entry.digest.clone());
                }
            }
        }
        let (new, ()) = index.edit_entries(|entries| {
            // From the end, since what is behind a removed entry moves forward.
            for (position, fate) in fates.iter().enumerate().rev() {
                match fate {
                    Fate::Keep => {}
                    Fate::Remove => entries.remove(position)?,
                    Fate::Reduce(new) => entries.retarget(position, &new.0, &new.1)?,
                }
            }
            Ok(())
        })?;
        Ok(new)
    }

    fn fate(&mut self, entry: &Descriptor, depth: usize) -> Result<Fate> {
        if let Some(platform) = platform_of(self.repository, entry)
            && self.is_wanted(&platform)
        {
            self.kept.insert(entry.digest.clone());
            return Ok(Fate::Keep);
        }
        if !entry.media_type.is_index() {
            return Ok(Fate::Remove);
        }
        let old = match self.repository.document::<Index>(entry) {
            Err(Error::MissingBlob(_)) => return Ok(Fate::Remove),
            index => index?,
        };
        let new = self.entries(&old, depth + 1)?;
        if new.view().manifests.is_empty() {
            return Ok(Fate::Remove);
        }
        if new.bytes() == old.bytes() {
            return Ok(Fate::Keep);
        }
        let descriptor = put_document(self.repository.store(), &new, &entry.media_type)?;
        Ok(Fate::Reduce(Box::new((descriptor, new.bytes().to_vec()))))
    }

    fn is_wanted(&mut self, platform: &Platform) -> bool {
        self.there.insert(platform.to_string());
        let mut is_wanted = false;
        for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
            let matches = platform.matches(wanted);
            *found |= matches;
            is_wanted |= matches;
        }
        is_wanted
    }

    /// Returns whether an object is about an image that stays.
    fn is_about_kept(&self, entry: &Descriptor) -> bool {
        let attested =
            attestation(entry).and_then(|digest| digest.parse().ok()).or_else(|| cosign::about(entry));
        let subject = || {
            let manifest: Raw<Manifest> = self.repository.document(entry).ok()?;
            Some(manifest.view().subject.as_ref()?.digest.clone())
        };
        let about: Option<Digest> = match entry.media_type.is_manifest() {
            true => attested.or_else(|| if entry.platform.is_none() { subject() } else { None }),
            false => None,
        };
        about.is_some_and(|about| self.kept.contains(&about))
    }
}

#[cfg(test)]
mod tests {
    use super::select_platforms;
    use crate::{
        graph::testing::{image, tagged},
        spec::{Descriptor, Index, MediaType, Raw, media_type::INDEX},
        store::{Repository, memory::MemoryStore, put_document},
    };

    fn index(store: &Repository<MemoryStore>, entries: Vec<Descriptor>) -> Descriptor {
        let index = Raw::new(Index::new(entries)).unwrap();
        put_document(store.store(), &index, &MediaType::literal(INDEX)).unwrap()
    }

    #[test]
    fn indexes_list_the_wanted_platforms_alone() {
        let store = Repository::in_memory().unwrap();
        let [amd, arm, v7] = ["linux/amd64", "linux/arm64", "linux/arm/v7"].map(|of| image(&store, of, 1));
        let about = |subject: &Descriptor| {
            let mut entry = image(&store, "unknown/unknown", 2);
            entry.platform = Some("unknown/unknown".parse().unwrap());
            entry.annotations.insert("vnd.docker.reference.digest".into(), subject.digest.to_string());
            entry
        };
        let nested = index(&store, vec![arm.clone(), v7.clone()]);
        let only_v7 = index(&store, vec![v7.clone()]);
        let all = index(&store, vec![amd.clone(), about(&amd), nested, about(&v7), only_v7]);
        let root = Raw::new(Index::new(vec![tagged(all, "v1"), tagged(v7.clone(), "v7")])).unwrap();
        let select = |platforms: &[&str]| {
            let wanted: Vec<_> = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
            select_platforms(&store, &root, &wanted)
        };
        let selected = select(&["linux/amd64", "linux/arm64"]).unwrap();
        let [entry] = &selected.view().manifests[..] else { panic!("{:?}", selected.view()) };
        assert_eq!(entry.ref_name(), Some("v1"));
        let below: Raw<Index> = store.document(entry).unwrap();
        let [first, attestation, reduced] = &below.view().manifests[..] else { panic!("{:?}", below.view()) };
        assert_eq!((&first.digest, &attestation.digest), (&amd.digest, &about(&amd).digest));
        let inner: Raw<Index> = store.document(reduced).unwrap();
        assert_eq!(
            inner.view().manifests.iter().map(|entry| &entry.digest).collect::<Vec<_>>(),
            [&arm.digest]
        );

        let signature = {
            let mut entry = image(&store, "unknown/unknown", 3);
            entry.annotations.insert("vnd.docker.reference.digest".into(), about(&amd).digest.to_string());
            entry
        };
        let signed = index(&store, vec![signature.clone(), about(&amd), amd.clone(), v7.clone()]);
        let signed = Raw::new(Index::new(vec![tagged(signed, "signed")])).unwrap();
        let selected = select_platforms(&store, &signed, &["linux/amd64".parse().unwrap()]).unwrap();
        let below: Raw<Index> = store.document(&selected.view().manifests[0]).unwrap();
        let kept: Vec<_> = below.view().manifests.iter().map(|entry| &entry.digest).collect();
        assert_eq!(
            kept,
            [&signature.digest, &about(&amd).digest, &amd.digest],
            "with what is about the attestation"
        );

        let everything = select(&["linux/amd64", "linux/arm64", "linux/arm"]).unwrap();
        assert_eq!(everything.bytes(), root.bytes(), "nothing to leave out");
        let error = select(&["linux/amd64", "linux/s390x"]).unwrap_err().to_string();
        assert!(error.contains("no image for linux/s390x") && error.contains("linux/arm64"), "{error}");
    }
}
