#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::Write as _;

use super::{
    super::{
        resolve::{ResolveError, Want},
        testing::{annotated, image, index, root as make_root, store, tagged, with_platform},
    },
    Destination, RefName, Referrers, Replaced, Resolution, Scope, Tagged, point, replace_target, tag, untag,
};
use crate::{
    digest::Algorithm,
    error::{Error, ErrorKind},
    hash::digest_of,
    spec::{
        Descriptor, IMAGE_NAME, Index, Manifest, MediaType, Raw,
        media_type::{EMPTY, INDEX, MANIFEST},
    },
    store::{
        BlobRead as _, BlobWrite as _, BlobWriter, Collect as _, NewBlob, Repository, memory::MemoryStore,
    },
};

fn find(store: &Repository<MemoryStore>, root: &Raw<Index>, selector: &str) -> Resolution {
    store.resolve_in(root, &selector.parse().unwrap(), Want::Any).unwrap()
}

fn name(text: &str) -> RefName {
    text.parse().unwrap()
}

fn without(
    store: &Repository<MemoryStore>,
    root: &Raw<Index>,
    selector: &str,
) -> Result<Raw<Index>, ResolveError> {
    untag(store, root, &selector.parse().unwrap()).map(|done| done.root)
}

fn tags(root: &Raw<Index>) -> Vec<&str> {
    root.view().manifests.iter().map(|entry| entry.ref_name().unwrap_or("-")).collect()
}

fn replace(
    store: &Repository<MemoryStore>,
    root: &Raw<Index>,
    at: &Resolution,
    new: &Descriptor,
    to: &Destination,
) -> crate::Result<(Raw<Index>, Resolution)> {
    let manifest: Raw<Manifest> = store.document(new).unwrap();
    let done = replace_target(store, root, at, new, manifest.bytes(), to)?;
    Ok((done.root, done.resolution))
}

#[test]
fn an_edit_in_place_changes_only_its_path() {
    let (store, root) = store();
    let at = find(&store, &root, "deep//platform=linux/riscv64");
    let new = image(&store, "linux/riscv64", 50);
    let (after, now) = replace(&store, &root, &at, &new, &Destination::in_place()).unwrap();
    assert_eq!(now.target().digest, new.digest);
    assert_eq!(now.target().platform, at.target().platform, "the other fields of the slot stay");
    assert_eq!(find(&store, &after, "deep//platform=linux/riscv64"), now);

    for (position, entry) in root.view().manifests.iter().enumerate() {
        assert_eq!(after.view().manifests[position] == *entry, position != 2);
    }
    for depth in 0..2 {
        let old: Raw<Index> = store.document(&at.hops()[depth].descriptor).unwrap();
        let new: Raw<Index> = store.document(&now.hops()[depth].descriptor).unwrap();
        let (before, after) = (&at.hops()[depth + 1].descriptor, &now.hops()[depth + 1].descriptor);
        let expected = String::from_utf8(old.bytes().to_vec())
            .unwrap()
            .replace(before.digest.as_str(), after.digest.as_str())
            .replace(&format!("\"size\":{}", before.size), &format!("\"size\":{}", after.size));
        assert_eq!(String::from_utf8(new.bytes().to_vec()).unwrap(), expected);
    }
}

#[test]
fn a_tag_gets_a_copy_of_the_tree() {
    let (store, root) = store();
    let at = find(&store, &root, "v1//platform=linux/arm64");
    let new = image(&store, "linux/arm64", 50);
    let (after, now) = replace(&store, &root, &at, &new, &Destination::tag(name("new"))).unwrap();
    assert_eq!(tags(&after), ["v1", "v2", "deep", "sparse", "again", "new"]);
    assert_eq!(after.view().manifests[..5], root.view().manifests[..]);
    assert_eq!(find(&store, &after, "new//platform=linux/arm64"), now);
    // The other platform is the same object as before.
    assert_eq!(
        find(&store, &after, "new//platform=linux/amd64").target().digest,
        find(&store, &root, "v1//platform=linux/amd64").target().digest
    );
    // Its own tag: at its position. Another tag: at the position of that tag.
    let (after, _) = replace(&store, &root, &at, &new, &Destination::tag(name("v1"))).unwrap();
    assert_eq!(tags(&after), tags(&root));
    let (after, now) = replace(&store, &root, &at, &new, &Destination::tag(name("v2"))).unwrap();
    assert_eq!(tags(&after), tags(&root));
    assert_eq!(after.view().manifests[0], root.view().manifests[0]);
    assert_eq!(find(&store, &after, "v2//platform=linux/arm64"), now);
}

