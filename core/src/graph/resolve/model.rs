//! Random trees and random selectors, against a model that tries every way of matching.

use std::collections::BTreeSet;

use super::{
    super::testing::{self, Random},
    ResolveError, Want,
};
use crate::{
    digest::Algorithm,
    hash::digest_of,
    spec::{
        Descriptor, MediaType,
        media_type::{INDEX, MANIFEST},
    },
    store::{Repository, memory::MemoryStore},
};

#[derive(Debug, Clone, PartialEq)]
enum Object {
    Image {
        platform: usize,
        salt: u64,
    },
    /// A manifest whose config is not that of an image.
    Artifact,
    Index(Vec<Node>),
    /// An image that is not in the store.
    AbsentImage(u64),
    AbsentIndex(u64),
}

/// An entry and its object.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    object: Object,
    tag: Option<&'static str>,
    platform: Option<usize>,
    note: Option<&'static str>,
    digest: String,
}

/// Platforms as written, and as parsed: architecture and variant.
const PLATFORMS: [(&str, &str, &str); 8] = [
    ("linux/amd64", "amd64", ""),
    ("linux/x86_64", "amd64", ""),
    ("linux/arm64", "arm64", ""),
    ("linux/arm64/v8", "arm64", ""),
    ("linux/aarch64", "arm64", ""),
    ("linux/arm/v6", "arm", "v6"),
    ("linux/armhf", "arm", "v7"),
    ("unknown/unknown", "unknown", ""),
];

const ARTIFACT: &str = "application/vnd.oci.empty.v1+json";

#[derive(Debug, Clone)]
enum Clause {
    Tag(&'static str),
    Platform(&'static str, Option<&'static str>, &'static str),
    Digest(String),
    Position(usize),
    Index,
    Manifest,
    Artifact,
    Note(&'static str),
}

impl Clause {
    fn text(&self) -> String {
        match self {
            Self::Tag(tag) => format!("tag={tag}"),
            Self::Platform(.., text) => format!("platform={text}"),
            Self::Digest(digest) => format!("digest={digest}"),
            Self::Position(position) => format!("pos={position}"),
            Self::Index => "type=index".into(),
            Self::Manifest => format!("type={MANIFEST}"),
            Self::Artifact => format!("artifact={ARTIFACT}"),
            Self::Note(note) => format!("annotation.note={note}"),
        }
    }
}

/// The nodes from an entry of `index.json` down, each with its position.
type Way<'a> = Vec<(usize, &'a Node)>;

/// Returns whether a clause holds for the last node of a path.
fn holds(clause: &Clause, way: &[(usize, &Node)]) -> bool {
    let (position, node) = way[way.len() - 1];
    match clause {
        Clause::Tag(tag) => way.len() == 1 && node.tag == Some(tag),
        Clause::Platform(architecture, variant, _) => {
            let own = |node: &Node| {
                node.platform.or(match node.object {
                    Object::Image { platform, .. } => Some(platform),
                    _ => None,
                })
            };
            let Some(platform) = way.iter().rev().find_map(|(_, node)| own(node)) else { return false };
            let (_, is, has) = PLATFORMS[platform];
            is == *architecture && variant.is_none_or(|variant| variant == has)
        }
        Clause::Digest(digest) => node.digest.starts_with(digest),
        Clause::Position(wanted) => position == *wanted,
        Clause::Index => matches!(node.object, Object::Index(_) | Object::AbsentIndex(_)),
        Clause::Manifest => !matches!(node.object, Object::Index(_) | Object::AbsentIndex(_)),
        Clause::Artifact => node.object == Object::Artifact,
        Clause::Note(note) => node.note == Some(note),
    }
}

/// Returns whether these steps match nodes of a path in order, the first of them at or below `from`; if
/// `at_end`, the last of them matches the last node.
fn fits(way: &[(usize, &Node)], steps: &[Vec<Clause>], from: usize, at_end: bool) -> bool {
    let [step, rest @ ..] = steps else { return !at_end || from == way.len() };
    let exact = step.iter().any(|clause| matches!(clause, Clause::Position(_)));
    (from..way.len())
        .filter(|at| !exact || *at == from)
        .any(|at| step.iter().all(|clause| holds(clause, &way[..=at])) && fits(way, rest, at + 1, at_end))
}

fn is_image(node: &Node) -> bool {
    let named = node.platform.is_some_and(|platform| PLATFORMS[platform].1 == "unknown");
    match node.object {
        Object::Image { .. } | Object::AbsentImage(_) => !named,
        Object::Artifact | Object::Index(_) | Object::AbsentIndex(_) => false,
    }
}

fn ways<'a>(nodes: &'a [Node], above: &Way<'a>, all: &mut Vec<Way<'a>>) {
    for (position, node) in nodes.iter().enumerate() {
        let mut way = above.clone();
        way.push((position, node));
        all.push(way.clone());
        if let Object::Index(nodes) = &node.object {
            ways(nodes, &way, all);
        }
    }
}

/// A builder of nodes and their entries.
struct Maker<'a> {
    store: &'a Repository<MemoryStore>,
    random: &'a mut Random,
    /// The objects built so far: some are used again.
    pool: Vec<(Object, Descriptor)>,
}

