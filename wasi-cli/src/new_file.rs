//! Files that get their name once they are complete and durable.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    hash::{BuildHasher as _, RandomState},
    io,
    path::{Path, PathBuf},
};

use crate::system::create_private_file;

/// The prefix of the names of files in the making; a random number follows. Unlike `.ocicle-1`, such a name
/// is not that of a writer of a layout.
const PREFIX: &str = ".ocicle-new-";

/// A file in the making, beside its place. It is locked until it is there; dropping it removes it.
pub(crate) struct NewFile {
    pub(crate) file: File,
    path: PathBuf,
    target: PathBuf,
}

impl NewFile {
    /// Creates a file that is going to be `target`, with the mode of the file that has this name, and removes
    /// what interrupted calls left beside it.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let new = Self::create_with(target, |path| File::create_new(path))?;
        if let Ok(old) = fs::metadata(target) {
            let _ = new.file.set_permissions(old.permissions()); // some file systems have no modes
        }
        Ok(new)
    }

    /// Creates a file that is going to be `target`, and that only its owner can use; else as
    /// [`NewFile::create`].
    #[allow(dead_code, reason = "a sandbox stores no passwords")]
    pub(crate) fn create_private(target: &Path) -> io::Result<Self> {
        Self::create_with(target, create_private_file)
    }

    fn create_with(target: &Path, create: impl Fn(&Path) -> io::Result<File>) -> io::Result<Self> {
        let dir = parent(target);
        remove_stale(dir);
        loop {
            let path = dir.join(random_name());
            let file = match create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created?,
            };
            let new = Self { file, path, target: target.into() };
            // Another call may have taken it for stale before it was locked. Some systems have no locks, and
            // nothing is removed there.
            if !matches!(new.file.try_lock(), Err(TryLockError::WouldBlock)) && new.path.try_exists()? {
                return Ok(new);
            }
        }
    }

    /// Makes the content durable and gives the file its name.
    pub(crate) fn place(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        // Without it, a power cut leaves the old file or the new one.
        let _ = File::open(parent(&self.target)).and_then(|dir| dir.sync_all());
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // it may have been renamed
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Returns a name for a file in the making.
pub(crate) fn random_name() -> String {
    format!("{PREFIX}{:016x}", RandomState::new().hash_one(0))
}

/// Removes files of writers that were interrupted: their locks ended with them.
pub(crate) fn remove_stale(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file
            && is_new(&entry.file_name())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path()); // it is in nobody's way
        }
    }
}

fn is_new(name: &OsStr) -> bool {
    let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    number.is_some_and(|number| number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
