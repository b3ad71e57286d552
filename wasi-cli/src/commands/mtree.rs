//! `mtree` and `mtree check`.

mod check;

use std::{io, process::ExitCode};

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use ocicle::{
    image::layers::merged,
    tree::mtree::{self, Dialect},
};

use self::check::Check;
use crate::{args::Owners, context::Context, failure::Failure};

/// Print the mtree(5) manifest of an image, computed from its layers.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  ocicle mtree images#v1\n  \
        ocicle mtree --dialect bsd images#v1 | mtree -p bundle/rootfs\n  \
        ocicle mtree check bundle/rootfs.mtree bundle/rootfs"
)]
pub(crate) struct Mtree {
    /// The image.
    #[arg(value_name = "REF", required = true)]
    reference: Option<String>,
    /// The mtree dialect.
    #[arg(long, value_name = "NAME", default_value_t = Dialect::Native, value_parser = dialects())]
    dialect: Dialect,
    #[command(flatten)]
    owners: Owners,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
}

fn dialects() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(|name| name.parse::<Dialect>())
}

impl Mtree {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match (&self.command, &self.reference) {
            (Some(Command::Check(check)), _) => check.run(context),
            (None, Some(reference)) => self.print(context, reference),
            (None, None) => Err(Failure::usage("expected an image")),
        }
    }

    fn print(&self, context: &Context, reference: &str) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image(reference)?;
        let store = context.watched(&place.repository, "reading layers", Some(image.size()));
        let tree = merged(&store, &image, &self.owners.on_disk()?)?;
        context.warn_of_lost(tree.lost_lists());
        context.print(|out| mtree::write_tree(&tree, self.dialect, out).map_err(io::Error::from))?;
        Ok(ExitCode::SUCCESS)
    }
}
