//! An image layout in a tar.

use std::collections::BTreeMap;

use super::{Content, Source};
use crate::{
    digest::Digest,
    error::Result,
    spec::{Index, Layout, Raw},
    store::layout::{INDEX, MARKER},
};

/// The directory of blobs, with a directory for each algorithm.
pub(super) const BLOBS: &str = "blobs/";

pub(super) fn open(source: &Source<'_>) -> Result<(Raw<Index>, BTreeMap<Digest, Content>)> {
    Raw::<Layout>::parse(MARKER, source.document(MARKER)?, None)?;
    let index = Raw::parse(INDEX, source.document(INDEX)?, None)?;
    let mut blobs = BTreeMap::new();
    for name in source.members.below(BLOBS) {
        if let Some(digest) = digest_of(name)
            && let Some(extent) = source.members.find(name)?
        {
            blobs.insert(digest, Content::There(extent));
        }
    }
    Ok((index, blobs))
}

/// Returns the digest of a blob by its name; other files may be present, too (image-layout.md).
fn digest_of(name: &[u8]) -> Option<Digest> {
    let (algorithm, encoded) = std::str::from_utf8(name).ok()?.strip_prefix(BLOBS)?.split_once('/')?;
    format!("{algorithm}:{encoded}").parse().ok()
}
