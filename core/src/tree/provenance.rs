//! Where everything in a merged tree is from, and what became of the rest: a [`Mirror`] that takes notes.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read},
};

use serde::{Deserialize, Serialize};

use super::{
    Content, InodeId, Tree,
    merge::{Mirror, Step},
};
use crate::{
    attrs::Attrs,
    error::{Error, Result},
    hash::Sha256,
    name::{EntryPath, Name},
};

/// Which layer put an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Origin {
    /// The layer, from 0.
    pub layer: usize,
    /// For a file: the how many-th of the layer's files it is, from 0, in the order of the archive.
    pub ordinal: u64,
}

/// Something a layer did to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Event {
    /// The layer, from 0.
    pub layer: usize,
    /// The path, with links on the way followed.
    pub path: EntryPath,
    /// What it did.
    pub what: What,
    /// Bytes of content that the layer stores for it; 0 for what is no file, and for names of a file that is there already.
    pub size: u64,
}

/// What a layer does to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "all that a merge does")]
pub enum What {
    /// It was not there.
    Added,
    /// There was something else, or other content.
    Replaced,
    /// Attributes only: a directory that was there, or a file with the content it had.
    Attributes,
    /// One more name of a file.
    Linked,
    /// It is gone, by a marker for this path.
    Removed,
    /// It is gone, with that directory above it or by an opaque marker there.
    RemovedWith(EntryPath),
}

/// The kinds of [`What`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::exhaustive_enums, missing_docs, reason = "see What")]
pub enum Kind {
    Added,
    Replaced,
    Attributes,
    Linked,
    Removed,
}

impl What {
    /// Its kind: however something went, it was removed.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Added => Kind::Added,
            Self::Replaced => Kind::Replaced,
            Self::Attributes => Kind::Attributes,
            Self::Linked => Kind::Linked,
            Self::Removed | Self::RemovedWith(_) => Kind::Removed,
        }
    }
}

impl Kind {
    /// As in JSON, such as `added`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Replaced => "replaced",
            Self::Attributes => "attributes",
            Self::Linked => "linked",
            Self::Removed => "removed",
        }
    }
}

/// The content of a file as one layer stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Stored {
    /// Where it is stored.
    pub origin: Origin,
    /// Its first name there.
    pub path: EntryPath,
    /// Bytes.
    pub size: u64,
    /// Its SHA-256; `None` if the same layer hides it again.
    pub sha256: Option<Sha256>,
    /// What became of it: `None` if it is there in the end.
    pub hidden: Option<Hidden>,
    /// Names it has now.
    names: u32,
}

/// Why a content is not there in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct Hidden {
    /// The layer, from 0, that took its last name.
    pub layer: usize,
    /// What that layer did to the name: [`What::Replaced`], [`What::Attributes`] if it stores the same content again,
    /// [`What::Removed`] or [`What::RemovedWith`].
    pub what: What,
}

/// Takes notes while layers are merged.
#[derive(Debug, Default)]
pub struct Provenance {
    layer: usize,
    /// Files of the current layer so far.
    files: u64,
    origins: Vec<Origin>,
    events: Vec<Event>,
    stored: Vec<Stored>,
    /// What is there now.
    present: BTreeMap<EntryPath, Present>,
    /// What went away in this layer, with its event.
    gone: HashMap<EntryPath, (usize, Present)>,
    /// Contents of this layer's files that took the place of others, by their events.
    replaced: HashMap<usize, usize>,
    /// The directory that an opaque marker clears now.
    clearing: Option<EntryPath>,
}

/// A name that is there.
#[derive(Debug, Clone, Copy, Default)]
struct Present {
    /// What it had when the layer before ended.
    before: Option<Sha256>,
    /// Which content it stands for now, if it is a file.
    stored: Option<usize>,
}

