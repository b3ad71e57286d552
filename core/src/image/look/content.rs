//! The contents of files, read from the layers.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
};

use super::{LayerFiles, Look, path_text};
use crate::{
    digest::Digest,
    error::{Error, Result},
    image::Image,
    layer::{
        Change, ChangeSink, ChangeSource as _, EntryKind,
        reader::{LayerReader, read_layer},
    },
    name::EntryPath,
    spec::Descriptor,
    store::{BlobRead, Repository},
    tree::{
        Content, InodeId, Tree,
        follow::follow,
        provenance::{Origin, Stored},
    },
};

/// Writes the content of a file; links are followed inside the image. Only its layer is read, up to the file,
/// or with an index the file alone: `look` has verified all layers.
///
/// # Errors
/// [`Error::NotFound`] if the file does not exist, or a link is dangling; [`Error::Unsupported`] for anything
/// but a regular file; [`Error::Io`] of `out`; those of [`LayerReader`].
pub fn read_file<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    look: &Look,
    path: &EntryPath,
    out: &mut dyn Write,
) -> Result<()> {
    let way = follow(&look.tree, path, repository.limits())?;
    let Some(id) = way.map(|way| way.last().map_or(Tree::ROOT, |(id, _)| *id)) else {
        return Err(Error::NotFound(format!("{} not found in the image", path_text(path))));
    };
    let Content::File { .. } = look.tree.inode(id).content else {
        return Err(Error::Unsupported(format!("{} is not a regular file", path_text(path))));
    };
    read_origin(repository, image, look, look.provenance.origin(id), out)
}

/// Writes the content that a file has in one layer, counted from 0, whatever later layers do; links are not
/// followed. `look` is one by [`Look::of_indexes`], and what is read is verified as far as the index of the
/// layer is.
///
/// # Errors
/// Those of [`LayerFiles::read`].
pub fn read_layer_file<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    look: &Look,
    layer: usize,
    path: &EntryPath,
    out: &mut dyn Write,
) -> Result<()> {
    // The layer's own path may lead there through a link of a layer below.
    let is_meant = |stored: &&Stored| {
        let is_last = stored.hidden.as_ref().is_none_or(|hidden| hidden.layer > layer);
        stored.origin.layer == layer && is_last && stored.path == *path
    };
    match look.provenance.stored().iter().find(is_meant) {
        Some(stored) => read_origin(repository, image, look, stored.origin, out),
        None => {
            let missing = || Error::NotFound(format!("{} is not in layer {}", path_text(path), layer + 1));
            LayerFiles::of_look(look, image, layer).ok_or_else(missing)?.read(repository, path, out)
        }
    }
}

/// Writes the content of a file by its origin.
fn read_origin<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    look: &Look,
    Origin { layer, ordinal }: Origin,
    out: &mut dyn Write,
) -> Result<()> {
    let Some((descriptor, diff_id)) = image.layers().nth(layer) else {
        return Err(Error::Misuse("the image is not the one that was inspected".into()));
    };
    if let Some(index) = look.indexes.get(layer).and_then(Option::as_ref) {
        let number = usize::try_from(ordinal).unwrap_or(usize::MAX);
        let file = index.changes().iter().filter(|(change, _)| is_file(change)).nth(number);
        let (_, place) =
            file.ok_or_else(|| Error::Misuse("the index of a layer ends before the file".into()))?;
        if let Some(place) = place {
            return index.read_file(repository, descriptor, *place, out);
        }
    }
    read_in_order(repository, (descriptor, diff_id), ordinal, out)
}

/// Writes the content of the file at a zero-based position among the files of a layer, which is read up to
/// it.
pub(super) fn read_in_order<S: BlobRead>(
    repository: &Repository<S>,
    (descriptor, diff_id): (&Descriptor, &Digest),
    position: u64,
    out: &mut dyn Write,
) -> Result<()> {
    let mut reader = LayerReader::open(repository, descriptor, diff_id)?;
    let mut files = 0;
    while let Some((change, body)) = reader.next_change()? {
        if is_file(&change) {
            if files == position {
                return io::copy(body, out).map(drop).map_err(Error::io("write content"));
            }
            files += 1;
        }
    }
    Err(Error::Misuse("the image is not the one that was inspected".into()))
}

pub(super) fn is_file(change: &Change) -> bool {
    matches!(change, Change::Put(entry) if matches!(entry.kind, EntryKind::File { .. }))
}

/// Calls `put` with every file that is visible in the end and that `want` accepts, and with its content, in
/// the order of the layers and of their entries. The layers that are read are verified again, each at its
/// end.
///
/// # Errors
/// Those of `put`, and of [`read_layer`].
pub fn each_file<S: BlobRead>(
    repository: &Repository<S>,
    image: &Image,
    look: &Look,
    want: &dyn Fn(InodeId) -> bool,
    put: &mut dyn FnMut(InodeId, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let mut wanted: HashMap<Origin, InodeId> = HashMap::new();
    for (_, id) in &look.tree {
        if matches!(look.tree.inode(id).content, Content::File { .. }) && want(id) {
            wanted.insert(look.provenance.origin(id), id);
        }
    }
    for (layer, (descriptor, diff_id)) in image.layers().enumerate() {
        if wanted.keys().any(|origin| origin.layer == layer) {
            let mut sink = Wanted { layer, files: 0, wanted: &wanted, put };
            read_layer(repository, descriptor, diff_id, &mut sink)?;
        }
    }
    Ok(())
}

struct Wanted<'a> {
    layer: usize,
    files: u64,
    wanted: &'a HashMap<Origin, InodeId>,
    put: &'a mut dyn FnMut(InodeId, &mut dyn Read) -> Result<()>,
}

impl ChangeSink for Wanted<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        if !is_file(change) {
            return Ok(());
        }
        let origin = Origin { layer: self.layer, ordinal: self.files };
        self.files += 1;
        match self.wanted.get(&origin) {
            Some(id) => (self.put)(*id, body),
            None => Ok(()),
        }
    }
}
