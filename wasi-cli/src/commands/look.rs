//! `files`, `cat`, `why`, `find`, `diff`, `export`, `squash`.

use std::{
    io::{self, IsTerminal as _, Write},
    path::Path,
    process::ExitCode,
};

use ocicle::{
    bundle::{onto::unpack_onto, repack::Bundle, unpack::Options},
    fs::{Dir as _, Readable},
    graph::resolve::Want,
    image::{
        Image,
        compare::{Compared, tree_of_directory},
        find::{Finds, Query},
        layers::{find_layer, merged},
        look::{Files, Look, Why, read_file},
        squash::{send_squashed, squash as squashed},
    },
    layer::{on_disk::OnDisk, tar::TarWriter},
    limits::Limits,
    name::EntryPath,
    spec::media_type::Compression,
    tree::emulated::{Defaults, Emulated},
};

use crate::{
    args::{self, Args, Cat, Diff, ListFiles, Squash, size::Bytes},
    cache::Cache,
    commands::bundle::compression,
    dry_run::DryRun,
    failure::{Failure, unless_different},
    output,
    place::{Place, open_dir},
    progress::Watched,
};

pub(super) fn open(reference: &str, limits: &Limits) -> Result<(Place, Image), Failure> {
    let place = Place::open(reference, limits)?;
    let image = Image::open(&place.store, place.resolve(Want::Image, limits)?.target(), limits)?;
    Ok((place, image))
}

pub(super) fn look(args: &Args, place: &Place, image: &Image, limits: &Limits) -> Result<Look, Failure> {
    let store = Watched::new(args, &place.store, "reading layers", Some(image.size()));
    Ok(Look::indexed(&store, image, &mut Cache::of_user(), false, limits)?)
}

pub(super) fn inside(path: &str, limits: &Limits) -> Result<EntryPath, Failure> {
    EntryPath::clean(path.as_bytes(), limits).map_err(|error| Failure::usage(error.to_string()))
}

pub(super) fn files(args: &Args, wanted: &ListFiles, limits: &Limits) -> Result<(), Failure> {
    let (place, image) = open(&wanted.reference, limits)?;
    let path = inside(&wanted.path, limits)?;
    let count = image.layers().len();
    let layer = match wanted.layer {
        Some(number @ 1..) if number <= count => Some(number - 1),
        Some(_) => return Err(Failure::usage(format!("--layer: the image has layers 1 to {count}"))),
        None => None,
    };
    let look = look(args, &place, &image, limits)?;
    let found = match layer {
        Some(layer) => Files::of_layer(&look, layer, &path),
        None => Files::merged(&look, &path)?,
    };
    output::report(&found, &wanted.format)
}

pub(super) fn cat(args: &Args, wanted: &Cat, limits: &Limits) -> Result<(), Failure> {
    let (place, image) = open(&wanted.reference, limits)?;
    let path = inside(&wanted.path, limits)?;
    let store = Watched::new(args, &place.store, "reading layers", Some(image.size()));
    let look = Look::indexed(&store, &image, &mut Cache::of_user(), true, limits)?;
    output::print(|out| Ok(read_file(&place.store, &image, &look, &path, out, limits)?))
}

pub(super) fn why(args: &Args, wanted: &args::Why, limits: &Limits) -> Result<(), Failure> {
    let (place, image) = open(&wanted.reference, limits)?;
    let path = inside(&wanted.path, limits)?;
    let look = look(args, &place, &image, limits)?;
    output::report(&Why::new(&look, &image, &path)?, &wanted.format)
}

