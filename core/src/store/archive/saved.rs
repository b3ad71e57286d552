//! `manifest.json`, Docker's list of the images in an archive.
//!
//! Source: the Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    spec::shape::null_is_empty,
};

/// The name of the list.
pub(super) const MANIFEST: &str = "manifest.json";

/// An image in the list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    /// The name of its config.
    pub(super) config: String,
    /// Its tags, such as `busybox:latest`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) repo_tags: Vec<String>,
    /// The names of its layers, the base first.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) layers: Vec<String>,
}

/// The list, in the order of the images.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SavedImages(pub(super) Vec<Saved>);

impl SavedImages {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::document(MANIFEST, format!("not a list of images as Docker writes it: {error}"))
        })
    }

    /// Adds an image, or a tag to the one with the same config.
    pub(crate) fn add(&mut self, config: String, tag: Option<&str>, layers: Vec<String>) {
        let tag = tag.map(str::to_owned);
        match self.0.iter_mut().find(|saved| saved.config == config) {
            Some(saved) => saved.repo_tags.extend(tag),
            None => self.0.push(Saved { config, repo_tags: tag.into_iter().collect(), layers }),
        }
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::document(MANIFEST, error.to_string()))
    }
}
