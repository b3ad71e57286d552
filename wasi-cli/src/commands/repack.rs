//! `repack`.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ocicle::{
    bundle::{Bundle, CompareOptions, RepackOptions, Repacked},
    fs::Readable,
    graph::{Resolution, resolve::Want, rewrite::Destination},
    image::Image,
    limits::Limits,
    name::EntryPath,
    store::BlobRead as _,
    text::printable,
};

use crate::{
    args::{Compress, Defaults, Edit, Follow, HistoryArgs},
    clock,
    context::Context,
    dry_run::Lines,
    failure::Failure,
    place::{Place, path_in_image},
    stores::open_dir,
    system::SystemDir,
};

/// Add the changes in a bundle to its image as a new layer.
#[derive(Debug, Default, Args)]
#[command(after_help = "Examples:\n  ocicle repack bundle images#v2\n  \
    ocicle repack --compress zstd bundle images")]
pub(crate) struct Repack {
    /// The bundle.
    pub(crate) bundle: PathBuf,
    /// The layout and tag for the result; without a tag, the one that the bundle was unpacked from. An object
    /// selected by more than a tag is changed in place.
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Compression of the new layer.
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) compress: Compress,
    /// Read every file, instead of trusting inode numbers and change times.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Leave out changes at and below this path of the image.
    #[arg(long, value_name = "PATH")]
    pub(crate) mask_path: Vec<String>,
    /// Include changes in the volumes of the image, which are left out by default.
    #[arg(long)]
    pub(crate) no_mask_volumes: bool,
    /// Make the new image the baseline of the bundle, so that the next repack adds to it.
    #[arg(long)]
    pub(crate) refresh_bundle: bool,
    #[command(flatten)]
    pub(crate) defaults: Defaults,
    #[command(flatten)]
    pub(crate) follow: Follow,
    #[command(flatten)]
    pub(crate) edit: Edit,
    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}

impl Repack {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let (dir, limits) = (self.open_dir()?, &context.limits);
        let place = context.open_to_edit(&self.reference, &self.edit)?;
        let failed = |error| Failure::failed(format!("bundle {}: {error}", self.bundle.display()));
        let bundle = Bundle::open(&dir, limits).map_err(failed)?.with_defaults(self.defaults.get());
        let base = &bundle.image().digest;
        if place.repository.store().try_size(bundle.image())?.is_none() {
            let layout = self.reference.rsplit_once('#').map_or(&*self.reference, |(store, _)| store);
            return Err(Failure::failed(format!("image {base} of the bundle not found in {layout}"))
                .hint("repack into the layout that the bundle was unpacked from"));
        }
        let from = bundle.resolution(&place.repository).map_err(failed)?;
        let (at, to) = destination(&place, from)?;
        let to = self.follow.with(to);
        let image = place.image_at(&at)?;
        let compare = CompareOptions::default().verify(self.verify).masked(self.masked(&image, limits)?);
        if self.edit.dry_run {
            let mut lines = Lines::default();
            bundle.changes(&compare, &mut lines)?;
            context.print_lines(lines.0)?;
            return Ok(ExitCode::SUCCESS);
        }
        let options = RepackOptions::default()
            .compare(compare)
            .compression(self.compress.wanted())
            .latest(clock::source_date()?)
            .history(self.history.entry_by("repack", image.config.view().author.as_deref())?)
            .refresh(self.refresh_bundle);
        let store = context.watched(&place.repository, "repacking", None);
        let done = bundle.repack(&store, &image, &at, &to, &options)?;
        tell(context, &done);
        context.replaced(&done.resolution.target().digest, &done.referrers, &to)?;
        match done.not_refreshed {
            None => Ok(ExitCode::SUCCESS),
            Some(error) => Err(Failure::failed(format!("refresh bundle {}: {error}", self.bundle.display()))
                .hint("the new image is complete; the bundle still has its old baseline")),
        }
    }

    fn open_dir(&self) -> Result<Readable<SystemDir>, Failure> {
        open_dir(&self.bundle).map(Readable::new).map_err(|failure| {
            let swapped = self.bundle.to_string_lossy().contains('#');
            if swapped {
                Failure::usage("expected the bundle first: ocicle repack BUNDLE REF")
            } else {
                failure
            }
        })
    }

    /// Returns the paths that stay out of the layer: those given, and the image's volumes, whose content is
    /// not part of it.
    fn masked(&self, image: &Image, limits: &Limits) -> Result<Vec<EntryPath>, Failure> {
        let run = image.config.view().config.as_ref();
        let volumes = run.and_then(|run| run.volumes.as_ref()).filter(|_| !self.no_mask_volumes);
        let paths = self.mask_path.iter().chain(volumes.into_iter().flat_map(|volumes| volumes.keys()));
        paths.map(|path| path_in_image(path, limits)).collect()
    }
}

fn tell(context: &Context, done: &Repacked) {
    for path in &done.summary.sockets {
        let path = printable(&path.to_string());
        context.warn(format_args!("skipping socket /{path}: a layer cannot hold sockets"));
    }
    match &done.layer {
        Some(layer) => context.detail(format_args!(
            "{} changes, new layer {} of {} bytes",
            done.summary.changes, layer.descriptor.digest, layer.descriptor.size
        )),
        None => context.detail("nothing changed, no layer added"),
    }
}

/// Returns the object to replace and the destination. A tag, by default the one that the bundle was unpacked
/// from, is pointed at a copy of the tree that contains the image. Any other object must still be the image
/// that the bundle was unpacked from, and is changed in place.
fn destination(place: &Place, from: Resolution) -> Result<(Resolution, Destination), Failure> {
    let selector = &place.selector;
    if selector.is_empty() {
        let to = match from.tag() {
            Some(tag) => Destination::tag(tag.parse()?),
            None => Destination::in_place(),
        };
        return Ok((from, to));
    }
    if let Some(tag) = selector.as_tag() {
        return Ok((from, Destination::tag(tag.parse()?)));
    }
    let at = place.resolve(Want::Image)?;
    let (now, then) = (&at.target().digest, &from.target().digest);
    if now != then {
        return Err(Failure::failed(format!("#{selector} is {now}; the bundle was unpacked from {then}"))
            .hint("repack to a new tag"));
    }
    Ok((at, Destination::in_place()))
}
