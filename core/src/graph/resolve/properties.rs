use proptest::prelude::*;

use super::{
    super::testing::{image, index, root, tagged, with_platform},
    ResolveError, Want,
};
use crate::{
    graph::Resolution,
    spec::Descriptor,
    store::{Repository, memory::MemoryStore},
};

#[derive(Debug, Clone)]
enum Tree {
    Image(usize, u64),
    Index(Vec<Tree>),
}

/// Generates trees of few kinds of images, so that many are equal.
fn trees() -> impl Strategy<Value = Tree> {
    let leaf = (0usize..3, 0u64..3).prop_map(|(platform, salt)| Tree::Image(platform, salt));
    leaf.prop_recursive(3, 16, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Tree::Index))
}

fn put(store: &Repository<MemoryStore>, tree: &Tree) -> Descriptor {
    match tree {
        Tree::Image(platform, salt) => {
            let platform = ["linux/amd64", "linux/arm64/v8", "unknown/unknown"][*platform];
            let image = image(store, platform, *salt);
            if *salt == 0 { with_platform(image, platform) } else { image }
        }
        Tree::Index(entries) => {
            let entries: Vec<_> = entries.iter().map(|entry| put(store, entry)).collect();
            index(store, &entries)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_is_proposed_means_what_it_says(
        entries in prop::collection::vec((trees(), "(v1|v2|a b|)"), 0..5),
        selector in "(v1|type=index|type=manifest|pos=0//pos=0|platform=linux/amd64|v1//type=manifest)",
        want in prop_oneof![Just(Want::Any), Just(Want::Image)],
    ) {
        let store = Repository::in_memory().unwrap();
        let entries: Vec<_> = entries
            .iter()
            .map(|(tree, tag)| {
                let entry = put(&store, tree);
                if tag.is_empty() { entry } else { tagged(entry, tag) }
            })
            .collect();
        let root = root(&store, &entries);
        let find = |selector: &str| -> Result<Resolution, ResolveError> {
            store.resolve_in(&root, &selector.parse().unwrap(), want)
        };
        match find(&selector) {
            Err(ResolveError::Ambiguous { candidates }) => {
                prop_assert!(candidates.len() > 1);
                for candidate in &candidates {
                    let found = find(&candidate.selector.to_string()).unwrap();
                    prop_assert_eq!(&found.target().digest, &candidate.descriptor.digest);
                }
            }
            Ok(found) => {
                let exact = find(&found.selector().to_string()).unwrap();
                prop_assert_eq!(exact.hops(), found.hops());
                prop_assert_eq!(exact.describe(&store).places, 1);
            }
            Err(ResolveError::NotFound { looked_for, .. }) => prop_assert!(!looked_for.is_empty()),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
