//! Change and inspect OCI container images, wherever WebAssembly runs.
