//! Conformance, interop and end-to-end tests of ocicle.

pub mod dir_suite;
pub mod temp;