impl Provenance {
    /// Notes about nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What happened, layer by layer.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Where an inode of the merged tree is from; the root, and directories that no layer lists, from layer 0 or the one that implied
    /// them.
    #[must_use]
    pub fn origin(&self, id: InodeId) -> Origin {
        self.origins.get(id.index()).copied().unwrap_or_default()
    }

    /// Every content of a file that a layer stores, layer by layer in the order of the archive.
    #[must_use]
    pub fn stored(&self) -> &[Stored] {
        &self.stored
    }

    fn put(&mut self, at: &[Step], name: Name<'_>, stored: Option<usize>, what: What) {
        let path = path_of(at, name);
        self.clearing = None;
        let size = match what {
            What::Linked => 0,
            _ => stored.and_then(|stored| self.stored.get(stored)).map_or(0, |stored| stored.size),
        };
        // What went away made room for this.
        let Some((event, old)) = self.gone.remove(&path) else {
            self.present.insert(path.clone(), Present { before: None, stored });
            self.events.push(Event { layer: self.layer, path, what, size });
            return;
        };
        self.present.insert(path, Present { before: old.before, stored });
        if let Some(event) = self.events.get_mut(event) {
            event.what = What::Replaced;
            event.size = size;
        }
        let hidden = old.stored.and_then(|old| Some((old, self.stored.get_mut(old)?.hidden.as_mut()?)));
        if let Some((old, hidden)) = hidden {
            hidden.what = What::Replaced;
            self.replaced.insert(event, old);
        }
    }

    fn born(&mut self, id: InodeId, ordinal: u64) {
        if self.origins.len() <= id.index() {
            self.origins.resize(id.index() + 1, Origin::default());
        }
        self.origins[id.index()] = Origin { layer: self.layer, ordinal };
    }

    fn take(&mut self, path: EntryPath, what: What) {
        let old = self.present.remove(&path).unwrap_or_default();
        if let Some(stored) = old.stored.and_then(|stored| self.stored.get_mut(stored)) {
            stored.names = stored.names.saturating_sub(1);
            if stored.names == 0 {
                stored.hidden = Some(Hidden { layer: self.layer, what: what.clone() });
            }
        }
        let event = self.events.len();
        self.events.push(Event { layer: self.layer, path: path.clone(), what, size: 0 });
        self.gone.insert(path, (event, old));
    }
}

fn path_of(at: &[Step], name: Name<'_>) -> EntryPath {
    at.iter().fold(EntryPath::root(), |path, (_, name)| path.join(name.as_name())).join(name)
}

impl Mirror for Provenance {
    fn dir(&mut self, at: &[Step], name: Name<'_>, id: InodeId) -> Result<()> {
        self.born(id, 0);
        self.put(at, name, None, What::Added);
        Ok(())
    }

    fn file(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        id: InodeId,
        _: &Attrs,
        body: &mut dyn Read,
    ) -> Result<()> {
        let size = io::copy(body, &mut io::sink()).map_err(Error::io("read layer"))?;
        self.known(at, name, id, size)
    }

    fn known(&mut self, at: &[Step], name: Name<'_>, id: InodeId, size: u64) -> Result<()> {
        self.born(id, self.files);
        let origin = Origin { layer: self.layer, ordinal: self.files };
        self.files += 1;
        let path = path_of(at, name);
        self.stored.push(Stored { origin, path, size, sha256: None, hidden: None, names: 1 });
        self.put(at, name, Some(self.stored.len() - 1), What::Added);
        Ok(())
    }

    fn other(&mut self, at: &[Step], name: Name<'_>, id: InodeId, _: &Attrs, _: &Content) -> Result<()> {
        self.born(id, 0);
        self.put(at, name, None, What::Added);
        Ok(())
    }

