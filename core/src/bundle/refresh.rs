//! A bundle that was repacked remembers the image it became.
//!
//! What it remembers is several files. They are made in a directory of their own; giving that directory its name is the moment from which
//! they count. Then they are moved over the old ones. Whoever opens a bundle looks into the directory first, so an
//! interruption leaves the old ones or the new ones, and never some of each.

use super::{
    ROOTFS,
    repack::Bundle,
    umoci,
    unpack::{Format, remember, remember_for_umoci},
};
use crate::{
    attrs::Time,
    error::{Error, Result},
    fs::{Dir, DirPosix, FileWrite as _, Support, remove_tree},
    graph::Resolution,
    name::{Name, NameBuf},
    tree::{Tree, diff::Learned, rootfs::Stamp},
};

/// Files that count already, but are not in their place yet.
const DONE: &str = ".ocicle-refreshed";
/// Files that do not count yet.
const MAKING: &str = ".ocicle-refreshing";

/// Opens a file of a bundle, the newest there is.
pub(super) fn open_newest<D: Dir>(dir: &D, name: Name<'_>) -> std::io::Result<D::File> {
    match dir.open_dir(Name::literal(DONE)).and_then(|done| done.open_file(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => dir.open_file(name),
        opened => opened,
    }
}

/// The directory in which the files are made. Dropping it removes it.
pub(super) struct Making<'a, D: DirPosix> {
    bundle: &'a D,
    pub(super) dir: D,
    /// When it was made, on the file system's own clock.
    pub(super) since: Time,
}

impl<'a, D: DirPosix> Making<'a, D> {
    pub(super) fn begin(bundle: &'a D) -> Result<Self> {
        move_over(bundle)?;
        let making = Name::literal(MAKING);
        match remove_tree(bundle, making) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(format_args!("remove {MAKING}"))(error));
            }
            _ => {}
        }
        bundle.create_dir(making).map_err(Error::io(format_args!("create {MAKING}")))?;
        let since = bundle.metadata(making).map_err(Error::io(format_args!("stat {MAKING}")))?.ctime;
        let dir = bundle.open_dir(making).map_err(Error::io(format_args!("open {MAKING}")))?;
        Ok(Self { bundle, dir, since })
    }

    /// Makes the files count, all at once.
    pub(super) fn commit(self, names: &[NameBuf]) -> Result<()> {
        sync(&self.dir, names)?;
        let dir = self.bundle;
        dir.rename(Name::literal(MAKING), dir, Name::literal(DONE))
            .map_err(Error::io(format_args!("rename {MAKING}")))?;
        let _ = dir.sync().and_then(|()| move_over(dir).map_err(Into::into)); // done, wherever it lies
        Ok(())
    }

    /// Makes the files count where the last of them alone decides.
    fn commit_last(self, names: &[NameBuf]) -> Result<()> {
        sync(&self.dir, names)?;
        move_all(&self.dir, self.bundle, names)
    }
}

impl<D: DirPosix> Drop for Making<'_, D> {
    fn drop(&mut self) {
        let _ = remove_tree(self.bundle, Name::literal(MAKING)); // not there after a good end
    }
}

/// What will be remembered, while a repack is at work. Dropping it forgets it.
pub(super) struct Refresh<'a, D: DirPosix> {
    bundle: &'a Bundle<'a, D>,
    /// Made before anything is looked at: what has changed since may change again without a trace.
    making: Making<'a, D>,
    /// Will be what is in the bundle, as far as it is in the image.
    pub(super) tree: Tree,
    pub(super) learned: Learned,
}

impl<'a, D: DirPosix> Refresh<'a, D> {
    /// Begins, before anything is looked at.
    pub(super) fn begin(bundle: &'a Bundle<'a, D>) -> Result<Self> {
        let making = Making::begin(bundle.dir)?;
        Ok(Self { bundle, making, tree: bundle.tree.clone(), learned: Learned::default() })
    }

    /// Ends, with the image in its place.
    pub(super) fn end(self, resolution: &Resolution) -> Result<()> {
        let dir = self.bundle.dir;
        let mut state = self.bundle.state.clone();
        match self.bundle.format {
            Format::Umoci => {
                let root = dir.open_dir(Name::literal(ROOTFS)).map_err(Error::io("open rootfs"))?;
                let (making, tree) = (&self.making.dir, &self.tree);
                let names = remember_for_umoci(making, resolution, tree, &root, &state.on_disk)?;
                // The manifest has the name of the image, so it is `umoci.json` alone that decides.
                self.making.commit_last(&names)?;
                let old = umoci::manifest_name(state.resolution.target())?;
                if !names.contains(&old) {
                    let _ = dir.remove_file(old.as_name()); // nobody looks at it any more
                }
                Ok(())
            }
            _ => {
                state.resolution = resolution.clone();
                // What is new here may have its owner and mode nowhere but in the manifest.
                state.held = Some(state.held_here(&dir.support())).filter(|held| *held != Support::ALL);
                let (stamps, since) = (self.stamps(), self.making.since);
                let names = remember(&self.making.dir, &self.tree, Some(&stamps), state, Some(since))?;
                self.making.commit(&names)
            }
        }
    }

    /// The stamps of the new tree.
    fn stamps(&self) -> Vec<Stamp> {
        let mut stamps = self.bundle.stamps.clone();
        let sent = self.learned.sent.iter().filter_map(|(path, stamp)| Some((self.tree.get(path)?, *stamp)));
        // What was sent last: it may have got the id of what is gone.
        for (id, stamp) in self.learned.unchanged.iter().copied().chain(sent) {
            if stamps.len() <= id.index() {
                stamps.resize(id.index() + 1, Stamp::default());
            }
            stamps[id.index()] = stamp;
        }
        stamps
    }
}

fn sync<D: DirPosix>(dir: &D, names: &[NameBuf]) -> Result<()> {
    for name in names {
        let name = name.as_name();
        dir.open_file(name).and_then(|file| file.sync()).map_err(Error::io(format_args!("sync {name}")))?;
    }
    dir.sync().map_err(Error::io("sync what the bundle remembers"))
}

/// Moves what counts already into its place.
fn move_over<D: DirPosix>(dir: &D) -> Result<()> {
    let name = Name::literal(DONE);
    let done = match dir.open_dir(name) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(Error::io(format_args!("open {DONE}")))?,
    };
    move_all(&done, dir, &done.names().map_err(Error::io(format_args!("read {DONE}")))?)?;
    dir.remove_dir(name).map_err(Error::io(format_args!("remove {DONE}")))
}

fn move_all<D: DirPosix>(from: &D, to: &D, names: &[NameBuf]) -> Result<()> {
    for name in names {
        let name = name.as_name();
        from.rename(name, to, name).map_err(Error::io(format_args!("move {name} into the bundle")))?;
    }
    Ok(())
}
