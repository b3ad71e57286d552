//! The record in umoci's format: a manifest named after the image, and `umoci.json`.
//!
//! The documents are those of umoci 0.6; 0.4 reads and writes them, too.

use std::io::BufReader;

use serde::{Deserialize, Serialize};

use super::super::{
    files::{self, ROOTFS, UMOCI, open_dir},
    record::{Record, Source},
};
use crate::{
    attrs::Time,
    error::{Error, Result},
    fs::{Dir, DirPosix, Support},
    layer::on_disk::{IdMap, IdRange, OnDisk, Privilege},
    limits::Limits,
    name::{Name, NameBuf},
    spec::Descriptor,
    tree::mtree,
};

/// The content of `umoci.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
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

/// Writes the record of a bundle with this root file system.
pub(super) fn write<D: DirPosix>(record: &Record, root: &impl Dir, to: &D) -> Result<Vec<NameBuf>> {
    let manifest = manifest_name(record.source.image())?;
    files::write(to, manifest.as_name(), |out| mtree::write_for_umoci(&record.tree, root, out))?;
    let last = Name::literal(UMOCI);
    files::write_all(to, last, &Meta::new(&record.source, &record.on_disk).to_json()?)?;
    Ok(vec![manifest, last.into()])
}

/// Reads the record, `file` being `umoci.json`. There are no stamps: every file will be read.
///
/// # Errors
/// [`Error::Document`]; [`Error::Limit`]; [`Error::Io`].
pub(super) fn read<D: DirPosix>(file: D::File, bundle: &D, limits: &Limits) -> Result<Record> {
    let meta = Meta::from_json(&files::read(file, UMOCI, limits)?)?;
    let on_disk = meta.on_disk();
    let source = Source::Walk(meta.from_descriptor_path.descriptor_walk);
    let name = manifest_name(source.image())?;
    let what = name.as_name().to_string();
    let file = bundle.open_file(name.as_name()).map_err(Error::io(format_args!("open {what}")))?;
    let root = open_dir(bundle, ROOTFS)?;
    let tree = mtree::read_umoci(&what, &mut BufReader::new(file), &root, limits)?;
    let (stamps, settled) = (Vec::new(), Some(Time::EPOCH));
    Ok(Record { source, on_disk, held: Support::ALL, tree, stamps, settled })
}

impl Meta {
    fn new(source: &Source, on_disk: &OnDisk) -> Self {
        let ranges = |map: &IdMap| (!map.0.is_empty()).then(|| map.0.clone());
        Self {
            umoci_version: "2".into(),
            from_descriptor_path: Walk { descriptor_walk: source.walk() },
            map_options: MapOptions {
                uid_mappings: ranges(&on_disk.uids),
                gid_mappings: ranges(&on_disk.gids),
                rootless: on_disk.privilege == Privilege::None,
            },
            whiteout_mode: 0,
        }
    }

    /// # Errors
    /// [`Error::Document`] for another version, or for what only umoci itself supports.
    fn from_json(text: &[u8]) -> Result<Self> {
        let wrong = |reason: String| Error::document(UMOCI, reason);
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
            return Err(wrong("descriptor_walk is empty".into()));
        }
        Ok(meta)
    }

    fn to_json(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec(self).map_err(|error| Error::document(UMOCI, error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    fn on_disk(&self) -> OnDisk {
        let MapOptions { uid_mappings, gid_mappings, rootless } = &self.map_options;
        let map = |ranges: &Option<Vec<IdRange>>| IdMap(ranges.clone().unwrap_or_default());
        let privilege = if *rootless { Privilege::None } else { Privilege::Full };
        OnDisk { uids: map(uid_mappings), gids: map(gid_mappings), privilege }
    }
}

/// Returns the name of the manifest of a bundle of this image.
pub(super) fn manifest_name(image: &Descriptor) -> Result<NameBuf> {
    let name = format!("{}_{}.mtree", image.digest.algorithm_name(), image.digest.encoded());
    let name = Name::new(name.as_bytes()).map_err(|error| Error::document(UMOCI, error.to_string()))?;
    Ok(name.into())
}
