//! `insert`.

use std::{io, path::Path};

use ocicle::{
    Error,
    fs::{Dir as _, Readable},
    graph::resolve::Want,
    image::{Image, edit::append_layer, insert::send_directory},
    layer::{Change, ChangeSink, clamp::Clamp, on_disk::FromDisk, writer::LayerWriter},
    limits::Limits,
    name::{EntryPath, Name},
    spec::media_type::Compression,
    tree::{
        diff::send_entry,
        emulated::{Defaults, Emulated},
    },
};

use crate::{
    args::{Args, Insert},
    clock,
    commands::bundle::{Lines, compression},
    failure::Failure,
    output,
    owners::on_disk,
    place::{Place, SystemDir, open_dir},
    progress::Watched,
};

pub(super) fn insert(args: &Args, insert: &Insert, limits: &Limits) -> Result<(), Failure> {
    let place = Place::open(&insert.reference, limits)?;
    let at = place.resolve(Want::Image, limits)?;
    let base = Image::open(&place.store, at.target(), limits)?;
    if insert.edit.dry_run {
        let mut lines = Lines::default();
        send(insert, &mut lines, limits)?;
        return lines.print();
    }
    let history = insert.history.entry("insert")?;
    let last = base.manifest.view().layers.last().and_then(|layer| layer.media_type.layer_compression());
    let compression = compression(insert.compress).or(last).unwrap_or(Compression::Gzip);
    let store = Watched::new(args, &place.store, "inserting", None);
    let mut writer = LayerWriter::new(&store, compression)?;
    match clock::source_date()? {
        Some(latest) => send(insert, &mut Clamp { sink: &mut writer, latest }, limits)?,
        None => send(insert, &mut writer, limits)?,
    }
    let layer = writer.finish()?;
    let to = insert.result.destination();
    let done = place.edit_image(&to, limits, |image| {
        append_layer(&place.store, image, &layer, compression, history.as_ref())
    })?;
    output::replaced(args, &done.resolution.target().digest, &done.referrers, &to)
}

fn send(insert: &Insert, sink: &mut dyn ChangeSink, limits: &Limits) -> Result<(), Failure> {
    let how = on_disk(&insert.owners)?;
    let defaults = insert.defaults.get();
    let sink = &mut FromDisk { sink, how: &how };
    if let Some(path) = &insert.whiteout {
        return Ok(sink.put(&Change::Remove(inside(path, limits)?), &mut io::empty())?);
    }
    let (Some(source), Some(target)) = (&insert.source, &insert.target) else {
        return Err(Failure::usage("insert needs a source and a target"));
    };
    let target = inside(target, limits)?;
    let failed = |error: io::Error| Failure::failed(format!("{}: {error}", source.display()));
    let of_source = |error: Error| match error {
        Error::Io { doing, source: error } => {
            Error::Io { doing: format!("{}: {doing}", source.display()), source: error }
        }
        other => other,
    };
    if std::fs::symlink_metadata(source).map_err(failed)?.is_dir() {
        let found = send_directory(&seeing(source, defaults)?, &target, insert.opaque, sink, limits)
            .map_err(of_source)?;
        for path in &found.sockets {
            eprintln!(
                "warning: {}: a socket: no layer can hold one, it is left out",
                source.join(path.to_string()).display()
            );
        }
        return Ok(());
    }
    if insert.opaque {
        return Err(Failure::usage(format!(
            "--opaque is about directories, and {} is none",
            source.display()
        )));
    }
    if target.is_root() {
        return Err(Failure::usage("the root of an image can only be a directory"));
    }
    let parent = source.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name =
        source.file_name().ok_or_else(|| Failure::usage(format!("{} has no name", source.display())))?;
    let name = Name::new(name.as_encoded_bytes())
        .map_err(|error| Failure::usage(format!("{}: {error}", source.display())))?;
    Ok(send_entry(&seeing(parent, defaults)?, name, &target, limits, sink).map_err(of_source)?)
}

/// A directory as a layer would have it, also where owners and modes cannot be seen.
fn seeing(path: &Path, defaults: Defaults) -> Result<Emulated<'static, Readable<SystemDir>>, Failure> {
    let dir = Readable::new(open_dir(path)?);
    let support = dir.support();
    Ok(Emulated::new(dir, support.effective(), None, defaults))
}

/// A path of the image: absolute or not, it is meant from the root.
fn inside(path: &str, limits: &Limits) -> Result<EntryPath, Failure> {
    EntryPath::clean(path.as_bytes(), limits).map_err(|error| Failure::usage(error.to_string()))
}
