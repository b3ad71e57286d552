//! Squashing several layers into one: their combined effect, without what they hide from each other.

use std::{collections::HashMap, io};

use super::{
    Image,
    edit::{config_with_layer, layer_of, with_config},
    history::without_surplus,
    look::{Look, each_file},
};
use crate::{
    error::Result,
    layer::{Change, ChangeSink, Entry, EntryKind, LostLists, reader::read_layer, writer::LayerWriter},
    name::EntryPath,
    spec::{Compression, History},
    store::{BlobRead, Repository, Store},
    tree::{Content, Inode, InodeId, Tree, merge::Merge},
};

/// Sends the changes that turn the lowest `from` layers of an image into the whole image; with 0, all of it.
/// Everything but files is sent first, then the files in the order of the layers, further names of files, and
/// the directories last, so that their times are not changed again. Returns what the layers have and the sink
/// did not get.
///
/// # Errors
/// Those of [`Look::inside`], and of the sink.
pub fn send_squashed<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    from: usize,
    sink: &mut dyn ChangeSink,
) -> Result<LostLists> {
    let base = lowest(repository, image, from)?;
    let look = Look::inside(repository, image)?;
    let now = &look.tree;
    for path in gone(&base, now) {
        sink.put(&Change::Remove(path), &mut io::empty())?;
    }
    let mut dirs = Vec::new();
    // The first name of each file that is sent.
    let mut first: HashMap<InodeId, EntryPath> = HashMap::new();
    let names = names(now);
    let mut links = Vec::new();
    for (path, id) in now {
        let Inode { attrs, content, .. } = now.inode(id);
        if matches!(content, Content::Dir(_)) {
            let old = base.get(&path).map(|old| base.inode(old));
            match old.map(|old| (matches!(old.content, Content::Dir(_)), old.attrs == *attrs)) {
                Some((true, true)) if !(path.is_root() && from == 0) => {}
                Some((false, _)) => {
                    // A parent directory must exist.
                    put(sink, path.clone(), now.inode(id), EntryKind::Dir)?;
                    dirs.push((path, id));
                }
                _ => dirs.push((path, id)),
            }
            continue;
        }
        let all = names.get(&id).map_or(&[][..], Vec::as_slice);
        if unchanged(&base, now, id, &path, all) {
            continue;
        }
        match first.get(&id) {
            Some(to) => links.push((path, id, to.clone())),
            None => {
                first.insert(id, path.clone());
                if let Some(kind) = node_of(content) {
                    put(sink, path, now.inode(id), kind)?;
                }
            }
        }
    }
    each_file(repository, image, &look, &|id| first.contains_key(&id), &mut |id, body| {
        let (Some(path), Content::File { size, .. }) = (first.get(&id), &now.inode(id).content) else {
            return Ok(());
        };
        let attrs = now.inode(id).attrs.clone();
        let entry = Entry { path: path.clone(), attrs, kind: EntryKind::File { size: *size } };
        sink.put(&Change::Put(entry), body)
    })?;
    for (path, id, to) in links {
        put(sink, path, now.inode(id), EntryKind::HardLink { to })?;
    }
    dirs.into_iter().try_for_each(|(path, id)| put(sink, path, now.inode(id), EntryKind::Dir))?;
    Ok(now.lost_lists().clone())
}

/// Squashes all layers above the lowest `from` into one. The history entries of the lower layers and of
/// metadata are kept. If the layers cancel each other out, no layer replaces them. Returns also what the
/// layers have and the new one has not.
///
/// # Errors
/// Those of [`send_squashed`] and [`append_layer`](super::edit::append_layer).
pub fn squash<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    from: usize,
    compression: Compression,
    history: Option<&History>,
) -> Result<(Image, LostLists)> {
    let mut sink = Counted { writer: LayerWriter::new(repository, compression)?, changes: 0 };
    let lost = send_squashed(repository, image, from, &mut sink)?;
    let layer = if sink.changes > 0 { Some(sink.writer.finish()?) } else { None };
    let config = without_surplus(image.config.clone(), image.layers().len())?;
    let mut layers = 0;
    let kept: Vec<bool> = config
        .view()
        .history
        .iter()
        .flatten()
        .map(|entry| {
            layers += usize::from(entry.makes_layer());
            !entry.makes_layer() || layers <= from
        })
        .collect();
    let mut config = config.keep_layers(from)?.keep_history(|entry| kept.get(entry) == Some(&true))?;
    if let Some(layer) = &layer {
        config = config_with_layer(config, layer, history)?;
    }
    let squashed = with_config(repository, image, config, |manifest| {
        let manifest = manifest.keep_layers(from)?;
        layer.iter().try_fold(manifest, |manifest, layer| manifest.push_layer(&layer_of(image, layer)))
    })?;
    Ok((squashed, lost))
}

struct Counted<'a> {
    writer: LayerWriter<'a>,
    changes: u64,
}

impl ChangeSink for Counted<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn io::Read) -> Result<()> {
        self.changes += 1;
        self.writer.put(change, body)
    }
}

fn put(sink: &mut dyn ChangeSink, path: EntryPath, inode: &Inode, kind: EntryKind) -> Result<()> {
    let entry = Entry { path, attrs: inode.attrs.clone(), kind };
    sink.put(&Change::Put(entry), &mut io::empty())
}

/// Returns the tree of the lowest layers.
fn lowest<S: BlobRead>(repository: &Repository<S>, image: &Image, count: usize) -> Result<Tree> {
    let mut merge = Merge::new(Tree::new(), (), repository.limits());
    for (descriptor, diff_id) in image.layers().take(count) {
        read_layer(repository, descriptor, diff_id, &mut merge)?;
        merge.next_layer()?;
    }
    Ok(merge.finish()?.0)
}

