//! `man`.

use std::process::ExitCode;

use clap::Args;

use crate::{context::Context, failure::Failure};

/// Print a manual page, in the format of man(7).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ocicle man repack | man -l -")]
pub(crate) struct Man {
    /// The command, such as `raw unpack`; by default ocicle itself.
    command: Vec<String>,
}

impl Man {
    pub(crate) fn run(&self, context: &Context, ocicle: clap::Command) -> Result<ExitCode, Failure> {
        let mut page = ocicle;
        page.build();
        for word in &self.command {
            let found = page.find_subcommand(word).cloned();
            page = found
                .ok_or_else(|| Failure::usage(format!("command {:?} not found", self.command.join(" "))))?;
        }
        // Named like the pages of other programs with subcommands, such as git-add.
        let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
        context.print(|out| clap_mangen::Man::new(page).title(name).render(out))?;
        Ok(ExitCode::SUCCESS)
    }
}