    fn link(
        &mut self,
        at: &[Step],
        name: Name<'_>,
        _: InodeId,
        from: &[Step],
        from_name: Name<'_>,
    ) -> Result<()> {
        let stored = self.present.get(&path_of(from, from_name)).and_then(|present| present.stored);
        if let Some(stored) = stored.and_then(|stored| self.stored.get_mut(stored)) {
            stored.names += 1;
        }
        self.put(at, name, stored, What::Linked);
        Ok(())
    }

    fn remove(&mut self, at: &[Step], name: Name<'_>, content: &Content) -> Result<()> {
        let path = path_of(at, name);
        let with = self.clearing.clone();
        if matches!(content, Content::Dir(_)) {
            let prefix = [path.as_bytes(), b"/"].concat();
            let near = self.present.range(path.clone()..).map(|(near, _)| near);
            let near = near.take_while(|near| near.as_bytes().starts_with(path.as_bytes()));
            let below: Vec<EntryPath> =
                near.filter(|near| near.as_bytes().starts_with(&prefix)).cloned().collect();
            for below in below {
                let with = with.clone().unwrap_or_else(|| path.clone());
                self.take(below, What::RemovedWith(with));
            }
        }
        self.take(path, with.map_or(What::Removed, What::RemovedWith));
        Ok(())
    }

    fn again(&mut self, at: &[Step], name: Name<'_>, id: InodeId, content: &Content) -> Result<()> {
        if matches!(content, Content::Dir(_)) {
            self.born(id, 0);
            let path = path_of(at, name);
            self.events.push(Event { layer: self.layer, path, what: What::Attributes, size: 0 });
        }
        Ok(())
    }

    fn clear(&mut self, at: &[Step]) -> Result<()> {
        self.clearing = Some(match at.split_last() {
            Some(((_, name), above)) => path_of(above, name.as_name()),
            None => EntryPath::root(),
        });
        Ok(())
    }

    fn end_layer(&mut self, tree: &Tree) -> Result<()> {
        let first = self.events.partition_point(|event| event.layer < self.layer);
        let content = |path: &EntryPath| match tree.get(path).map(|id| &tree.inode(id).content) {
            Some(Content::File { sha256, .. }) => *sha256,
            _ => None,
        };
        for (number, event) in self.events.iter_mut().enumerate().skip(first) {
            let before = self.present.get(&event.path).and_then(|present| present.before);
            if event.what == What::Replaced && before.is_some() && before == content(&event.path) {
                event.what = What::Attributes;
                let old = self.replaced.get(&number).and_then(|old| self.stored.get_mut(*old));
                if let Some(hidden) = old.and_then(|old| old.hidden.as_mut()) {
                    hidden.what = What::Attributes;
                }
            }
        }
        for event in self.events.iter().skip(first) {
            let Some(present) = self.present.get_mut(&event.path) else { continue };
            present.before = content(&event.path);
            if let Some(stored) = present.stored.and_then(|stored| self.stored.get_mut(stored)) {
                stored.sha256 = present.before;
            }
        }
        self.layer += 1;
        self.files = 0;
        self.gone.clear();
        self.replaced.clear();
        self.clearing = None;
        Ok(())
    }

    fn finish(&mut self, _: &Tree) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::{Provenance, What};
    use crate::{
        limits::Limits,
        tree::{
            Tree,
            merge::Merge,
            testing::{Item, apply, clear, dir, file, link, path, remove},
        },
    };

    fn notes(layers: &[&[Item]]) -> (Tree, Provenance) {
        let mut merge = Merge::new(Tree::new(), Provenance::new(), &Limits::default());
        apply(&mut merge, layers).unwrap();
        merge.finish().unwrap()
    }

    fn lines(provenance: &Provenance) -> Vec<String> {
        let line = |event: &super::Event| {
            let what = match &event.what {
                What::RemovedWith(path) => format!("removed with /{path}"),
                what => format!("{what:?}").to_lowercase(),
            };
            format!("{} /{} {what} {}", event.layer, event.path, event.size)
        };
        provenance.events().iter().map(line).collect()
    }

