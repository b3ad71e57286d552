//! The image an option names.

use ocicle::{
    graph::{
        RefName, Resolution,
        resolve::{ResolveError, Want, resolve},
    },
    limits::Limits,
    store::RootIndex as _,
};

use super::{Parsed, Problem, options::failed};
use crate::{failure::Failure, place::Place};

/// `--image`: a layout and a tag.
pub(super) struct Image {
    layout: String,
    pub(super) tag: String,
}

impl Image {
    pub(super) fn reference(&self) -> String {
        format!("oci:{}#{}", self.layout, self.tag)
    }

    fn open(&self) -> Result<Place, Problem> {
        Ok(Place::open(&self.reference(), &Limits::default())?)
    }

    pub(super) fn is_there(&self) -> Result<bool, Problem> {
        let root = self.open()?.store.load().map_err(Failure::from)?;
        Ok(root.view().manifests.iter().any(|entry| entry.ref_name() == Some(&self.tag)))
    }

    /// The image, which must be there.
    pub(super) fn existing(&self, not_found: &str) -> Result<(Place, Resolution), Problem> {
        self.find(Want::Image, not_found)
    }

    /// Whatever has the tag.
    pub(super) fn any(&self, not_found: &str) -> Result<(Place, Resolution), Problem> {
        self.find(Want::Any, not_found)
    }

    fn find(&self, want: Want, not_found: &str) -> Result<(Place, Resolution), Problem> {
        if !self.is_there()? {
            return failed(format!("{not_found}: {}", self.tag));
        }
        let place = self.open()?;
        let root = place.store.load().map_err(Failure::from)?;
        let selector = place.selector.as_ref();
        let at = resolve(&place.store, &root, selector, want, &Limits::default()).map_err(
            |error| match error {
                ResolveError::Ambiguous { .. } => {
                    Problem::Failed(format!("tag is ambiguous: {}: {error}", self.tag))
                }
                other => Failure::from(other).into(),
            },
        )?;
        Ok((place, at))
    }
}

/// Cut at the first colon: a path cannot have one, a tag can. No tag is `latest`.
pub(super) fn image(parsed: &Parsed) -> Result<Image, Problem> {
    let Some(text) = parsed.last("image") else {
        return failed("missing mandatory argument: --image");
    };
    let (path, tag) = text.split_once(':').unwrap_or((text, "latest"));
    if path.is_empty() {
        return failed("invalid --image: path is empty");
    }
    if path.contains('#') {
        return failed(format!("invalid --image: the path must not contain '#': {path}"));
    }
    if tag.parse::<RefName>().is_err() {
        return failed(format!("invalid --image: tag contains invalid characters: {tag:?}"));
    }
    Ok(Image { layout: path.into(), tag: tag.into() })
}
