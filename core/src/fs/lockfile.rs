//! Locks that hold between native processes, which have `flock`, and WASI sandboxes, which have nothing.
//!
//! Each lock holder creates a lock file, an empty file in the directory:
//!
//! | lock file               | holder                                | lock      |
//! |-------------------------|---------------------------------------|-----------|
//! | `.ocicle-lock`          | a sandbox                             | exclusive |
//! | `.ocicle-lock-native`   | the native process with the `flock`   | exclusive |
//! | `.ocicle-shared-native` | all native processes with the `flock` | shared    |
//! | `.ocicle-shared-N`      | a sandbox; N is the first free number | shared    |
//!
//! A process creates its lock file first and looks for others afterwards. So of two that start at the same
//! time at least one sees the other, removes its own file, and retries.
//!
//! A lock file outlives a process that is killed. Native processes detect this by the `flock`, and remove the
//! stale file of another native process. The file of a sandbox, or any file seen from a sandbox, may be stale
//! without a way to tell. The next process that needs the lock then gives up after ten seconds, with an error
//! that names the file.

use std::{
    io::{self, ErrorKind},
    thread,
    time::Duration,
};

use super::DirWrite;
use crate::name::{Name, NameBuf};

const EXCLUSIVE: &str = ".ocicle-lock";
const EXCLUSIVE_NATIVE: &str = ".ocicle-lock-native";
const SHARED: &str = ".ocicle-shared-";
const SHARED_NATIVE: &str = ".ocicle-shared-native";

/// The kind of lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Exclusive,
    Shared,
}

/// A lock, or the name of the lock file that conflicts with it.
pub(super) type Attempt<L> = io::Result<Result<L, NameBuf>>;

/// Retries until the lock is taken, for ten seconds.
pub(super) fn wait<L>(attempt: impl Fn() -> Attempt<L>) -> io::Result<L> {
    let mut conflict = None;
    for tries in 0..TRIES {
        match attempt()? {
            Ok(lock) => return Ok(lock),
            Err(file) => conflict = Some(file),
        }
        pause(LONGEST.min(Duration::from_millis(1 + tries)));
    }
    let file = conflict.as_ref().map(|file| file.as_name().to_string()).unwrap_or_default();
    let reason = format!(
        "the directory is locked by another process\n\
         hint: wait for it, or if no process is running, remove {file}"
    );
    Err(io::Error::new(ErrorKind::TimedOut, reason))
}

const TRIES: u64 = 510;
const LONGEST: Duration = Duration::from_millis(20);

#[allow(clippy::disallowed_methods, reason = "how long a lock is waited for does not change any result")]
fn pause(time: Duration) {
    thread::sleep(time);
}

/// Creates the lock file of a native process. The caller holds the `flock`, so an existing file is now its
/// own.
///
/// Returns `None` if the directory cannot be written: then nothing in it can change, and no lock is needed.
#[cfg(any(feature = "host", test))]
pub(super) fn create_native<D: DirWrite>(dir: &D, mode: Mode) -> io::Result<Option<Name<'static>>> {
    let file = Name::literal(match mode {
        Mode::Exclusive => EXCLUSIVE_NATIVE,
        Mode::Shared => SHARED_NATIVE,
    });
    match dir.create_file(file) {
        Err(error) if is_refused(&error) => Ok(None),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(Some(file)),
    }
}

