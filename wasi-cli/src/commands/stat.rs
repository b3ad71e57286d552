//! `stat`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    graph::resolve::{ResolveError, Want},
    image::Artifact,
};

use crate::{args::Format, context::Context, failure::Failure, place::Place};

/// Show the config, layers and history of an image, or the type and layers of an artifact.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle stat images#v1")]
pub(crate) struct Stat {
    /// The image or artifact.
    #[arg(value_name = "REF")]
    reference: String,
    #[command(flatten)]
    format: Format,
}

impl Stat {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        match Self::artifact(&place) {
            Some(artifact) => context.report(&artifact?, &self.format)?,
            None => context.report(&place.image()?, &self.format)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Opens the artifact, if the reference means one and not an image.
    fn artifact(place: &Place) -> Option<Result<Artifact, Failure>> {
        let image = place.repository.resolve(&place.one(), Want::Image);
        let Err(ResolveError::NotFound { .. }) = image else { return None };
        let at = place.repository.resolve(&place.one(), Want::Any).ok()?;
        let is_manifest = at.target().media_type.is_manifest();
        is_manifest.then(|| Ok(Artifact::open(&place.repository, at.target())?))
    }
}
