//! `copy`.

use std::{collections::BTreeSet, path::Path, process::ExitCode};

use clap::{Args, ValueEnum};
use ocicle::{
    Error, Repository,
    graph::{
        RefName, Resolution,
        archive::{create_archive, rewrite_docker_archive},
        convert::to_oci,
        copy::{Copied, Plan, What},
        reference::{Reference, StoreKind},
        resolve::Want,
    },
    image::docker_archive,
    name::{Name, NameBuf},
    spec::{IMAGE_NAME, Index, REF_NAME, Raw},
    store::{
        BlobRead, RootIndex, RootIndexExt as _,
        archive::{self, ArchiveKind},
        memory::MemoryStore,
        overlay::Overlay,
    },
    text::printable,
};

use crate::{
    context::Context,
    failure::Failure,
    place::{self, Place},
    show::human_size,
    stores::{AnyStore, is_standard_input, parent, patience},
    system::SystemDir,
};

/// Copy images between stores: layouts, archives and registries.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle copy images#v1 oci-archive:v1.tar\n  \
    ocicle copy docker-archive:saved.tar oci:images\n  \
    ocicle copy images#v1//platform=linux/arm64 docker-archive:arm.tar#example/app:1\n  \
    ocicle copy --all images#platform=linux/arm64 oci-archive:arm.tar\n  \
    ocicle copy docker://registry.example/app:v1 oci:images\n  \
    ocicle copy images#v1 docker://registry.example/app:v1\n  \
    gzip -dc saved.tar.gz | ocicle copy - oci:images")]
pub(crate) struct Copy {
    /// A whole store, or an object in it and everything below it.
    #[arg(value_name = "REF")]
    source: String,
    /// The store to copy to: `oci:DIRECTORY`, `oci-archive:FILE` or `docker-archive:FILE`, with `#TAG` for
    /// another tag, which is created if it does not exist; or `docker://HOST/REPOSITORY:TAG`.
    #[arg(value_name = "STORE[#TAG]")]
    destination: String,
    /// Copy the indexes along the path unchanged, although they list objects that are not copied.
    #[arg(long)]
    sparse: bool,
    /// Copy every object that the reference selects, such as all images of one platform, each under its tag.
    #[arg(long, conflicts_with = "sparse")]
    all: bool,
    /// Also copy what is about the copied objects: signatures, SBOMs, attestations, and what is about these.
    #[arg(long)]
    referrers: bool,
    /// Leave tags alone that the destination has.
    #[arg(short, long)]
    no_clobber: bool,
    /// Convert Docker documents; their digests change.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<CopyFormat>,
}

/// The format of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CopyFormat {
    /// OCI.
    Oci,
}

impl Copy {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let place = context.open(&self.source)?;
        let to: Reference = self.destination.parse()?;
        if is_standard_input(to.kind, &to.path) {
            return Err(Failure::usage("cannot copy to `-`, which is standard input"));
        }
        let tag = tag_of(&to)?;
        let store = context.watched(&place.repository, "copying", None);
        // Converted documents are in neither store.
        let from = store.with_upper(MemoryStore::new()?);
        let all = match self.all && !place.selector.is_empty() {
            true => place.repository.resolve_all(&place.selector, Want::Any)?,
            false => Vec::new(),
        };
        let whole = place.selector.is_empty() && !place.is_registry();
        let at = match whole || self.all {
            true => None,
            false => Some(place.resolve(Want::Any)?),
        };
        let what = match &at {
            None if !all.is_empty() => What::Objects(&all),
            None if self.sparse => {
                return Err(Failure::usage("--sparse requires a reference to an object in an index"));
            }
            None => What::Everything,
            Some(at) if self.sparse => What::Sparse(at),
            Some(at) => What::Object(at),
        };
        let mut plan = Plan::new(&from, what)?;
        if self.format.is_some() {
            let converted = to_oci(&from, plan.index())?;
            tell_new_digests(context, plan.index(), &converted);
            plan = Plan::of_index(&from, converted)?;
        }
        if plan.index().view().manifests.is_empty() {
            return Err(Error::NotFound(format!("nothing to copy: {} has no images", self.source)).into());
        }
        let to_docker = to.kind == Some(StoreKind::DockerArchive);
        if let Some(tag) = tag.or_else(|| at.as_ref().filter(|_| to_docker).and_then(name_above)) {
            plan = plan.tagged(&tag)?;
        }
        if self.referrers {
            plan = with_referrers(&from, &place, plan)?;
        }
        let existing = if self.no_clobber { Existing::Keep } else { Existing::Replace };
        let target = Target { to: &to, existing };
        let written = match to.kind {
            Some(StoreKind::Registry) => push(context, &from, &plan, &target, &place),
            Some(StoreKind::Web) => {
                Err(Failure::usage(format!("cannot copy to {}: a web server is only read from", to.path)))
            }
            _ => write(context, &from, &plan, &target),
        };
        let Copied { blobs, bytes, present, absent, .. } = written?;
        let absent = if absent == 0 { String::new() } else { format!("; {absent} not in the source") };
        context.note(format_args!(
            "copied {blobs} blobs, {}; {present} already present{absent}",
            human_size(bytes)
        ));
        if to_docker {
            tell_untagged(context, plan.index());
        }
        context.print_lines(plan.index().view().manifests.iter().map(|entry| &entry.digest))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The destination, and what happens to its tags.
struct Target<'a> {
    to: &'a Reference,
    existing: Existing,
}

