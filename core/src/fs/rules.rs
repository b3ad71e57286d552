//! What drivers have in common.

use std::io::{self, ErrorKind};

use super::FileType;

/// The error of [`super::Dir::open_file`] for what is no regular file.
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

/// No file system holds a link without target, or a NUL in one.
pub(super) fn check_link_target(target: &[u8]) -> io::Result<()> {
    match target.is_empty() || target.contains(&0) {
        true => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "the target of a symbolic link is empty or has a NUL",
        )),
        false => Ok(()),
    }
}
