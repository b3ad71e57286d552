//! The form of values in JSON, and in the text of the command.

use ocicle::{fs::FileType, layer::EntryKind};

/// Returns the word for the type of a file, such as `dir`.
#[must_use]
pub fn file_type(file_type: FileType) -> &'static str {
    match file_type {
        FileType::File => "file",
        FileType::Dir => "dir",
        FileType::Symlink => "link",
        FileType::Char => "char",
        FileType::Block => "block",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
    }
}

/// Returns the word for the type of a layer's entry, such as `hardlink`.
#[must_use]
pub fn entry_type(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::File { .. } => "file",
        EntryKind::Dir => "dir",
        EntryKind::Symlink { .. } => "link",
        EntryKind::HardLink { .. } => "hardlink",
        EntryKind::Char { .. } => "char",
        EntryKind::Block { .. } => "block",
        EntryKind::Fifo => "fifo",
    }
}

/// Returns a mode in octal digits, such as `0755`.
#[must_use]
pub fn mode(mode: u32) -> String {
    format!("{mode:04o}")
}
