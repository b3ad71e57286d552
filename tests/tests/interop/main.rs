//! The command and the library beside other tools: each reads what the other writes.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod archives;
mod debian;
mod every_command;
mod find;
mod index_trees;
mod inspect;
mod mtree;
mod tar_read;
mod tar_write;
mod toc;
mod umoci_bundles;
