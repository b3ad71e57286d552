//! The names in a bundle, and how its files are written and read.

use std::io::{BufWriter, ErrorKind, Read, Write};

use crate::{
    attrs::{Time, Xattrs},
    error::{Error, Result},
    fs::{AttrChange, DirPosix, File as _, FilePosix as _, claim, clear, remove_tree},
    limits::Limits,
    name::{Name, NameBuf},
};

pub(super) const LAYERS: &str = "layers";
pub(super) const UPPER: &str = "upper";
pub(super) const WORK: &str = "work";
pub(super) const ROOTFS: &str = "rootfs";
pub(super) const CONFIG: &str = "config.json";
pub(super) const MTREE: &str = "rootfs.mtree";
pub(super) const STAMPS: &str = "rootfs.stamps";
pub(super) const STATE: &str = "ocicle.json";
pub(super) const UMOCI: &str = "umoci.json";

/// Every name with a meaning in a bundle of any format, but for umoci's manifest, which is named after the
/// image.
const NAMES: [&str; 9] = [ROOTFS, LAYERS, UPPER, WORK, CONFIG, MTREE, STAMPS, STATE, UMOCI];

/// Refuses a directory that has any part of a bundle.
pub(super) fn check_absent<D: DirPosix>(dir: &D) -> Result<()> {
    for name in NAMES {
        match dir.metadata(Name::literal(name)) {
            Ok(_) => {
                let hint = "hint: remove it, or unpack into another directory";
                return Err(Error::Exists(format!("{name} already exists\n{hint}")));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(format_args!("stat {name}"))(error)),
        }
    }
    Ok(())
}

/// Opens a directory of a bundle.
pub(super) fn open_dir<D: DirPosix>(dir: &D, name: &'static str) -> Result<D> {
    dir.open_dir(Name::literal(name)).map_err(Error::io(format_args!("open {name}")))
}

/// Creates a directory that inherits no access control list, which would pass on to every file, and opens it.
pub(super) fn create_dir<D: DirPosix>(dir: &D, name: &'static str) -> Result<D> {
    let (place, none) = (Name::literal(name), Xattrs::new());
    let created = (|| {
        dir.create_dir(place)?;
        dir.set_attrs(place, &AttrChange { xattrs: Some(&none), ..AttrChange::default() })?;
        dir.open_dir(place)
    })();
    created.map_err(Error::io(format_args!("create {name}")))
}

/// Reads a whole file of at most [`Limits::document`] bytes.
pub(super) fn read(file: impl Read, name: &str, limits: &Limits) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(limits.document.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(Error::io(format_args!("read {name}")))?;
    match text.len() as u64 > limits.document {
        true => Err(Error::limit(name, "document", limits.document)),
        false => Ok(text),
    }
}

/// Writes a file with these bytes.
pub(super) fn write_all<D: DirPosix>(dir: &D, name: Name<'_>, bytes: &[u8]) -> Result<()> {
    write(dir, name, |out| out.write_all(bytes).map_err(Error::io(format_args!("write {name}")))).map(drop)
}

/// Writes a file and returns its ctime: the time on the file system's own clock.
pub(super) fn write<D: DirPosix>(
    dir: &D,
    name: Name<'_>,
    fill: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<Time> {
    let file = dir.create_file(name).map_err(Error::io(format_args!("create {name}")))?;
    let mut out = BufWriter::with_capacity(64 << 10, file);
    fill(&mut out)?;
    let file =
        out.into_inner().map_err(|error| Error::io(format_args!("write {name}"))(error.into_error()))?;
    if dir.support().mode {
        file.set_attrs(&AttrChange { mode: Some(0o644), ..AttrChange::default() })
            .map_err(Error::io(format_args!("set mode of {name}")))?;
    }
    file.metadata().map(|metadata| metadata.ctime).map_err(Error::io(format_args!("stat {name}")))
}

/// Moves an entry into the bundle.
pub(super) fn move_into<D: DirPosix>(bundle: &D, from: &D, name: &NameBuf) -> Result<()> {
    let name = name.as_name();
    let moved = match from.rename(name, bundle, name) {
        // Moving a directory changes its `..`, for which its owner needs to be allowed to write to it.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let opened = OwnerAccess::get(from, name)?;
            let moved = from.rename(name, bundle, name);
            opened.restore(if moved.is_ok() { bundle } else { from }, name)?;
            moved
        }
        moved => moved,
    };
    moved.map_err(Error::io(format_args!("move {name} into the bundle")))
}

