//! The tree of descriptors below `index.json`: refer to a place in it, find it, list it, rewrite it.
//!
//! A [`mod@reference`] names a store and a [`selector`]; [`resolve`] finds the one object that it selects;
//! [`rewrite`] replaces an object and the indexes along its descriptor path, and nothing else.

pub mod annotate;
pub mod archive;
mod clause;
pub mod convert;
pub mod copy;
mod cosign;
pub mod describe;
pub mod discover;
pub mod explain;
pub mod gc;
#[cfg(test)]
mod linear;
pub mod list;
pub mod platforms;
mod progress;
mod reach;
mod ref_name;
pub mod reference;
mod resolution;
pub mod resolve;
pub mod rewrite;
pub mod selector;
#[cfg(test)]
mod testing;
mod walk;

pub use ref_name::RefName;
pub use resolution::{Hop, Resolution, ResolvedObject};
