//! Bundles: an image unpacked for a runtime, and the way back.
//!
//! A bundle is a directory with these entries:
//!
//! | name | what it is |
//! |---|---|
//! | `rootfs/` | the root file system |
//! | `config.json` | the runtime's configuration (runtime-spec) |
//! | `rootfs.mtree` | what was unpacked, as an mtree(5) manifest in the `native` dialect |
//! | `rootfs.stamps` | inode number and ctime of each path, to find changes without reading files |
//! | `ocicle.json` | the [`state::State`]: which image this is, and where a repack goes |
//!
//! A bundle of umoci ([`unpack::Format::Umoci`]) has, instead of the last three, `umoci.json` and a manifest named after the
//! image, as umoci writes them; either tool goes on with it.
//!
//! A bundle for overlayfs ([`overlay`]) has a directory for each layer, and no stamps.
//!
//! While a repack makes the bundle remember the new image, the last three are for a moment in `.ocicle-refreshed/`, and count
//! from there.
//!
//! Changing them makes a repack fail or send more than it must; it never makes it miss a change silently, since the
//! state holds the manifest's digest.

pub mod onto;
pub mod overlay;
mod refresh;
pub mod repack;
mod restore;
pub mod runtime;
mod stamps;
pub mod state;
mod umoci;
pub mod unpack;

const LAYERS: &str = "layers";
const UPPER: &str = "upper";
const WORK: &str = "work";
const ROOTFS: &str = "rootfs";
const CONFIG: &str = "config.json";
const MTREE: &str = "rootfs.mtree";
const STAMPS: &str = "rootfs.stamps";
const STATE: &str = "ocicle.json";
/// Where a bundle is made before it is moved into place.
const STAGING: &str = ".ocicle-unpack";

#[cfg(test)]
mod tests;
