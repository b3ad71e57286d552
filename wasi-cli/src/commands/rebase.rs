//! `rebase`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    Error,
    graph::{
        copy::{Plan, What},
        resolve::Want,
        selector::{Clause, Selector},
    },
    image::{
        Image,
        rebase::{self, BASE_DIGEST},
    },
};

use super::layers::change::{Change, refused};
use crate::{
    args::{ConflictArgs, Edit, HistoryArgs, Target},
    context::Context,
    dry_run::dry_run,
    failure::{Failure, unless_different},
    place::Place,
};

/// Replace the base of an image.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle rebase app#v1 --onto debian#12.2 --old-base debian#12.1\n  \
    ocicle rebase app#v1 --onto debian#12.2 --tag v2\n\n\
    Layers are not changed. A path that both the new base and the upper layers change is a conflict.")]
pub(crate) struct Rebase {
    /// The image.
    #[arg(value_name = "REF")]
    reference: String,
    /// The new base, from this or another store.
    #[arg(long, value_name = "REF")]
    onto: String,
    /// The current base; by default the image in the annotation `org.opencontainers.image.base.digest`.
    #[arg(long, value_name = "REF")]
    old_base: Option<String>,
    #[command(flatten)]
    conflicts: ConflictArgs,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    history: HistoryArgs,
    #[command(flatten)]
    edit: Edit,
}

impl Rebase {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (place, image) = context.open_image_to_edit(&self.reference, &self.edit)?;
        let other = context.open_itself(&self.onto)?;
        let at = other.resolve(Want::Image)?;
        let new = other.image_at(&at)?;
        let old = self.old_base(context, &image, [&place, &other])?;
        let count = rebase::layers_of_base(&image, &old)?;
        let store = context.watched(&place.repository, "rebasing", None);
        let both = other.repository.with_upper(store.store());
        let conflicts = rebase::conflicts(&both, &image, count, &new)?;
        if refused(context, &conflicts, self.conflicts.on_conflict)? {
            return Ok(unless_different(true));
        }
        if !self.edit.dry_run {
            Plan::new(&other.repository, What::Object(&at))?.copy_blobs(&other.repository, &store)?;
        }
        let change = Change { place: &place, result: &self.result, history: &self.history, edit: &self.edit };
        change.make(context, &image, "rebase", |repository, image, history| match repository {
            Some(repository) => rebase::rebase(repository, image, &old, &new, history),
            None => rebase::rebase(&dry_run(&place.repository), image, &old, &new, history),
        })
    }

    /// Returns the old base: the one given, or the one that the image names.
    fn old_base(&self, context: &Context, image: &Image, places: [&Place; 2]) -> Result<Image, Failure> {
        if let Some(reference) = &self.old_base {
            return Ok(context.open_image(reference)?.1);
        }
        let annotations = &image.manifest.view().annotations;
        let Some(digest) = annotations.get(BASE_DIGEST).filter(|digest| !digest.is_empty()) else {
            return Err(Failure::usage(format!(
                "annotation {BASE_DIGEST} not found: the old base is not known"
            ))
            .hint("name it with --old-base"));
        };
        for place in places {
            let selector = Selector::of(Clause::Digest(digest.clone()));
            if let Ok(image) = place.repository.image(&selector) {
                return Ok(image);
            }
        }
        Err(Error::NotFound(format!(
            "old base {digest} not found in either store\nhint: name it with --old-base"
        ))
        .into())
    }
}
