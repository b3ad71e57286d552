//! `resolve`.

use std::process::ExitCode;

use clap::Args;
use ocicle::graph::resolve::Want;

use crate::{args::Format, context::Context, failure::Failure};

/// Show which object a reference selects, and its descriptor path.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle resolve images#v1//platform=linux/arm64\n  \
    ocicle resolve --all images#type=manifest\n  ocicle resolve --explain images#v1//platform=linux/arm64")]
pub(crate) struct Resolve {
    /// The object.
    #[arg(value_name = "REF")]
    reference: String,
    /// List every place that the reference selects, one per line.
    #[arg(long, conflicts_with = "explain")]
    all: bool,
    /// Show the candidates of each clause, and which of them match.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    format: Format,
}

impl Resolve {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.reference)?;
        let repository = &place.repository;
        if self.all {
            let all = repository.resolve_all(&place.selector, Want::Any)?;
            let all: Vec<_> = all.iter().map(|found| found.describe(repository)).collect();
            context.report(&all[..], &self.format)?;
        } else if self.explain {
            context.report(&repository.explain(&place.selector, Want::Any)?, &self.format)?;
            // Fails as without the option.
            place.resolve(Want::Any)?;
        } else {
            context.report(&place.resolve(Want::Any)?.describe(repository), &self.format)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
