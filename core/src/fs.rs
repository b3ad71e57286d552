//! Directory handles: the only way this library touches a file system.
//!
//! A handle opens only what is directly below it, one [`Name`](crate::name::Name) at a time, and follows no
//! link. What a directory can do is split into three traits:
//!
//! | trait | what it adds | who asks for it |
//! |---|---|---|
//! | [`Dir`] | reading | scan, diff, mtree, inserting a directory |
//! | [`DirWrite`] | files, directories and locks | stores |
//! | [`DirPosix`] | attributes, links and special files | unpack |
//!
//! Drivers: [`mem`] in memory, `host` over cap-std handles (Linux), `wasi` in a WASI sandbox. A driver
//! declares in [`Support`] what its file system cannot hold.

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(all(target_os = "linux", feature = "host"))]
pub mod host;
#[cfg(any(all(target_os = "linux", feature = "host"), target_os = "wasi", test))]
mod lockfile;
pub mod mem;
#[cfg(target_os = "wasi")]
pub mod wasi;

mod claim;
mod dir;
mod holes;
mod metadata;
mod read_only;
mod readable;
mod resolve;
mod rules;
mod stoppable;
mod support;
mod walk;

pub(crate) use claim::{claim, clear};
pub use dir::{Dir, DirPosix, DirWrite, File, FilePosix, FileWrite};
pub(crate) use holes::SkipHoles;
pub use metadata::{AttrChange, FileType, Metadata, Special};
pub use read_only::{ReadOnly, ReadOnlyFile};
pub use readable::Readable;
pub(crate) use resolve::find_in_root;
pub use resolve::open_file_in_root;
pub use stoppable::{Stoppable, StoppableFile};
pub use support::{Support, is_system_xattr};
pub use walk::remove_tree;
