//! Unpacking an image into a bundle.

use std::io::ErrorKind;

use super::{
    files::{self, CONFIG, Staging},
    layers::Layers,
    options::{RuntimeOptions, UnpackOptions},
    record::{Record, Source},
    runtime::{Volumes, check_supported, runtime_config},
};
use crate::{
    error::{Error, Result},
    fs::{DirPosix, remove_tree},
    graph::Resolution,
    image::Image,
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
    store::{BlobRead, Repository},
    tree::Tree,
};

/// The directory in which a bundle is made before it is moved into place.
pub(super) const STAGING: &str = ".ocicle-unpack";

/// The outcome of an unpack.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unpacked {
    /// All files, as they are on the disk.
    pub tree: Tree,
    /// The number of layers.
    pub layers: usize,
    /// Whether `config.json` starts the image's user. If not, the layer with the user was left out, and it
    /// starts root.
    pub user_known: bool,
    /// The volumes that `config.json` does not mount, because something other than a directory is there.
    pub unmounted: Vec<EntryPath>,
}

/// Unpacks an image, found at `at`, into a bundle directory, which may hold other files but no part of a
/// bundle.
///
/// Everything is made in a staging directory inside the bundle and moved into place at the end. A failure
/// leaves the bundle as it was; what an interrupted call left is removed by the next one.
///
/// # Errors
/// [`Error::Exists`] if the directory has a bundle, or another process is unpacking there;
/// [`Error::NotFound`] if the image does not have the layer to start from; [`Error::Unsupported`] for an
/// image that is not for Linux, or a directory that cannot hold it; [`Error::Misuse`] if `at` leads to
/// another image; [`Error::Mismatch`] for a layer that does not match its digest, size or diff_id;
/// [`Error::Layer`] for one that must not be applied; [`Error::Io`].
pub fn unpack<S: BlobRead, D: DirPosix>(
    repository: &Repository<S>,
    image: &Image,
    at: &Resolution,
    bundle: &D,
    options: &UnpackOptions,
) -> Result<Unpacked> {
    check_image(image, at)?;
    check_supported(image.config.view())?;
    let layers = Layers::new(repository, image, &options.extract)?;
    options.format.check(&bundle.support(), options.extract.on_disk.privilege)?;
    if !exists(bundle, Name::literal(STAGING))? {
        files::check_absent(bundle)?; // before anything is written
    }
    let staging = Staging::claim(bundle, STAGING, |left| undo_moves(bundle, left))?;
    files::check_absent(bundle)?;
    let (unpacked, names) = fill(&layers, image, at, &staging.dir, options)?;
    move_all(bundle, &staging.dir, &names)?;
    staging.remove()?;
    Ok(unpacked)
}

/// Refuses a resolution that leads to another image.
pub(super) fn check_image(image: &Image, at: &Resolution) -> Result<()> {
    let (image, target) = (&image.descriptor.digest, &at.target().digest);
    match image == target {
        true => Ok(()),
        false => Err(Error::Misuse(format!("the image is {image}, but the resolution leads to {target}"))),
    }
}

/// Writes the bundle in `dir`. Returns the names of its entries, the one that makes it a bundle last.
fn fill<S: BlobRead, D: DirPosix>(
    layers: &Layers<'_, S>,
    image: &Image,
    at: &Resolution,
    dir: &D,
    options: &UnpackOptions,
) -> Result<(Unpacked, Vec<NameBuf>)> {
    let UnpackOptions { format, extract, resolv_conf } = options;
    let laid = format.lay_out(layers, dir)?;
    let record = Record {
        source: Source::Resolution(at.clone()),
        on_disk: extract.on_disk.clone(),
        held: laid.held,
        tree: laid.tree,
        stamps: laid.stamps,
        settled: None,
    };
    let files = format.write_record(&record, dir, dir)?;
    let users = if layers.are_all() { laid.users } else { laid.users.partial() };
    let runtime = RuntimeOptions::default().on_disk(extract.on_disk.clone()).resolv_conf(*resolv_conf);
    let config = image.config.view();
    let volumes = Volumes::in_tree(config, &record.tree, &extract.on_disk, layers.limits())?;
    let config = runtime_config(config, &users, &volumes, &runtime)?;
    let name = Name::literal(CONFIG);
    files::write_all(dir, name, &config.text)?;
    let names = laid.dirs.into_iter().chain([name.into()]).chain(files).collect();
    let (user_known, unmounted) = (config.user_known, config.unmounted);
    let unpacked = Unpacked { tree: record.tree, layers: layers.count(), user_known, unmounted };
    Ok((unpacked, names))
}

/// The names that are moved into the bundle, one per line, in a file of the staging directory.
const MOVING: &str = "moving";

/// Moves everything into the bundle, or nothing.
fn move_all<D: DirPosix>(bundle: &D, from: &D, names: &[NameBuf]) -> Result<()> {
    let lines: Vec<&[u8]> = names.iter().map(|name| name.as_name().as_bytes()).collect();
    let (writing, moving) = (Name::literal("moving-names"), Name::literal(MOVING));
    files::write_all(from, writing, &lines.join(&b'\n'))?;
    from.rename(writing, from, moving).map_err(Error::io(format_args!("rename {STAGING}/{writing}")))?;
    for name in names {
        files::move_into(bundle, from, name).inspect_err(|_| {
            let _ = undo_moves(bundle, from); // the first error is the one to report
        })?;
    }
    Ok(())
}

/// Removes what was moved into the bundle, unless that was everything.
fn undo_moves<D: DirPosix>(bundle: &D, from: &D) -> Result<()> {
    let file = match from.open_file(Name::literal(MOVING)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(Error::io(format_args!("open {STAGING}/{MOVING}")))?,
    };
    let lines = files::read(file, MOVING, &Limits::default())?;
    let names = lines.split(|byte| *byte == b'\n').map(Name::new).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|error| Error::document(MOVING, error.to_string()))?;
    let Some(last) = names.last() else { return Ok(()) };
    if !exists(from, *last)? {
        return Ok(());
    }
    for name in names {
        if !exists(from, name)? && exists(bundle, name)? {
            remove_tree(bundle, name).map_err(Error::io(format_args!("remove {name}")))?;
        }
    }
    from.remove_file(Name::literal(MOVING)).map_err(Error::io(format_args!("remove {STAGING}/{MOVING}")))
}

fn exists<D: DirPosix>(dir: &D, name: Name<'_>) -> Result<bool> {
    match dir.metadata(name) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(format_args!("stat {name}"))(error)),
    }
}
