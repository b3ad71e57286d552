//! Change and inspect OCI container images, wherever WebAssembly runs.
//!
//! The modules stand in rows; a module uses only its own row and the rows above it (`tests/` checks that):
//!
//! | row | modules | what they are |
//! |---|---|---|
//! | 1 | [`error`], [`limits`], [`digest`], [`hash`], [`name`], [`attrs`], [`text`] | values everything else is made of |
//! | 2 | [`spec`] | the OCI documents, exact bytes beside the parsed view |
//! | 3 | [`fs`] | directory handles: in memory, on the host, in a WASI sandbox |
//! | 4 | [`store`] | blobs and the root index, behind small traits |
//! | 5 | [`graph`] | the tree of descriptors: walk, select, resolve, list, copy, rewrite, collect garbage |
//! | 6 | [`remote`] | registries and layouts on web servers, over a transport that is handed in |
//! | 6 | [`layer`] | a layer as a stream of changes; the tar codec |
//! | 7 | [`tree`] | the merged file system in memory; mtree; the root directory on disk |
//! | 8 | [`image`] | views, edits and comparisons of one image; the check of a store |
//! | 9 | [`bundle`] | unpack and repack |
//!
//! Nothing here opens files, reads the clock or the environment, or prints: directories, stores, the time and
//! limits are handed in as values.
//!
//! A [`Repository`] is the front door: a store with its limits.
//!
//! | to | use |
//! |---|---|
//! | open a layout | [`Repository::open`], [`Repository::in_memory`], [`Repository::new`] for any other store |
//! | open a repository of a registry | [`remote::RegistryStore`], over a [`remote::Transport`] of yours |
//! | find one object, or all that a selector means | [`Repository::resolve`], [`Repository::resolve_all`] |
//! | open an image | [`Repository::image`] |
//! | list what there is | [`Repository::list`] |
//! | edit an image | [`Repository::edit`] with functions of [`image::edit`], [`image::config`], [`image::rebase`], [`image::squash`], [`image::recompress`] |
//! | set a tag | [`Repository::tag`] |
//! | verify everything | [`Repository::check`] |
//! | remove unreachable blobs | [`Repository::gc`] |
//! | copy, or plan a copy | [`Repository::copy`], [`graph::copy::Plan`] |
//! | add files about an image, and find them | [`Repository::attach`], [`graph::discover`] |
//! | write an archive | [`store::archive::write_archive`] |
//! | inspect files and their layers | [`image::look::Look`] |
//! | get a manifest for mtree(8) | [`image::layers::merged`], [`tree::mtree::write_tree`] |
//! | unpack and repack | [`bundle::unpack`], [`bundle::Bundle`] |
//! | show progress, or cancel | a store that wraps another, by [`Repository::with_store`] |
//! | call it from async code | a thread for blocking work: the library is synchronous |
//! | write a store of your own | [`store::BlobRead`], [`store::BlobWrite`], [`store::RootIndex`] and `store::conformance` |
//! | write a directory of your own | [`fs::Dir`], [`fs::DirWrite`], [`fs::DirPosix`] and `fs::conformance` |
//!
//! `docs/library.md` in the repository has an example of each; all are tests.
#![cfg_attr(feature = "conformance", doc = "", doc = include_str!("../library.md"))]

pub mod attrs;
pub mod digest;
pub mod error;
pub mod hash;
pub mod limits;
pub mod name;
pub mod text;

pub mod bundle;
pub mod fs;
pub mod graph;
pub mod image;
pub mod layer;
pub mod remote;
pub mod spec;
pub mod store;
pub mod tree;

pub use digest::Digest;
pub use error::{Error, ErrorKind, Result};
pub use graph::{RefName, reference::Reference, selector::Selector};
pub use image::Image;
pub use limits::Limits;
pub use spec::{Descriptor, Platform};
pub use store::{Repository, archive::Archive, layout::LayoutStore, memory::MemoryStore};

/// The examples of the README are tests, too.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
