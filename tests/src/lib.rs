//! Conformance, interop and end-to-end tests of ocicle.

#[cfg(unix)]
pub mod host_tree;
pub mod tools;
