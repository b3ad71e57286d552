//! `unpack` and `repack`.

use std::{io::Read, path::Path};

use ocicle::{
    Error,
    bundle::{
        overlay::mount_options,
        repack::{Bundle, Options},
        unpack,
    },
    fs::Readable,
    graph::{Resolution, resolve::Want, rewrite::Destination},
    image::Image,
    layer::{Change, ChangeSink, overlayfs::Namespace},
    limits::Limits,
    name::EntryPath,
    spec::media_type::Compression,
    store::{BlobRead as _, memory::MemoryStore},
    text::printable,
    tree::emulated::Defaults,
};

use crate::{
    args::{Args, BundleFormat, Compress, LayerArgs, Owners, Repack},
    clock,
    failure::Failure,
    output,
    owners::on_disk,
    place::{Place, make_dir, open_dir},
    progress::Watched,
};

pub(super) fn unpack(
    args: &Args,
    reference: &str,
    bundle: &Path,
    format: unpack::Format,
    owners: &Owners,
    layers: &LayerArgs,
    limits: &Limits,
) -> Result<(), Failure> {
    let on_disk = on_disk(owners)?;
    let place = Place::open(reference, limits)?;
    let resolution = place.resolve(Want::Image, limits)?;
    let image = Image::open(&place.store, resolution.target(), limits)?;
    let options = unpack::Options {
        on_disk,
        format,
        resolv_conf: Path::new("/etc/resolv.conf").exists(),
        keep_dirlinks: layers.keep_dirlinks,
        start_from: layers.start_from(&image)?,
    };
    let (dir, made) = make_dir(bundle, true)?;
    let store = Watched::new(args, &place.store, "unpacking", Some(image.size()));
    let result = unpack::unpack(&store, &image, &resolution, &dir, &options, limits);
    if result.is_err() && made {
        let _ = std::fs::remove_dir(bundle); // only if it is empty; the first error is the one to tell
    }
    let unpacked = result.map_err(|error| match error {
        Error::Exists(_) => {
            let place = bundle.display();
            Failure::failed(format!("{place}: {error}: remove it, or unpack into another directory"))
        }
        other => other.into(),
    })?;
    if !unpacked.user_known {
        warn_of_root(args, &image);
    }
    if args.verbose > 0 {
        let (digest, files) = (&image.descriptor.digest, unpacked.tree.len());
        eprintln!("unpacked {digest} with {files} files into {}", bundle.display());
    }
    match format {
        unpack::Format::Overlay(namespace) => {
            let whole = std::path::absolute(bundle)
                .map_err(|error| Failure::failed(format!("{}: {error}", bundle.display())))?;
            let path = whole.as_os_str().as_encoded_bytes();
            let options = mount_options(path, unpacked.layers, namespace);
            output::print(|out| [&options[..], b"\n"].iter().try_for_each(|part| out.write_all(part)))
        }
        _ => Ok(()),
    }
}

/// Gives the files of a bundle what the disk could not hold when it was unpacked.
pub(super) fn restore(
    args: &Args,
    bundle: &Path,
    owners: &Owners,
    defaults: Defaults,
    limits: &Limits,
) -> Result<(), Failure> {
    let failed = |error: Error| Failure::failed(format!("bundle {}: {error}", bundle.display()));
    let how = on_disk(owners)?;
    let dir = open_dir(bundle)?;
    let opened = Bundle::open(&dir, &MemoryStore::new()?, limits).map_err(failed)?;
    let count = opened.with_defaults(defaults).restore(&how).map_err(failed)?;
    if args.verbose > 0 {
        eprintln!("restored {count} entries of {}", bundle.display());
    }
    Ok(())
}

/// What was asked for.
pub(super) fn format(format: BundleFormat, userxattr: bool) -> Result<unpack::Format, Failure> {
    match (format, userxattr) {
        (BundleFormat::Native, false) => Ok(unpack::Format::Native),
        (BundleFormat::Umoci, false) => Ok(unpack::Format::Umoci),
        (BundleFormat::Overlayfs, false) => Ok(unpack::Format::Overlay(Namespace::Trusted)),
        (BundleFormat::Overlayfs, true) => Ok(unpack::Format::Overlay(Namespace::User)),
        (_, true) => Err(Failure::usage("--userxattr is about --format overlayfs")),
    }
}

/// Says that a `config.json` does not start who it should.
pub(super) fn warn_of_root(args: &Args, image: &Image) {
    let run = image.config.view().config.as_ref();
    let user = printable(run.and_then(|run| run.user.as_deref()).unwrap_or_default());
    if !args.quiet {
        eprintln!("warning: nothing here says who the user {user} is: config.json starts root instead");
    }
}

