//! `discover`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    graph::{
        Resolution,
        discover::{Discovered, ReferrerMap, discover},
        resolve::Want,
    },
    spec::{Index, MediaType, Raw},
};

use crate::{args::Format, context::Context, failure::Failure, place::Place};

/// List what is about an image or index: signatures, SBOMs, attestations, and what is about these.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle discover images#v1\n  \
    ocicle discover docker://registry.example/app:v1 --type application/spdx+json --json")]
pub(crate) struct Discover {
    /// The object.
    #[arg(value_name = "REF")]
    reference: String,
    /// List only what has this artifact type, and what is about that.
    #[arg(long = "type", visible_alias = "artifact-type", value_name = "TYPE")]
    artifact_type: Option<MediaType>,
    #[command(flatten)]
    format: Format,
}

impl Discover {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let at = place.resolve(Want::Any)?;
        let mut found = find(&place, &at)?;
        if let Some(wanted) = &self.artifact_type {
            found.referrers.retain(|entry| entry.descriptor.artifact_type.as_ref() == Some(wanted));
        }
        context.report(&found, &self.format)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Finds what is about an object. A registry is asked; of its indexes, that above the object is looked at.
fn find(place: &Place, at: &Resolution) -> Result<Discovered, Failure> {
    let (repository, object) = (&place.repository, at.target());
    let limits = repository.limits();
    let Some(remote) = repository.store().remote().filter(|remote| remote.is_registry()) else {
        let referrers = repository.referrers()?;
        return Ok(discover(object, limits, &mut |digest| Ok(referrers.about(digest).to_vec()))?);
    };
    let beside = match at.hops() {
        [.., above, _] => {
            let index: Raw<Index> = repository.document(&above.descriptor)?;
            ReferrerMap::of_entries(index.view())
        }
        _ => ReferrerMap::default(),
    };
    Ok(discover(object, limits, &mut |digest| {
        let mut found = remote.referrers(digest)?;
        found.extend_from_slice(beside.about(digest));
        Ok(found)
    })?)
}