#[test]
fn a_removed_entry_can_still_be_copied_to_a_new_tag() {
    let (store, root) = store();
    let at = find(&store, &root, "v1//platform=linux/arm64");
    let root = without(&store, &root, "v1").unwrap();
    let new = image(&store, "linux/arm64", 50);
    let error = replace(&store, &root, &at, &new, &Destination::in_place()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let (after, now) = replace(&store, &root, &at, &new, &Destination::tag(name("v1"))).unwrap();
    assert_eq!(tags(&after), ["v2", "deep", "sparse", "again", "v1"]);
    assert_eq!(find(&store, &after, "v1//platform=linux/arm64"), now);

    // Unless a part of it was collected meanwhile.
    let manifest: Raw<Manifest> = store.document(at.target()).unwrap();
    let config = &manifest.view().config.digest;
    store.store().collect().unwrap().remove(config).unwrap();
    let error = replace(&store, &root, &at, &new, &Destination::tag(name("v1"))).unwrap_err();
    assert!(matches!(error, Error::MissingBlob(missing) if missing == *config));
}

#[test]
fn one_of_several_places_must_be_named() {
    let (store, root) = store();
    let digest = find(&store, &root, "again").target().digest.clone();
    let at = find(&store, &root, &format!("digest={digest}"));
    let new = image(&store, "linux/amd64", 50);
    let error = replace(&store, &root, &at, &new, &Destination::in_place()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(error.to_string().contains("is at 3 places"), "{error}");
    assert!(tag(&root, &at, &name("new"), Tagged::Entry).is_err());
    assert_eq!(tags(&tag(&root, &at, &name("new"), Tagged::Object).unwrap()).len(), 6);
}

#[test]
fn tags_are_moved_copied_and_removed() {
    let (store, root) = store();
    let at = find(&store, &root, "deep//platform=linux/riscv64");
    let whole = tag(&root, &at, &name("new"), Tagged::Entry).unwrap();
    assert_eq!(whole.view().manifests[5].digest, root.view().manifests[2].digest);
    let bare = tag(&root, &at, &name("new"), Tagged::Object).unwrap();
    assert_eq!(bare.view().manifests[5].digest, at.target().digest);
    let moved = tag(&root, &at, &name("v1"), Tagged::Entry).unwrap();
    assert_eq!(tags(&moved), tags(&root));
    assert_eq!(moved.view().manifests[0].digest, root.view().manifests[2].digest);
    assert_eq!(tag(&root, &at, &name("deep"), Tagged::Entry).unwrap(), root, "it has that tag already");

    let removed = without(&store, &root, "v2").unwrap();
    assert_eq!(tags(&removed), ["v1", "deep", "sparse", "again"]);
    let error = without(&store, &removed, "v2").unwrap_err();
    assert!(matches!(error, ResolveError::NotFound { .. }), "{error}");
    let error = without(&store, &removed, "v1//platform=linux/arm64").unwrap_err().to_string();
    assert!(error.ends_with("not an entry of index.json"), "{error}");
    let pointed = point(&removed, &name("v2"), &image(&store, "linux/amd64", 9)).unwrap();
    assert_eq!(tags(&pointed), ["v1", "deep", "sparse", "again", "v2"]);
}

#[test]
fn a_tag_used_twice_is_ambiguous() {
    for salt in [1, 2] {
        let store = Repository::in_memory().unwrap();
        let (one, other) = (image(&store, "linux/amd64", 1), image(&store, "linux/amd64", salt));
        let root = make_root(&store, &[tagged(one.clone(), "t"), tagged(other, "t")]);
        let error = point(&root, &name("t"), &one).unwrap_err().to_string();
        assert!(error.starts_with("index.json: the tag t is used more than once"), "{error}");
        let Err(ResolveError::Ambiguous { candidates }) = without(&store, &root, "t") else { panic!() };
        for (candidate, at) in candidates.iter().zip(0..) {
            let left = untag(&store, &root, &candidate.selector).unwrap();
            assert_eq!(left.root, root.remove(at).unwrap());
        }
    }
}

/// `docker save a:latest b:latest` gives both entries one ref name.
#[test]
fn image_names_tell_entries_of_one_ref_name_apart() {
    let named = |descriptor: &Descriptor, name: &str| {
        let name = format!("docker.io/library/{name}:latest");
        annotated(tagged(descriptor.clone(), "latest"), IMAGE_NAME, &name)
    };
    // Two names of one image, too.
    for salt in [1, 2] {
        let store = Repository::in_memory().unwrap();
        let (one, other) = (image(&store, "linux/amd64", 1), image(&store, "linux/amd64", salt));
        let root = make_root(&store, &[named(&one, "a"), named(&other, "b")]);
        let names = |root: &Raw<Index>| -> Vec<String> {
            root.view().manifests.iter().map(|entry| entry.tag().unwrap_or("-").into()).collect()
        };
        for tag in ["b:latest", "docker.io/library/b:latest"] {
            assert_eq!(find(&store, &root, tag).root().position, 1);
            assert_eq!(names(&without(&store, &root, tag).unwrap()), ["a:latest"]);
        }
        let Err(ResolveError::Ambiguous { candidates }) = without(&store, &root, "latest") else { panic!() };
        let shown: Vec<String> = candidates.iter().map(|one| one.selector.to_string()).collect();
        assert_eq!(shown, ["a:latest", "b:latest"]);
        let at = find(&store, &root, "b:latest");
        for (new, expected) in [
            ("v2", ["a:latest", "b:latest", "b:v2"]),
            ("example/c:1", ["a:latest", "b:latest", "example/c:1"]),
            ("x/y", ["a:latest", "b:latest", "x/y"]),
        ] {
            assert_eq!(names(&tag(&root, &at, &name(new), Tagged::Entry).unwrap()), expected);
        }
        assert_eq!(tag(&root, &at, &name("latest"), Tagged::Entry).unwrap(), root, "it has that tag already");
        // A whole name is the tag of its entry, which keeps both.
        let moved = point(&root, &name("a:latest"), &image(&store, "linux/amd64", 3)).unwrap();
        assert_eq!(names(&moved), ["a:latest", "b:latest"]);
        assert_eq!(moved.view().manifests[0].ref_name(), Some("latest"));
        assert!(point(&root, &name("latest"), &one).is_err());
    }
}

#[test]
fn an_entry_that_moved_into_the_position_is_not_confused() {
    let store = Repository::in_memory().unwrap();
    let one = image(&store, "linux/amd64", 1);
    let root = make_root(&store, &[tagged(one.clone(), "a"), tagged(one, "b")]);
    let at = find(&store, &root, "a");
    // Without `a`, `b` is at its position, with the same object.
    let root = without(&store, &root, "a").unwrap();
    let new = image(&store, "linux/amd64", 2);
    let error = replace(&store, &root, &at, &new, &Destination::in_place()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(tag(&root, &at, &name("c"), Tagged::Entry).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn nothing_is_written_if_the_path_was_removed() {
    let written_to = |gone: bool| {
        let (store, root) = store();
        let at = find(&store, &root, "v1//platform=linux/arm64");
        let new = image(&store, "linux/arm64", 50);
        let root = if gone { without(&store, &root, "v1").unwrap() } else { root };
        (replace(&store, &root, &at, &new, &Destination::in_place()), store)
    };
    let index = written_to(false).0.unwrap().1.root().descriptor.digest.clone();
    let (result, store) = written_to(true);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Conflict);
    let index = Descriptor::new(MediaType::literal(INDEX), index, 0);
    assert_eq!(store.store().try_size(&index).unwrap(), None);
}

#[test]
fn fields_of_the_old_content_are_removed_from_the_entry() {
    let store = Repository::in_memory().unwrap();
    let old = image(&store, "linux/amd64", 1);
    let bytes = store.document::<Manifest>(&old).unwrap().bytes().to_vec();
    let mut entry = tagged(with_platform(old, "linux/amd64"), "a");
    entry.urls = vec!["https://example.com/old".into()];
    entry.data = Some(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes));
    let root = make_root(&store, &[tagged(index(&store, &[entry.clone()]), "i"), entry]);
    let new = with_platform(image(&store, "linux/arm64", 2), "linux/arm64");
    for selector in ["a", "i//pos=0"] {
        let at = find(&store, &root, selector);
        let (after, now) = replace(&store, &root, &at, &new, &Destination::in_place()).unwrap();
        assert_eq!(now, find(&store, &after, selector));
        assert!(now.target().urls.is_empty());
        assert_eq!(now.target().platform, new.platform, "it follows where the new content states it");
        new.verify("embedded", &now.target().embedded().unwrap().unwrap()).unwrap();
    }
}

/// Stores a manifest with a subject.
fn about(store: &Repository<MemoryStore>, subject: &Descriptor) -> Descriptor {
    let text = format!(
        r#"{{"schemaVersion":2,"artifactType":"text/x-sbom","config":{{"mediaType":"{EMPTY}","digest":"{}","size":2}},"layers":[],"subject":{},"x-own":1}}"#,
        digest_of(Algorithm::Sha256, b"{}"),
        serde_json::to_string(subject).unwrap(),
    );
    let mut writer = BlobWriter::new(store.store(), MediaType::literal(MANIFEST)).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// Stores an image with two SBOMs, one at the top and one beside the image, and BuildKit's attestation; all
/// under `v1`, but for the first.
fn with_referrers() -> (Repository<MemoryStore>, Raw<Index>, Descriptor) {
    let store = Repository::in_memory().unwrap();
    let amd64 = image(&store, "linux/amd64", 1);
    let attestation =
        annotated(image(&store, "unknown/unknown", 2), "vnd.docker.reference.digest", amd64.digest.as_str());
    let both =
        index(&store, &[attestation, about(&store, &amd64), with_platform(amd64.clone(), "linux/amd64")]);
    let root = make_root(&store, &[tagged(both, "v1"), about(&store, &amd64)]);
    (store, root, amd64)
}

/// Counts the referrers of an object: at the top, and in the index of a tag.
fn counts(
    store: &Repository<MemoryStore>,
    root: &Raw<Index>,
    tag: &str,
    object: &Descriptor,
) -> (usize, usize) {
    let count = |index: &Raw<Index>| {
        let entries = index.view().manifests.iter();
        entries.filter(|entry| super::referrers::is_about(store, entry, &object.digest).unwrap()).count()
    };
    let inner: Raw<Index> = store.document(find(store, root, tag).target()).unwrap();
    (count(root), count(&inner))
}

fn replace_with(
    store: &Repository<MemoryStore>,
    root: &Raw<Index>,
    tag: Option<&str>,
    referrers: Referrers,
) -> (Replaced, Descriptor) {
    let at = find(store, root, "v1//platform=linux/amd64");
    let new = image(store, "linux/amd64", 9);
    let manifest: Raw<Manifest> = store.document(&new).unwrap();
    let to = Destination { tag: tag.map(name), referrers, ..Destination::in_place() };
    (replace_target(store, root, &at, &new, manifest.bytes(), &to).unwrap(), new)
}

#[test]
fn referrers_are_found_and_kept() {
    let (store, root, old) = with_referrers();
    let (done, new) = replace_with(&store, &root, None, Referrers::Keep);
    assert_eq!(done.referrers.len(), 3);
    assert_eq!(counts(&store, &done.root, "v1", &old), (1, 2));
    assert_eq!(counts(&store, &done.root, "v1", &new), (0, 0));
}

#[test]
fn referrers_are_copied() {
    let (store, root, old) = with_referrers();
    let (done, new) = replace_with(&store, &root, None, Referrers::Copy);
    assert_eq!(counts(&store, &done.root, "v1", &old), (1, 2));
    assert_eq!(counts(&store, &done.root, "v1", &new), (1, 2));
    assert_eq!(done.resolution, find(&store, &done.root, "v1//platform=linux/amd64,pos=2"));
    let copy: Raw<Manifest> = store.document(&done.root.view().manifests[2]).unwrap();
    assert_eq!(
        copy.view().subject.as_ref().map(|subject| (&subject.digest, subject.size)),
        Some((&new.digest, new.size))
    );
    assert!(copy.bytes().ends_with(b",\"x-own\":1}"), "unknown fields stay");
    // With a new tag: the referrer at the top is copied, the one in the old tree is not.
    let (done, new) = replace_with(&store, &root, Some("v2"), Referrers::Copy);
    assert_eq!(counts(&store, &done.root, "v1", &new), (1, 0));
    assert_eq!(counts(&store, &done.root, "v2", &new), (1, 2));
}

#[test]
fn referrers_are_dropped_where_the_object_goes() {
    let (store, root, old) = with_referrers();
    let (done, new) = replace_with(&store, &root, None, Referrers::Drop);
    assert_eq!(counts(&store, &done.root, "v1", &old), (0, 0));
    assert_eq!(done.resolution, find(&store, &done.root, "v1//pos=0"));
    assert_eq!(done.resolution.target().digest, new.digest);
    // The referrers in the old tag still have their subject.
    let (done, _) = replace_with(&store, &root, Some("v2"), Referrers::Drop);
    assert_eq!(counts(&store, &done.root, "v1", &old), (1, 2));
    assert_eq!(counts(&store, &done.root, "v2", &old), (1, 0));
}

#[test]
fn destinations_that_contradict_themselves_are_refused() {
    let (store, root) = store();
    let at = find(&store, &root, "v2");
    let new = image(&store, "linux/amd64", 50);
    for (tag, only, scope) in
        [(None, true, Scope::Place), (Some("x"), true, Scope::Tag), (Some("x"), false, Scope::All)]
    {
        let to = Destination { tag: tag.map(name), only, scope, ..Destination::in_place() };
        assert_eq!(replace(&store, &root, &at, &new, &to).unwrap_err().kind(), ErrorKind::Misuse);
    }
}

#[test]
fn an_entry_that_only_moved_is_found_again() {
    let (store, root) = store();
    let at = find(&store, &root, "deep//platform=linux/riscv64");
    let new = image(&store, "linux/riscv64", 50);
    // Another process removed a tag before it.
    let moved = without(&store, &root, "v1").unwrap();
    let (after, now) = replace(&store, &moved, &at, &new, &Destination::in_place()).unwrap();
    assert_eq!((now.root().position, tags(&after)[1]), (1, "deep"));
    // Another process changed it.
    let gone = without(&store, &root, "deep").unwrap();
    let error = replace(&store, &gone, &at, &new, &Destination::in_place()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.to_string().contains(at.root().index.as_str())
            && error.to_string().contains(gone.digest().as_str())
    );
}

#[test]
fn damaged_indexes_off_the_path_matter_only_to_wide_edits() {
    let (store, root) = store();
    let at = find(&store, &root, "v2");
    let deep = &root.view().manifests[2];
    let mut pending =
        store.store().begin(&NewBlob::streamed(&MediaType::literal("application/octet-stream"))).unwrap();
    pending.write_all(b"damaged").unwrap();
    pending.publish(&deep.digest).unwrap();
    let new = image(&store, "linux/amd64", 50);
    assert!(replace(&store, &root, &at, &new, &Destination::in_place()).is_ok());
    let all = Destination { scope: Scope::All, ..Destination::in_place() };
    assert_eq!(replace(&store, &root, &at, &new, &all).unwrap_err().kind(), ErrorKind::Corrupt);
}
