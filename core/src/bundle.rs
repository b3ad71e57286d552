//! Bundles: an image unpacked for a runtime, and repacked into an image.
//!
//! [`unpack`] makes a bundle, [`Bundle::open`] opens one, [`Bundle::repack`] turns its changes into a layer.
//! [`extract`] puts the layers of an image into any directory, without a bundle around them.
//!
//! A bundle is a directory with these entries:
//!
//! | name | content |
//! |---|---|
//! | `rootfs/` | the root file system |
//! | `config.json` | the runtime's configuration (runtime-spec) |
//! | `rootfs.mtree` | the manifest: what was unpacked, in the `native` dialect of mtree(5) |
//! | `rootfs.stamps` | inode number and ctime of each path, to find changes without reading files |
//! | `ocicle.json` | the image, its place in the layout, and the digest of the manifest |
//!
//! A bundle in umoci's format ([`Format::Umoci`]) has, instead of the last three, `umoci.json` and a manifest
//! named after the image, as umoci writes them; either tool can repack it.
//!
//! A bundle for overlayfs ([`Format::Overlayfs`]) has a directory for each layer, and no stamps:
//!
//! | name | content |
//! |---|---|
//! | `layers/0`, `layers/1` … | the layers, the lowest first |
//! | `upper/` | what is written to the mounted file system; a repack makes a layer of it |
//! | `work/` | overlayfs's own |
//! | `rootfs/` | empty: the mount point |
//!
//! Its manifest describes the file system as mounted.
//!
//! A repack that refreshes the bundle writes the new record into `.ocicle-refreshed/` first; files there take
//! precedence until they have been moved over the old ones.
//!
//! A changed record makes a repack fail or send more than it must. It never makes it miss a change silently,
//! since `ocicle.json` holds the manifest's digest.

// The modules, each of which uses only those before it (`modules_use_only_those_before` checks that): files,
// mount_points, options, replace, runtime, record, layers, format, extract, unpack, open, restore, refresh,
// repack.

mod extract;
mod files;
mod format;
mod layers;
mod mount_points;
mod open;
mod options;
mod record;
mod refresh;
mod repack;
mod replace;
mod restore;
mod runtime;
mod unpack;

pub use self::{
    extract::{ExtractError, extract},
    format::{MOUNT_OPTIONS_MAX, mount_options},
    open::Bundle,
    options::{CompareOptions, ExtractOptions, Format, RepackOptions, RuntimeOptions, UnpackOptions},
    repack::Repacked,
    runtime::{RuntimeConfig, Users, Volumes, runtime_config},
    unpack::{Unpacked, unpack},
};

#[cfg(test)]
mod tests;
