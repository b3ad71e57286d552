//! Directories that go away with the test.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use ocicle::fs::host::HostDir;
use rustix::fs::statvfs;

/// A new, empty directory in the system's place for them. It is removed, with all that is in it, on drop.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Creates a temporary directory.
    ///
    /// # Errors
    /// Those of creating the directory.
    pub fn new() -> io::Result<Self> {
        Self::inside(&env::temp_dir())
    }

    /// Creates a temporary directory in memory, if there is a gigabyte free: for very many files.
    ///
    /// # Errors
    /// Those of creating the directory.
    pub fn in_memory() -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let room = statvfs(memory).map_or(0, |system| system.f_bavail * system.f_frsize);
        if room > 1 << 30 { Self::inside(memory) } else { Self::new() }
    }

    fn inside(base: &Path) -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = MADE.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("ocicle-test-{}-{count}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // Left by a killed process that had our number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Opens a handle of it.
    ///
    /// # Errors
    /// Those of opening a directory.
    pub fn open(&self) -> io::Result<HostDir> {
        let dir = cap_std::fs::Dir::open_ambient_dir(&self.0, cap_std::ambient_authority())?;
        Ok(HostDir::new(dir))
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // Leftovers are for the system to clean up: a test must not fail because of them.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the names in a directory, in order.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
