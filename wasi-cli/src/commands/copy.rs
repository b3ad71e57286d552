//! `copy`.

use std::path::Path;

use ocicle::{
    graph::{
        archive::place as place_file,
        convert::to_oci,
        copy::{Copied, Plan, What},
        reference::{Reference, StoreKind},
        resolve::Want,
    },
    image::docker_archive,
    limits::Limits,
    name::Name,
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead, RootIndexExt as _, archive, layout::LayoutStore, memory::MemoryStore, overlay::Overlay,
    },
    text::{human_size, printable},
};

use super::edit::tag_of;
use crate::{
    args::{Args, Copy},
    failure::Failure,
    output,
    place::{Place, make_dir},
    progress::Watched,
    stores::{AnyStore, parent},
};

pub(super) fn copy(args: &Args, wanted: &Copy, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&wanted.source, limits)?;
    let to: Reference = wanted.destination.parse()?;
    let tag = to.selector.as_ref().map(|selector| tag_of(Some(selector), "copy")).transpose()?;
    if to.kind == Some(StoreKind::DockerArchive)
        && let Some(tag) = tag.as_ref().filter(|tag| !docker_archive::is_tag(tag.as_str()))
    {
        return Err(Failure::usage(format!(
            "{tag} is no tag for Docker: expected NAME:TAG, such as example/app:1"
        )));
    }
    let store = Watched::new(args, &place.store, "copying", None);
    // Documents that are converted are of neither store.
    let from = Overlay::new(&store, MemoryStore::new()?, limits);
    let at = place.selector.as_ref().map(|_| place.resolve(Want::Any, limits)).transpose()?;
    let what = match &at {
        None if wanted.sparse => {
            return Err(Failure::usage("--sparse needs a reference to one image of an index"));
        }
        None => What::Everything,
        Some(at) if wanted.sparse => What::Sparse(at),
        Some(at) => What::Object(at),
    };
    let mut plan = Plan::new(&from, what, limits)?;
    if wanted.format.is_some() {
        let converted = to_oci(&from, plan.index(), limits)?;
        if !args.quiet {
            tell_new_digests(plan.index(), &converted);
        }
        plan = Plan::of_index(&from, converted, limits)?;
    }
    if let Some(tag) = &tag {
        plan = plan.tagged(tag)?;
    }
    let copied = write(&from, &plan, &to, limits)?;
    if !args.quiet {
        let Copied { blobs, bytes, present, absent, .. } = copied;
        let absent = if absent == 0 { String::new() } else { format!("; {absent} are not in the source") };
        eprintln!("copied {blobs} blobs, {}; {present} were there{absent}", human_size(bytes));
        if to.kind == Some(StoreKind::DockerArchive) {
            tell_untagged(plan.index());
        }
    }
    output::print(|out| {
        let entries = &plan.index().view().manifests;
        entries.iter().try_for_each(|Descriptor { digest, .. }| writeln!(out, "{digest}"))
    })
}

/// What a conversion made of the entries: it keeps their order.
fn tell_new_digests(old: &Raw<Index>, new: &Raw<Index>) {
    for (old, new) in old.view().manifests.iter().zip(&new.view().manifests) {
        if old.digest != new.digest {
            eprintln!("converted {} to {}", old.digest, new.digest);
        }
    }
}

/// Docker finds an image without a tag only by its digest.
fn tell_untagged(index: &Raw<Index>) {
    for name in index.view().manifests.iter().filter_map(Descriptor::ref_name) {
        if !docker_archive::is_tag(name) {
            let name = printable(name);
            eprintln!(
                "warning: {name} is no tag for Docker, left out: give one with #NAME:TAG, such as #example/app:1"
            );
        }
    }
}

fn write<S: BlobRead>(from: &S, plan: &Plan, to: &Reference, limits: &Limits) -> Result<Copied, Failure> {
    let path = Path::new(&to.path);
    let is_new = !path.exists();
    match to.kind {
        Some(StoreKind::DockerArchive) if !is_new => Err(Failure::failed(format!(
            "{} exists already, and archives of Docker's format are only written anew",
            to.path
        ))),
        Some(kind @ (StoreKind::OciArchive | StoreKind::DockerArchive)) if is_new => {
            let (dir, name) = parent(path)?;
            let name =
                Name::new(name.as_encoded_bytes()).map_err(|error| Failure::usage(error.to_string()))?;
            let (blobs, absent) = plan.blobs(from)?;
            let bytes = blobs.iter().map(|blob| blob.size).sum();
            let copied = Copied { blobs: blobs.len() as u64, bytes, absent, ..Copied::default() };
            place_file(&dir, name, |out| match kind {
                StoreKind::DockerArchive => docker_archive::write(from, plan.index(), out, limits),
                _ => archive::write(from, plan.index(), blobs, out),
            })?;
            Ok(copied)
        }
        None if is_new && path.extension().is_some_and(|end| end == "tar") => Err(Failure::usage(format!(
            "{0} is not there: say oci-archive:{0} or docker-archive:{0}",
            to.path
        ))),
        kind => {
            if is_new {
                let (dir, _) = make_dir(path, false)?;
                LayoutStore::create(dir)?;
            }
            let store = AnyStore::open(kind, &to.path, limits)?;
            // An archive of Docker's format says so before anything is read.
            let copied = plan.copy_blobs(from, &store)?;
            store.update(|root| plan.merged_into(root))?;
            Ok(copied)
        }
    }
}
