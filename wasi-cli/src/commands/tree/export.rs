//! `tree export`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use ocicle::graph::{
    describe::{self, ExportDepth},
    resolve::Want,
};
use ocicle_report::Escaped;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::{context::Context, failure::Failure};

/// Print the description of a tree.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle tree export --deep images#v1 > v1.toml")]
pub(super) struct Export {
    /// The object to describe, or a whole store.
    #[arg(value_name = "REF")]
    reference: String,
    /// Write out indexes and manifests, down to the blobs.
    #[arg(long)]
    deep: bool,
    /// The language of the description.
    #[arg(long, value_enum, default_value_t, value_name = "LANGUAGE")]
    format: Language,
}

/// The language of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Language {
    /// TOML.
    #[default]
    Toml,
    /// JSON.
    Json,
}

impl Export {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let root = place.repository.index()?;
        let entries = match place.selector.is_empty() {
            true => root.view().manifests.clone(),
            false => vec![place.resolve_in(&root, Want::Any)?.target().clone()],
        };
        let depth = if self.deep { ExportDepth::Blobs } else { ExportDepth::Entries };
        let description = describe::export(&place.repository, &entries, depth)?;
        let text = match self.format {
            Language::Json => json(&description).map_err(|error| error.to_string()),
            Language::Toml => toml::to_string(&description).map_err(|error| error.to_string()),
        };
        let text = text.map_err(|error| Failure::failed(format!("write the description: {error}")))?;
        context.print_lines([text.trim_end()])?;
        Ok(ExitCode::SUCCESS)
    }
}

fn json(description: &impl Serialize) -> serde_json::Result<String> {
    let mut text = Vec::new();
    description.serialize(&mut Serializer::with_formatter(&mut text, Escaped(PrettyFormatter::new())))?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}
