//! Manifests for mtree(8).

use ocicle::tree::{
    Tree,
    mtree::{Dialect, read_tree, write_tree},
};

use crate::limits;

/// Reads a manifest; if it is one of ours, what is written of the result reads the same.
///
/// # Panics
/// Panics if it does not.
pub fn mtree(mut data: &[u8]) {
    if let Ok(tree) = read_tree("manifest", &mut data, &limits()) {
        reads_back(&tree);
    }
}

/// Checks that the manifest of a tree says all that the tree does.
pub(crate) fn reads_back(tree: &Tree) {
    let written = native(tree);
    let again = read_tree("manifest", &mut &written[..], &limits()).expect("our own manifest");
    assert_eq!(String::from_utf8_lossy(&native(&again)), String::from_utf8_lossy(&written));
}

fn native(tree: &Tree) -> Vec<u8> {
    let mut manifest = Vec::new();
    write_tree(tree, Dialect::Native, &mut manifest).expect("memory");
    manifest
}
