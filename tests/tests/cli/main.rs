//! The command as users see it: output, files, errors.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod annotate;
mod archive_files;
mod artifacts;
mod bad_input;
mod commands;
mod compressed_archives;
mod concurrent;
mod disks;
mod docker_saves;
mod expansion;
mod gc;
mod history;
mod insert;
mod layer_cache;
mod linked_blobs;
mod login;
mod names;
mod nested_indexes;
mod new_files;
mod odd_layouts;
mod overlay;
mod places;
mod raw_add_layer;
mod raw_content;
mod raw_unpack;
mod rebase;
mod refresh;
mod rootless;
mod round_trip;
mod scarce;
mod signals;
mod tree_descriptions;
mod umoci;
mod unpack_flags;
mod waste;