/// Creates the lock file of a sandbox; `None` as for [`create_native`].
#[cfg(any(target_os = "wasi", test))]
pub(super) fn create_sandboxed<D: DirWrite>(dir: &D, mode: Mode) -> Attempt<Option<NameBuf>> {
    let mut name = NameBuf::from(Name::literal(EXCLUSIVE));
    for number in 0_u32.. {
        if mode == Mode::Shared {
            let text = format!("{SHARED}{number}");
            name = Name::new(text.as_bytes()).map_err(io::Error::other)?.into();
        }
        match dir.create_file(name.as_name()) {
            Ok(_) => return Ok(Ok(Some(name))),
            Err(error) if is_refused(&error) => return Ok(Ok(None)),
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Err(_) if mode == Mode::Exclusive => break,
            Err(_) => {}
        }
    }
    Ok(Err(name))
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

/// Looks for a lock file that conflicts with this one.
pub(super) fn conflicting<D: DirWrite>(dir: &D, own: Name<'_>) -> io::Result<Option<NameBuf>> {
    let (native, shared) = match own.as_bytes() {
        own if own == EXCLUSIVE.as_bytes() => (false, false),
        own if own == EXCLUSIVE_NATIVE.as_bytes() => (true, false),
        own => (own == SHARED_NATIVE.as_bytes(), true),
    };
    for name in dir.names()? {
        let found = name.as_name().as_bytes();
        let is_native = found == EXCLUSIVE_NATIVE.as_bytes() || found == SHARED_NATIVE.as_bytes();
        let is_shared = found.starts_with(SHARED.as_bytes());
        if found == own.as_bytes()
            || !(is_native || is_shared || found == EXCLUSIVE.as_bytes())
            || (shared && is_shared)
        {
            continue;
        }
        if !(native && is_native) {
            return Ok(Some(name));
        }
        // It is stale: its holder would still have the `flock`.
        match dir.remove_file(name.as_name()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Dir as _, mem::MemDir},
        *,
    };

    fn put(dir: &MemDir, names: &[&'static str]) {
        for name in names {
            dir.create_file(Name::literal(name)).unwrap();
        }
    }

    fn found(own: &'static str, others: &[&'static str]) -> Option<String> {
        let dir = MemDir::new();
        put(&dir, &["index.json", own]);
        put(&dir, others);
        conflicting(&dir, Name::literal(own)).unwrap().map(|name| name.as_name().to_string())
    }

    #[test]
    fn each_lock_conflicts_with_those_it_excludes() {
        let all = [EXCLUSIVE, EXCLUSIVE_NATIVE, SHARED_NATIVE, ".ocicle-shared-0", ".ocicle-shared-7"];
        // Rows: the own lock file; columns: the one found. Between native processes the `flock` decides.
        for (own, conflicts) in [
            (EXCLUSIVE, [false, true, true, true, true]),
            (EXCLUSIVE_NATIVE, [true, false, false, true, true]),
            (SHARED_NATIVE, [true, false, false, false, false]),
            (".ocicle-shared-0", [true, true, false, false, false]),
        ] {
            for (file, conflicts) in all.into_iter().zip(conflicts).filter(|(file, _)| *file != own) {
                assert_eq!(found(own, &[file]), conflicts.then(|| file.to_owned()), "{own} sees {file}");
            }
        }
    }

    #[test]
    fn the_stale_file_of_a_native_process_is_removed() {
        let dir = MemDir::new();
        put(&dir, &[SHARED_NATIVE, EXCLUSIVE_NATIVE]);
        let own = create_native(&dir, Mode::Exclusive).unwrap().unwrap();
        assert_eq!(conflicting(&dir, own).unwrap(), None);
        let left: Vec<String> = dir.names().unwrap().iter().map(|name| name.as_name().to_string()).collect();
        assert_eq!(left, [EXCLUSIVE_NATIVE]);
    }

    #[test]
    fn shared_locks_of_sandboxes_are_numbered() {
        let dir = MemDir::new();
        for expected in [".ocicle-shared-0", ".ocicle-shared-1"] {
            let file = create_sandboxed(&dir, Mode::Shared).unwrap().unwrap().unwrap();
            assert_eq!(file.as_name(), Name::literal(expected));
        }
        create_sandboxed(&dir, Mode::Exclusive).unwrap().unwrap();
        let taken = create_sandboxed(&dir, Mode::Exclusive).unwrap().unwrap_err();
        assert_eq!(taken.as_name(), Name::literal(EXCLUSIVE));
    }
}
