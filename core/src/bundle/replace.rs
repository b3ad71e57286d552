//! Replacing what a bundle records, so that an interruption leaves the old files or the new ones, and no
//! mixture.
//!
//! The new files are made in a directory of their own. Renaming that directory makes them valid; then they
//! are moved over the old ones. Reading a bundle looks into the renamed directory first.

use std::io::ErrorKind;

use super::files::{Staging, create_dir, move_into};
use crate::{
    attrs::Time,
    error::{Error, Result},
    fs::{DirPosix, FileWrite as _},
    name::{Name, NameBuf},
};

/// Files that are valid, but not in their place yet.
const VALID: &str = ".ocicle-refreshed";
/// The directory of the process that makes new files.
const STAGING: &str = ".ocicle-refreshing";
/// Files that are not valid yet, in that directory.
const NEW: &str = "new";

/// Opens a file of a bundle, the newest there is.
pub(super) fn open_newest<D: DirPosix>(dir: &D, name: Name<'_>) -> std::io::Result<D::File> {
    match dir.open_dir(Name::literal(VALID)).and_then(|valid| valid.open_file(name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => dir.open_file(name),
        opened => opened,
    }
}

/// Files that are to replace those of a bundle. Dropping it leaves the bundle as it was.
pub(super) struct Replacement<'a, D: DirPosix> {
    bundle: &'a D,
    staging: Staging<'a, D>,
    new: D,
    /// The time when it was begun, by the file system's own clock.
    pub(super) since: Time,
}

impl<'a, D: DirPosix> Replacement<'a, D> {
    /// Begins, with what an interrupted call left completed or removed.
    ///
    /// # Errors
    /// [`Error::Exists`] if another process replaces files of the bundle; [`Error::Io`].
    pub(super) fn begin(bundle: &'a D) -> Result<Self> {
        let staging = Staging::claim(bundle, STAGING, |_| move_valid(bundle))?;
        let new = create_dir(&staging.dir, NEW)?;
        let since = new.self_metadata().map_err(Error::io(format_args!("stat {STAGING}")))?.ctime;
        Ok(Self { bundle, staging, new, since })
    }

    /// Returns the directory for the new files.
    pub(super) fn dir(&self) -> &D {
        &self.new
    }

    /// Makes the files valid, all at once.
    pub(super) fn commit(self, names: &[NameBuf]) -> Result<()> {
        self.sync(names)?;
        let bundle = self.bundle;
        self.staging
            .dir
            .rename(Name::literal(NEW), bundle, Name::literal(VALID))
            .map_err(Error::io(format_args!("rename {STAGING}/{NEW}")))?;
        // They are valid by now, wherever they are.
        let _ = bundle.sync().and_then(|()| move_valid(bundle).map_err(Into::into));
        Ok(())
    }

    /// Makes the files valid if the last of them alone decides.
    pub(super) fn commit_in_order(self, names: &[NameBuf]) -> Result<()> {
        self.sync(names)?;
        names.iter().try_for_each(|name| move_into(self.bundle, self.dir(), name))
    }

    fn sync(&self, names: &[NameBuf]) -> Result<()> {
        for name in names {
            let name = name.as_name();
            let synced = self.dir().open_file(name).and_then(|file| file.sync());
            synced.map_err(Error::io(format_args!("sync {name}")))?;
        }
        self.dir().sync().map_err(Error::io(format_args!("sync {STAGING}")))
    }
}

/// Moves valid files into their place.
fn move_valid<D: DirPosix>(bundle: &D) -> Result<()> {
    let name = Name::literal(VALID);
    let valid = match bundle.open_dir(name) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(Error::io(format_args!("open {VALID}")))?,
    };
    let names = valid.names().map_err(Error::io(format_args!("read {VALID}")))?;
    names.iter().try_for_each(|name| move_into(bundle, &valid, name))?;
    bundle.remove_dir(name).map_err(Error::io(format_args!("remove {VALID}")))
}
