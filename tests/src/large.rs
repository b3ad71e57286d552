//! Large images, made here with the `tar` crate and by nothing of the library: a gigabyte in a few thousand
//! files, and a hundred thousand small files. Each has two tags: `base`, and `top` with one layer more.

mod big;
mod content;
mod image;
mod layer;
mod many;

use std::path::PathBuf;

use crate::fixtures::made_once;

/// The sources that determine the bytes of both images: they are rebuilt when one changes.
const SOURCES: [&str; 5] = [
    include_str!("large/big.rs"),
    include_str!("large/content.rs"),
    include_str!("large/image.rs"),
    include_str!("large/layer.rs"),
    include_str!("large/many.rs"),
];

/// Builds a gigabyte: noise and text, in three layers, two of them plain and one in gzip.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn big() -> PathBuf {
    made_once("big", &SOURCES.concat(), big::make)
}

/// Builds a hundred thousand files, in directories flat and deep, with hard links; three layers, all in
/// gzip.
///
/// # Panics
/// If it cannot be made.
#[must_use]
pub fn many() -> PathBuf {
    made_once("many", &SOURCES.concat(), many::make)
}