/// Calls `act` with a directory of a bundle, whatever the image lets its owner do in it.
pub(super) fn in_dir<D: DirPosix, T>(
    dir: &D,
    name: &'static str,
    act: impl FnOnce(&D) -> Result<T>,
) -> Result<T> {
    let place = Name::literal(name);
    let metadata = dir.metadata(place).map_err(Error::io(format_args!("stat {name}")))?;
    if !dir.support().mode || metadata.mode & 0o700 == 0o700 {
        return act(&open_dir(dir, name)?);
    }
    let access = OwnerAccess::get(dir, place)?;
    let result = open_dir(dir, name).and_then(|opened| act(&opened));
    access.restore(dir, place)?;
    result
}

/// The mode of a directory whose owner was allowed everything for a moment.
struct OwnerAccess(u32);

impl OwnerAccess {
    fn get<D: DirPosix>(dir: &D, name: Name<'_>) -> Result<Self> {
        let mode = dir.metadata(name).map_err(Error::io(format_args!("stat {name}")))?.mode;
        Self::set(dir, name, mode | 0o700)?;
        Ok(Self(mode))
    }

    fn restore<D: DirPosix>(self, dir: &D, name: Name<'_>) -> Result<()> {
        Self::set(dir, name, self.0)
    }

    fn set<D: DirPosix>(dir: &D, name: Name<'_>, mode: u32) -> Result<()> {
        let change = AttrChange { mode: Some(mode), ..AttrChange::default() };
        dir.set_attrs(name, &change).map_err(Error::io(format_args!("set mode of {name}")))
    }
}

/// A directory in a bundle in which one process at a time makes something. Dropping it removes it.
pub(super) struct Staging<'a, D: DirPosix> {
    bundle: &'a D,
    name: Name<'static>,
    pub(super) dir: D,
    /// Whether it is still there.
    exists: bool,
    /// Held until it is removed.
    _lock: D::Lock,
}

impl<'a, D: DirPosix> Staging<'a, D> {
    /// Creates the directory, or takes over that of an interrupted process: `recover` gets what that left,
    /// which is removed then.
    ///
    /// # Errors
    /// [`Error::Exists`] if another process has it; those of `recover`; [`Error::Io`].
    pub(super) fn claim(
        bundle: &'a D,
        name: &'static str,
        recover: impl FnOnce(&D) -> Result<()>,
    ) -> Result<Self> {
        let io = || Error::io(format!("create {name}"));
        let Some((dir, lock)) = claim(bundle, Name::literal(name)).map_err(io())? else {
            return Err(Error::Exists(format!(
                "another process is changing the bundle\nhint: if no process is running, remove {name}"
            )));
        };
        if let Err(error) = recover(&dir).and_then(|()| clear(&dir).map_err(io())) {
            drop(lock);
            let _ = bundle.remove_dir(Name::literal(name)); // unless something is in it
            return Err(error);
        }
        Ok(Self { bundle, name: Name::literal(name), dir, exists: true, _lock: lock })
    }

    /// Removes the directory.
    pub(super) fn remove(mut self) -> Result<()> {
        self.exists = false;
        remove_tree(self.bundle, self.name).map_err(Error::io(format_args!("remove {}", self.name)))
    }
}

impl<D: DirPosix> Drop for Staging<'_, D> {
    fn drop(&mut self) {
        if self.exists {
            let _ = remove_tree(self.bundle, self.name); // the first error is the one to report
        }
    }
}
