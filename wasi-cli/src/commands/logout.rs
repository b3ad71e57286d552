//! `logout`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    context::Context,
    failure::Failure,
    net::{AuthFileChoice, Forget, log_out},
};

/// Remove the password of a registry that `login` stored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle logout quay.io\n  ocicle logout --all")]
pub(crate) struct Logout {
    /// The registry, as for `login`.
    #[arg(value_name = "HOST", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) host: Option<String>,
    /// Remove the passwords of all registries from the file.
    #[arg(long)]
    pub(crate) all: bool,
    /// The file of credentials [default: that of `login`].
    #[arg(long, value_name = "FILE")]
    pub(crate) authfile: Option<PathBuf>,
}

impl Logout {
    pub(crate) fn run(&self, _: &Context) -> Result<ExitCode, Failure> {
        let what = self.host.as_deref().map_or(Forget::All, Forget::Host);
        log_out(what, &AuthFileChoice(self.authfile.clone()))?;
        Ok(ExitCode::SUCCESS)
    }
}
