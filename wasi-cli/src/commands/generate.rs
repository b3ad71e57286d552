//! `completions` and `man`: what follows from the definition of the arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{args::Args, failure::Failure, output};

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ocicle", &mut script);
    output::print(|out| out.write_all(&script))
}

/// The page of a command, or of a command of a command.
pub(super) fn man(words: &[String]) -> Result<(), Failure> {
    let mut page = Args::command();
    page.build();
    for word in words {
        let found = page.find_subcommand(word).cloned();
        page = found.ok_or_else(|| Failure::usage(format!("there is no command {:?}", words.join(" "))))?;
    }
    // As `man` names the pages of other programs with commands.
    let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
    output::print(|out| clap_mangen::Man::new(page).title(name).render(out))
}
