//! Bundles for overlayfs: each layer in a directory of its own, and an upper directory for what changes.
//!
//! | name | what it is |
//! |---|---|
//! | `layers/0`, `layers/1` … | the layers, the lowest first |
//! | `upper/` | what is written to the mounted file system; a repack makes a layer of it |
//! | `work/` | overlayfs's own |
//! | `rootfs/` | empty: where to mount |
//!
//! `config.json`, `ocicle.json` and `rootfs.mtree` are those of any bundle; the manifest says what is to be seen once it is mounted.

use std::io::Read as _;

use super::{LAYERS, ROOTFS, UPPER, WORK, unpack::Options};
use crate::{
    attrs::Xattrs,
    error::{Error, Result},
    fs::{AttrChange, Dir, DirPosix, Readable, mem::MemDir},
    image::{Image, layers::apply_layers_from},
    layer::{
        ChangeSink,
        on_disk::Privilege,
        overlayfs::{FromUpper, Namespace},
    },
    limits::Limits,
    name::{EntryPath, Name},
    store::BlobRead,
    tree::{
        Tree,
        diff::{Baseline, DiffOptions, DiffSummary, diff},
        merge::Merge,
        overlayfs::{OverlayfsSink, open_file},
    },
};

/// Mount options for a bundle of `layers` layers at the absolute path `bundle`: `lowerdir=…,upperdir=…,workdir=…`, as
/// mount(8) takes them after `-o`.
///
/// ```
/// use ocicle::{bundle::overlay::mount_options, layer::overlayfs::Namespace};
///
/// assert_eq!(
///     mount_options(b"/b", 2, Namespace::User),
///     b"lowerdir=/b/layers/1:/b/layers/0,upperdir=/b/upper,workdir=/b/work,userxattr"
/// );
/// ```
#[must_use]
pub fn mount_options(bundle: &[u8], layers: usize, namespace: Namespace) -> Vec<u8> {
    let mut base = Vec::with_capacity(bundle.len());
    for &byte in bundle {
        if matches!(byte, b':' | b',' | b'\\') {
            base.push(b'\\');
        }
        base.push(byte);
    }
    let mut options = b"lowerdir=".to_vec();
    for number in (0..layers.max(1)).rev() {
        options.extend_from_slice(&base);
        options.extend_from_slice(format!("/{LAYERS}/{number}").as_bytes());
        options.push(if number == 0 { b',' } else { b':' });
    }
    for (option, name, end) in [("upperdir=", UPPER, ","), ("workdir=", WORK, "")] {
        options.extend_from_slice(option.as_bytes());
        options.extend_from_slice(&base);
        options.extend_from_slice(format!("/{name}{end}").as_bytes());
    }
    if namespace == Namespace::User {
        options.extend_from_slice(b",userxattr");
    }
    options
}

/// What can be unpacked so at all.
pub(super) fn check(namespace: Namespace, privilege: Privilege) -> Result<()> {
    if namespace == Namespace::Trusted && privilege != Privilege::Full {
        let message = "only root of the machine can write the attributes of `trusted`: unpack with those of `user` (--userxattr)";
        return Err(Error::Unsupported(message.into()));
    }
    Ok(())
}

/// Unpacks the layers. Gives the merged tree, and a directory with those files of it that `config.json` is made from.
pub(super) fn fill<S: BlobRead + ?Sized, D: DirPosix>(
    store: &S,
    image: &Image,
    first: usize,
    staging: &D,
    namespace: Namespace,
    options: &Options,
    limits: &Limits,
) -> Result<(Tree, MemDir)> {
    let how = &options.on_disk;
    let (layers, upper) = (make_dir(staging, LAYERS)?, make_dir(staging, UPPER)?);
    make_dir(staging, WORK)?;
    make_dir(staging, ROOTFS)?;
    let merge =
        Merge::implying(how.implied_dir()?, OverlayfsSink::new(Readable::new(layers), namespace), limits);
    let mut merge = merge.keep_dirlinks(options.keep_dirlinks);
    apply_layers_from(store, image, first, how, &mut merge, limits)?;
    let (tree, written) = merge.finish()?;
    let layers = staging.open_dir(Name::literal(LAYERS)).map_err(Error::io("open layers"))?;
    let accounts = accounts(&Readable::new(layers), written.count(), &tree, limits)?;
    // What is mounted has the root directory of the upper one.
    let root = &tree.inode(Tree::ROOT).attrs;
    let change = AttrChange {
        owner: Some((root.uid, root.gid)),
        mode: Some(root.mode),
        xattrs: Some(&namespace.escape(&root.xattrs)),
        mtime: Some(root.mtime),
    };
    upper.set_self_attrs(&change).map_err(Error::io("set attributes of upper"))?;
    Ok((tree, accounts))
}

/// The files that say which users and groups there are.
fn accounts<D: Dir>(layers: &D, count: usize, tree: &Tree, limits: &Limits) -> Result<MemDir> {
    let mut files = Vec::new();
    for name in ["passwd", "group"] {
        let path = EntryPath::root().join(Name::literal("etc")).join(Name::literal(name));
        if let Some(file) = open_file(layers, count, tree, &path, limits)? {
            let mut content = Vec::new();
            // One byte more than there may be, so that whoever reads it can tell.
            file.take(limits.document.saturating_add(1))
                .read_to_end(&mut content)
                .map_err(Error::io(format_args!("read {path}")))?;
            files.push((path, content));
        }
    }
    MemDir::from_files(files)
}

/// Sends what was written to the mounted file system: what the upper directory stands for.
pub(super) fn changes<D: DirPosix>(
    bundle: &D,
    tree: &Tree,
    namespace: Namespace,
    masked: &[EntryPath],
    sink: &mut dyn ChangeSink,
    limits: &Limits,
) -> Result<DiffSummary> {
    let upper = bundle.open_dir(Name::literal(UPPER)).map_err(Error::io("open upper"))?;
    // Everything in it is new. The directory itself is not: it is the root, and overlayfs may have left notes on it.
    let mut nothing = Tree::new();
    let mut root = tree.inode(Tree::ROOT).attrs.clone();
    root.xattrs = namespace.escape(&root.xattrs);
    root.xattrs.extend(namespace.notes(&upper.self_xattrs().map_err(Error::io("read xattrs of upper"))?));
    nothing.inode_mut(Tree::ROOT).attrs = root;
    let options = DiffOptions { masked, limits: *limits, ..DiffOptions::default() };
    diff(Baseline::unstamped(&nothing), &upper, &options, &mut FromUpper::new(sink, namespace))
}

/// Makes a directory that inherits no access control list, and opens it.
fn make_dir<D: DirPosix>(staging: &D, name: &'static str) -> Result<D> {
    let (place, none) = (Name::literal(name), Xattrs::new());
    let made = (|| {
        staging.create_dir(place)?;
        staging.set_attrs(place, &AttrChange::default().xattrs(&none))?;
        staging.open_dir(place)
    })();
    made.map_err(Error::io(format_args!("create {name}")))
}

#[cfg(test)]
mod tests;
