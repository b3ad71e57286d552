//! Steps that all changes of layers share.

use std::process::ExitCode;

use ocicle::{
    Repository,
    image::{Image, rebase::Conflict},
    spec::History,
};

use crate::{
    args::{Edit, HistoryArgs, OnConflict, Target},
    context::Context,
    failure::Failure,
    place::Place,
    show,
    stores::AnyStore,
    stream,
};

/// Prints conflicts, unless the rule accepts them. Returns whether they prevent the change.
pub(in crate::commands) fn refused(
    context: &Context,
    found: &[Conflict],
    rule: OnConflict,
) -> Result<bool, Failure> {
    if found.is_empty() || rule == OnConflict::Upper {
        return Ok(false);
    }
    context.print(|out| out.write_all(show::conflicts(found).as_bytes()))?;
    stream::message(format_args!(
        "{} conflicts; nothing was written\nhint: --on-conflict upper keeps the upper layers as they are",
        found.len()
    ));
    Ok(true)
}

/// A change of layers: the image and the options of every such change.
pub(in crate::commands) struct Change<'a> {
    pub(in crate::commands) place: &'a Place,
    pub(in crate::commands) result: &'a Target,
    pub(in crate::commands) history: &'a HistoryArgs,
    pub(in crate::commands) edit: &'a Edit,
}

impl Change<'_> {
    /// Makes the change in place. With `--dry-run`, `make` gets no store to write to and only checks that it
    /// would succeed.
    pub(in crate::commands) fn make(
        &self,
        context: &Context,
        image: &Image,
        command: &str,
        make: impl Fn(Option<&Repository<AnyStore>>, &Image, Option<&History>) -> ocicle::Result<Image>,
    ) -> Result<ExitCode, Failure> {
        let entry = self.history.entry(command)?.map(History::without_layer);
        if self.edit.dry_run {
            make(None, image, entry.as_ref())?;
            return Ok(ExitCode::SUCCESS);
        }
        let to = self.result.destination();
        let repository = &self.place.repository;
        let done = self.place.edit_image(&to, |image| make(Some(repository), image, entry.as_ref()))?;
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }
}
