//! `--dry-run`.

use clap::Args as ClapArgs;

/// The option of every command that edits.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Edit {
    /// Print what would be done, and change nothing.
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}
