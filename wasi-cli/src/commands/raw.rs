//! `raw add-layer`, `raw unpack`, `raw runtime-config`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use ocicle::{
    bundle::{
        onto::unpack_onto,
        runtime::{Users, runtime_config},
        unpack::Options,
    },
    fs::Readable,
    graph::resolve::Want,
    image::{Image, edit::append_layer},
    layer::import::{Recompress, import_layer},
    limits::Limits,
    spec::media_type::Compression,
};

use crate::{
    args::{AddLayer, Args, Raw, RawUnpack, RuntimeConfig},
    commands::bundle::{Lines, compression, warn_of_root},
    dry_run::DryRun,
    failure::Failure,
    output,
    owners::on_disk,
    place::{Place, make_dir, open_dir},
    progress::Watched,
};

pub(super) fn run(args: &Args, step: &Raw, limits: &Limits) -> Result<(), Failure> {
    match step {
        Raw::AddLayer(add) => add_layer(args, add, limits),
        Raw::Unpack(unpack) => unpack_layers(args, unpack, limits),
        Raw::RuntimeConfig(config) => write_config(args, config, limits),
    }
}

fn unpack_layers(args: &Args, unpack: &RawUnpack, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&unpack.reference, limits)?;
    let image = Image::open(&place.store, place.resolve(Want::Image, limits)?.target(), limits)?;
    let options = Options {
        on_disk: on_disk(&unpack.owners)?,
        keep_dirlinks: unpack.layers.keep_dirlinks,
        start_from: unpack.layers.start_from(&image)?,
        ..Options::default()
    };
    let (dir, made) = make_dir(&unpack.directory, true)?;
    let store = Watched::new(args, &place.store, "unpacking", Some(image.size()));
    unpack_onto(&store, &image, dir, &options, limits).map_err(|failed| {
        if made {
            let _ = std::fs::remove_dir(&unpack.directory); // the first error is the one to tell
        }
        let left = failed.left;
        let failure = Failure::from(failed.error);
        let note = format!("; what had been unpacked by then is in {} now", unpack.directory.display());
        if left { failure.and(&note) } else { failure }
    })?;
    if args.verbose > 0 {
        eprintln!("unpacked {} into {}", image.descriptor.digest, unpack.directory.display());
    }
    Ok(())
}

fn write_config(args: &Args, wanted: &RuntimeConfig, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&wanted.reference, limits)?;
    let image = Image::open(&place.store, place.resolve(Want::Image, limits)?.target(), limits)?;
    let dir = wanted.rootfs.as_deref().map(open_dir).transpose()?.map(Readable::new);
    let users = dir.as_ref().map_or(Users::Nowhere, Users::In);
    let root = match wanted.rootfs.as_deref().map(Path::file_name) {
        None => "rootfs".into(),
        Some(None) => ".".into(),
        Some(Some(name)) => name.to_string_lossy(),
    };
    let resolv_conf = Path::new("/etc/resolv.conf").exists();
    let how = on_disk(&wanted.owners)?;
    let made = runtime_config(image.config.view(), &users, &root, &how, resolv_conf, limits)?;
    if !made.user_known {
        warn_of_root(args, &image);
    }
    if wanted.file.as_os_str() == "-" {
        return output::print(|out| out.write_all(&made.text));
    }
    output::write_file(&wanted.file, |out| out.write_all(&made.text))
}

fn add_layer(args: &Args, add: &AddLayer, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&add.reference, limits)?;
    let at = place.resolve(Want::Image, limits)?;
    let base = Image::open(&place.store, at.target(), limits)?;
    let history = add.history.entry("raw add-layer")?;
    let last = base.manifest.view().layers.last().and_then(|layer| layer.media_type.layer_compression());
    let how = match compression(add.compress) {
        Some(wanted) => Recompress::As(wanted),
        None => {
            Recompress::IfPlain(last.filter(|last| *last != Compression::None).unwrap_or(Compression::Gzip))
        }
    };
    let what = add.archive.display().to_string();
    let (mut file, mut input);
    let (archive, what): (&mut dyn Read, &str) = if what == "-" {
        input = io::stdin().lock();
        (&mut input, "standard input")
    } else {
        file = File::open(&add.archive).map_err(|error| Failure::failed(format!("open {what}: {error}")))?;
        (&mut file, &what)
    };
    if add.edit.dry_run {
        let mut lines = Lines::default();
        import_layer(&DryRun(&place.store), archive, what, how, &mut lines, limits)?;
        return lines.print();
    }
    let store = Watched::new(args, &place.store, "storing", None);
    let (layer, compression) = import_layer(&store, archive, what, how, &mut (), limits)?;
    let to = add.result.destination();
    let done = place.edit_image(&to, limits, |image| {
        append_layer(&place.store, image, &layer, compression, history.as_ref())
    })?;
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)
}
