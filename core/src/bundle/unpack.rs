//! An image becomes a bundle: `rootfs/`, the runtime's `config.json`, and what a repack needs to know.

use std::io::Write;

use super::{CONFIG, MTREE, ROOTFS, STAGING, STAMPS, STATE, runtime, stamps, state::State};
use crate::{
    attrs::{Time, Xattrs},
    digest::Algorithm,
    error::{Error, Result},
    fs::{AttrChange, Dir, File as _, Support, remove_tree},
    graph::Resolution,
    hash::{HashWrite, digest_of},
    image::{Image, layers::apply_layers},
    layer::on_disk::{OnDisk, Privilege},
    limits::Limits,
    name::Name,
    store::BlobRead,
    tree::{
        Tree,
        merge::Merge,
        mtree::{self, Dialect},
        rootfs::RootFs,
    },
};

/// How to unpack.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Options {
    /// How entries lie on the disk. A repack undoes it.
    pub on_disk: OnDisk,
    /// The host has a file `/etc/resolv.conf`, for containers that share its network.
    pub resolv_conf: bool,
}

/// Unpacks an image into a bundle directory, which may hold other things but nothing a bundle has.
///
/// Everything is made in a staging directory inside the bundle and moved into place at the end. A failure leaves the
/// bundle as it was.
///
/// # Errors
/// [`Error::Exists`] if the bundle has one already; [`Error::Unsupported`] for an image that is not for Linux;
/// [`Error::Mismatch`] for a layer that is not what its digest, size or diff_id promise; [`Error::Layer`] for one that must
/// not be applied; [`Error::Io`].
pub fn unpack<S: BlobRead + ?Sized, D: Dir>(
    store: &S,
    image: &Image,
    resolution: &Resolution,
    bundle: &D,
    options: &Options,
    limits: &Limits,
) -> Result<Tree> {
    runtime::check_supported(image.config.view())?;
    check_support(&bundle.support(), options.on_disk.privilege)?;
    for name in [ROOTFS, CONFIG, MTREE, STAMPS, STATE] {
        match bundle.metadata(Name::literal(name)) {
            Ok(_) => return Err(Error::Exists(format!("{name} of a bundle"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(format_args!("stat {name}"))(error)),
        }
    }
    let staging = Name::literal(STAGING);
    bundle.create_dir(staging).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::Exists(format!(
            "{STAGING} in the bundle: another unpack is at work; if none is, one was killed: remove it and try again. It"
        )),
        _ => Error::io(format_args!("create {STAGING}"))(error),
    })?;
    let mut moved = Vec::new();
    let result = fill(store, image, resolution, bundle, options, limits).and_then(|tree| {
        let staged = bundle.open_dir(staging).map_err(Error::io(format_args!("open {STAGING}")))?;
        for name in [ROOTFS, CONFIG, MTREE, STAMPS, STATE] {
            let place = Name::literal(name);
            staged
                .rename(place, bundle, place)
                .map_err(Error::io(format_args!("move {name} into the bundle")))?;
            moved.push(place);
        }
        Ok(tree)
    });
    if result.is_err() {
        for name in moved {
            let _ = remove_tree(bundle, name); // the first error is the one to tell
        }
    }
    let removed = remove_tree(bundle, staging).map_err(Error::io(format_args!("remove {STAGING}")));
    let tree = result?;
    removed?;
    Ok(tree)
}

fn check_support(support: &Support, privilege: Privilege) -> Result<()> {
    let able = match privilege {
        Privilege::Full => support.owner && support.devices,
        Privilege::Namespace => support.owner,
        Privilege::None => true,
    };
    if able && support.mode && support.xattrs {
        return Ok(());
    }
    let what = match privilege {
        Privilege::None => "modes and extended attributes",
        _ => "owners, modes, extended attributes and devices",
    };
    Err(Error::Unsupported(format!(
        "the bundle cannot hold {what} as the image has them: unpack as root, or rootless, on a file system that holds them"
    )))
}

fn fill<S: BlobRead + ?Sized, D: Dir>(
    store: &S,
    image: &Image,
    resolution: &Resolution,
    bundle: &D,
    options: &Options,
    limits: &Limits,
) -> Result<Tree> {
    let how = &options.on_disk;
    let staging =
        bundle.open_dir(Name::literal(STAGING)).map_err(Error::io(format_args!("open {STAGING}")))?;
    let rootfs = Name::literal(ROOTFS);
    staging.create_dir(rootfs).map_err(Error::io("create rootfs"))?;
    // A default access control list, inherited from where the bundle is, would go on to every file.
    let none = AttrChange { xattrs: Some(&Xattrs::new()), ..AttrChange::default() };
    staging.set_attrs(rootfs, &none).map_err(Error::io("clear the attributes of rootfs"))?;
    let root = staging.open_dir(rootfs).map_err(Error::io("open rootfs"))?;
    let mut merge = Merge::implying(how.implied_dir()?, RootFs::new(root), limits);
    apply_layers(store, image, how, &mut merge, limits)?;
    let (tree, mirror) = merge.finish()?;
    let stamps = mirror.into_stamps();

    let root = staging.open_dir(rootfs).map_err(Error::io("open rootfs"))?;
    let config = runtime::runtime_config(image.config.view(), &root, how, options.resolv_conf, limits)?;
    write_file(&staging, CONFIG, |out| {
        out.write_all(&config).map_err(Error::io(format_args!("write {CONFIG}")))
    })?;
    let mut mtree_digest = None;
    write_file(&staging, MTREE, |out| {
        let mut hashed = HashWrite::new(out, Algorithm::Sha256);
        mtree::write(&tree, Dialect::Native, &mut hashed)?;
        mtree_digest = Some(hashed.finish().1);
        Ok(())
    })?;
    let settled = write_file(&staging, STAMPS, |out| stamps::write(&tree, &stamps, out))?;
    let mtree_digest = mtree_digest.unwrap_or_else(|| digest_of(Algorithm::Sha256, b""));
    let state = State::new(resolution.clone(), mtree_digest, settled, how.clone()).to_json()?;
    write_file(&staging, STATE, |out| {
        out.write_all(&state).map_err(Error::io(format_args!("write {STATE}")))
    })?;
    Ok(tree)
}

/// Writes a file and gives its ctime: the time on the file system's own clock.
fn write_file<D: Dir>(
    dir: &D,
    name: &'static str,
    fill: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<Time> {
    let file = dir.create_file(Name::literal(name)).map_err(Error::io(format_args!("create {name}")))?;
    let mut out = std::io::BufWriter::with_capacity(64 << 10, file);
    fill(&mut out)?;
    let file =
        out.into_inner().map_err(|error| Error::io(format_args!("write {name}"))(error.into_error()))?;
    file.set_attrs(&AttrChange { mode: Some(0o644), ..AttrChange::default() })
        .map_err(Error::io(format_args!("set mode of {name}")))?;
    file.metadata().map(|metadata| metadata.ctime).map_err(Error::io(format_args!("stat {name}")))
}
