//! An image layout in a tar.

use std::collections::BTreeMap;

use super::{Content, Source};
use crate::{
    digest::Digest,
    error::Result,
    spec::{Index, Layout, Raw},
    store::layout::{INDEX, MARKER},
};

/// Below it, a directory for each algorithm.
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

/// What a blob's name promises; other files may be there, too (image-layout.md).
fn digest_of(name: &[u8]) -> Option<Digest> {
    let (algorithm, encoded) = std::str::from_utf8(name).ok()?.strip_prefix(BLOBS)?.split_once('/')?;
    format!("{algorithm}:{encoded}").parse().ok()
}
