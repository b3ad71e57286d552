//! Commands that look: `ls`, `stat`, `resolve`, `check`.

use std::process::ExitCode;

use ocicle::{
    graph::{list::list, resolve::Want},
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

pub(super) fn ls(reference: &str, format: &Format, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open_whole(reference, limits)?;
    report(&list(&place.store, &place.store.load()?, limits)?, format)
}

pub(super) fn resolve(reference: &str, format: &Format, limits: &Limits) -> Result<(), Failure> {
    let resolution = Place::open(reference, limits)?.resolve(Want::Any, limits)?;
    report(&resolution.report(), format)
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