    #[test]
    fn each_layer_s_deeds_are_told_apart() {
        let (tree, provenance) = notes(&[
            &[dir("d"), file("d/a", "aa"), file("d/b", "b"), file("c", "c"), link("l", "c")],
            &[file("d/a", "aaa"), file("c", "c"), remove("l"), dir("d")],
            &[remove("d"), file("n/f", "x")],
        ]);
        assert_eq!(
            lines(&provenance),
            [
                "0 /d added 0",
                "0 /d/a added 2",
                "0 /d/b added 1",
                "0 /c added 1",
                "0 /l linked 0",
                "1 /d/a replaced 3",
                "1 /c attributes 1",
                "1 /l removed 0",
                "1 /d attributes 0",
                "2 /d/a removed with /d 0",
                "2 /d/b removed with /d 0",
                "2 /d removed 0",
                "2 /n added 0",
                "2 /n/f added 1",
            ]
        );
        let origin = |at: &str| provenance.origin(tree.get(&path(at)).unwrap());
        assert_eq!((origin("c").layer, origin("c").ordinal), (1, 1));
        assert_eq!((origin("n/f").layer, origin("n/f").ordinal), (2, 0));
    }

    #[test]
    fn what_became_of_each_content_is_told() {
        let (_, provenance) = notes(&[
            &[
                dir("d"),
                file("d/a", "aa"),
                file("d/b", "b"),
                link("l", "d/b"),
                file("m", "m"),
                file("t", "1"),
            ],
            &[file("t", "22"), file("t", "333"), file("m", "m"), remove("d")],
            &[remove("l"), file("o", "o")],
            &[file("o", "x"), remove("t"), dir("t")],
        ]);
        let line = |stored: &super::Stored| {
            let fate = stored.hidden.as_ref().map_or("there".into(), |hidden| {
                let what = match &hidden.what {
                    What::RemovedWith(path) => format!("removed with /{path}"),
                    what => format!("{what:?}").to_lowercase(),
                };
                format!("{what} by {}", hidden.layer)
            });
            format!(
                "{}.{} /{} {} {fate}",
                stored.origin.layer, stored.origin.ordinal, stored.path, stored.size
            )
        };
        let lines: Vec<String> = provenance.stored().iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "0.0 /d/a 2 removed with /d by 1",
                "0.1 /d/b 1 removed by 2",
                "0.2 /m 1 attributes by 1",
                "0.3 /t 1 replaced by 1",
                "1.0 /t 2 replaced by 1",
                "1.1 /t 3 replaced by 3",
                "1.2 /m 1 there",
                "2.0 /o 1 replaced by 3",
                "3.0 /o 1 there",
            ]
        );
        assert!(provenance.stored()[4].sha256.is_none() && provenance.stored()[5].sha256.is_some());
    }

    #[test]
    fn directories_are_from_the_layer_that_made_or_listed_them() {
        let (tree, provenance) = notes(&[
            &[dir("d"), dir("e"), file("was-file", "1")],
            &[dir("new"), dir("e"), file("implied/by", "2"), dir("was-file"), file("d/f", "3")],
        ]);
        let layer = |at: &str| provenance.origin(tree.get(&path(at)).unwrap()).layer;
        assert_eq!(["d", "e", "new", "implied", "was-file"].map(layer), [0, 1, 1, 1, 1]);
    }

    #[test]
    fn opaque_markers_name_their_directory() {
        let (_, provenance) = notes(&[
            &[dir("o"), file("o/a", "a"), dir("o/s"), file("o/s/b", "b")],
            &[clear("o"), file("o/new", "n"), file("o/a", "a")],
        ]);
        assert_eq!(
            lines(&provenance)[4..],
            [
                "1 /o/a attributes 1",
                "1 /o/s/b removed with /o 0",
                "1 /o/s removed with /o 0",
                "1 /o/new added 1",
            ]
        );
    }
}
