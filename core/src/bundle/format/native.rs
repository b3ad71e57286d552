//! The record in ocicle's own format: the manifest, the stamps, and `ocicle.json`.

use std::io::{BufReader, ErrorKind};

use serde::{Deserialize, Serialize};

use super::{
    super::{
        files::{self, MTREE, STAMPS, STATE},
        record::{Record, Source},
        replace::open_newest,
    },
    stamps,
};
use crate::{
    attrs::Time,
    digest::{Algorithm, Digest},
    error::{Error, Result},
    fs::{DirPosix, Support},
    graph::Resolution,
    hash::{HashWrite, Sha256Read, digest_of},
    layer::{on_disk::OnDisk, overlayfs::Namespace},
    limits::Limits,
    name::{Name, NameBuf},
    tree::mtree::{self, Dialect},
};

/// The content of `ocicle.json`, version 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    schema_version: u32,
    /// The entries from `index.json` to the manifest, so that a repack knows what to replace.
    resolution: Resolution,
    /// Digest of `rootfs.mtree`.
    mtree: Digest,
    /// Stamps older than this are proof: seconds and nanoseconds of the file system's own clock.
    settled: (i64, u32),
    /// The representation of entries on the disk.
    #[serde(default)]
    on_disk: OnDisk,
    /// For a bundle with a directory for each layer: the namespace of overlayfs's marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overlay: Option<Namespace>,
    /// For a bundle on a disk that cannot hold everything: the capabilities of the disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Support>,
}

/// Writes the record, without stamps if it is of a bundle for overlayfs.
pub(super) fn write<D: DirPosix>(
    record: &Record,
    overlay: Option<Namespace>,
    to: &D,
) -> Result<Vec<NameBuf>> {
    let Source::Resolution(resolution) = &record.source else {
        return Err(Error::Misuse("the image's place in the layout is not known".into()));
    };
    let [manifest, times, last] = [MTREE, STAMPS, STATE].map(Name::literal);
    let mut digest = digest_of(Algorithm::Sha256, b"");
    let mut written = files::write(to, manifest, |out| {
        let mut hashed = HashWrite::new(out, Algorithm::Sha256);
        mtree::write_tree(&record.tree, Dialect::Native, &mut hashed)?;
        digest = hashed.finish().1;
        Ok(())
    })?;
    let mut names: Vec<NameBuf> = vec![manifest.into()];
    if overlay.is_none() {
        written = files::write(to, times, |out| stamps::write(&record.tree, &record.stamps, out))?;
        names.push(times.into());
    }
    let settled = record.settled.unwrap_or(written);
    let state = State {
        schema_version: 1,
        resolution: resolution.clone(),
        mtree: digest,
        settled: (settled.seconds, settled.nanoseconds),
        on_disk: record.on_disk.clone(),
        overlay,
        held: Some(record.held).filter(|held| *held != Support::ALL),
    };
    files::write_all(to, last, &state.to_json()?)?;
    names.push(last.into());
    Ok(names)
}

/// Reads the record, and the namespace if it is of a bundle for overlayfs.
///
/// # Errors
/// [`Error::NotFound`] if a file is missing; [`Error::Mismatch`] if the manifest is not the one that the
/// state names; [`Error::Document`]; [`Error::Limit`]; [`Error::Io`].
pub(super) fn read<D: DirPosix>(bundle: &D, limits: &Limits) -> Result<(Option<Namespace>, Record)> {
    let state = State::from_json(&files::read(open(bundle, STATE)?, STATE, limits)?)?;
    let mut manifest = BufReader::new(Sha256Read::new(open(bundle, MTREE)?));
    let tree = mtree::read_tree(MTREE, &mut manifest, limits)?;
    let actual = Digest::from_bytes(Algorithm::Sha256, &manifest.into_inner().finish().1);
    if actual != state.mtree {
        let (expected, actual) = (state.mtree.to_string(), actual.to_string());
        return Err(Error::Mismatch { subject: MTREE.into(), property: "digest", expected, actual });
    }
    let stamps = match state.overlay {
        None => stamps::read(&tree, &mut BufReader::new(open(bundle, STAMPS)?))?,
        Some(_) => Vec::new(),
    };
    let record = Record {
        source: Source::Resolution(state.resolution),
        on_disk: state.on_disk,
        held: state.held.unwrap_or(Support::ALL),
        tree,
        stamps,
        settled: Some(Time { seconds: state.settled.0, nanoseconds: state.settled.1 }),
    };
    Ok((state.overlay, record))
}

impl State {
    fn to_json(&self) -> Result<Vec<u8>> {
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|error| Error::document(STATE, error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    fn from_json(text: &[u8]) -> Result<Self> {
        let state: Self =
            serde_json::from_slice(text).map_err(|error| Error::document(STATE, error.to_string()))?;
        if state.schema_version != 1 {
            let reason =
                format!("schemaVersion {} is not 1: made by another version of ocicle", state.schema_version);
            return Err(Error::document(STATE, reason));
        }
        Ok(state)
    }
}

fn open<D: DirPosix>(bundle: &D, name: &'static str) -> Result<D::File> {
    open_newest(bundle, Name::literal(name)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Error::NotFound(format!("{name} not found: not a bundle that ocicle or umoci unpacked"))
        }
        _ => Error::io(format_args!("open {name}"))(error),
    })
}