pub(super) fn repack(args: &Args, repack: &Repack, limits: &Limits) -> Result<(), Failure> {
    let dir = open_dir(&repack.bundle).map(Readable::new).map_err(|failure| {
        let swapped = repack.bundle.to_string_lossy().contains('#');
        if swapped { Failure::usage("the bundle comes first: ocicle repack BUNDLE REF") } else { failure }
    })?;
    let place = Place::open(&repack.reference, limits)?;
    let bundle = Bundle::open(&dir, &place.store, limits)
        .map_err(|error| Failure::failed(format!("bundle {}: {error}", repack.bundle.display())))?
        .with_defaults(repack.defaults.get());
    let base = &bundle.state().resolution.target().digest;
    if place.store.try_size(base)?.is_none() {
        let layout = repack.reference.split('#').next().unwrap_or_default();
        return Err(Failure::failed(format!(
            "{layout} does not hold {base}, the image of the bundle: repack into the layout it was unpacked from"
        )));
    }
    let (at, to) = destination(&place, &bundle.state().resolution, limits)?;
    let to = repack.follow.with(to);
    let masked = masked(repack, &Image::open(&place.store, at.target(), limits)?, limits)?;
    let options = Options {
        masked,
        compression: compression(repack.compress),
        verify: repack.verify,
        latest: clock::source_date()?,
        history: repack.history.entry("repack")?,
        refresh: repack.refresh_bundle,
    };
    if repack.edit.dry_run {
        let mut lines = Lines::default();
        bundle.changes(repack.verify, &options.masked, &mut lines)?;
        return lines.print();
    }
    let store = Watched::new(args, &place.store, "repacking", None);
    let done = bundle.repack(&store, &at, &to, &options)?;
    if !args.quiet {
        for path in &done.summary.sockets {
            let path = printable(&path.to_string());
            eprintln!("warning: /{path} is a socket: no layer can hold one, it is left out");
        }
    }
    if args.verbose > 0 {
        match &done.layer {
            Some(layer) => eprintln!(
                "{} changes, new layer {} of {} bytes",
                done.summary.changes, layer.digest, layer.size
            ),
            None => eprintln!("nothing changed, no layer added"),
        }
    }
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)?;
    match done.not_refreshed {
        None => Ok(()),
        Some(error) => {
            let bundle = repack.bundle.display();
            let message = "the image is made, but the bundle still remembers the one it was unpacked from";
            Err(Failure::failed(format!("bundle {bundle}: {error}: {message}")))
        }
    }
}

/// What stays out of the layer: the paths given, and the image's volumes, whose content is no part of it.
fn masked(repack: &Repack, image: &Image, limits: &Limits) -> Result<Vec<EntryPath>, Failure> {
    let run = image.config.view().config.as_ref();
    let volumes = run.and_then(|run| run.volumes.as_ref()).filter(|_| !repack.no_mask_volumes);
    let paths = repack.mask_path.iter().chain(volumes.into_iter().flat_map(|volumes| volumes.keys()));
    paths
        .map(|path| {
            EntryPath::clean(path.as_bytes(), limits).map_err(|error| Failure::usage(error.to_string()))
        })
        .collect()
}

/// Where the result goes. A tag, or by default the tag the bundle came from, gets a copy of the tree the image stands in;
/// anything more specific must still be the image the bundle came from, and is changed in place.
fn destination(
    place: &Place,
    from: &Resolution,
    limits: &Limits,
) -> Result<(Resolution, Destination), Failure> {
    let Some(selector) = &place.selector else {
        let to = match from.tag() {
            Some(tag) => Destination::tag(tag.parse()?),
            None => Destination::in_place(),
        };
        return Ok((from.clone(), to));
    };
    if let Some(tag) = selector.as_tag() {
        return Ok((from.clone(), Destination::tag(tag.parse()?)));
    }
    let at = place.resolve(Want::Image, limits)?;
    let (now, then) = (&at.target().digest, &from.target().digest);
    if now != then {
        return Err(Failure::failed(format!(
            "#{selector} is {now}, but the bundle was unpacked from {then}: repack to a new tag instead"
        )));
    }
    Ok((at, Destination::in_place()))
}

pub(super) fn compression(compress: Compress) -> Option<Compression> {
    match compress {
        Compress::Auto => None,
        Compress::None => Some(Compression::None),
        Compress::Gzip => Some(Compression::Gzip),
        Compress::Zstd => Some(Compression::Zstd),
    }
}

/// What a repack would put into the layer, a line for each change.
#[derive(Default)]
pub(super) struct Lines(Vec<String>);

impl Lines {
    pub(super) fn print(&self) -> Result<(), Failure> {
        output::print(|out| self.0.iter().try_for_each(|line| writeln!(out, "{line}")))
    }
}

impl ChangeSink for Lines {
    fn put(&mut self, change: &Change, _: &mut dyn Read) -> ocicle::Result<()> {
        let (verb, path) = match change {
            Change::Put(entry) => ("put", &entry.path),
            Change::Remove(path) => ("remove", path),
            Change::ClearLower(path) => ("clear", path),
        };
        self.0.push(format!("{verb} /{}", printable(&path.to_string())));
        Ok(())
    }
}