/// Returns the removed paths, without those below another one.
fn gone(base: &Tree, now: &Tree) -> Vec<EntryPath> {
    let mut gone = Vec::new();
    for (path, _) in base {
        let Some((above, _)) = path.split_last() else { continue };
        let above_is_there = now.get(&above).is_some_and(|id| now.entries(id).is_some());
        if above_is_there && now.get(&path).is_none() {
            gone.push(path);
        }
    }
    gone
}

fn names(tree: &Tree) -> HashMap<InodeId, Vec<EntryPath>> {
    let mut names: HashMap<InodeId, Vec<EntryPath>> = HashMap::new();
    for (path, id) in tree {
        if tree.inode(id).nlink > 1 {
            names.entry(id).or_default().push(path);
        }
    }
    names
}

/// Returns whether the lower layers have the same inode, under the same names.
fn unchanged(base: &Tree, now: &Tree, id: InodeId, path: &EntryPath, names: &[EntryPath]) -> bool {
    let Some(old) = base.get(path) else { return false };
    let (before, after) = (base.inode(old), now.inode(id));
    before == after && names.iter().all(|name| base.get(name) == Some(old))
}

/// Returns the kind of an inode that is neither a file nor a directory.
fn node_of(content: &Content) -> Option<EntryKind> {
    match content {
        Content::Symlink(target) => Some(EntryKind::Symlink { target: target.clone() }),
        Content::Char(major, minor) => Some(EntryKind::Char { major: *major, minor: *minor }),
        Content::Block(major, minor) => Some(EntryKind::Block { major: *major, minor: *minor }),
        Content::Fifo => Some(EntryKind::Fifo),
        Content::File { .. } | Content::Dir(_) | Content::Socket => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{send_squashed, squash};
    use crate::{
        image::{Image, layers::merged, testing::image},
        layer::on_disk::OnDisk,
        spec::{Compression, History},
        store::{Collect as _, Repository, memory::MemoryStore},
        tree::{
            mtree::{self, Dialect},
            testing::{Item, Record, clear, dir, file, link, remove, symlink},
        },
    };

    fn manifest(store: &Repository<MemoryStore>, image: &Image) -> String {
        let tree = merged(store, image, &OnDisk::default()).unwrap();
        let mut text = Vec::new();
        mtree::write_tree(&tree, Dialect::Native, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn layers() -> [Vec<Item>; 4] {
        [
            vec![
                dir("d"),
                file("d/a", "a"),
                file("d/b", "b"),
                link("hard", "d/a"),
                dir("o"),
                file("o/x", "x"),
                file("twice", "1"),
            ],
            vec![
                file("twice", "2"),
                remove("d/b"),
                file("new", "n"),
                clear("o"),
                file("o/y", "y"),
                symlink("s", "d"),
            ],
            vec![
                remove("d"),
                dir("d"),
                file("d/c", "c"),
                link("more", "hard"),
                file("file-dir", "f"),
                remove("new"),
            ],
            vec![dir("file-dir"), file("file-dir/f", "f"), file("twice", "1"), file("s/through", "t")],
        ]
    }

    #[test]
    fn squashing_keeps_the_files() {
        let store = Repository::in_memory().unwrap();
        let layers = layers();
        let layers: Vec<&[Item]> = layers.iter().map(Vec::as_slice).collect();
        let before = image(&store, &layers);
        for from in 0..4 {
            let entry = History { created_by: Some("squash".into()), ..History::default() };
            let (after, _) = squash(&store, &before, from, Compression::Gzip, Some(&entry)).unwrap();
            assert_eq!(manifest(&store, &after), manifest(&store, &before), "from {from}");
            assert_eq!(after.manifest.view().layers.len(), from + 1);
            assert_eq!(after.manifest.view().layers[..from], before.manifest.view().layers[..from]);
            let history = after.config.view().history.clone().unwrap();
            assert_eq!((history.len(), history[from].created_by.as_deref()), (from + 1, Some("squash")));
            Image::open(&store, &after.descriptor).unwrap();
        }
    }

    #[test]
    fn squashing_stores_no_other_documents() {
        let store = Repository::in_memory().unwrap();
        let before = image(&store, &[&[file("a", "1")], &[file("b", "2")], &[file("a", "3")]]);
        let stored = || store.store().collect().unwrap().blobs().unwrap().len();
        let blobs = stored();
        squash(&store, &before, 1, Compression::Gzip, Some(&History::default())).unwrap();
        // The layer, the config and the manifest.
        assert_eq!(stored(), blobs + 3);
    }

    #[test]
    fn layers_without_effect_are_squashed_to_none() {
        let store = Repository::in_memory().unwrap();
        let before = image(
            &store,
            &[&[file("a", "a")], &[file("b", "b"), file("a", "x")], &[remove("b"), file("a", "a")]],
        );
        let (after, _) = squash(&store, &before, 1, Compression::Gzip, None).unwrap();
        assert_eq!(after.manifest.view().layers, before.manifest.view().layers[..1]);
        assert_eq!(manifest(&store, &after), manifest(&store, &before));
    }

    #[test]
    fn hidden_files_are_not_sent() {
        let store = Repository::in_memory().unwrap();
        let image =
            image(&store, &[&[file("a", "old"), file("gone", "g")], &[file("a", "new"), remove("gone")]]);
        let mut record = Record::default();
        send_squashed(&store, &image, 0, &mut record).unwrap();
        let sent: Vec<_> =
            record.0.iter().map(|item| String::from_utf8_lossy(&item.1).into_owned()).collect();
        assert_eq!(sent, ["new", ""]);
    }
}