impl Maker<'_> {
    fn object(&mut self, depth: u32) -> (Object, Descriptor) {
        let shared = self.random.below(4) == 0;
        if shared && !self.pool.is_empty() {
            return self.pool[self.random.below(self.pool.len() as u64) as usize].clone();
        }
        let absent = |kind: &'static str, text: String| {
            let digest = digest_of(Algorithm::Sha256, text.as_bytes());
            Descriptor::new(MediaType::literal(kind), digest, 9)
        };
        let made = match self.random.below(if depth == 0 { 8 } else { 16 }) {
            0 => (Object::Artifact, testing::artifact(self.store)),
            1 => {
                let number = self.random.below(2);
                (Object::AbsentImage(number), absent(MANIFEST, format!("image {number}")))
            }
            2 => {
                let number = self.random.below(2);
                (Object::AbsentIndex(number), absent(INDEX, format!("index {number}")))
            }
            3..8 => {
                let (platform, salt) = (self.random.below(8) as usize, self.random.below(2));
                let image = testing::image(self.store, PLATFORMS[platform].0, salt);
                (Object::Image { platform, salt }, image)
            }
            _ => {
                let (nodes, entries): (Vec<_>, Vec<_>) =
                    (0..self.random.below(4)).map(|_| self.node(depth - 1, false)).unzip();
                (Object::Index(nodes), testing::index(self.store, &entries))
            }
        };
        self.pool.push(made.clone());
        made
    }

    fn node(&mut self, depth: u32, top: bool) -> (Node, Descriptor) {
        let (object, mut entry) = self.object(depth);
        let tag =
            [None, Some("v1"), Some("v1"), Some("v2")][self.random.below(if top { 4 } else { 1 }) as usize];
        let platform = (self.random.below(3) == 0).then(|| self.random.below(8) as usize);
        let note = [None, None, Some("a"), Some("b")][self.random.below(4) as usize];
        let digest = entry.digest.to_string();
        if let Some(tag) = tag {
            entry = testing::tagged(entry, tag);
        }
        if let Some(platform) = platform {
            entry = testing::with_platform(entry, PLATFORMS[platform].0);
        }
        if let Some(note) = note {
            entry = testing::annotated(entry, "note", note);
        }
        (Node { object, tag, platform, note, digest }, entry)
    }
}

fn clause(random: &mut Random, digests: &[String], first: bool) -> Clause {
    match random.below(if first { 12 } else { 9 }) {
        0 | 1 => {
            let wanted = [
                ("amd64", None, "linux/amd64"),
                ("arm64", None, "linux/aarch64"),
                ("arm64", Some(""), "linux/arm64/v8"),
                ("arm", None, "linux/arm"),
                ("arm", Some("v7"), "linux/arm/v7"),
                ("arm", Some("v6"), "linux/armel"),
            ];
            let (architecture, variant, text) = wanted[random.below(6) as usize];
            Clause::Platform(architecture, variant, text)
        }
        2 => match digests.get(random.below(digests.len().max(1) as u64) as usize) {
            Some(digest) => {
                Clause::Digest(digest[..if random.below(2) == 0 { 20 } else { digest.len() }].into())
            }
            None => Clause::Position(0),
        },
        3 | 4 => Clause::Position(random.below(3) as usize),
        5 => Clause::Index,
        6 => Clause::Manifest,
        7 => Clause::Artifact,
        8 => Clause::Note(["a", "b"][random.below(2) as usize]),
        _ => Clause::Tag(["v1", "v2"][random.below(2) as usize]),
    }
}

