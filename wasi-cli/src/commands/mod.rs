//! The commands: each a short composition of the library.

mod annotate;
mod bundle;
mod config;
mod copy;
mod edit;
mod generate;
mod insert;
mod look;
mod mtree;
mod raw;
mod rebase;
mod show;
mod tag;
mod tree;
mod waste;

use std::process::ExitCode;

use ocicle::limits::Limits;

use crate::{
    args::{Args, Command},
    failure::Failure,
};

/// Does what was asked.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let limits = &Limits::default();
    match &args.command {
        Command::Init { path } => edit::init(path)?,
        Command::New { reference, platform, edit } => {
            edit::new(reference, platform.as_deref(), edit, limits)?;
        }
        Command::Ls { reference, tree, format } => show::ls(reference, *tree, format, limits)?,
        Command::Stat { reference, format } => show::stat(reference, format, limits)?,
        Command::Resolve { reference, all: true, format, .. } => {
            show::resolve_all(reference, format, limits)?;
        }
        Command::Resolve { reference, explain, format, .. } => {
            show::resolve(reference, *explain, format, limits)?;
        }
        Command::Tag(wanted) => tag::tag(wanted, limits)?,
        Command::Platform(wanted) => tag::platform(args, wanted, limits)?,
        Command::Tree(command) => tree::run(command, limits)?,
        Command::Rm { reference, edit } => edit::rm(reference, edit, limits)?,
        Command::Copy(wanted) => copy::copy(args, wanted, limits)?,
        Command::Gc { reference, format, edit } => edit::gc(reference, format, edit, limits)?,
        Command::Unpack { restore: Some(bundle), owners, defaults, .. } => {
            bundle::restore(args, bundle, owners, defaults.get(), limits)?;
        }
        Command::Unpack { reference, bundle, format, userxattr, owners, layers, .. } => {
            let (Some(reference), Some(bundle)) = (reference, bundle) else {
                return Err(Failure::usage("unpack needs an image and a directory"));
            };
            let format = bundle::format(*format, *userxattr)?;
            bundle::unpack(args, reference, bundle, format, owners, layers, limits)?;
        }
        Command::Repack(repack) => bundle::repack(args, repack, limits)?,
        Command::Config(config) => config::config(args, config, limits)?,
        Command::Annotate(wanted) => annotate::run(args, wanted, limits)?,
        Command::Insert(insert) => insert::insert(args, insert, limits)?,
        Command::Raw(step) => raw::run(args, step, limits)?,
        Command::Files(wanted) => look::files(args, wanted, limits)?,
        Command::Cat(wanted) => look::cat(args, wanted, limits)?,
        Command::Why(wanted) => look::why(args, wanted, limits)?,
        Command::Diff(wanted) => return look::diff(args, wanted, limits),
        Command::Find(wanted) => look::find(args, wanted, limits)?,
        Command::Waste(wanted) => return waste::waste(args, wanted, limits),
        Command::Export(wanted) => look::export(args, wanted, limits)?,
        Command::Squash(wanted) => look::squash(args, wanted, limits)?,
        Command::Rebase(wanted) => return rebase::rebase(args, wanted, limits),
        Command::Layers(command) => return rebase::layers(args, command, limits),
        Command::Umoci { words } => return Ok(crate::umoci::run(words)),
        Command::Completions { shell } => generate::completions(*shell)?,
        Command::Man { command } => generate::man(command)?,
        Command::Mtree { reference, dialect, owners, command } => {
            return mtree::run(args, reference.as_deref(), *dialect, owners, command.as_ref(), limits);
        }
        Command::Check { reference, format } => return show::check(args, reference, format, limits),
    }
    Ok(ExitCode::SUCCESS)
}
