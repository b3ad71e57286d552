//! Writing an image layout as a tar, in one stream.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};

use super::{DockerList, oci::BLOBS};
use crate::{
    error::{Error, Result},
    spec::{Descriptor, Index, Layout, Raw},
    store::{
        BlobRead, BlobReadExt as _,
        layout::{INDEX, MARKER},
    },
};

/// Writes a layout with this index and these blobs, and verifies each. The same content yields the same
/// bytes: members have no owner and no time, and are in the order of `blobs`.
///
/// # Errors
/// Those of [`BlobReadExt::open`](crate::store::BlobReadExt::open); [`Error::Mismatch`] for a blob that does
/// not match its descriptor; [`Error::Io`]. The output is then incomplete.
pub fn write_archive<'a, S: BlobRead + ?Sized>(
    store: &S,
    index: &Raw<Index>,
    blobs: impl IntoIterator<Item = &'a Descriptor>,
    out: &mut dyn Write,
) -> Result<()> {
    write_with_lists(store, index, blobs, &[], out)
}

/// Does the same, with lists for Docker.
pub(crate) fn write_with_lists<'a, S: BlobRead + ?Sized>(
    store: &S,
    index: &Raw<Index>,
    blobs: impl IntoIterator<Item = &'a Descriptor>,
    lists: &[(DockerList, Vec<u8>)],
    out: &mut dyn Write,
) -> Result<()> {
    let marker = Raw::new(Layout { image_layout_version: Layout::VERSION.into() })?;
    let mut tar = Builder::new(out);
    let mut dirs = vec![BLOBS.to_owned()];
    append(&mut tar, MARKER, marker.bytes().len() as u64, marker.bytes())?;
    append(&mut tar, INDEX, index.bytes().len() as u64, index.bytes())?;
    for (list, content) in lists {
        append(&mut tar, list.name(), content.len() as u64, &content[..])?;
    }
    append_dir(&mut tar, BLOBS)?;
    for blob in blobs {
        let dir = format!("{BLOBS}{}/", blob.digest.algorithm_name());
        if !dirs.contains(&dir) {
            append_dir(&mut tar, &dir)?;
            dirs.push(dir.clone());
        }
        append(&mut tar, &format!("{dir}{}", blob.digest.encoded()), blob.size, store.open(blob)?)?;
    }
    tar.into_inner().and_then(Write::flush).map_err(Error::io("write the archive"))
}

/// Adds a file. The name is one of ours: short, relative and without `..`.
pub(crate) fn append<W: Write>(
    tar: &mut Builder<W>,
    name: &str,
    size: u64,
    content: impl Read,
) -> Result<()> {
    let mut header = plain_header(EntryType::Regular, 0o644);
    header.set_size(size);
    tar.append_data(&mut header, name, content).map_err(failed)
}

fn append_dir<W: Write>(tar: &mut Builder<W>, name: &str) -> Result<()> {
    tar.append_data(&mut plain_header(EntryType::Directory, 0o755), name, io::empty()).map_err(failed)
}

pub(crate) fn plain_header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// Returns the error of a blob as it was, out of the tar crate's.
fn failed(error: io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(Error::io("write the archive"))
}
