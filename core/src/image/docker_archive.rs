//! Images as `docker load` reads them: one tar with configs, uncompressed layers and a `manifest.json`.
//!
//! Source: the Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format"; layers
//! and configs are named by their digests, as skopeo and buildah do it.

use std::{
    collections::BTreeSet,
    io::{self, Read, SeekFrom},
};

use tar::EntryType;

use super::Image;
use crate::{
    digest::Digest,
    error::{Error, Result},
    graph::archive::WriteSeek,
    layer::reader::plain_layer,
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, Repository,
        archive::{saved::SavedImages, write::plain_header},
    },
};

pub use crate::spec::image_name::is_tag;

/// The size of a block of a tar, in bytes.
const BLOCK: u64 = 512;

/// Returns the tag that an entry of a root index has in a Docker archive: its tag, if Docker accepts it
/// ([`is_tag`]).
#[must_use]
pub fn docker_tag(entry: &Descriptor) -> Option<&str> {
    entry.tag().filter(|tag| is_tag(tag))
}

/// Writes the images of an index, and verifies each, with their tags ([`docker_tag`]). The same images yield
/// the same bytes.
///
/// # Errors
/// [`Error::Unsupported`] for an entry that is an index or an artifact; those of [`Image::open`];
/// [`Error::Mismatch`] for a layer that does not match its digests; [`Error::Io`]. The output is then
/// incomplete.
pub fn write_docker_archive<S: BlobRead>(
    repository: &Repository<S>,
    index: &Raw<Index>,
    out: &mut dyn WriteSeek,
) -> Result<()> {
    check_images(index.view())?;
    let mut written = BTreeSet::new();
    let mut list = SavedImages::default();
    for entry in &index.view().manifests {
        let image = Image::open(repository, entry)?;
        let config = format!("{}.json", image.config.digest().encoded());
        if written.insert(config.clone()) {
            member(out, &config, &mut image.config.bytes())?;
        }
        let mut layers = Vec::new();
        for (layer, diff_id) in image.layers() {
            let name = layer_name(diff_id);
            if written.insert(name.clone()) {
                member(out, &name, &mut plain_layer(repository, layer, diff_id)?)?;
            }
            layers.push(name);
        }
        list.add(config, docker_tag(entry), layers);
    }
    member(out, "manifest.json", &mut &list.to_json()?[..])?;
    out.write_all(&[0; 2 * BLOCK as usize]).map_err(failed)
}

/// Checks that the entries are images, as far as their types tell.
///
/// # Errors
/// [`Error::Unsupported`] for an index.
pub fn check_images(index: &Index) -> Result<()> {
    match index.manifests.iter().find(|entry| entry.media_type.is_index()) {
        None => Ok(()),
        Some(entry) => Err(Error::Unsupported(format!(
            "{} is an index, which a Docker archive cannot contain\n\
             hint: choose one image, such as #TAG//platform=linux/amd64",
            entry.digest
        ))),
    }
}

/// Returns the member that is a layer. A header has room for a name of 100 bytes: a longer digest is cut in
/// two.
fn layer_name(diff_id: &Digest) -> String {
    let text = diff_id.encoded();
    match text.split_at_checked(64) {
        Some((dir, rest)) if !rest.is_empty() => format!("{dir}/{rest}.tar"),
        _ => format!("{text}.tar"),
    }
}

/// Adds a file whose size is known only after it was read: its header is written last.
fn member(out: &mut dyn WriteSeek, name: &str, content: &mut dyn Read) -> Result<()> {
    let start = out.stream_position().map_err(failed)?;
    let mut header = plain_header(EntryType::Regular, 0o644);
    header.set_path(name).map_err(failed)?;
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(failed)?;
    let size = io::copy(content, out).map_err(failed)?;
    let fill = (BLOCK - size % BLOCK) % BLOCK;
    io::copy(&mut io::repeat(0).take(fill), out).map_err(failed)?;
    header.set_size(size);
    header.set_cksum();
    out.seek(SeekFrom::Start(start)).map_err(failed)?;
    out.write_all(header.as_bytes()).map_err(failed)?;
    out.seek(SeekFrom::End(0)).map(drop).map_err(failed)
}

/// Returns the error of a layer as it was.
fn failed(error: io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(Error::io("write the archive"))
}
