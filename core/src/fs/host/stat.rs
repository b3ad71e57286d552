//! Converting the kernel's description of an entry.

use std::io::{self, ErrorKind};

use rustix::fs::{self as sys, Stat};

use crate::{
    attrs::Time,
    fs::{FileType, Metadata, Special},
};

#[allow(clippy::unnecessary_cast, trivial_numeric_casts, reason = "the types differ by architecture")]
pub(super) fn metadata_of(stat: &Stat) -> Metadata {
    let time = |seconds, nanoseconds: u64| Time { seconds, nanoseconds: nanoseconds as u32 };
    let file_type = file_type(stat);
    let rdev = stat.st_rdev as u64;
    Metadata {
        file_type,
        size: stat.st_size as u64,
        mode: stat.st_mode as u32 & 0o7777,
        uid: stat.st_uid as u32,
        gid: stat.st_gid as u32,
        mtime: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
        ctime: time(stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        nlink: stat.st_nlink as u64,
        rdev: match file_type {
            FileType::Char | FileType::Block => (sys::major(rdev), sys::minor(rdev)),
            _ => (0, 0),
        },
    }
}

pub(super) fn file_type(stat: &Stat) -> FileType {
    match sys::FileType::from_raw_mode(stat.st_mode) {
        sys::FileType::Directory => FileType::Dir,
        sys::FileType::Symlink => FileType::Symlink,
        sys::FileType::CharacterDevice => FileType::Char,
        sys::FileType::BlockDevice => FileType::Block,
        sys::FileType::Fifo => FileType::Fifo,
        sys::FileType::Socket => FileType::Socket,
        // Linux has no other.
        sys::FileType::RegularFile | sys::FileType::Unknown => FileType::File,
    }
}

/// Returns the arguments of `mknodat` for a special file.
///
/// # Errors
/// `InvalidInput` for a device number past 12 bits of major and 20 of minor: the kernel would truncate it
/// silently.
pub(super) fn node(node: Special) -> io::Result<(sys::FileType, sys::Dev)> {
    let (file_type, major, minor) = match node {
        Special::Fifo => (sys::FileType::Fifo, 0, 0),
        Special::Char(major, minor) => (sys::FileType::CharacterDevice, major, minor),
        Special::Block(major, minor) => (sys::FileType::BlockDevice, major, minor),
    };
    match major < 1 << 12 && minor < 1 << 20 {
        true => Ok((file_type, sys::makedev(major, minor))),
        false => Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("invalid device number {major}:{minor} (maximum on Linux 4095:1048575)"),
        )),
    }
}
