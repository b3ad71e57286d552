//! `annotate`.

use std::process::ExitCode;

use clap::Args;
use ocicle::{
    graph::{
        annotate::{Annotation, Of, annotate},
        resolve::Want,
    },
    store::RootIndexExt as _,
};

use super::config::pair;
use crate::{
    args::{Edit, Target},
    context::Context,
    dry_run::dry_run,
    failure::Failure,
};

/// Set and remove annotations of an image or index, or of its descriptor.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle annotate images#v1 org.opencontainers.image.title='A title'\n  \
    ocicle annotate --descriptor images#v1//platform=linux/arm64 example.note=x --remove example.old")]
pub(crate) struct Annotate {
    /// The object: an image, or an index at any depth.
    #[arg(value_name = "REF")]
    reference: String,
    /// An annotation to set.
    #[arg(value_name = "NAME=VALUE", required_unless_present = "remove")]
    set: Vec<String>,
    /// Remove an annotation.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// Annotate the descriptor of the object in its index, not the object.
    #[arg(long)]
    descriptor: bool,
    #[command(flatten)]
    result: Target,
    #[command(flatten)]
    edit: Edit,
}

impl Annotate {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        let changes = self.changes()?;
        let of = if self.descriptor { Of::Entry } else { Of::Object };
        let to = self.result.destination();
        if self.edit.dry_run {
            let root = place.repository.index()?;
            let at = place.resolve_in(&root, Want::Any)?;
            annotate(&dry_run(&place.repository), &root, &at, of, &changes, &to)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut replaced = None;
        place.repository.store().update(|root| {
            let at = place.resolve_in(root, Want::Any)?;
            let done = annotate(&place.repository, root, &at, of, &changes, &to)?;
            let root = done.root.clone();
            replaced = Some(done);
            Ok::<_, Failure>(root)
        })?;
        let Some(done) = replaced else { return Err(Failure::failed("nothing was edited")) };
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        Ok(ExitCode::SUCCESS)
    }

    fn changes(&self) -> Result<Vec<Annotation>, Failure> {
        let mut changes: Vec<Annotation> = self.remove.iter().map(|name| (name.clone(), None)).collect();
        for text in &self.set {
            let (name, value) = pair("annotation", text)?;
            changes.push((name, Some(value)));
        }
        Ok(changes)
    }
}
