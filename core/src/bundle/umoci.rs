//! What umoci remembers of a bundle: `umoci.json`, and a manifest named after the image.
//!
//! Shapes as umoci 0.6 writes them, and 0.4 reads and writes them too.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    graph::Resolution,
    layer::on_disk::{IdMap, IdRange, OnDisk, Privilege},
    name::NameBuf,
    spec::Descriptor,
};

/// The file that makes a bundle one of umoci's.
pub(super) const FILE: &str = "umoci.json";

/// The content of `umoci.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    umoci_version: String,
    from_descriptor_path: Walk,
    map_options: MapOptions,
    /// 0 for whiteouts as the image-spec has them. umoci 0.4 wrote it, 0.6 does not.
    #[serde(default, skip_serializing)]
    whiteout_mode: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Walk {
    descriptor_walk: Vec<Descriptor>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MapOptions {
    uid_mappings: Option<Vec<IdRange>>,
    gid_mappings: Option<Vec<IdRange>>,
    rootless: bool,
}

impl Meta {
    pub(super) fn new(resolution: &Resolution, on_disk: &OnDisk) -> Self {
        let ranges = |map: &IdMap| (!map.0.is_empty()).then(|| map.0.clone());
        Self {
            umoci_version: "2".into(),
            from_descriptor_path: Walk {
                descriptor_walk: resolution.hops().iter().map(|hop| hop.descriptor.clone()).collect(),
            },
            map_options: MapOptions {
                uid_mappings: ranges(&on_disk.uids),
                gid_mappings: ranges(&on_disk.gids),
                rootless: on_disk.privilege == Privilege::None,
            },
            whiteout_mode: 0,
        }
    }

    /// # Errors
    /// [`Error::Document`] for another version, or what only umoci itself could go on with.
    pub(super) fn from_json(text: &[u8]) -> Result<Self> {
        let wrong = |reason: String| Error::document(FILE, reason);
        let meta: Self = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        if meta.umoci_version != "2" {
            return Err(wrong(format!(
                "umoci_version {:?} is not \"2\": made by another version of umoci",
                meta.umoci_version
            )));
        }
        if meta.whiteout_mode != 0 {
            return Err(wrong(format!(
                "whiteout_mode {} is not 0: unpacked for overlayfs",
                meta.whiteout_mode
            )));
        }
        if meta.from_descriptor_path.descriptor_walk.is_empty() {
            return Err(wrong("descriptor_walk is empty: it names no image".into()));
        }
        Ok(meta)
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec(self).map_err(|error| Error::document(FILE, error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// The descriptors from the entry of `index.json` to the image.
    pub(super) fn walk(&self) -> &[Descriptor] {
        &self.from_descriptor_path.descriptor_walk
    }

    pub(super) fn on_disk(&self) -> OnDisk {
        let MapOptions { uid_mappings, gid_mappings, rootless } = &self.map_options;
        let map = |ranges: &Option<Vec<IdRange>>| IdMap(ranges.clone().unwrap_or_default());
        let privilege = if *rootless { Privilege::None } else { Privilege::Full };
        OnDisk { uids: map(uid_mappings), gids: map(gid_mappings), privilege }
    }
}

/// The name of the manifest of a bundle of that image.
pub(super) fn manifest_name(image: &Descriptor) -> Result<NameBuf> {
    let name = format!("{}_{}.mtree", image.digest.algorithm_name(), image.digest.encoded());
    let name =
        crate::name::Name::new(name.as_bytes()).map_err(|error| Error::document(FILE, error.to_string()))?;
    Ok(name.into())
}