pub(super) fn diff(args: &Args, wanted: &Diff, limits: &Limits) -> Result<ExitCode, Failure> {
    let (place, image) = open(&wanted.before, limits)?;
    let store = Watched::new(args, &place.store, "reading layers", Some(image.size()));
    let before = merged(&store, &image, &OnDisk::default(), limits)?;
    let path = Path::new(&wanted.after);
    let found = if path.is_dir() && !path.join("oci-layout").exists() {
        let dir = Readable::new(open_dir(path)?);
        // A bundle knows how its files lie there.
        let is_bundle = ["ocicle.json", "umoci.json"].iter().any(|name| path.join(name).exists());
        let after = if is_bundle {
            let bundle = Bundle::open(&dir, &place.store, limits)?;
            let how = &bundle.state().on_disk;
            let disk = if how.is_plain() { before.clone() } else { merged(&store, &image, how, limits)? };
            tree_of_directory(&before, &disk, &bundle.root()?, how, limits)?
        } else {
            let support = dir.support();
            let root = Emulated::new(dir, support.effective(), Some(&before), Defaults::default());
            tree_of_directory(&before, &before, &root, &OnDisk::default(), limits)?
        };
        Compared::new(&before, &after, None, wanted.semantic)
    } else {
        let (other, second) = open(&wanted.after, limits)?;
        let store = Watched::new(args, &other.store, "reading layers", Some(second.size()));
        let after = merged(&store, &second, &OnDisk::default(), limits)?;
        Compared::new(&before, &after, Some((&image, &second)), wanted.semantic)
    };
    output::report(&found, &wanted.format)?;
    Ok(unless_different(!found.is_same()))
}

pub(super) fn find(args: &Args, wanted: &args::Find, limits: &Limits) -> Result<(), Failure> {
    let (place, image) = open(&wanted.reference, limits)?;
    let store = Watched::new(args, &place.store, "reading layers", Some(image.size()));
    let args::Find { name, larger, setuid, secret, .. } = wanted;
    let larger = larger.map(|Bytes(bytes)| bytes);
    let query = Query { name: name.clone(), larger, setuid: *setuid, secret: *secret };
    output::report(&Finds::new(&store, &image, &query, limits)?, &wanted.format)
}

pub(super) fn export(args: &Args, wanted: &args::Export, limits: &Limits) -> Result<(), Failure> {
    let (place, image) = open(&wanted.reference, limits)?;
    let store = Watched::new(args, &place.store, "exporting", Some(image.size()));
    let path = &wanted.output;
    if path.is_dir() {
        let options = Options::default();
        return unpack_onto(&store, &image, open_dir(path)?, &options, limits)
            .map_err(|failed| failed.error.into());
    }
    if path == Path::new("-") {
        if io::stdout().is_terminal() {
            return Err(Failure::usage("a tar is no text: name a file, or let another program read it"));
        }
        return output::print(|out| write_tar(&store, &image, out, limits));
    }
    output::write_file(path, |out| write_tar(&store, &image, out, limits))
}

fn write_tar<S: ocicle::store::BlobRead>(
    store: &S,
    image: &Image,
    out: &mut dyn Write,
    limits: &Limits,
) -> io::Result<()> {
    let mut tar = TarWriter::new(out);
    send_squashed(store, image, 0, &mut tar, limits)?;
    tar.finish()?;
    Ok(())
}

pub(super) fn squash(args: &Args, wanted: &Squash, limits: &Limits) -> Result<(), Failure> {
    let (place, base) = open(&wanted.reference, limits)?;
    let history = wanted.history.entry("squash")?;
    let last = base.manifest.view().layers.last().and_then(|layer| layer.media_type.layer_compression());
    let compression = compression(wanted.compress).or(last).unwrap_or(Compression::Gzip);
    let from = |image: &Image| match &wanted.from {
        Some(layer) => find_layer(image, layer).map(|(position, _)| position),
        None => Ok(0),
    };
    let store = Watched::new(args, &place.store, "squashing", None);
    if wanted.edit.dry_run {
        let scratch = DryRun(&place.store);
        squashed(&scratch, &base, from(&base)?, compression, history.as_ref(), limits)?;
        return Ok(());
    }
    let to = wanted.result.destination();
    let done = place.edit_image(&to, limits, |image| {
        squashed(&store, image, from(image)?, compression, history.as_ref(), limits)
    })?;
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)
}
