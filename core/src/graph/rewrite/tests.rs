use super::{
    super::{
        resolve::{Want, resolve},
        testing::{image, index, root as make_root, store, tagged, with_platform},
    },
    Destination, RefName, Resolution, point, replace_target, tag, untag,
};
use crate::{
    error::Kind,
    limits::Limits,
    spec::{Descriptor, Index, Manifest, Raw},
    store::{BlobRead as _, BlobReadExt as _, memory::MemoryStore},
};

fn find(store: &MemoryStore, root: &Raw<Index>, selector: &str) -> Resolution {
    resolve(store, root, Some(&selector.parse().unwrap()), Want::Any, &Limits::default()).unwrap()
}

fn name(text: &str) -> RefName {
    text.parse().unwrap()
}

fn tags(root: &Raw<Index>) -> Vec<&str> {
    root.view().manifests.iter().map(|entry| entry.ref_name().unwrap_or("-")).collect()
}

fn replace(
    store: &MemoryStore,
    root: &Raw<Index>,
    at: &Resolution,
    new: &Descriptor,
    to: &Destination,
) -> crate::Result<(Raw<Index>, Resolution)> {
    let limits = Limits::default();
    let manifest: Raw<Manifest> = store.document(new, &limits).unwrap();
    replace_target(store, root, at, new, manifest.bytes(), to, &limits)
}

