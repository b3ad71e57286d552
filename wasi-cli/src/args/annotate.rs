//! Annotations of any object.

use clap::Args as ClapArgs;

use super::{Edit, Target};

#[derive(Debug, ClapArgs)]
pub(crate) struct Annotate {
    /// The object: an image, or an index at any depth.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// What to set.
    #[arg(value_name = "NAME=VALUE", required_unless_present = "remove")]
    pub(crate) set: Vec<String>,
    /// Remove an annotation.
    #[arg(long, value_name = "NAME")]
    pub(crate) remove: Vec<String>,
    /// Annotate the entry that leads to the object, in the index above it, and not the object.
    #[arg(long)]
    pub(crate) descriptor: bool,
    #[command(flatten)]
    pub(crate) result: Target,
    #[command(flatten)]
    pub(crate) edit: Edit,
}
