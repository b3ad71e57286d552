//! `attach`.

use std::{fs::File, path::Path, process::ExitCode};

use clap::Args;
use ocicle::{
    Repository,
    graph::{
        describe::{Root, add_roots},
        resolve::Want,
    },
    image::NewArtifact,
    spec::{Annotations, Descriptor, MediaType},
    store::{RootIndexExt as _, Store},
};

use super::config::pair;
use crate::{args::Edit, context::Context, dry_run::dry_run, failure::Failure, stores::AnyStore};

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
        let annotations: Annotations = annotations.collect::<Result<_, _>>()?;
        let subject = place.resolve(Want::Any)?.target().clone();
        let digest = if self.edit.dry_run {
            self.make(&dry_run(&place.repository), &subject, annotations)?.digest
        } else {
            let descriptor = self.make::<AnyStore>(&place.repository, &subject, annotations)?;
            let root = [Root { tag: None, descriptor }];
            place.repository.store().update(|index| add_roots(index, &root))?;
            let [Root { descriptor, .. }] = root;
            descriptor.digest
        };
        context.detail(format_args!("attached {digest} to {}", subject.digest));
        context.print_lines([digest])?;
        Ok(ExitCode::SUCCESS)
    }

    /// Stores the artifact, which no index lists yet.
    fn make<S: Store>(
        &self,
        store: &Repository<S>,
        subject: &Descriptor,
        annotations: Annotations,
    ) -> Result<Descriptor, Failure> {
        let files = self.files.iter().map(|text| put(store, text)).collect::<Result<_, _>>()?;
        Ok(store
            .attach(subject, NewArtifact { artifact_type: self.artifact_type.clone(), files, annotations })?)
    }
}

/// Stores a file.
fn put<S: Store>(store: &Repository<S>, text: &str) -> Result<Descriptor, Failure> {
    let (path, media_type) = split(text)?;
    let failed = |error| Failure::failed(format!("open {path}: {error}"));
    let mut file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(Failure::usage(format!("not a file: {path}")));
    }
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage(format!("not a file name: {path}")))?;
    Ok(store.put_file(name, media_type, &mut file)?)
}

/// Splits `FILE:TYPE`. A media type has a slash, and the name of a file may have a colon.
fn split(text: &str) -> Result<(&str, MediaType), Failure> {
    if let Some((path, media_type)) = text.rsplit_once(':')
        && !Path::new(text).exists()
        && let Ok(media_type) = media_type.parse()
    {
        return Ok((path, media_type));
    }
    Ok((text, MediaType::literal("application/octet-stream")))
}
