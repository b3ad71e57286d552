//! An image becomes a bundle: `rootfs/`, the runtime's `config.json`, and what a repack needs to know.

use std::io::Write;

use super::{
    CONFIG, LAYERS, MTREE, ROOTFS, STAGING, STAMPS, STATE, UPPER, WORK, overlay,
    runtime::{Users, check_supported, runtime_config},
    stamps,
    state::State,
    umoci,
};
use crate::{
    attrs::{Time, Xattrs},
    digest::{Algorithm, Digest},
    error::{Error, Result},
    fs::{AttrChange, DirPosix, File as _, FilePosix as _, Support, remove_tree},
    graph::Resolution,
    hash::HashWrite,
    image::{
        Image,
        layers::{apply_layers_from, find_layer},
    },
    layer::{
        on_disk::{OnDisk, Privilege},
        overlayfs::Namespace,
    },
    limits::Limits,
    name::{Name, NameBuf},
    store::BlobRead,
    tree::{
        Tree,
        emulated::{Defaults, Emulated},
        merge::Merge,
        mtree::{self, Dialect},
        rootfs::{RootfsSink, Stamp},
    },
};

/// How to unpack.
#[derive(Debug, Clone, Default)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Options {
    /// How entries lie on the disk. A repack undoes it.
    pub on_disk: OnDisk,
    /// Who shall be able to repack it.
    pub format: Format,
    /// The host has a file `/etc/resolv.conf`, for containers that share its network.
    pub resolv_conf: bool,
    /// See [`Merge::keep_dirlinks`].
    pub keep_dirlinks: bool,
    /// The lowest layer to unpack; those below it are left out. `None`: all.
    pub start_from: Option<Digest>,
}

/// How a bundle is laid out, what it remembers, and in whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// Ours: a repack need not read what has not changed.
    #[default]
    Native,
    /// umoci's, which both read.
    Umoci,
    /// A directory for each layer, for overlayfs to mount, with its marks in this namespace; see [`super::overlay`].
    Overlay(Namespace),
}

/// What was unpacked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unpacked {
    /// All files, as they lie on the disk.
    pub tree: Tree,
    /// How many layers they are from.
    pub layers: usize,
    /// Whether `config.json` starts the image's user. If not, the layer that names the user was left out, and it starts root.
    pub user_known: bool,
}

/// Unpacks an image into a bundle directory, which may hold other things but nothing a bundle has.
///
/// Everything is made in a staging directory inside the bundle and moved into place at the end. A failure leaves the
/// bundle as it was.
///
/// # Errors
/// [`Error::Exists`] if the bundle has one already; [`Error::NotFound`] if the image has no such layer to start from; [`Error::Unsupported`] for an image that is not for Linux;
/// [`Error::Mismatch`] for a layer that is not what its digest, size or diff_id promise; [`Error::Layer`] for one that must
/// not be applied; [`Error::Io`].
pub fn unpack<S: BlobRead + ?Sized, D: DirPosix>(
    store: &S,
    image: &Image,
    resolution: &Resolution,
    bundle: &D,
    options: &Options,
    limits: &Limits,
) -> Result<Unpacked> {
    check_supported(image.config.view())?;
    let first = first_layer(image, options)?;
    let support = bundle.support();
    if support.mode {
        check_support(&support, options.on_disk.privilege)?;
    } else if options.format != Format::Native {
        let message =
            "here the bundle cannot hold owners and modes, and only its native format can do without";
        return Err(Error::Unsupported(message.into()));
    }
    if let Format::Overlay(namespace) = options.format {
        overlay::check(namespace, options.on_disk.privilege)?;
    }
    for name in [ROOTFS, LAYERS, UPPER, WORK, CONFIG, MTREE, STAMPS, STATE, umoci::FILE] {
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
    let result =
        fill(store, image, first, resolution, bundle, options, limits).and_then(|(unpacked, names)| {
            let staged = bundle.open_dir(staging).map_err(Error::io(format_args!("open {STAGING}")))?;
            for name in names {
                let place = name.as_name();
                staged
                    .rename(place, bundle, place)
                    .map_err(Error::io(format_args!("move {place} into the bundle")))?;
                moved.push(name);
            }
            Ok(unpacked)
        });
    if result.is_err() {
        for name in moved {
            let _ = remove_tree(bundle, name.as_name()); // the first error is the one to tell
        }
    }
    let removed = remove_tree(bundle, staging).map_err(Error::io(format_args!("remove {STAGING}")));
    let unpacked = result?;
    removed?;
    Ok(unpacked)
}

/// How many of the lowest layers are left out.
pub(super) fn first_layer(image: &Image, options: &Options) -> Result<usize> {
    match &options.start_from {
        Some(layer) => find_layer(image, layer.as_str()).map(|(position, _)| position),
        None => Ok(0),
    }
}

pub(super) fn check_support(support: &Support, privilege: Privilege) -> Result<()> {
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
        "this directory cannot hold {what} as the image has them: do it as root, or rootless, on a file system that holds them; \
         elsewhere a bundle of the native format keeps them in its manifest, and a tar archive holds them"
    )))
}

