//! `layers drop`, `layers reorder`.

mod drop;
mod reorder;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use ocicle::{
    image::{Image, rebase::Conflicts},
    spec::History,
};

use self::{drop::Drop, reorder::Reorder};
use crate::{
    args::{Edit, HistoryArgs, OnConflict, Target},
    context::Context,
    failure::Failure,
    place::Place,
    stores::AnyStore,
};

/// Leave out layers, or change their order, where that is safe.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ocicle layers drop images#v1 2\n  ocicle layers reorder images#v1 2 1 3"
)]
pub(crate) struct Layers {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Drop(Drop),
    Reorder(Reorder),
}

impl Layers {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        match &self.command {
            Command::Drop(drop) => drop.run(context),
            Command::Reorder(reorder) => reorder.run(context),
        }
    }
}

/// Prints conflicts, and says whether they are in the way.
pub(super) fn refused(context: &Context, found: &Conflicts, rule: OnConflict) -> Result<bool, Failure> {
    if found.conflicts.is_empty() || rule == OnConflict::Upper {
        return Ok(false);
    }
    context.print(|out| write!(out, "{found}"))?;
    eprintln!(
        "{} conflicts: nothing was written; --on-conflict upper takes what the upper layers have",
        found.conflicts.len()
    );
    Ok(true)
}

/// What every change of layers can do.
pub(super) struct Change<'a> {
    pub(super) place: &'a Place,
    pub(super) result: &'a Target,
    pub(super) history: &'a HistoryArgs,
    pub(super) edit: &'a Edit,
}

impl Change<'_> {
    /// Makes a change in place, or, with no store to write to, finds out whether it would work.
    pub(super) fn make(
        &self,
        context: &Context,
        image: &Image,
        command: &str,
        make: impl Fn(Option<&AnyStore>, &Image, Option<&History>) -> ocicle::Result<Image>,
    ) -> Result<ExitCode, Failure> {
        let entry = self.history.entry(command)?.map(|entry| History { empty_layer: Some(true), ..entry });
        if self.edit.dry_run {
            make(None, image, entry.as_ref())?;
            return Ok(ExitCode::SUCCESS);
        }
        let to = self.result.destination();
        let store = &self.place.store;
        let done = self.place.edit_image(&to, |image| make(Some(store), image, entry.as_ref()))?;
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }
}
