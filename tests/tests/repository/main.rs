//! The sources: rows of modules, licences, the list of the public API.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod circles;
mod layering;
mod licences;
mod public_api;
mod rust_crate;
mod rust_paths;
mod rust_tokens;
mod source_files;
mod test_files;