#[test]
fn in_place_changes_the_way_and_nothing_beside_it() {
    let (store, root) = store();
    let at = find(&store, &root, "deep//platform=linux/riscv64");
    let new = image(&store, "linux/riscv64", 50);
    let (after, now) = replace(&store, &root, &at, &new, &Destination::InPlace).unwrap();
    assert_eq!(now.target().digest, new.digest);
    assert_eq!(now.target().platform, at.target().platform, "the other fields of the slot stay");
    assert_eq!(find(&store, &after, "deep//platform=linux/riscv64"), now);

    let limits = Limits::default();
    for (position, entry) in root.view().manifests.iter().enumerate() {
        assert_eq!(after.view().manifests[position] == *entry, position != 2);
    }
    for depth in 0..2 {
        let old: Raw<Index> = store.document(&at.hops()[depth].descriptor, &limits).unwrap();
        let new: Raw<Index> = store.document(&now.hops()[depth].descriptor, &limits).unwrap();
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
    let (after, now) = replace(&store, &root, &at, &new, &Destination::Tag(name("new"))).unwrap();
    assert_eq!(tags(&after), ["v1", "v2", "deep", "sparse", "again", "new"]);
    assert_eq!(after.view().manifests[..5], root.view().manifests[..]);
    assert_eq!(find(&store, &after, "new//platform=linux/arm64"), now);
    // The other platform is the same object as before.
    assert_eq!(
        find(&store, &after, "new//platform=linux/amd64").target().digest,
        find(&store, &root, "v1//platform=linux/amd64").target().digest
    );
    // The tag it has: in its slot. Another's: in that one's slot.
    let (after, _) = replace(&store, &root, &at, &new, &Destination::Tag(name("v1"))).unwrap();
    assert_eq!(tags(&after), tags(&root));
    let (after, now) = replace(&store, &root, &at, &new, &Destination::Tag(name("v2"))).unwrap();
    assert_eq!(tags(&after), tags(&root));
    assert_eq!(after.view().manifests[0], root.view().manifests[0]);
    assert_eq!(find(&store, &after, "v2//platform=linux/arm64"), now);
}

#[test]
fn a_way_whose_beginning_is_gone_still_leads_to_a_tag() {
    let (store, root) = store();
    let at = find(&store, &root, "v1//platform=linux/arm64");
    let root = untag(&root, &name("v1")).unwrap();
    let new = image(&store, "linux/arm64", 50);
    let error = replace(&store, &root, &at, &new, &Destination::InPlace).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let (after, now) = replace(&store, &root, &at, &new, &Destination::Tag(name("v1"))).unwrap();
    assert_eq!(tags(&after), ["v2", "deep", "sparse", "again", "v1"]);
    assert_eq!(find(&store, &after, "v1//platform=linux/arm64"), now);
}

#[test]
fn one_of_several_places_must_be_named() {
    let (store, root) = store();
    let digest = find(&store, &root, "again").target().digest.clone();
    let at = find(&store, &root, &format!("digest={digest}"));
    let new = image(&store, "linux/amd64", 50);
    let error = replace(&store, &root, &at, &new, &Destination::InPlace).unwrap_err();
    assert_eq!(error.kind(), Kind::Misuse);
    assert!(error.to_string().contains("is at 3 places"), "{error}");
    assert!(tag(&root, &at, &name("new"), false).is_err());
    assert_eq!(tags(&tag(&root, &at, &name("new"), true).unwrap()).len(), 6);
}

#[test]
fn tags_move_copy_and_go() {
    let (store, root) = store();
    let at = find(&store, &root, "deep//platform=linux/riscv64");
    let whole = tag(&root, &at, &name("new"), false).unwrap();
    assert_eq!(whole.view().manifests[5].digest, root.view().manifests[2].digest);
    let bare = tag(&root, &at, &name("new"), true).unwrap();
    assert_eq!(bare.view().manifests[5].digest, at.target().digest);
    let moved = tag(&root, &at, &name("v1"), false).unwrap();
    assert_eq!(tags(&moved), tags(&root));
    assert_eq!(moved.view().manifests[0].digest, root.view().manifests[2].digest);
    assert_eq!(tag(&root, &at, &name("deep"), false).unwrap(), root, "it has that tag already");

    let without = untag(&root, &name("v2")).unwrap();
    assert_eq!(tags(&without), ["v1", "deep", "sparse", "again"]);
    let error = untag(&without, &name("v2")).unwrap_err();
    assert_eq!(error.to_string(), "there is no tag v2; there is v1, deep, sparse, again");
    let pointed = point(&without, &name("v2"), &image(&store, "linux/amd64", 9)).unwrap();
    assert_eq!(tags(&pointed), ["v1", "deep", "sparse", "again", "v2"]);
}

#[test]
fn a_tag_used_twice_is_moved_by_nobody() {
    let store = MemoryStore::new().unwrap();
    let (one, two) = (image(&store, "linux/amd64", 1), image(&store, "linux/amd64", 2));
    let root = make_root(&store, &[tagged(one.clone(), "t"), tagged(two, "t")]);
    let error = point(&root, &name("t"), &one).unwrap_err();
    assert_eq!(
        error.to_string(),
        "index.json: the tag t is used more than once; `ocicle rm` removes them all"
    );
    assert_eq!(tags(&untag(&root, &name("t")).unwrap()), Vec::<&str>::new());
}

#[test]
fn a_slot_that_another_tag_moved_into_is_not_taken_for_the_old_one() {
    let store = MemoryStore::new().unwrap();
    let one = image(&store, "linux/amd64", 1);
    let root = make_root(&store, &[tagged(one.clone(), "a"), tagged(one, "b")]);
    let at = find(&store, &root, "a");
    // Without `a`, `b` stands at its position, with the same object.
    let root = untag(&root, &name("a")).unwrap();
    let new = image(&store, "linux/amd64", 2);
    let error = replace(&store, &root, &at, &new, &Destination::InPlace).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(tag(&root, &at, &name("c"), false).unwrap_err().kind(), Kind::Conflict);
}

#[test]
fn nothing_is_written_for_a_way_that_is_gone() {
    let written_to = |gone: bool| {
        let (store, root) = store();
        let at = find(&store, &root, "v1//platform=linux/arm64");
        let new = image(&store, "linux/arm64", 50);
        let root = if gone { untag(&root, &name("v1")).unwrap() } else { root };
        (replace(&store, &root, &at, &new, &Destination::InPlace), store)
    };
    let index = written_to(false).0.unwrap().1.root().descriptor.digest.clone();
    let (result, store) = written_to(true);
    assert_eq!(result.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(store.try_size(&index).unwrap(), None);
}

#[test]
fn what_only_fits_the_old_content_goes_and_the_resolution_is_as_written() {
    let store = MemoryStore::new().unwrap();
    let old = image(&store, "linux/amd64", 1);
    let bytes = store.document::<Manifest>(&old, &Limits::default()).unwrap().bytes().to_vec();
    let mut entry = tagged(with_platform(old, "linux/amd64"), "a");
    entry.urls = vec!["https://example.com/old".into()];
    entry.data = Some(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes));
    let root = make_root(&store, &[tagged(index(&store, &[entry.clone()]), "i"), entry]);
    let new = with_platform(image(&store, "linux/arm64", 2), "linux/arm64");
    for selector in ["a", "i//pos=0"] {
        let at = find(&store, &root, selector);
        let (after, now) = replace(&store, &root, &at, &new, &Destination::InPlace).unwrap();
        assert_eq!(now, find(&store, &after, selector));
        assert!(now.target().urls.is_empty());
        assert_eq!(now.target().platform, new.platform, "it follows where the new content states it");
        new.verify("embedded", &now.target().embedded().unwrap().unwrap()).unwrap();
    }
}
