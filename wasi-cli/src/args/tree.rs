//! Trees: `tree`, `tag`, `platform`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{Edit, Format, Target};

#[derive(Debug, Subcommand)]
pub(crate) enum TreeCommand {
    /// Print the description of a tree.
    #[command(after_help = "Example:\n  ocicle tree export --deep images#v1 > v1.toml")]
    Export {
        /// What to describe: an object, or a whole store.
        #[arg(value_name = "REF")]
        reference: String,
        /// Spell out indexes and manifests, down to the blobs.
        #[arg(long)]
        deep: bool,
        /// In which words.
        #[arg(long, value_enum, default_value_t, value_name = "LANGUAGE")]
        format: Language,
    },
    /// Make what a description says.
    #[command(
        after_help = "Example:\n  ocicle tree apply --dry-run v1.toml images\n  ocicle tree apply v1.toml images"
    )]
    Apply {
        /// The description, TOML or JSON; `-` for standard input.
        #[arg(value_name = "FILE")]
        description: PathBuf,
        /// Where to.
        #[arg(value_name = "STORE")]
        store: String,
        /// Print what would change, as a tree, and change nothing.
        #[arg(short = 'n', long)]
        dry_run: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// How a description is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Language {
    /// TOML.
    #[default]
    Toml,
    /// JSON.
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Tag {
    /// The object; with `--merge` the first of several.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The new tag; an object that has it now loses it. With `--merge` further objects, then the tag; with `--split` a pattern, by default
    /// `{tag}-{os}-{architecture}-{variant}`.
    #[arg(value_name = "NAME", required_unless_present = "split")]
    pub(crate) names: Vec<String>,
    /// Tag the object itself, and not the tree it stands in.
    #[arg(long, conflicts_with_all = ["merge", "split"])]
    pub(crate) only: bool,
    /// Make the tag an index of the images given, and of the entries of the indexes given.
    #[arg(long, conflicts_with = "split")]
    pub(crate) merge: bool,
    /// Of equal platforms take the last.
    #[arg(long, requires = "merge")]
    pub(crate) replace: bool,
    /// Give each image of an index a tag of its own.
    #[arg(long)]
    pub(crate) split: bool,
    #[command(flatten)]
    pub(crate) edit: Edit,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PlatformArgs {
    /// The image.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// What it runs on, such as `linux/arm64` or `linux/arm/v7`.
    #[arg(value_name = "PLATFORM", required_unless_present = "from_config", conflicts_with = "from_config")]
    pub(crate) platform: Option<String>,
    /// What its config says.
    #[arg(long)]
    pub(crate) from_config: bool,
    /// Change the config, too.
    #[arg(long, conflicts_with = "from_config")]
    pub(crate) config: bool,
    #[command(flatten)]
    pub(crate) result: Target,
    #[command(flatten)]
    pub(crate) edit: Edit,
}
