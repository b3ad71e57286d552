//! `annotate`.

use ocicle::{
    graph::{
        annotate::{Annotation, Of, annotate},
        resolve::Want,
    },
    limits::Limits,
    store::{RootIndex as _, RootIndexExt as _},
};

use crate::{
    args::{Annotate, Args},
    commands::config::pair,
    dry_run::DryRun,
    failure::Failure,
    output,
    place::Place,
};

pub(super) fn run(args: &Args, wanted: &Annotate, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&wanted.reference, limits)?;
    let mut changes: Vec<Annotation> = wanted.remove.iter().map(|name| (name.clone(), None)).collect();
    for text in &wanted.set {
        let (name, value) = pair("annotation", text)?;
        changes.push((name, Some(value)));
    }
    let of = if wanted.descriptor { Of::Entry } else { Of::Object };
    let to = wanted.result.destination();
    if wanted.edit.dry_run {
        let root = place.store.load()?;
        let at = place.resolve_in(&root, Want::Any, limits)?;
        annotate(&DryRun(&place.store), &root, &at, of, &changes, &to, limits)?;
        return Ok(());
    }
    let mut replaced = None;
    place.store.update(|root| {
        let at = place.resolve_in(root, Want::Any, limits)?;
        let done = annotate(&place.store, root, &at, of, &changes, &to, limits)?;
        let root = done.root.clone();
        replaced = Some(done);
        Ok::<_, Failure>(root)
    })?;
    let Some(done) = replaced else { return Err(Failure::failed("nothing was edited")) };
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)
}
