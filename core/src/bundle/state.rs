//! What a bundle remembers: which image it was unpacked from, by which way, and what proves that nothing changed.

use serde::{Deserialize, Serialize};

use crate::{
    attrs::Time,
    digest::Digest,
    error::{Error, Result},
    graph::Resolution,
    layer::{on_disk::OnDisk, overlay::Namespace},
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
}

impl State {
    /// The state of a bundle just unpacked.
    #[must_use]
    pub fn new(resolution: Resolution, mtree: Digest, settled: Time, on_disk: OnDisk) -> Self {
        Self {
            schema_version: 1,
            resolution,
            mtree,
            settled: (settled.seconds, settled.nanoseconds),
            on_disk,
            overlay: None,
        }
    }

    /// See [`crate::tree::diff::Baseline::settled`].
    #[must_use]
    pub fn settled(&self) -> Time {
        Time { seconds: self.settled.0, nanoseconds: self.settled.1 }
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
