//! Documents that are accepted and refused, and edits that change what they name and nothing else.

mod documents;
mod edits;
mod platforms;

use super::{Descriptor, MediaType, media_type};
use crate::{
    digest::{Algorithm, Digest},
    hash::digest_of,
};

/// Returns a descriptor of some content.
fn described(media_type: &'static str, content: &[u8]) -> Descriptor {
    Descriptor::new(MediaType::literal(media_type), digest(content), content.len() as u64)
}

fn digest(content: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, content)
}

/// Returns a digest that is short to write in documents: `d("1")` is `sha256:111…`.
fn d(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

fn literal(media_type: &'static str) -> MediaType {
    MediaType::literal(media_type)
}

const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST: &str = media_type::MANIFEST;
