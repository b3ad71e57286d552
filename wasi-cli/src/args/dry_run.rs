//! `--dry-run`.

use clap::Args as ClapArgs;

/// What every command that edits can do.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Edit {
    /// Say what would be done, and change nothing.
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}
