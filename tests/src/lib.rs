//! Conformance, interop and end-to-end tests of ocicle.
