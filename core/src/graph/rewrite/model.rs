//! Random trees and random edits, against a model without digests.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::collections::BTreeMap;

use super::{
    super::testing::{self, Random},
    Destination, Hop, RefName, Replaced, Resolution, Scope, replace_target,
};
use crate::{
    digest::Digest,
    spec::{Descriptor, Index, Manifest, Raw},
    store::{Repository, RootIndex as _, memory::MemoryStore},
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Image(u64),
    Index(Vec<Node>),
}

type Entries = Vec<(Option<String>, Node)>;

impl Node {
    fn random(random: &mut Random, depth: u32) -> Self {
        if depth == 0 || random.below(3) == 0 {
            return Self::Image(random.below(4));
        }
        Self::Index((0..random.below(4)).map(|_| Self::random(random, depth - 1)).collect())
    }

    /// Collects the paths to its images.
    fn images(&self, way: &[usize], found: &mut Vec<Vec<usize>>) {
        match self {
            Self::Image(_) => found.push(way.to_vec()),
            Self::Index(nodes) => {
                nodes.iter().enumerate().for_each(|(at, node)| node.images(&[way, &[at]].concat(), found));
            }
        }
    }

    fn at(&mut self, way: &[usize]) -> &mut Self {
        match (self, way) {
            (node, []) => node,
            (Self::Index(nodes), [first, rest @ ..]) => nodes[*first].at(rest),
            (Self::Image(_), _) => panic!("no such way"),
        }
    }

    fn replace(&mut self, old: u64, new: u64) {
        match self {
            Self::Image(image) if *image == old => *image = new,
            Self::Image(_) => {}
            Self::Index(nodes) => nodes.iter_mut().for_each(|node| node.replace(old, new)),
        }
    }

    fn store(&self, store: &Repository<MemoryStore>) -> Descriptor {
        match self {
            Self::Image(image) => testing::image(store, "linux/amd64", *image),
            Self::Index(nodes) => {
                let entries: Vec<_> = nodes.iter().map(|node| node.store(store)).collect();
                testing::index(store, &entries)
            }
        }
    }
}

/// Returns the expected tree.
fn expected(entries: &Entries, way: &[usize], to: &Destination, new: u64) -> Entries {
    let mut after = entries.clone();
    let (root, below) = (way[0], &way[1..]);
    let Node::Image(old) = *entries[root].1.clone().at(below) else { panic!("the way leads to an image") };
    let mut changed = entries[root].1.clone();
    match to.scope {
        _ if to.only => changed = Node::Image(new),
        Scope::Place => *changed.at(below) = Node::Image(new),
        Scope::Tag => changed.replace(old, new),
        Scope::All => {
            after.iter_mut().for_each(|(_, node)| node.replace(old, new));
            return after;
        }
    }
    let Some(tag) = to.tag.as_ref().map(|tag| tag.as_str().to_owned()) else {
        after[root].1 = changed;
        return after;
    };
    match after.iter().position(|(known, _)| known.as_ref() == Some(&tag)) {
        Some(holder) => after[holder].1 = changed,
        None => after.push((Some(tag), changed)),
    }
    after
}

/// Returns the actual tree.
fn actual(store: &Repository<MemoryStore>, index: &Raw<Index>, images: &BTreeMap<Digest, u64>) -> Entries {
    let entries = index.view().manifests.iter().map(|entry| {
        let node = match images.get(&entry.digest) {
            Some(image) => Node::Image(*image),
            None => {
                let index: Raw<Index> = store.document(entry).unwrap();
                assert!(index.bytes().starts_with(b"{\"x-unknown\" : [1,  2],\n"), "a field was lost");
                Node::Index(actual(store, &index, images).into_iter().map(|(_, node)| node).collect())
            }
        };
        (entry.ref_name().map(str::to_owned), node)
    });
    entries.collect()
}

fn resolution(store: &Repository<MemoryStore>, root: &Raw<Index>, way: &[usize]) -> Resolution {
    let mut hops: Vec<Hop> = Vec::new();
    for &position in way {
        let index = match hops.last() {
            None => root.clone(),
            Some(above) => store.document(&above.descriptor).unwrap(),
        };
        let descriptor = index.view().manifests[position].clone();
        hops.push(Hop { index: index.digest(), position, descriptor });
    }
    Resolution::new(hops, 1)
}

#[test]
fn edits_of_trees_match_the_model() {
    let mut random = Random(1);
    let (mut edits, mut shared) = (0, 0);
    for _ in 0..600 {
        let entries: Entries = (0..1 + random.below(4))
            .map(|number| ((random.below(3) > 0).then(|| format!("t{number}")), Node::random(&mut random, 4)))
            .collect();
        let mut ways = Vec::new();
        entries.iter().enumerate().for_each(|(at, (_, node))| node.images(&[at], &mut ways));
        if ways.is_empty() {
            continue;
        }
        let way = ways[random.below(ways.len() as u64) as usize].clone();
        let store = Repository::in_memory().unwrap();
        let mut images = BTreeMap::new();
        for image in 0..5 {
            images.insert(testing::image(&store, "linux/amd64", image).digest, image);
        }
        let descriptors: Vec<_> = entries
            .iter()
            .map(|(tag, node)| match tag {
                Some(tag) => testing::tagged(node.store(&store), tag),
                None => node.store(&store),
            })
            .collect();
        testing::root(&store, &descriptors);
        let root = store.store().load().unwrap();
        let at = resolution(&store, &root, &way);
        let scope = [Scope::Place, Scope::Tag, Scope::All][random.below(3) as usize];
        let tag: Option<RefName> = match scope {
            Scope::All => None,
            _ => (random.below(2) == 0).then(|| format!("t{}", random.below(5)).parse().unwrap()),
        };
        let only = tag.is_some() && scope == Scope::Place && random.below(3) == 0;
        let to = Destination { tag, only, scope, ..Destination::in_place() };
        let new = testing::image(&store, "linux/amd64", 4);
        let bytes: Raw<Manifest> = store.document(&new).unwrap();

        let Replaced { root: after, resolution: now, .. } =
            replace_target(&store, &root, &at, &new, bytes.bytes(), &to).unwrap();
        let wanted = expected(&entries, &way, &to, 4);
        assert_eq!(actual(&store, &after, &images), wanted, "{entries:?} {way:?} {to:?}");
        // The returned path leads to the new image.
        let positions: Vec<usize> = now.hops().iter().map(|hop| hop.position).collect();
        assert_eq!(resolution(&store, &after, &positions), now);
        assert_eq!(now.target().digest, new.digest);
        edits += 1;
        shared += usize::from(scope != Scope::Place);
    }
    assert!(edits > 400 && shared > 200, "{edits} edits, {shared} of them of several places");
}
