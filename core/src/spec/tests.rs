//! What each kind of document accepts and refuses, and that edits change what they name and nothing else.

mod documents;
mod edits;
mod platforms;

use super::{Descriptor, MediaType, media_type};
use crate::{
    digest::{Algorithm, Digest},
    hash::digest_of,
};

/// A descriptor of some content.
fn described(media_type: &'static str, content: &[u8]) -> Descriptor {
    Descriptor::new(MediaType::literal(media_type), digest(content), content.len() as u64)
}

fn digest(content: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, content)
}

/// A digest that is short to write in documents: `d("1")` is `sha256:111…`.
fn d(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

fn literal(media_type: &'static str) -> MediaType {
    MediaType::literal(media_type)
}

const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST: &str = media_type::MANIFEST;
