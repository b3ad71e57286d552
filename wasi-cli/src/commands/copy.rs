//! `copy`.

mod list;
mod target;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use ocicle::{
    Error, Repository,
    graph::{
        RefName, Resolution,
        convert::to_oci,
        copy::{Plan, What},
        discover::ReferrerMap,
        platforms::select_platforms,
        reference::{Reference, StoreKind},
        resolve::Want,
        selector::Clause,
    },
    image::docker_archive,
    spec::{Index, Platform, Raw},
    store::{BlobRead, BlobWrite, RootIndex, memory::MemoryStore},
    text::printable,
};

use self::target::{Existing, Target};
use crate::{
    context::Context,
    failure::Failure,
    place::{self, Place},
    show::human_size,
    stores::is_standard_input,
    system::check_caught,
};

/// Copy images between stores: layouts, archives and registries.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ocicle copy images#v1 oci-archive:v1.tar\n  \
    ocicle copy docker-archive:saved.tar oci:images\n  \
    ocicle copy images#v1//platform=linux/arm64 docker-archive:arm.tar#example/app:1\n  \
    ocicle copy --all images#platform=linux/arm64 oci-archive:arm.tar\n  \
    ocicle copy docker://registry.example/app:v1 oci:images\n  \
    ocicle copy images#v1 docker://registry.example/app:v1\n  \
    ocicle copy --platform linux/amd64 --platform linux/arm64 \\\n    docker://registry.example/app:v1 oci:images\n  \
    gzip -dc saved.tar.gz | ocicle copy - oci:images")]