fn fill<S: BlobRead + ?Sized, D: DirPosix>(
    store: &S,
    image: &Image,
    first: usize,
    resolution: &Resolution,
    bundle: &D,
    options: &Options,
    limits: &Limits,
) -> Result<(Unpacked, Vec<NameBuf>)> {
    let how = &options.on_disk;
    let mut state = State::new(resolution.clone(), how.clone());
    let staging =
        bundle.open_dir(Name::literal(STAGING)).map_err(Error::io(format_args!("open {STAGING}")))?;
    let configure = |root: &D| {
        let users = if first == 0 { Users::In(root) } else { Users::Perhaps(root) };
        runtime_config(image.config.view(), &users, ROOTFS, how, options.resolv_conf, limits)
    };
    let open_root = || staging.open_dir(Name::literal(ROOTFS)).map_err(Error::io("open rootfs"));
    let (tree, config, memory) = match options.format {
        Format::Native => {
            let held = bundle.support().effective();
            let (tree, stamps) = fill_rootfs(store, image, first, &staging, held, options, limits)?;
            state.held = (held != Support::ALL).then_some(held);
            let memory = remember(&staging, &tree, Some(&stamps), state, None)?;
            (tree, configure(&open_root()?)?, memory)
        }
        Format::Umoci => {
            let (tree, _) = fill_rootfs(store, image, first, &staging, Support::ALL, options, limits)?;
            let root = open_root()?;
            let memory = remember_for_umoci(&staging, resolution, &tree, &root, how)?;
            (tree, configure(&root)?, memory)
        }
        Format::Overlay(namespace) => {
            let (tree, accounts) = overlay::fill(store, image, first, &staging, namespace, options, limits)?;
            let users = if first == 0 { Users::In(&accounts) } else { Users::Perhaps(&accounts) };
            let spec = image.config.view();
            let config = runtime_config(spec, &users, ROOTFS, how, options.resolv_conf, limits)?;
            let mut memory: Vec<_> = [LAYERS, UPPER, WORK].map(|name| Name::literal(name).into()).into();
            state.overlay = Some(namespace);
            memory.extend(remember(&staging, &tree, None, state, None)?);
            (tree, config, memory)
        }
    };
    write_all(&staging, Name::literal(CONFIG), &config.text)?;
    let names = [ROOTFS, CONFIG].map(|name| Name::literal(name).into()).into_iter().chain(memory).collect();
    let layers = image.layers().len() - first;
    Ok((Unpacked { tree, layers, user_known: config.user_known }, names))
}

