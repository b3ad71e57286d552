//! `completions`.

use std::process::ExitCode;

use clap::Args;

use crate::{context::Context, failure::Failure};

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle completions bash > /etc/bash_completion.d/ocicle")]
pub(crate) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(&self, context: &Context, mut ocicle: clap::Command) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut ocicle, "ocicle", &mut script);
        context.print(|out| out.write_all(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