pub(crate) struct Copy {
    /// A whole store, or an object in it and everything below it.
    #[arg(value_name = "REF", required_unless_present = "from_file")]
    source: Option<String>,
    /// The store to copy to: `oci:DIRECTORY`, `oci-archive:FILE` or `docker-archive:FILE`, with `#TAG` for
    /// another tag, which is created if it does not exist; or `docker://HOST/REPOSITORY:TAG`.
    #[arg(value_name = "STORE[#TAG]", required_unless_present = "from_file")]
    destination: Option<String>,
    /// Make the copies of a list: a reference and a store on each line. Goes on after a copy that fails.
    #[arg(long, value_name = "LIST", conflicts_with = "source")]
    from_file: Option<PathBuf>,
    /// Copy the image of this platform alone; of several, an index that lists these alone.
    #[arg(long, value_name = "PLATFORM", conflicts_with = "sparse")]
    platform: Vec<Platform>,
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
    #[arg(long)]
    no_clobber: bool,
    /// Print the blobs that would be copied, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
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
        match (&self.source, &self.destination, &self.from_file) {
            (_, _, Some(list)) => self.copy_all(context, list),
            (Some(source), Some(destination), None) => {
                self.copy(context, source, destination).map(|()| ExitCode::SUCCESS)
            }
            _ => Err(Failure::usage("expected a reference and a store")),
        }
    }

    /// Makes the copies of a list, and reports those that failed.
    fn copy_all(&self, context: &Context, list: &Path) -> Result<ExitCode, Failure> {
        let lines = list::read(list, &context.limits)?;
        let mut failed = 0;
        for line in &lines {
            let copied = self.copy(context, &line.source, &line.destination);
            let Err(failure) = copied else { continue };
            failed += 1;
            let what =
                format!("{}:{}: copy {} to {}", list.display(), line.number, line.source, line.destination);
            failure.within(&what).report();
            // Whoever stops one copy means all of them.
            check_caught().map_err(|error| Failure::failed(error.to_string()))?;
        }
        match failed {
            0 => Ok(ExitCode::SUCCESS),
            _ => Err(Failure::failed(format!("{failed} of {} copies failed", lines.len()))),
        }
    }

    fn copy(&self, context: &Context, source: &str, destination: &str) -> Result<(), Failure> {
        let to: Reference = destination.parse()?;
        // What goes to a registry comes from the repository itself, not from a mirror that may be behind.
        let place = match to.kind {
            Some(StoreKind::Registry) => context.open_itself(source)?,
            _ => context.open(source)?,
        };
        if is_standard_input(to.kind, &to.path) {
            return Err(Failure::usage("cannot copy to `-`, which is standard input"));
        }
        let store = context.watched(&place.repository, "copying", None);
        // Converted documents are in neither store.
        let from = store.with_upper(MemoryStore::new()?);
        let plan = self.plan(context, &from, &place, &to)?;
        if plan.index().view().manifests.is_empty() {
            return Err(Error::NotFound(format!("nothing to copy: {source} has no images")).into());
        }
        let existing = if self.no_clobber { Existing::Keep } else { Existing::Replace };
        let target = Target { context, to: &to, existing };
        let (done, copied) = match self.dry_run {
            true => ("would copy", target.preview(&from, &plan)?),
            false => ("copied", target.write(&from, &plan, &place)?),
        };
        let absent =
            if copied.absent == 0 { String::new() } else { format!("; {} not in the source", copied.absent) };
        let (blobs, bytes, present) = (copied.blobs, human_size(copied.bytes), copied.present);
        context.note(format_args!("{done} {blobs} blobs, {bytes}; {present} already present{absent}"));
        if to.kind == Some(StoreKind::DockerArchive) {
            tell_untagged(context, plan.index());
        }
        if !self.dry_run {
            context.print_lines(plan.index().view().manifests.iter().map(|entry| &entry.digest))?;
        }
        Ok(())
    }

    /// Decides what is copied, and under which tags.
    fn plan<S: BlobRead + BlobWrite + RootIndex>(
        &self,
        context: &Context,
        from: &Repository<S>,
        place: &Place,
        to: &Reference,
    ) -> Result<Plan, Failure> {
        let all = match self.all && !place.selector.is_empty() {
            true => place.repository.resolve_all(&place.selector, Want::Any)?,
            false => Vec::new(),
        };
        let (at, is_single) = self.one(place)?;
        let what = match &at {
            None if !all.is_empty() => What::Objects(&all),
            None if self.sparse => {
                return Err(Failure::usage("--sparse requires a reference to an object in an index"));
            }
            None => What::Everything,
            Some(at) if self.sparse => What::Sparse(at),
            Some(at) => What::Object(at),
        };
        let mut plan = Plan::new(from, what)?;
        if !is_single && !self.platform.is_empty() {
            plan = Plan::of_index(from, select_platforms(from, plan.index(), &self.platform)?)?;
        }
        if self.format.is_some() {
            let converted = to_oci(from, plan.index())?;
            tell_new_digests(context, plan.index(), &converted);
            plan = Plan::of_index(from, converted)?;
        }
        // The image of one platform takes the place of its tree.
        let keeps_tag = to.kind == Some(StoreKind::DockerArchive) || is_single;
        if let Some(tag) = tag_of(to)?.or_else(|| at.as_ref().filter(|_| keeps_tag).and_then(name_above))
            && !plan.index().view().manifests.is_empty()
        {
            plan = plan.tagged(&tag)?;
        }
        if self.referrers {
            plan = with_referrers(from, place, plan)?;
        }
        Ok(plan)
    }

    /// Finds the one object that is copied; `None` if that is all that a reference means, or a whole store.
    /// Returns also whether it is the image of the one platform that is asked for.
    fn one(&self, place: &Place) -> Result<(Option<Resolution>, bool), Failure> {
        if self.all || place.selector.is_empty() && !place.is_registry() {
            return Ok((None, false));
        }
        let at = place.resolve(Want::Any)?;
        let [platform] = &self.platform[..] else { return Ok((Some(at), false)) };
        if !at.target().media_type.is_index() {
            let found = at.describe(&place.repository).platform;
            return match found {
                Some(found) if found.matches(platform) => Ok((Some(at), true)),
                found => {
                    let found = found.map_or_else(|| "no image".into(), |found| found.to_string());
                    Err(Error::NotFound(format!("no image for {platform}\nhint: there is {found}")).into())
                }
            };
        }
        let selector = place.one().below(Clause::Platform(platform.clone()));
        let below = place.repository.resolve(&selector, Want::Any)?;
        // Attestations of BuildKit are beside their image, in an index.
        match self.referrers && is_attested(place, &below)? {
            true => Ok((Some(at), false)),
            false => Ok((Some(below), true)),
        }
    }
}

/// Returns whether the index above an image has something about it.
fn is_attested(place: &Place, image: &Resolution) -> Result<bool, Failure> {
    let [.., above, _] = image.hops() else { return Ok(false) };
    let index: Raw<Index> = place.repository.document(&above.descriptor)?;
    Ok(!ReferrerMap::of_entries(index.view()).about(&image.target().digest).is_empty())
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
