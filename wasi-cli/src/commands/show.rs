//! Commands that look: `ls`, `stat`, `resolve`, `check`.

use std::process::ExitCode;

use ocicle::{
    graph::{
        Resolutions,
        explain::Explanation,
        list::{Drawn, list, list_below},
        resolve::{self, Want},
    },
    image::{Image, check, stat::Stat},
    limits::Limits,
    store::RootIndex as _,
};

use crate::{
    args::{Args, Format},
    failure::{CORRUPT, Failure},
    output::report,
    place::Place,
    progress::Watched,
};

pub(super) fn ls(reference: &str, tree: bool, format: &Format, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let root = place.store.load()?;
    let listing = match place.selector {
        None => list(&place.store, &root, limits)?,
        Some(_) => list_below(&place.store, &root, &place.resolve_in(&root, Want::Any, limits)?, limits)?,
    };
    if tree { report(&Drawn(listing), format) } else { report(&listing, format) }
}

pub(super) fn resolve(
    reference: &str,
    explain: bool,
    format: &Format,
    limits: &Limits,
) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    if explain {
        let (root, selector) = (place.store.load()?, place.selector.as_ref());
        report(&Explanation::new(&place.store, &root, selector, Want::Any, limits)?, format)?;
        // The same failure as without.
        return place.resolve_in(&root, Want::Any, limits).map(drop);
    }
    report(&place.resolve(Want::Any, limits)?.report(&place.store, limits), format)
}

pub(super) fn resolve_all(reference: &str, format: &Format, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let all =
        resolve::resolve_all(&place.store, &place.store.load()?, place.selector.as_ref(), Want::Any, limits)?;
    report(&Resolutions::new(&place.store, &all, limits), format)
}

pub(super) fn stat(reference: &str, format: &Format, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let resolution = place.resolve(Want::Image, limits)?;
    let image = Image::open(&place.store, resolution.target(), limits)?;
    report(&Stat::new(&image)?, format)
}

pub(super) fn check(
    args: &Args,
    reference: &str,
    format: &Format,
    limits: &Limits,
) -> Result<ExitCode, Failure> {
    let place = Place::open_whole(reference, limits)?;
    let store = Watched::new(args, &place.store, "checking", None);
    let found = check::check(&store, limits)?;
    report(&found, format)?;
    Ok(if found.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CORRUPT) })
}
