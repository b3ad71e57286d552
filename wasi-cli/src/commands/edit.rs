//! Commands that edit the layout: `init`, `new`, `tag`, `rm`, `gc`.

use std::path::Path;

use ocicle::{
    digest::Digest,
    graph::{RefName, gc, rewrite, selector::Selector},
    image::edit::blank,
    limits::Limits,
    spec::{Index, Platform, Raw},
    store::{RootIndex as _, RootIndexExt as _, layout::LayoutStore},
};

use crate::{
    args::{Edit, Format},
    clock,
    failure::Failure,
    output,
    place::{Place, make_dir},
};

pub(super) fn init(path: &Path) -> Result<(), Failure> {
    let (dir, made) = make_dir(path, false)?;
    LayoutStore::create(dir).map(drop).map_err(|error| {
        if made {
            let _ = std::fs::remove_dir(path); // empty or not ours; the first error is the one to tell
        }
        Failure::failed(format!("{}: {error}", path.display()))
    })
}

pub(super) fn new(
    reference: &str,
    platform: Option<&str>,
    edit: &Edit,
    limits: &Limits,
) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let name = tag_of(place.selector.as_ref(), "new")?;
    let platform = match platform {
        Some(text) => text.parse().map_err(|error| Failure::usage(format!("--platform: {error}")))?,
        None => this_platform()?,
    };
    let created = clock::now()?.to_string();
    if edit.dry_run {
        return output::print(|out| writeln!(out, "new image for {platform}, tag {name}"));
    }
    let descriptor = blank(&place.store, &platform, &created)?;
    place.store.update(|root| rewrite::point(root, &name, &descriptor))?;
    print_digest(&descriptor.digest)
}

pub(super) fn rm(reference: &str, edit: &Edit, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(reference, limits)?;
    let name = tag_of(place.selector.as_ref(), "rm")?;
    change(&place, edit, |root| Ok(rewrite::untag(root, &name)?))?;
    if edit.dry_run {
        return output::print(|out| writeln!(out, "remove tag {name}"));
    }
    Ok(())
}

pub(super) fn gc(reference: &str, format: &Format, edit: &Edit, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open_whole(reference, limits)?;
    output::report(&gc::gc(&place.store, edit.dry_run, limits)?, format)
}

/// Changes the index, or with `--dry-run` only finds out whether that would work.
fn change(
    place: &Place,
    edit: &Edit,
    mut with: impl FnMut(&Raw<Index>) -> Result<Raw<Index>, Failure>,
) -> Result<(), Failure> {
    if edit.dry_run {
        return with(&place.store.load()?).map(drop);
    }
    place.store.update(|root| with(root)).map(drop)
}

/// The tag a reference is, where it must be one.
pub(super) fn tag_of(selector: Option<&Selector>, command: &str) -> Result<RefName, Failure> {
    match selector.and_then(Selector::as_tag) {
        Some(tag) => Ok(tag.parse()?),
        None => Err(Failure::usage(format!("{command} needs a tag: {command} STORE#TAG"))),
    }
}

#[cfg(unix)]
fn this_platform() -> Result<Platform, Failure> {
    let text = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    let platform: Platform = text.parse().map_err(|error| Failure::failed(format!("{text}: {error}")))?;
    Ok(platform.normalized())
}

#[cfg(target_os = "wasi")]
fn this_platform() -> Result<Platform, Failure> {
    Err(Failure::usage(
        "a sandbox does not know the machine: give --platform, as in `ocicle new --platform linux/amd64 images#v1`",
    ))
}

fn print_digest(digest: &Digest) -> Result<(), Failure> {
    output::print(|out| writeln!(out, "{digest}"))
}
