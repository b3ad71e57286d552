//! Error kinds that the standard library does not set on this platform.

use std::io::{self, ErrorKind};

use rustix::io::Errno;

pub(super) fn error(error: Errno) -> io::Error {
    if error == Errno::ILSEQ {
        let reason = "this runtime supports only UTF-8 in names and link targets";
        return io::Error::new(ErrorKind::Unsupported, reason);
    }
    let kind = match error {
        Errno::NOTCAPABLE => ErrorKind::PermissionDenied,
        Errno::NOTDIR => ErrorKind::NotADirectory,
        Errno::ISDIR => ErrorKind::IsADirectory,
        Errno::NOTEMPTY => ErrorKind::DirectoryNotEmpty,
        Errno::XDEV => ErrorKind::CrossesDevices,
        Errno::ROFS => ErrorKind::ReadOnlyFilesystem,
        Errno::NOSPC => ErrorKind::StorageFull,
        Errno::MLINK => ErrorKind::TooManyLinks,
        Errno::NOTSUP => ErrorKind::Unsupported,
        _ => return error.into(),
    };
    io::Error::new(kind, error)
}
