use super::{
    super::{
        resolve::{Want, resolve},
        testing::{image, root as make_root, store, tagged},
    },
    Destination, RefName, Resolution, point, replace_target, tag, untag,
};
use crate::{
    error::Kind,
    limits::Limits,
    spec::{Descriptor, Index, Manifest, Raw},
    store::{BlobReadExt as _, memory::MemoryStore},
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
