//! `annotate`.

use ocicle::{
    graph::{
        annotate::{Annotation, Of, annotate},
        resolve::Want,
        rewrite::Destination,
    },
    limits::Limits,
    store::{RootIndex as _, RootIndexExt as _},
};

use crate::{
    args::Annotate, commands::config::pair, dry_run::DryRun, failure::Failure, output, place::Place,
};

pub(super) fn run(wanted: &Annotate, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&wanted.reference, limits)?;
    let mut changes: Vec<Annotation> = wanted.remove.iter().map(|name| (name.clone(), None)).collect();
    for text in &wanted.set {
        let (name, value) = pair("annotation", text)?;
        changes.push((name, Some(value)));
    }
    let of = if wanted.descriptor { Of::Entry } else { Of::Object };
    let to = wanted.tag.clone().map_or(Destination::InPlace, Destination::Tag);
    if wanted.edit.dry_run {
        let root = place.store.load()?;
        let at = place.resolve_in(&root, Want::Any, limits)?;
        annotate(&DryRun(&place.store), &root, &at, of, &changes, &to, limits)?;
        return Ok(());
    }
    let mut digest = None;
    place.store.update(|root| {
        let at = place.resolve_in(root, Want::Any, limits)?;
        let (root, now) = annotate(&place.store, root, &at, of, &changes, &to, limits)?;
        digest = Some(now.target().digest.clone());
        Ok::<_, Failure>(root)
    })?;
    digest.map_or(Ok(()), |digest| output::print(|out| writeln!(out, "{digest}")))
}
