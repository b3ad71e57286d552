//! Checks that all drivers share.

use std::io::{self, ErrorKind};

use super::FileType;
#[cfg(any(all(target_os = "linux", feature = "host"), target_os = "wasi"))]
use crate::name::{Name, NameBuf};

/// Returns the error of [`Dir::open_file`](super::Dir::open_file) for an entry that is not a regular file.
pub(super) fn not_a_file(found: FileType) -> io::Error {
    let found = match found {
        FileType::Dir => return ErrorKind::IsADirectory.into(),
        FileType::File => "regular file",
        FileType::Symlink => "symbolic link",
        FileType::Char => "character device",
        FileType::Block => "block device",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
    };
    io::Error::new(ErrorKind::InvalidInput, format!("expected a regular file, found a {found}"))
}

/// Checks the target of a symbolic link: no file system can store an empty one, or one with a NUL.
pub(super) fn check_link_target(target: &[u8]) -> io::Result<()> {
    match target.is_empty() || target.contains(&0) {
        true => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the target of a symbolic link must not be empty or contain NUL",
        )),
        false => Ok(()),
    }
}

/// Checks a name that the system listed: a file system may have longer ones than [`Name`] allows.
#[cfg(any(all(target_os = "linux", feature = "host"), target_os = "wasi"))]
pub(super) fn listed_name(bytes: &[u8]) -> io::Result<NameBuf> {
    let name = Name::new(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok(name.into())
}