/// The treatment of tags that the destination has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Replace,
    Keep,
}

impl Target<'_> {
    /// Returns a plan without the tags that stay as they are.
    fn without_existing<S: BlobRead>(
        &self,
        context: &Context,
        from: &Repository<S>,
        plan: &Plan,
        store: &AnyStore,
    ) -> Result<Plan, Failure> {
        if self.existing == Existing::Replace {
            return Ok(plan.clone());
        }
        let (plan, skipped) = plan.clone().without_tags_of(from, store.load()?.view())?;
        for tag in skipped {
            context.note(format_args!("skipping tag {}: it exists", printable(&tag)));
        }
        Ok(plan)
    }
}

/// Returns the tag in the destination, if it has one.
fn tag_of(to: &Reference) -> Result<Option<RefName>, Failure> {
    if to.selector.is_empty() {
        return Ok(None);
    }
    let tag = place::tag(&to.selector, "copy")?;
    if to.kind == Some(StoreKind::DockerArchive) && !docker_archive::is_tag(tag.as_str()) {
        return Err(Failure::usage(format!(
            "not a Docker tag: {tag}: expected NAME:TAG, such as example/app:1"
        )));
    }
    Ok(Some(tag))
}

/// Returns the tag of the tree that an image is taken out of.
fn name_above(at: &Resolution) -> Option<RefName> {
    at.root().descriptor.tag().filter(|_| at.hops().len() > 1)?.parse().ok()
}

/// Prints the new digests of converted entries. A conversion keeps their order.
fn tell_new_digests(context: &Context, old: &Raw<Index>, new: &Raw<Index>) {
    for (old, new) in old.view().manifests.iter().zip(&new.view().manifests) {
        if old.digest != new.digest {
            context.note(format_args!("converted {} to {}", old.digest, new.digest));
        }
    }
}

/// Warns of tags that Docker does not accept. Docker finds such images by digest only.
fn tell_untagged(context: &Context, index: &Raw<Index>) {
    for entry in &index.view().manifests {
        if docker_archive::docker_tag(entry).is_some() {
            continue;
        }
        match entry.tag().map(printable) {
            Some(name) => context
                .warn(format_args!("skipping tag {name}: not a Docker tag; add one, such as #example/app:1")),
            None => {
                context.warn(format_args!("{} has no tag; add one, such as #example/app:1", entry.digest));
            }
        }
    }
}

/// Adds what is about the objects of a plan, and what is about that.
fn with_referrers<S: BlobRead + RootIndex>(
    from: &Repository<S>,
    place: &Place,
    mut plan: Plan,
) -> Result<Plan, Failure> {
    let mut asked = BTreeSet::new();
    loop {
        let mut found = match place.is_registry() {
            true => Vec::new(),
            false => plan.referrers(from)?,
        };
        if let Some(remote) = place.repository.store().remote() {
            let new: Vec<_> = plan.objects().filter(|digest| !asked.contains(*digest)).cloned().collect();
            for digest in new {
                found.extend(remote.referrers(&digest)?);
                asked.insert(digest);
            }
        }
        found.retain(|entry| !plan.objects().any(|digest| *digest == entry.digest));
        if found.is_empty() {
            return Ok(plan);
        }
        plan = plan.with_entries(from, &found)?;
    }
}

/// Pushes to a registry.
fn push<S: BlobRead>(
    context: &Context,
    from: &Repository<S>,
    plan: &Plan,
    target: &Target<'_>,
    source: &Place,
) -> Result<Copied, Failure> {
    let to = target.to;
    let store = AnyStore::open(to.kind, &to.path, &context.opening())?;
    let plan = &without_annotations(context, from, plan)?;
    let entries = &plan.index().view().manifests;
    if let Some(remote) = store.remote() {
        remote.look_for_tags(entries.iter().filter_map(|entry| entry.ref_name()).map(String::from).collect());
    }
    let plan = &target.without_existing(context, from, plan, &store)?;
    let (blobs, _) = plan.blobs(from)?;
    let mounted = match (store.remote(), source.repository.store().remote()) {
        (Some(to), Some(from)) => to.mount_from(from, &blobs)?,
        _ => 0,
    };
    if mounted > 0 {
        context.detail(format_args!("mounted {mounted} blobs of another repository"));
    }
    copy_into(from, plan, store)
}

