//! The image that `--image` names.

use ocicle::graph::{
    RefName, Resolution,
    resolve::{ResolveError, Want},
};

use super::{
    problem::{Problem, failed},
    syntax::Parsed,
};
use crate::{context::Context, failure::Failure, place::Place};

/// `--image`: a layout and a tag.
pub(super) struct Image {
    layout: String,
    pub(super) tag: RefName,
}

impl Image {
    pub(super) fn reference(&self) -> String {
        format!("oci:{}#{}", self.layout, self.tag)
    }

    pub(super) fn is_there(&self, context: &Context) -> Result<bool, Problem> {
        let root = context.open(&self.reference())?.repository.index()?;
        Ok(root.view().manifests.iter().any(|entry| entry.ref_name() == Some(self.tag.as_str())))
    }

    /// Returns the image, which must exist.
    pub(super) fn existing(
        &self,
        context: &Context,
        not_found: &str,
    ) -> Result<(Place, Resolution), Problem> {
        self.find(context, Want::Image, not_found)
    }

    /// Returns the object with the tag, which must exist.
    pub(super) fn any(&self, context: &Context, not_found: &str) -> Result<(Place, Resolution), Problem> {
        self.find(context, Want::Any, not_found)
    }

    fn find(&self, context: &Context, want: Want, not_found: &str) -> Result<(Place, Resolution), Problem> {
        if !self.is_there(context)? {
            return failed(format!("{not_found}: {}", self.tag));
        }
        let place = context.open(&self.reference())?;
        let at = place.repository.resolve(&place.selector, want).map_err(|error| match error {
            ResolveError::Ambiguous { .. } => {
                Failure::failed(format!("tag is ambiguous: {}: {error}", self.tag))
            }
            other => Failure::from(other),
        })?;
        Ok((place, at))
    }
}

/// Parses `--image`, split at the first colon: a path cannot contain one, a tag can. The default tag is
/// `latest`.
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
    Ok(Image { layout: path.into(), tag: tag_of(tag, "image")? })
}

/// Parses `--tag`; by default the tag of the image.
pub(super) fn new_tag(parsed: &Parsed, image: &Image) -> Result<RefName, Problem> {
    match parsed.last("tag") {
        None => Ok(image.tag.clone()),
        Some(tag) => tag_of(tag, "tag"),
    }
}

fn tag_of(text: &str, option: &str) -> Result<RefName, Problem> {
    text.parse().or_else(|_| failed(format!("invalid --{option}: tag contains invalid characters: {text:?}")))
}