fn fill_rootfs<S: BlobRead + ?Sized, D: DirPosix>(
    store: &S,
    image: &Image,
    first: usize,
    staging: &D,
    held: Support,
    options: &Options,
    limits: &Limits,
) -> Result<(Tree, Vec<Stamp>)> {
    let how = &options.on_disk;
    let rootfs = Name::literal(ROOTFS);
    staging.create_dir(rootfs).map_err(Error::io("create rootfs"))?;
    // A default access control list, inherited from where the bundle is, would go on to every file.
    let none = Xattrs::new();
    let none = AttrChange::default().xattrs(&none);
    staging.set_attrs(rootfs, &none).map_err(Error::io("clear the attributes of rootfs"))?;
    let root = staging.open_dir(rootfs).map_err(Error::io("open rootfs"))?;
    let root = Emulated::new(root, held, None, Defaults::default());
    let merge = Merge::implying(how.implied_dir()?, RootfsSink::new(root), limits);
    let mut merge = merge.keep_dirlinks(options.keep_dirlinks);
    apply_layers_from(store, image, first, how, &mut merge, limits)?;
    let (tree, mirror) = merge.finish()?;
    Ok((tree, mirror.into_stamps()))
}

/// Writes what a repack needs to know; gives the names of the files, the one that makes it a bundle last. Of the state, digest and
/// time are filled in. For overlayfs there are no stamps. Without a time, stamps are proof that are older than their file.
pub(super) fn remember<D: DirPosix>(
    dir: &D,
    tree: &Tree,
    stamps: Option<&[Stamp]>,
    mut state: State,
    settled: Option<Time>,
) -> Result<Vec<NameBuf>> {
    let [manifest, times, last] = [MTREE, STAMPS, STATE].map(Name::literal);
    let mut written = write_file(dir, manifest, |out| {
        let mut hashed = HashWrite::new(out, Algorithm::Sha256);
        mtree::write(tree, Dialect::Native, &mut hashed)?;
        state.mtree = hashed.finish().1;
        Ok(())
    })?;
    let mut names: Vec<NameBuf> = vec![manifest.into()];
    if let Some(stamps) = stamps {
        written = write_file(dir, times, |out| stamps::write(tree, stamps, out))?;
        names.push(times.into());
    }
    state.settle(settled.unwrap_or(written));
    write_all(dir, last, &state.to_json()?)?;
    names.push(last.into());
    Ok(names)
}

/// The same for umoci.
pub(super) fn remember_for_umoci<D: DirPosix>(
    dir: &D,
    resolution: &Resolution,
    tree: &Tree,
    root: &D,
    how: &OnDisk,
) -> Result<Vec<NameBuf>> {
    let manifest = umoci::manifest_name(resolution.target())?;
    write_file(dir, manifest.as_name(), |out| mtree::write_for_umoci(tree, root, out))?;
    let meta = Name::literal(umoci::FILE);
    write_all(dir, meta, &umoci::Meta::new(resolution, how).to_json()?)?;
    Ok(vec![manifest, meta.into()])
}

fn write_all<D: DirPosix>(dir: &D, name: Name<'_>, bytes: &[u8]) -> Result<()> {
    write_file(dir, name, |out| out.write_all(bytes).map_err(Error::io(format_args!("write {name}"))))
        .map(drop)
}

/// Writes a file and gives its ctime: the time on the file system's own clock.
fn write_file<D: DirPosix>(
    dir: &D,
    name: Name<'_>,
    fill: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<Time> {
    let file = dir.create_file(name).map_err(Error::io(format_args!("create {name}")))?;
    let mut out = std::io::BufWriter::with_capacity(64 << 10, file);
    fill(&mut out)?;
    let file =
        out.into_inner().map_err(|error| Error::io(format_args!("write {name}"))(error.into_error()))?;
    if dir.support().mode {
        file.set_attrs(&AttrChange::default().mode(0o644))
            .map_err(Error::io(format_args!("set mode of {name}")))?;
    }
    file.metadata().map(|metadata| metadata.ctime).map_err(Error::io(format_args!("stat {name}")))
}
