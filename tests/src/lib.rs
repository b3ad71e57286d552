//! Helpers that the conformance, interop and end-to-end tests share.
#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

pub mod docker_save;
pub mod failing_dir;
pub mod fixtures;
pub mod handmade;
pub mod host_tree;
pub mod hosts;
pub mod http_server;
pub mod large;
pub mod misbehaving;
pub mod nested;
pub mod nginx;
pub mod ocicle;
pub mod recorder;
pub mod registry;
pub mod rootfs;
pub mod temp;
pub mod token_server;
pub mod tools;