/// Returns a plan whose root entries have their names alone: a registry keeps nothing else.
fn without_annotations<S: BlobRead>(
    context: &Context,
    from: &Repository<S>,
    plan: &Plan,
) -> Result<Plan, Failure> {
    let mut index = plan.index().clone();
    for (position, entry) in plan.index().view().manifests.iter().enumerate() {
        if entry.ref_name().is_none() {
            continue;
        }
        let lost = entry.annotations.keys().filter(|key| ![REF_NAME, IMAGE_NAME].contains(&key.as_str()));
        for key in lost {
            index = index.annotate(position, key, None)?;
            let key = printable(key);
            context.warn(format_args!(
                "{}: skipping {key}: a registry keeps no annotations of tags",
                entry.digest
            ));
        }
    }
    Ok(Plan::of_index(from, index)?)
}

fn write<S: BlobRead>(
    context: &Context,
    from: &Repository<S>,
    plan: &Plan,
    target: &Target<'_>,
) -> Result<Copied, Failure> {
    let to = target.to;
    let path = Path::new(&to.path);
    // Where it is not known whether it exists, nothing must be written in its place.
    let exists = path.try_exists().map_err(|error| Failure::failed(format!("stat {}: {error}", to.path)))?;
    if let Some(kind @ (StoreKind::OciArchive | StoreKind::DockerArchive)) = to.kind {
        let created = if exists { None } else { create(context, from, plan, kind, path)? };
        if let Some(copied) = created {
            return Ok(copied);
        }
        if kind == StoreKind::DockerArchive {
            return add(context, from, plan, target);
        }
    } else if !exists && to.kind.is_none() && path.extension().is_some_and(|end| end == "tar") {
        return Err(Failure::usage(format!("{} not found: the kind of a new archive is not known", to.path))
            .hint(format!("write oci-archive:{0} or docker-archive:{0}", to.path)));
    }
    let store = match to.kind {
        Some(StoreKind::Oci) | None if !exists || path.is_dir() => {
            AnyStore::open_or_create_layout(&to.path, &context.opening())?
        }
        kind => AnyStore::open(kind, &to.path, &context.opening())?,
    };
    copy_into(from, &target.without_existing(context, from, plan, &store)?, store)
}

fn copy_into<S: BlobRead>(from: &Repository<S>, plan: &Plan, store: AnyStore) -> Result<Copied, Failure> {
    let to = from.with_store(store);
    // A read-only archive fails here, before blobs are read.
    let copied = plan.copy_blobs(from, &to)?;
    to.store().update(|root| plan.merged_into(root))?;
    Ok(copied)
}

/// Adds to an archive that `docker load` can read. It is written again with the images of both, unless it is
/// also an OCI archive, which is edited as such.
fn add<S: BlobRead>(
    context: &Context,
    from: &Repository<S>,
    plan: &Plan,
    target: &Target<'_>,
) -> Result<Copied, Failure> {
    let to = target.to;
    let store = AnyStore::open(None, &to.path, &context.opening())?;
    let plan = &target.without_existing(context, from, plan, &store)?;
    if !matches!(&store, AnyStore::Archive(file) if file.archive().kind() == ArchiveKind::Docker) {
        return copy_into(from, plan, store);
    }
    drop(store);
    let (dir, name, copied) = destination(from, plan, Path::new(&to.path))?;
    let wait = patience(&to.path, context.is_quiet());
    rewrite_docker_archive(&dir, name.as_name(), from.limits(), &wait, |old, out| {
        let both = from.with_store(Overlay::new(from.store(), old, from.limits()));
        docker_archive::write_docker_archive(&both, &plan.merged_into(&old.load()?)?, out)
    })?;
    Ok(copied)
}

/// Returns the directory and name of an archive, and the counts of writing all of a plan into it.
fn destination<S: BlobRead>(
    from: &Repository<S>,
    plan: &Plan,
    path: &Path,
) -> Result<(SystemDir, NameBuf, Copied), Failure> {
    let (dir, name) = parent(path)?;
    let name = Name::new(name.as_encoded_bytes()).map_err(|error| Failure::usage(error.to_string()))?;
    let (blobs, absent) = plan.blobs(from)?;
    let bytes = blobs.iter().map(|blob| blob.size).sum();
    Ok((dir, name.into(), Copied { blobs: blobs.len() as u64, bytes, absent, ..Copied::default() }))
}

/// Writes a new archive; returns `None` if it exists by now.
fn create<S: BlobRead>(
    context: &Context,
    from: &Repository<S>,
    plan: &Plan,
    kind: StoreKind,
    path: &Path,
) -> Result<Option<Copied>, Failure> {
    let (dir, name, copied) = destination(from, plan, path)?;
    let wait = patience(&path.to_string_lossy(), context.is_quiet());
    let created = create_archive(&dir, name.as_name(), &wait, |out| match kind {
        StoreKind::DockerArchive => docker_archive::write_docker_archive(from, plan.index(), out),
        _ => archive::write_archive(from.store(), plan.index(), plan.blobs(from)?.0, out),
    })?;
    Ok(created.then_some(copied))
}
