//! `attach`.

use std::{fs::File, path::Path, process::ExitCode};

use clap::Args;
use ocicle::{
    graph::{
        describe::{Root, add_roots},
        resolve::Want,
    },
    image::{AttachedFile, NewArtifact},
    spec::MediaType,
    store::RootIndexExt as _,
};

use super::config::pair;
use crate::{args::Edit, context::Context, dry_run::dry_run, failure::Failure};

/// Add files about an image or index, such as an SBOM: an artifact with it as subject.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle attach images#v1 sbom.json --type application/spdx+json\n  \
    ocicle attach docker://registry.example/app:v1 notes.md:text/markdown \\\n    \
    --type application/vnd.example.notes --annotation org.opencontainers.image.created=2026-01-01T00:00:00Z")]
pub(crate) struct Attach {
    /// The object that the files are about.
    #[arg(value_name = "REF")]
    reference: String,
    /// The files, with their media types; `application/octet-stream` if there is none.
    #[arg(value_name = "FILE[:TYPE]")]
    files: Vec<String>,
    /// The type of the artifact.
    #[arg(long = "type", visible_alias = "artifact-type", value_name = "TYPE")]
    artifact_type: MediaType,
    /// Set an annotation of the artifact.
    #[arg(short, long, value_name = "NAME=VALUE")]
    annotation: Vec<String>,
    #[command(flatten)]
    edit: Edit,
}

impl Attach {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        let annotations = self.annotation.iter().map(|text| pair("annotation", text));
        let new = NewArtifact {
            artifact_type: self.artifact_type.clone(),
            files: self.files.iter().map(|text| open(text)).collect::<Result<_, _>>()?,
            annotations: annotations.collect::<Result<_, _>>()?,
        };
        let subject = place.resolve(Want::Any)?.target().clone();
        let made = if self.edit.dry_run {
            dry_run(&place.repository).attach(&subject, new)?
        } else {
            let made = place.repository.attach(&subject, new)?;
            let root = [Root { tag: None, descriptor: made.clone() }];
            place.repository.store().update(|index| add_roots(index, &root))?;
            made
        };
        context.detail(format_args!("attached {} to {}", made.digest, subject.digest));
        context.print_lines([made.digest])?;
        Ok(ExitCode::SUCCESS)
    }
}

fn open(text: &str) -> Result<AttachedFile<'static>, Failure> {
    let (path, media_type) = split(text);
    let failed = |error| Failure::failed(format!("open {path}: {error}"));
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Failure::usage(format!("not a file: {path}")));
    }
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage(format!("not a file name: {path}")))?;
    Ok(AttachedFile { name: name.into(), media_type, content: Box::new(file) })
}

/// Splits `FILE:TYPE`. A media type has a slash, and the name of a file may have a colon.
fn split(text: &str) -> (&str, MediaType) {
    if let Some((path, media_type)) = text.rsplit_once(':')
        && !Path::new(text).exists()
        && let Ok(media_type) = media_type.parse()
    {
        return (path, media_type);
    }
    (text, MediaType::literal("application/octet-stream"))
}
