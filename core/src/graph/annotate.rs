//! Annotations of an object, or of its entry in an index.

use super::{
    Resolution,
    rewrite::{Destination, Replaced, replace_entry, replace_target},
};
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Document, Entries, IMAGE_NAME, Index, Manifest, Platform, REF_NAME, Raw},
    store::{Repository, Store, put_document},
    text::printable,
};

/// One change: a name with its new value, or `None` to remove it.
pub type Annotation = (String, Option<String>);

/// The target of a change of annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an object and its entry")]
pub enum Of {
    /// The object: its document is rewritten, so its digest changes, and those of the indexes above it.
    Object,
    /// The entry in the index that lists the object: the object is unchanged.
    Entry,
}

/// Changes annotations along the descriptor path of an object, and nothing else. Returns the new root index
/// and the resolution of the object in it, as [`replace_target`] does.
///
/// # Errors
/// [`Error::NotFound`] if an annotation to be removed does not exist; [`Error::Unsupported`] for an object
/// that cannot have annotations; [`Error::Misuse`] for an empty name, or for the tag of an entry, which
/// [`super::rewrite::tag`] changes; those of [`replace_target`].
pub fn annotate<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    of: Of,
    changes: &[Annotation],
    to: &Destination,
) -> Result<Replaced> {
    let target = at.target();
    if changes.iter().any(|(name, _)| name.is_empty()) {
        return Err(Error::Misuse("an annotation needs a name".into()));
    }
    if of == Of::Entry {
        check_names(&target.annotations, changes)?;
        if let Some((name, _)) = changes.iter().find(|(name, _)| name == REF_NAME || name == IMAGE_NAME) {
            return Err(Error::Misuse(format!("{name} is the tag: `ocicle tag` and `rm` change it")));
        }
        let edit =
            |entries: &mut Entries<'_>, position: usize| entries.annotate(position, &borrowed(changes));
        return replace_entry(repository, root, at, edit, to);
    }
    let (new, bytes) = if target.media_type.is_index() {
        let index: Raw<Index> = repository.document(target)?;
        check_names(&index.view().annotations, changes)?;
        put(repository, target, &index, changes)?
    } else if target.media_type.is_manifest() {
        let manifest: Raw<Manifest> = repository.document(target)?;
        check_names(&manifest.view().annotations, changes)?;
        put(repository, target, &manifest, changes)?
    } else {
        let message = format!(
            "{} is of type {}, which has no annotations\nhint: annotate its descriptor (--descriptor)",
            target.digest, target.media_type
        );
        return Err(Error::Unsupported(message));
    };
    replace_target(repository, root, at, &new, &bytes, to)
}

/// Sets the platform in an object's entry. The object is unchanged.
///
/// # Errors
/// Those of [`replace_target`].
pub fn set_platform<S: Store>(
    repository: &Repository<S>,
    root: &Raw<Index>,
    at: &Resolution,
    platform: &Platform,
    to: &Destination,
) -> Result<Replaced> {
    let edit = |entries: &mut Entries<'_>, position: usize| entries.set_platform(position, platform);
    replace_entry(repository, root, at, edit, to)
}

