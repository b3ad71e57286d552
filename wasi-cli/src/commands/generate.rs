//! `completions` and `man`: what follows from the definition of the arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{args::Args, failure::Failure, output};

pub(super) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ocicle", &mut script);
    output::print(|out| out.write_all(&script))
}

pub(super) fn man(command: Option<&str>) -> Result<(), Failure> {
    let mut all = Args::command();
    all.build();
    let page = match command {
        None => all,
        Some(name) => all
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::usage(format!("there is no command {name:?}")))?,
    };
    output::print(|out| clap_mangen::Man::new(page).render(out))
}
