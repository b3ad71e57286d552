//! The same command line on every host: this system, and WASI in wasmtime and in Node. The same answers, the same files.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod images;
mod script;
mod support;
mod trees;
