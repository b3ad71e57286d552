//! Edits of many entries take time in proportion to their number.
#![allow(clippy::unwrap_used, reason = "tests may")]

use super::{
    annotate::{Of, annotate},
    copy::{Plan, What},
    describe::{Description, IndexNode, Node, Root, Sources, add_roots, build},
    resolve::Want,
    rewrite::{Destination, Referrers, Scope, replace_target},
    testing::{image, index, root, tagged, with_platform},
};
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Manifest, Raw, json::bytes_parsed},
    store::{Repository, memory::MemoryStore},
};

/// Compares the bytes that are parsed for some work and for twice as much.
fn assert_linear(what: &str, work: impl Fn(usize) -> usize) {
    let (some, twice) = (work(64), work(128));
    assert!(some > 0 && 2 * twice < 5 * some, "{what}: {some} bytes for 64 entries, {twice} for 128");
}

/// Returns a store with tagged images.
fn images(count: usize) -> Repository<MemoryStore> {
    let store = Repository::in_memory().unwrap();
    let one = image(&store, "linux/amd64", 1);
    let entries: Vec<_> = (0..count).map(|number| tagged(one.clone(), &format!("t{number}"))).collect();
    root(&store, &entries);
    store
}

#[test]
fn copies() {
    assert_linear("copy", |count| {
        let (from, to) = (images(count), images(count + 1));
        let plan = Plan::new(&from, What::Everything).unwrap();
        let index = to.index().unwrap();
        bytes_parsed(|| assert_eq!(plan.merged_into(&index).unwrap().bytes(), index.bytes()))
    });
}

#[test]
fn copies_of_objects() {
    assert_linear("copy of objects", |count| {
        let from = images(count);
        let trees: Vec<_> = (0..count)
            .map(|number| {
                let one = image(&from, &format!("linux/amd64/v{number}"), 1);
                tagged(index(&from, &[one]), &format!("i{number}"))
            })
            .collect();
        let entries = from.index().unwrap().view().manifests.iter().cloned().chain(trees).collect::<Vec<_>>();
        root(&from, &entries);
        let all = from.resolve_all(&"type=manifest".parse().unwrap(), Want::Any).unwrap();
        bytes_parsed(|| {
            let plan = Plan::new(&from, What::Objects(&all)).unwrap();
            let tags: Vec<_> =
                plan.index().view().manifests.iter().filter_map(Descriptor::ref_name).collect();
            assert_eq!((tags.len(), tags[0], tags[count]), (2 * count, "t0", "i0"));
        })
    });
}

#[test]
fn tags() {
    assert_linear("add_roots", |count| {
        let store = images(count);
        let index = store.index().unwrap();
        let descriptor = image(&store, "linux/arm64", 1);
        let tag = |number: usize| Some(format!("t{}", number + count / 2).parse().unwrap());
        let roots: Vec<_> =
            (0..count).map(|number| Root { tag: tag(number), descriptor: descriptor.clone() }).collect();
        bytes_parsed(|| {
            let added = add_roots(&index, &roots).unwrap();
            assert_eq!(added.view().manifests.len(), count + count / 2);
        })
    });
}

#[test]
fn edits_of_every_place() {
    for referrers in [Referrers::Keep, Referrers::Copy] {
        assert_linear("replace_target", |count| {
            let store = Repository::in_memory().unwrap();
            let old = image(&store, "linux/amd64", 1);
            let below: Vec<_> = (0..count)
                .map(|number| with_platform(old.clone(), &format!("linux/amd64/v{number}")))
                .collect();
            let mut entries = vec![tagged(index(&store, &below), "index")];
            entries.extend((0..count).map(|number| tagged(old.clone(), &format!("t{number}"))));
            let root = root(&store, &entries);
            let at = store.resolve(&"t0".parse().unwrap(), Want::Any).unwrap();
            let new = image(&store, "linux/amd64", 2);
            let manifest: Raw<Manifest> = store.document(&new).unwrap();
            let to = Destination { scope: Scope::All, referrers, ..Destination::in_place() };
            bytes_parsed(|| {
                replace_target(&store, &root, &at, &new, manifest.bytes(), &to).unwrap();
            })
        });
    }
}

#[test]
fn annotations() {
    for of in [Of::Object, Of::Entry] {
        assert_linear("annotate", |count| {
            let store = images(1);
            let root = store.index().unwrap();
            let at = store.resolve(&"t0".parse().unwrap(), Want::Any).unwrap();
            let changes: Vec<_> =
                (0..count).map(|number| (format!("key-{number:03}"), Some("value".into()))).collect();
            bytes_parsed(|| {
                annotate(&store, &root, &at, of, &changes, &Destination::in_place()).unwrap();
            })
        });
    }
}

#[test]
fn descriptions() {
    struct Listed(Vec<Descriptor>);

    impl Sources for Listed {
        fn object(&mut self, reference: &str) -> Result<Descriptor> {
            Ok(self.0[reference.parse::<usize>().unwrap()].clone())
        }

        fn file(&mut self, path: &str) -> Result<Box<dyn std::io::Read + '_>> {
            Err(Error::NotFound(path.into()))
        }
    }

    assert_linear("build", |count| {
        let store = Repository::in_memory().unwrap();
        let images = (0..count).map(|number| image(&store, &format!("linux/amd64/v{number}"), 1)).collect();
        let manifests = (0..count).map(|number| Node { from: Some(number.to_string()), ..Node::default() });
        let index = IndexNode { manifests: manifests.collect(), ..IndexNode::default() };
        let description = Description { root: vec![Node { index: Some(index), ..Node::default() }] };
        bytes_parsed(|| {
            build(&store, &description, &mut Listed(images)).unwrap();
        })
    });
}
