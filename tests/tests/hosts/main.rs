//! The command on every host: this system, WASI in wasmtime and in Node, and the component. The same answers,
//! the same files.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod bundles;
mod component;
mod hostile_layers;
mod images;
mod locks;
mod preopens;
mod same_bytes;
mod script;
mod support;
mod trees;
