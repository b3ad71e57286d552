//! Volumes (image-spec, conversion.md): a file system is mounted at each, so that what is written there is
//! not part of the root file system.

use std::collections::BTreeMap;

use serde_json::Value;

use super::defaults;
use crate::{
    attrs::Attrs,
    error::{Error, Result},
    fs::{Dir, find_in_root},
    layer::{Entry, EntryKind, on_disk::OnDisk},
    limits::Limits,
    name::EntryPath,
    spec::ImageConfig,
    tree::{Tree, follow::follow, seen::attrs_of},
};

/// The volumes of an image, and the directories that the image has there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volumes(BTreeMap<EntryPath, Place>);

/// The place of a volume in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The image's files are not known.
    Unknown,
    /// Nothing is there: the runtime makes a directory.
    Nothing,
    /// A directory, with its owner in the container.
    Directory { uid: u32, gid: u32, mode: u32, is_empty: bool },
    /// The root, or something other than a directory: nothing can be mounted there.
    Unfit,
}

impl Volumes {
    /// Returns the volumes of an image whose files are not known. Paths are cleaned: `data`, `/data/` and
    /// `/a/../data` are one volume.
    ///
    /// # Errors
    /// [`Error::Document`] for a path that no file system can have.
    pub fn unknown(config: &ImageConfig) -> Result<Self> {
        let volumes = config.config.iter().flat_map(|run| run.volumes.iter().flatten());
        let places = volumes.map(|(path, _)| {
            let clean = EntryPath::clean(path.as_bytes(), &Limits::default());
            let path = clean.map_err(|error| Error::document("image config", format!("Volumes: {error}")))?;
            let place = if path.is_root() { Place::Unfit } else { Place::Unknown };
            Ok((path, place))
        });
        places.collect::<Result<_>>().map(Self)
    }

    /// Returns the volumes of an image with this root file system, whose entries are stored as `how` says.
    /// Links are followed inside the root only.
    ///
    /// # Errors
    /// [`Error::Document`] for a path that no file system can have; [`Error::Unsupported`] for an owner that
    /// is not in the id maps; [`Error::Limit`]; [`Error::Io`].
    pub fn read<D: Dir>(config: &ImageConfig, root: &D, how: &OnDisk, limits: &Limits) -> Result<Self> {
        Self::unknown(config)?.look_up(how, |path| {
            let Some(found) = find_in_root(root, path, limits)? else { return Ok(Found::Nothing) };
            let (dir, None) = found else { return Ok(Found::Other) };
            let dir = dir.as_ref().unwrap_or(root);
            let names = dir.names().map_err(Error::io(format_args!("read directory /{path}")))?;
            Ok(Found::Directory { attrs: attrs_of(dir)?, is_empty: names.is_empty() })
        })
    }

    /// Returns the volumes of an image with this tree, whose entries are as `how` stores them.
    pub(in crate::bundle) fn in_tree(
        config: &ImageConfig,
        tree: &Tree,
        how: &OnDisk,
        limits: &Limits,
    ) -> Result<Self> {
        Self::unknown(config)?.look_up(how, |path| {
            let Some(steps) = follow(tree, path, limits)? else { return Ok(Found::Nothing) };
            let id = steps.last().map_or(Tree::ROOT, |(id, _)| *id);
            Ok(match tree.entries(id) {
                Some(entries) => {
                    let attrs = tree.inode(id).attrs.clone();
                    Found::Directory { attrs, is_empty: entries.is_empty() }
                }
                None => Found::Other,
            })
        })
    }

    fn look_up(mut self, how: &OnDisk, find: impl Fn(&EntryPath) -> Result<Found>) -> Result<Self> {
        for (path, place) in self.0.iter_mut().filter(|(_, place)| **place == Place::Unknown) {
            *place = match find(path)? {
                Found::Nothing => Place::Nothing,
                Found::Other => Place::Unfit,
                Found::Directory { attrs, is_empty } => {
                    let entry = Entry { path: path.clone(), attrs, kind: EntryKind::Dir };
                    let Attrs { uid, gid, mode, .. } = how.from_disk(&entry)?.attrs;
                    Place::Directory { uid, gid, mode, is_empty }
                }
            };
        }
        Ok(self)
    }

    /// Returns the mounts, parents first.
    pub(super) fn mounts(&self) -> impl Iterator<Item = Value> {
        self.0.iter().filter_map(|(path, place)| {
            let mut options: Vec<String> = ["rw", "nosuid", "nodev", "relatime"].map(String::from).into();
            let (copies, attrs) = match place {
                Place::Unfit => return None,
                Place::Unknown => (true, None),
                Place::Nothing => (false, Some((0, 0, 0o755))),
                Place::Directory { uid, gid, mode, is_empty } => (!is_empty, Some((*uid, *gid, *mode))),
            };
            // runc and crun copy what the directory holds; other runtimes may not know the word.
            if copies {
                options.push("tmpcopyup".into());
            }
            if let Some((uid, gid, mode)) = attrs {
                options.extend([format!("uid={uid}"), format!("gid={gid}"), format!("mode={mode:04o}")]);
            }
            Some(defaults::volume(&format!("/{path}"), &options))
        })
    }

    /// Returns the volumes that cannot be mounted.
    pub(super) fn unfit(&self) -> Vec<EntryPath> {
        let unfit = self.0.iter().filter(|(_, place)| **place == Place::Unfit);
        unfit.map(|(path, _)| path.clone()).collect()
    }
}

/// An entry of a root file system, as it is stored.
enum Found {
    Nothing,
    Directory { attrs: Attrs, is_empty: bool },
    Other,
}
