//! What a bundle remembers: which image it was unpacked from, by which way, and what proves that nothing changed.

use serde::{Deserialize, Serialize};

use crate::{
    attrs::Time,
    digest::{Algorithm, Digest},
    error::{Error, Result},
    fs::Support,
    graph::Resolution,
    hash::digest_of,
    layer::{on_disk::OnDisk, overlayfs::Namespace},
};

/// The content of `ocicle.json`, version 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct State {
    schema_version: u32,
    /// The way from `index.json` to the manifest, so that a repack knows what to replace.
    pub resolution: Resolution,
    /// Digest of `rootfs.mtree`, which says what was unpacked.
    pub mtree: Digest,
    /// Stamps older than this are proof: seconds and nanoseconds of the file system's own clock.
    settled: (i64, u32),
    /// How entries lie in `rootfs/`.
    #[serde(default)]
    pub on_disk: OnDisk,
    /// For a bundle with a directory for each layer: where overlayfs keeps its marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Namespace>,
    /// For a bundle on a disk that cannot hold everything, what that can; see [`crate::tree::emulated`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Support>,
}

impl State {
    /// The state of a bundle without files; no stamp is proof.
    pub(super) fn new(resolution: Resolution, on_disk: OnDisk) -> Self {
        Self {
            schema_version: 1,
            resolution,
            mtree: digest_of(Algorithm::Sha256, b""),
            settled: (Time::EPOCH.seconds, Time::EPOCH.nanoseconds),
            on_disk,
            overlay: None,
            held: None,
        }
    }

    /// See [`crate::tree::diff::Baseline::settled`].
    #[must_use]
    pub fn settled(&self) -> Time {
        Time { seconds: self.settled.0, nanoseconds: self.settled.1 }
    }

    pub(super) fn settle(&mut self, time: Time) {
        self.settled = (time.seconds, time.nanoseconds);
    }

    /// What the bundle's disk holds, as far as it can be seen through a handle with this support.
    pub(super) fn held_here(&self, support: &Support) -> Support {
        let then = self.held.unwrap_or(Support::ALL);
        match support.mode {
            true => then,
            false => Support { owner: false, mode: false, xattrs: false, times: support.times, ..then },
        }
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::document("ocicle.json", error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    pub(super) fn from_json(text: &[u8]) -> Result<Self> {
        let state: Self = serde_json::from_slice(text)
            .map_err(|error| Error::document("ocicle.json", error.to_string()))?;
        if state.schema_version != 1 {
            let reason =
                format!("schemaVersion {} is not 1: made by another version of ocicle", state.schema_version);
            return Err(Error::document("ocicle.json", reason));
        }
        Ok(state)
    }
}
