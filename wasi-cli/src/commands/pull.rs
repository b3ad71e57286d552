//! `pull`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ocicle::{
    graph::resolve::Want,
    image::{Artifact, ExistingFile},
    text::printable,
};

use crate::{context::Context, failure::Failure, place::make_dir};

/// Write the files of an artifact into a directory, under the names that its layers have.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ocicle pull docker://registry.example/charts/app:1.2 --output charts\n  \
    ocicle pull images#digest=sha256:1f2e3d4c '*.json'"
)]
pub(crate) struct Pull {
    /// The artifact.
    #[arg(value_name = "REF")]
    reference: String,
    /// Write only files whose names match one of these patterns, such as `*.json`.
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
    /// The directory, created if it does not exist.
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// Fail rather than replace a file.
    #[arg(short, long)]
    keep_old_files: bool,
}

impl Pull {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let at = place.resolve(Want::Any)?;
        let digest = &at.target().digest;
        if !at.target().media_type.is_manifest() {
            return Err(Failure::failed(format!(
                "{digest} is not an artifact, but {}",
                at.target().media_type
            ))
            .hint("ocicle ls lists the entries of an index"));
        }
        let artifact = Artifact::open(&place.repository, at.target())?;
        let mut files = artifact.files(place.repository.limits())?;
        let unnamed = artifact.manifest.view().layers.len() - files.len();
        if files.is_empty() {
            return Err(Failure::failed(format!("{digest} has no files: no layer has a title"))
                .hint("ocicle raw blob prints one; ocicle unpack extracts an image"));
        }
        let is_wanted = |name: &str| self.patterns.iter().any(|pattern| fast_glob::glob_match(pattern, name));
        files.retain(|file| self.patterns.is_empty() || is_wanted(&file.path.to_string()));
        if files.is_empty() {
            return Err(Failure::failed(format!("no file of {digest} matches {}", self.patterns.join(", "))));
        }
        let (dir, _) = make_dir(&self.output)?;
        let total = files.iter().map(|file| file.blob.size).sum();
        let store = context.watched(&place.repository, "pulling", Some(total));
        let existing = if self.keep_old_files { ExistingFile::Keep } else { ExistingFile::Replace };
        for file in &files {
            store.write_file(file, &dir, existing)?;
        }
        if unnamed > 0 {
            context.note(format_args!("skipping {unnamed} layers without a title"));
        }
        context.print_lines(files.iter().map(|file| printable(&file.path.to_string())))?;
        Ok(ExitCode::SUCCESS)
    }
}
