//! mtree manifests: text files that describe a file system, one line for each name.
//!
//! There is no specification, only programs that disagree. So there are [`Dialect`]s for writing, and one
//! [`Parser`] that reads them all. Values are compared decoded, never as text.
//!
//! Sources: mtree(5) and mtree(8) of NetBSD and FreeBSD, vis(3), and the observed behavior of gomtree,
//! libarchive and umoci.
//!
//! ```
//! use ocicle::tree::{Tree, mtree};
//! let mut text = Vec::new();
//! mtree::write_tree(&Tree::new(), mtree::Dialect::Portable, &mut text)?;
//! assert_eq!(
//!     String::from_utf8_lossy(&text),
//!     "#mtree v2.0\n. type=dir mode=0755 uid=0 gid=0 time=0.000000000\n"
//! );
//! # Ok::<(), ocicle::Error>(())
//! ```

mod compare;
mod dialect;
mod difference;
mod dir_facts;
mod entry;
mod keywords;
mod lines;
mod parse;
mod read;
mod read_umoci;
mod text;
pub mod vis;
mod write;

pub use compare::compare;
pub use dialect::Dialect;
pub use difference::Difference;
pub use keywords::Keywords;
pub use parse::{Parser, Spec};
pub use read::read_tree;
pub(crate) use read_umoci::read_umoci;
pub(crate) use write::write_for_umoci;
pub use write::write_tree;

/// The first line of [`Dialect::Native`], with its version.
const NATIVE_HEADER: &[u8] = b"#mtree v1.0 ocicle native 1\n";
