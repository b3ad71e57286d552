//! Archives of layers.

use std::io::Read;

use ocicle::{
    Result,
    layer::{
        Change, ChangeSink,
        import::{Recompress, import_layer},
        index::LayerIndex,
    },
    spec::Compression,
    tree::{Tree, merge::Merge},
};

use crate::{limits, mtree::reads_back, repository};

/// Imports an archive, plain or compressed. Of what is accepted, the other readers say the same, and the
/// merged tree can be written and read.
///
/// # Panics
/// Panics if they do not.
pub fn tar(data: &[u8]) {
    let repository = repository();
    let mut seen = Seen { changes: Vec::new(), merge: Merge::new(Tree::default(), (), &limits()) };
    let as_is = Recompress::IfPlain(Compression::None);
    let Ok(layer) = import_layer(&repository, data, "input", as_is, &mut seen) else { return };
    let index = LayerIndex::build(&repository, &layer.descriptor, &layer.diff_id).expect("an imported layer");
    assert!(index.changes().iter().map(|(change, _)| change).eq(&seen.changes));
    for place in index.changes().iter().filter_map(|(_, place)| *place) {
        let read = index.read_file(&repository, &layer.descriptor, place, &mut std::io::sink());
        read.expect("a file of an imported layer");
    }
    let kept = index.to_bytes();
    let again = LayerIndex::from_bytes(&kept, &layer.descriptor, &layer.diff_id, &limits());
    assert_eq!(again.expect("an index that was kept").changes(), index.changes());
    if let Ok((tree, ())) = seen.merge.finish() {
        reads_back(&tree);
    }
}

/// Keeps the changes and merges them.
struct Seen {
    changes: Vec<Change>,
    merge: Merge<()>,
}

impl ChangeSink for Seen {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        self.changes.push(change.clone());
        self.merge.put(change, body)
    }
}
