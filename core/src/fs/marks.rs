//! Locks that hold between processes of which some have `flock` and some, in a WASI sandbox, have nothing.
//!
//! Who has a lock of a directory has a mark in it, an empty file:
//!
//! | mark                    | who                                     | lock      |
//! |-------------------------|-----------------------------------------|-----------|
//! | `.ocicle-lock`          | a sandbox                               | exclusive |
//! | `.ocicle-lock-native`   | the native process with the `flock`     | exclusive |
//! | `.ocicle-shared-native` | all native processes with the `flock`   | shared    |
//! | `.ocicle-shared-N`      | a sandbox; N is a number that was free  | shared    |
//!
//! Everybody makes a mark first and looks for others after that. So of two who come at the same time at least one sees the
//! other; it takes its mark away and comes again.
//!
//! A mark outlives a process that is killed. Native processes know that by the `flock`, and remove what another one left;
//! nobody can know it of a sandbox, or in one. There the next who needs the lock gives up after ten seconds, with an error that
//! says which file to remove.

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

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Exclusive,
    Shared,
}

/// Whether there is a lock, or whose mark is in the way.
pub(super) type Attempt<L> = io::Result<Result<L, NameBuf>>;

/// Tries until there is a lock, for ten seconds.
pub(super) fn wait<L>(attempt: impl Fn() -> Attempt<L>) -> io::Result<L> {
    let mut other = None;
    for tries in 0..TRIES {
        match attempt()? {
            Ok(lock) => return Ok(lock),
            Err(mark) => other = Some(mark),
        }
        pause(LONGEST.min(Duration::from_millis(1 + tries)));
    }
    let file = other.as_ref().map(|mark| mark.as_name().to_string()).unwrap_or_default();
    let reason =
        format!("another process works in the directory: wait for it, or if there is none, remove {file}");
    Err(io::Error::new(ErrorKind::TimedOut, reason))
}

const TRIES: u64 = 510;
const LONGEST: Duration = Duration::from_millis(20);

#[allow(clippy::disallowed_methods, reason = "the pause of a lock is no time that a result could depend on")]
fn pause(time: Duration) {
    thread::sleep(time);
}

/// Makes the mark of a native process. It has the `flock`, so one that is there is its own by now.
///
/// `None` if that is not allowed: then nothing in the directory can be changed, and no lock is needed.
#[cfg(any(feature = "host", test))]
pub(super) fn make_native<D: DirWrite>(dir: &D, mode: Mode) -> io::Result<Option<Name<'static>>> {
    let mark = Name::literal(match mode {
        Mode::Exclusive => EXCLUSIVE_NATIVE,
        Mode::Shared => SHARED_NATIVE,
    });
    match dir.create_file(mark) {
        Err(error) if is_refused(&error) => Ok(None),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(Some(mark)),
    }
}

/// Makes the mark of a sandbox; `None` as for [`make_native`].
#[cfg(any(target_os = "wasi", test))]
pub(super) fn make<D: DirWrite>(dir: &D, mode: Mode) -> Attempt<Option<NameBuf>> {
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

/// Looks for a mark that does not go with this one.
pub(super) fn other<D: DirWrite>(dir: &D, own: Name<'_>) -> io::Result<Option<NameBuf>> {
    let (native, shared) = match own.as_bytes() {
        own if own == EXCLUSIVE.as_bytes() => (false, false),
        own if own == EXCLUSIVE_NATIVE.as_bytes() => (true, false),
        own => (own == SHARED_NATIVE.as_bytes(), true),
    };
    for name in dir.names()? {
        let mark = name.as_name().as_bytes();
        let of_native = mark == EXCLUSIVE_NATIVE.as_bytes() || mark == SHARED_NATIVE.as_bytes();
        let is_shared = mark.starts_with(SHARED.as_bytes());
        if mark == own.as_bytes()
            || !(of_native || is_shared || mark == EXCLUSIVE.as_bytes())
            || (shared && is_shared)
        {
            continue;
        }
        if !(native && of_native) {
            return Ok(Some(name));
        }
        // By the `flock`, whoever made it is no more.
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
        other(&dir, Name::literal(own)).unwrap().map(|name| name.as_name().to_string())
    }

    #[test]
    fn each_waits_for_those_it_has_to() {
        let all = [EXCLUSIVE, EXCLUSIVE_NATIVE, SHARED_NATIVE, ".ocicle-shared-0", ".ocicle-shared-7"];
        // Rows: who looks; columns: whose mark is there. What native processes have among themselves, the `flock` decides.
        for (own, waits) in [
            (EXCLUSIVE, [false, true, true, true, true]),
            (EXCLUSIVE_NATIVE, [true, false, false, true, true]),
            (SHARED_NATIVE, [true, false, false, false, false]),
            (".ocicle-shared-0", [true, true, false, false, false]),
        ] {
            for (mark, waits) in all.into_iter().zip(waits).filter(|(mark, _)| *mark != own) {
                assert_eq!(found(own, &[mark]), waits.then(|| mark.to_owned()), "{own} sees {mark}");
            }
        }
    }

    #[test]
    fn what_a_killed_native_process_left_is_removed_by_the_next() {
        let dir = MemDir::new();
        put(&dir, &[SHARED_NATIVE, EXCLUSIVE_NATIVE]);
        let own = make_native(&dir, Mode::Exclusive).unwrap().unwrap();
        assert_eq!(other(&dir, own).unwrap(), None);
        let left: Vec<String> = dir.names().unwrap().iter().map(|name| name.as_name().to_string()).collect();
        assert_eq!(left, [EXCLUSIVE_NATIVE]);
    }

    #[test]
    fn sandboxes_share_by_numbers() {
        let dir = MemDir::new();
        for expected in [".ocicle-shared-0", ".ocicle-shared-1"] {
            let mark = make(&dir, Mode::Shared).unwrap().unwrap().unwrap();
            assert_eq!(mark.as_name(), Name::literal(expected));
        }
        make(&dir, Mode::Exclusive).unwrap().unwrap();
        let taken = make(&dir, Mode::Exclusive).unwrap().unwrap_err();
        assert_eq!(taken.as_name(), Name::literal(EXCLUSIVE));
    }
}