#[test]
fn selectors_resolve_as_the_model_says() {
    let mut random = Random(7);
    let (mut found, mut missing, mut ambiguous, mut shared) = (0, 0, 0, 0);
    for _ in 0..400 {
        let store = Repository::in_memory().unwrap();
        let mut maker = Maker { store: &store, random: &mut random, pool: Vec::new() };
        let (nodes, entries): (Vec<_>, Vec<_>) =
            (0..maker.random.below(5)).map(|_| maker.node(4, true)).unzip();
        let root = testing::root(&store, &entries);
        let mut all = Vec::new();
        ways(&nodes, &Vec::new(), &mut all);
        let digests: Vec<String> = all.iter().map(|way| way[way.len() - 1].1.digest.clone()).collect();
        for _ in 0..12 {
            let steps: Vec<Vec<Clause>> = (0..1 + random.below(5) / 2)
                .map(|step| {
                    (0..1 + random.below(4) / 3).map(|_| clause(&mut random, &digests, step == 0)).collect()
                })
                .collect();
            let clauses = |step: &Vec<Clause>| step.iter().map(Clause::text).collect::<Vec<_>>().join(",");
            let text = steps.iter().map(clauses).collect::<Vec<_>>().join("//");
            let selector = text.parse().unwrap();
            let want = if random.below(2) == 0 { Want::Any } else { Want::Image };

            let wanted: Vec<&Way<'_>> = all
                .iter()
                .filter(|way| match want {
                    Want::Any => fits(way, &steps, 0, true),
                    Want::Image => fits(way, &steps, 0, false) && is_image(way[way.len() - 1].1),
                })
                .collect();
            let target = |way: &Way<'_>| way[way.len() - 1].1.digest.clone();
            let positions = |way: &Way<'_>| way.iter().map(|(position, _)| *position).collect::<Vec<_>>();
            let places: Vec<_> = wanted.iter().map(|way| positions(way)).collect();
            let case = format!("{text} {want:?} in {nodes:#?}");

            let explained = store.explain(&selector, want).unwrap();
            match store.resolve_all(&selector, want) {
                Ok(all) => {
                    let exact: Vec<_> = all.iter().map(crate::graph::Resolution::selector).collect();
                    assert_eq!(explained.found, exact, "{case}");
                    let got: Vec<Vec<usize>> = all
                        .iter()
                        .map(|found| found.hops().iter().map(|hop| hop.position).collect())
                        .collect();
                    assert_eq!(got, places, "{case}");
                }
                Err(ResolveError::NotFound { .. }) => {
                    assert!(wanted.is_empty() && explained.found.is_empty(), "{case}");
                }
                Err(other) => panic!("{other}: {case}"),
            }
            let mut known = BTreeSet::new();
            let is_present = |way: &&&Way<'_>| !matches!(way[way.len() - 1].1.object, Object::AbsentImage(_));
            let prefers = want == Want::Image && wanted.iter().any(|way| is_present(&way));
            let wanted: Vec<_> = wanted.iter().filter(|way| !prefers || is_present(way)).collect();
            let objects: Vec<String> =
                wanted.iter().map(|way| target(way)).filter(|digest| known.insert(digest.clone())).collect();
            match (store.resolve_in(&root, &selector, want), &objects[..]) {
                (Err(ResolveError::NotFound { .. }), []) => missing += 1,
                (Ok(resolution), [only]) => {
                    assert_eq!(resolution.target().digest.to_string(), *only, "{case}");
                    assert_eq!(resolution.describe(&store).places, wanted.len(), "{case}");
                    found += 1;
                    shared += usize::from(wanted.len() > 1);
                }
                (Err(ResolveError::Ambiguous { candidates }), [_, _, ..]) => {
                    let listed: Vec<String> =
                        candidates.iter().map(|candidate| candidate.descriptor.digest.to_string()).collect();
                    assert_eq!(listed, objects, "{case}");
                    ambiguous += 1;
                }
                (other, _) => panic!("{other:?}, expected {objects:?}: {case}"),
            }
        }
    }
    assert!(
        found > 500 && missing > 500 && ambiguous > 200 && shared > 100,
        "{found} found, {missing} missing, {ambiguous} ambiguous, {shared} at several places"
    );
}
