//! `rebase`, `layers drop`, `layers reorder`.

use std::process::ExitCode;

use ocicle::{
    Error,
    graph::{
        copy::{Plan, What},
        resolve::{Want, resolve},
        selector::{Clause, Selector},
    },
    image::{
        Image,
        layers::find_layer,
        rebase::{self, BASE_DIGEST, Conflicts},
    },
    limits::Limits,
    spec::History,
    store::{RootIndex as _, overlay::Overlay},
};

use super::look::open;
use crate::{
    args::{Args, Edit, HistoryArgs, LayersCommand, OnConflict, Rebase, Target},
    dry_run::DryRun,
    failure::{Failure, unless_different},
    output,
    place::Place,
    progress::Watched,
};

pub(super) fn rebase(args: &Args, wanted: &Rebase, limits: &Limits) -> Result<ExitCode, Failure> {
    let (place, image) = open(&wanted.reference, limits)?;
    let other = Place::open(&wanted.onto, limits)?;
    let at = other.resolve(Want::Image, limits)?;
    let new = Image::open(&other.store, at.target(), limits)?;
    let old = old_base(wanted, &image, &place, &other, limits)?;
    let count = rebase::layers_of_base(&image, &old)?;
    let store = Watched::new(args, &place.store, "rebasing", None);
    let both = Overlay::new(&other.store, &store, limits);
    let conflicts = rebase::conflicts(&both, &image, count, &new, limits)?;
    if refused(&conflicts, wanted.conflicts.on_conflict)? {
        return Ok(unless_different(true));
    }
    if !wanted.edit.dry_run {
        Plan::new(&other.store, What::Object(&at), limits)?.copy_blobs(&other.store, &store)?;
    }
    edit(
        args,
        &place,
        &image,
        Change { result: &wanted.result, history: &wanted.history, edit: &wanted.edit },
        "rebase",
        limits,
        |store, image, history| {
            let count = rebase::layers_of_base(image, &old)?;
            match store {
                Some(place) => rebase::rebase(&place.store, image, count, &new, history),
                None => rebase::rebase(&DryRun(&place.store), image, count, &new, history),
            }
        },
    )
}

/// The base that was named, or that the image names.
fn old_base(
    wanted: &Rebase,
    image: &Image,
    place: &Place,
    other: &Place,
    limits: &Limits,
) -> Result<Image, Failure> {
    if let Some(reference) = &wanted.old_base {
        return Ok(open(reference, limits)?.1);
    }
    let Some(digest) = image.manifest.view().annotations.get(BASE_DIGEST).filter(|digest| !digest.is_empty())
    else {
        return Err(Failure::usage(format!(
            "the image has no annotation {BASE_DIGEST}: name its base with --old-base"
        )));
    };
    for place in [place, other] {
        let selector = Selector::of(Clause::Digest(digest.clone()));
        let root = place.store.load()?;
        if let Ok(at) = resolve(&place.store, &root, Some(&selector), Want::Image, limits) {
            return Ok(Image::open(&place.store, at.target(), limits)?);
        }
    }
    Err(Error::NotFound(format!(
        "the base of the image, {digest}, is in neither store: name it with --old-base"
    ))
    .into())
}

/// Prints conflicts, and says whether they are in the way.
fn refused(found: &Conflicts, rule: OnConflict) -> Result<bool, Failure> {
    if found.conflicts.is_empty() || rule == OnConflict::Upper {
        return Ok(false);
    }
    output::print_always(|out| write!(out, "{found}"))?;
    eprintln!(
        "{} conflicts: nothing was written; --on-conflict upper takes what the upper layers have",
        found.conflicts.len()
    );
    Ok(true)
}

/// What every change of layers can do.
#[derive(Clone, Copy)]
struct Change<'a> {
    result: &'a Target,
    history: &'a HistoryArgs,
    edit: &'a Edit,
}

/// Makes a change in place, or, with no place to write to, finds out whether it would work.
fn edit(
    args: &Args,
    place: &Place,
    image: &Image,
    change: Change<'_>,
    command: &str,
    limits: &Limits,
    make: impl Fn(Option<&Place>, &Image, Option<&History>) -> ocicle::Result<Image>,
) -> Result<ExitCode, Failure> {
    let entry = change.history.entry(command)?.map(|entry| History { empty_layer: Some(true), ..entry });
    if change.edit.dry_run {
        make(None, image, entry.as_ref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let to = change.result.destination();
    let done = place.edit_image(&to, limits, |image| make(Some(place), image, entry.as_ref()))?;
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn layers(args: &Args, command: &LayersCommand, limits: &Limits) -> Result<ExitCode, Failure> {
    match command {
        LayersCommand::Drop { reference, layer, conflicts, result, history, edit: dry } => {
            let (place, image) = open(reference, limits)?;
            let number = number_of(&image, layer)?;
            let store = Watched::new(args, &place.store, "reading layers", None);
            let found = rebase::conflicts_without(&store, &image, number, limits)?;
            if refused(&found, conflicts.on_conflict)? {
                return Ok(unless_different(true));
            }
            let change = Change { result, history, edit: dry };
            edit(args, &place, &image, change, "layers drop", limits, |to, image, history| match to {
                Some(place) => rebase::without_layer(&place.store, image, number_of(image, layer)?, history),
                None => rebase::without_layer(&DryRun(&place.store), image, number, history),
            })
        }
        LayersCommand::Reorder { reference, order, result, history, edit: dry } => {
            let (place, image) = open(reference, limits)?;
            let order: Vec<usize> = order.iter().map(|number| number.wrapping_sub(1)).collect();
            let change = Change { result, history, edit: dry };
            edit(args, &place, &image, change, "layers reorder", limits, |to, image, history| match to {
                Some(place) => rebase::reorder(&place.store, image, &order, history, limits),
                None => rebase::reorder(&DryRun(&place.store), image, &order, history, limits),
            })
        }
    }
}

/// The position of a layer, from 0, by its number, from 1, or the beginning of its digest.
fn number_of(image: &Image, layer: &str) -> ocicle::Result<usize> {
    let count = image.layers().len();
    match layer.parse::<usize>() {
        Ok(number) if (1..=count).contains(&number) => Ok(number - 1),
        // Few digits are a number.
        Ok(number) if layer.len() < 6 => {
            Err(Error::NotFound(format!("there is no layer {number}: the image has layers 1 to {count}")))
        }
        _ => find_layer(image, layer).map(|(position, _)| position),
    }
}