fn borrowed(changes: &[Annotation]) -> Vec<(&str, Option<&str>)> {
    changes.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

fn check_names(there: &crate::spec::Annotations, changes: &[Annotation]) -> Result<()> {
    let missing = changes.iter().find(|(name, value)| value.is_none() && !there.contains_key(name));
    let Some((name, _)) = missing else { return Ok(()) };
    let names: Vec<String> = there.keys().map(|name| printable(name)).collect();
    let names = if names.is_empty() {
        "the object has no annotations".into()
    } else {
        format!("annotations: {}", names.join(", "))
    };
    Err(Error::NotFound(format!("annotation {} not found ({names})", printable(name))))
}

/// Stores the changed document; returns its descriptor and its bytes.
fn put<S: Store, T: Document>(
    repository: &Repository<S>,
    old: &Descriptor,
    document: &Raw<T>,
    changes: &[Annotation],
) -> Result<(Descriptor, Vec<u8>)> {
    let document = document.annotate_self(&borrowed(changes))?;
    let new = put_document(repository.store(), &document, &old.media_type)?;
    Ok((new, document.bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{resolve::Want, rewrite::Destination, testing::store},
        *,
    };
    use crate::{error::ErrorKind, store::memory::MemoryStore};

    fn find(store: &Repository<MemoryStore>, root: &Raw<Index>, selector: &str) -> Resolution {
        store.resolve_in(root, &selector.parse().unwrap(), Want::Any).unwrap()
    }

    /// A store, its root index before and after a change, and the resolution of the changed object.
    type Changed = (Repository<MemoryStore>, Raw<Index>, Raw<Index>, Resolution);

    fn change(selector: &str, of: Of, changes: &[(&str, Option<&str>)], to: &Destination) -> Result<Changed> {
        let (store, root) = store();
        let at = find(&store, &root, selector);
        let changes: Vec<Annotation> =
            changes.iter().map(|(name, value)| ((*name).to_owned(), value.map(Into::into))).collect();
        let Replaced { root: after, resolution: now, .. } = annotate(&store, &root, &at, of, &changes, to)?;
        Ok((store, root, after, now))
    }

    const DEEP: &str = "deep//platform=linux/riscv64";

    #[test]
    fn annotating_an_object_changes_only_its_path() {
        for selector in [DEEP, "deep//pos=1,type=index", "deep", "v2"] {
            let (store, before, after, now) =
                change(selector, Of::Object, &[("a", Some("1"))], &Destination::in_place()).unwrap();
            assert_eq!(find(&store, &after, selector), now);
            let annotations = if now.target().media_type.is_index() {
                store.document::<Index>(now.target()).unwrap().view().annotations.clone()
            } else {
                store.document::<Manifest>(now.target()).unwrap().view().annotations.clone()
            };
            assert_eq!(annotations.into_iter().collect::<Vec<_>>(), [("a".to_owned(), "1".to_owned())]);
            let old = find(&store, &before, selector);
            assert_eq!(now.target().platform, old.target().platform);
            let changed: Vec<usize> =
                (0..5).filter(|&at| before.view().manifests[at] != after.view().manifests[at]).collect();
            assert_eq!(changed, [old.root().position], "{selector}");
        }
    }

    #[test]
    fn annotations_of_an_entry_leave_the_object_unchanged() {
        for selector in [DEEP, "deep", "v2"] {
            let (store, before, after, now) =
                change(selector, Of::Entry, &[("a", Some("1"))], &Destination::in_place()).unwrap();
            let old = find(&store, &before, selector);
            assert_eq!(now.target().digest, old.target().digest);
            assert_eq!(now.target().annotations.get("a").map(String::as_str), Some("1"));
            assert_eq!(find(&store, &after, selector), now);
            assert_eq!(now.root().descriptor.digest == old.root().descriptor.digest, old.hops().len() == 1);
            let Replaced { root: again, resolution: gone, .. } =
                annotate(&store, &after, &now, Of::Entry, &[("a".into(), None)], &Destination::in_place())
                    .unwrap();
            assert_eq!((again.bytes(), gone.target()), (before.bytes(), old.target()), "{selector}");
        }
    }

    #[test]
    fn a_tag_gets_a_copy() {
        let to = Destination::tag("new".parse().unwrap());
        for of in [Of::Object, Of::Entry] {
            for (selector, copy) in [(DEEP, "new//platform=linux/riscv64"), ("v2", "new")] {
                let (store, before, after, now) = change(selector, of, &[("a", Some("1"))], &to).unwrap();
                assert_eq!(after.view().manifests[..5], before.view().manifests[..]);
                assert_eq!(find(&store, &after, copy), now);
            }
        }
    }

    #[test]
    fn impossible_annotations_are_refused() {
        let refused = |of, name, value| {
            change("v2", of, &[(name, value)], &Destination::in_place()).map(drop).unwrap_err()
        };
        assert_eq!(refused(Of::Object, "", Some("1")).kind(), ErrorKind::Misuse);
        assert_eq!(refused(Of::Entry, REF_NAME, Some("1")).kind(), ErrorKind::Misuse);
        assert_eq!(refused(Of::Entry, REF_NAME, None).kind(), ErrorKind::Misuse);
        assert_eq!(
            refused(Of::Object, "a", None).to_string(),
            "annotation a not found (the object has no annotations)"
        );
        assert_eq!(
            refused(Of::Entry, "a", None).to_string(),
            format!("annotation a not found (annotations: {REF_NAME})")
        );
        let (store, root) = store();
        let several =
            find(&store, &root, &format!("digest={}", find(&store, &root, "again").target().digest));
        for of in [Of::Object, Of::Entry] {
            let changes = [("a".to_owned(), Some("1".to_owned()))];
            let error =
                annotate(&store, &root, &several, of, &changes, &Destination::in_place()).unwrap_err();
            assert!(error.to_string().contains("is at 3 places"), "{error}");
        }
    }
}
