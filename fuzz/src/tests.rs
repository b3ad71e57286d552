//! Everything holds for the inputs that libFuzzer begins with, and these are worth beginning with.

use std::collections::BTreeSet;

use crate::{documents, inflate, layout, mtree, seeds, selectors, tar, toc, use_layout};

#[test]
fn seeds_pass() {
    let mut used = BTreeSet::new();
    for (name, input) in seeds() {
        let target = match name {
            "documents" => documents,
            "inflate" => inflate,
            "mtree" => mtree,
            "selectors" => selectors,
            "tar" => tar,
            "toc" => toc,
            _ => panic!("{name} is not a target"),
        };
        target(&input);
        // Cut short, as libFuzzer would at once.
        target(&input[..input.len() / 2]);
        used.insert(name);
    }
    assert_eq!(used.len(), 6, "{used:?}");
    assert_eq!(use_layout(layout(|_, text| text.into_bytes())), 4);
}
