//! The library's drivers and formats: every store and directory does the same, and a failure at any call does
//! no harm.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod archive_failures;
mod damaged_documents;
mod deep_directories;
mod dir;
mod dir_races;
mod image_spec;
mod stores;
mod unpack_failures;
