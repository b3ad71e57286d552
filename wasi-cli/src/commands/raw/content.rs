//! `raw manifest`, `raw config` and `raw blob`: exact bytes.

use std::{io, process::ExitCode};

use clap::Args;
use ocicle::{
    Error,
    digest::Digest,
    graph::{resolve::Want, selector::Clause},
    spec::{self, Descriptor, MediaType},
    store::BlobRead as _,
};

use crate::{context::Context, failure::Failure, place::Place};

/// Print the exact bytes of a manifest or index.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle raw manifest images#v1\n  \
    ocicle raw manifest images#v1//platform=linux/arm64 | sha256sum")]
pub(crate) struct Manifest {
    /// The manifest or index.
    #[arg(value_name = "REF")]
    reference: String,
}

/// Print the exact bytes of the config of an image or artifact.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle raw config images#v1 | jq .config.Env")]
pub(crate) struct Config {
    /// The image or artifact.
    #[arg(value_name = "REF")]
    reference: String,
}

/// Print the exact bytes of any blob of a store, such as a compressed layer.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle raw blob images#digest=sha256:1f2e… > layer.tar.gz")]
pub(crate) struct Blob {
    /// An object, or any blob by its whole digest.
    #[arg(value_name = "REF")]
    reference: String,
}

impl Manifest {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let at = place.resolve(Want::Any)?;
        let media_type = &at.target().media_type;
        if !media_type.is_manifest() && !media_type.is_index() {
            let message = format!("{} is not a manifest or index: {media_type}", at.target().digest);
            return Err(Failure::failed(message).hint("print it with `ocicle raw blob`"));
        }
        print(context, &place, at.target())
    }
}

impl Config {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let mut at = place.resolve(Want::Any)?;
        if !at.target().media_type.is_manifest() {
            at = place.resolve(Want::Image)?;
        }
        let manifest = place.repository.document::<spec::Manifest>(at.target())?;
        print(context, &place, &manifest.view().config)
    }
}

impl Blob {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        match by_digest(&place)? {
            Some(blob) => print(context, &place, &blob),
            None => print(context, &place, place.resolve(Want::Any)?.target()),
        }
    }
}

/// Returns the blob that a selector names by its whole digest and nothing else, if the store has it.
fn by_digest(place: &Place) -> Result<Option<Descriptor>, Failure> {
    let [step] = place.selector.steps() else { return Ok(None) };
    let [Clause::Digest(digest)] = &step[..] else { return Ok(None) };
    let Ok(digest) = digest.parse::<Digest>() else { return Ok(None) };
    let media_type = MediaType::literal("application/octet-stream");
    let mut blob = Descriptor::new(media_type, digest, 0);
    let size = place.repository.store().try_size(&blob)?;
    Ok(size.map(|size| {
        blob.size = size;
        blob
    }))
}

fn print(context: &Context, place: &Place, blob: &Descriptor) -> Result<ExitCode, Failure> {
    let mut content = place.repository.blob(blob)?;
    context.print(|out| {
        io::copy(&mut content, out)
            .map(drop)
            .map_err(|error| Error::io(format_args!("read blob {}", blob.digest))(error).into())
    })?;
    Ok(ExitCode::SUCCESS)
}
