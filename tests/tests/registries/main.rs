//! Images on registries: Debian's `docker-registry`, and other tools beside it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod access;
mod artifacts;
mod broken;
mod buildah;
mod copies;
mod edits;
mod lazy;
mod misbehaving;
mod platforms;
mod tokens;
mod web;
