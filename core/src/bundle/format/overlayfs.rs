//! A directory for each layer, and an upper directory for what changes; see [`crate::bundle`].

use std::io::Read;

use super::{
    super::{
        files::{LAYERS, ROOTFS, UPPER, WORK, create_dir, open_dir},
        layers::Layers,
        options::CompareOptions,
        record::Recorded,
        runtime::Users,
    },
    Laid,
};
use crate::{
    error::{Error, Result},
    fs::{AttrChange, DirPosix, Readable, Support},
    layer::{
        Change, ChangeSink,
        on_disk::Privilege,
        overlayfs::{FromUpper, Namespace},
    },
    name::Name,
    store::BlobRead,
    tree::{
        Tree,
        diff::{Baseline, DiffOptions, DiffSummary, diff},
        overlayfs::{OverlayfsSink, open_file},
        seen::keep_system_xattrs,
    },
};

/// The bytes of mount options that the kernel takes: a page, less its end (mount(2)).
pub const MOUNT_OPTIONS_MAX: usize = 4095;

/// Returns the mount options for a bundle of `layers` layers at the path `bundle`, as mount(8) takes them
/// after `-o`: `lowerdir=…,upperdir=…,workdir=…`. With an empty path they are for a mount from inside the
/// bundle.
///
/// The kernel takes [`MOUNT_OPTIONS_MAX`] bytes.
///
/// ```
/// use ocicle::{bundle::mount_options, layer::overlayfs::Namespace};
///
/// assert_eq!(
///     mount_options(b"/b", 2, Namespace::User),
///     b"lowerdir=/b/layers/1:/b/layers/0,upperdir=/b/upper,workdir=/b/work,userxattr"
/// );
/// assert_eq!(
///     mount_options(b"", 1, Namespace::Trusted),
///     b"lowerdir=layers/0,upperdir=upper,workdir=work"
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
    if !base.is_empty() {
        base.push(b'/');
    }
    let mut options = b"lowerdir=".to_vec();
    for number in (0..layers.max(1)).rev() {
        options.extend_from_slice(&base);
        options.extend_from_slice(format!("{LAYERS}/{number}").as_bytes());
        options.push(if number == 0 { b',' } else { b':' });
    }
    for (option, name, end) in [("upperdir=", UPPER, ","), ("workdir=", WORK, "")] {
        options.extend_from_slice(option.as_bytes());
        options.extend_from_slice(&base);
        options.extend_from_slice(format!("{name}{end}").as_bytes());
    }
    if namespace == Namespace::User {
        options.extend_from_slice(b",userxattr");
    }
    options
}

/// Refuses a namespace that may not be written to.
pub(super) fn check(namespace: Namespace, privilege: Privilege) -> Result<()> {
    if namespace == Namespace::Trusted && privilege != Privilege::Full {
        let message = "only root of the machine can write `trusted` attributes\n\
                       hint: use those of `user` (--userxattr)";
        return Err(Error::Unsupported(message.into()));
    }
    Ok(())
}

/// Unpacks each layer into a directory of its own.
pub(super) fn lay_out<S, D>(layers: &Layers<'_, S>, dir: &D, namespace: Namespace) -> Result<Laid>
where
    S: BlobRead,
    D: DirPosix,
{
    let (lower, upper) = (create_dir(dir, LAYERS)?, create_dir(dir, UPPER)?);
    create_dir(dir, WORK)?;
    create_dir(dir, ROOTFS)?;
    let (tree, written) = layers.merge(OverlayfsSink::new(Readable::new(lower), namespace))?;
    let lower = Readable::new(open_dir(dir, LAYERS)?);
    let users = Users::open(layers.limits(), |path| {
        open_file(&lower, written.count(), &tree, path, layers.limits())
    })?;
    // The root of what is mounted is the upper directory.
    let root = &tree.inode(Tree::ROOT).attrs;
    let change = AttrChange {
        owner: Some((root.uid, root.gid)),
        mode: Some(root.mode),
        xattrs: Some(&namespace.escape(&root.xattrs)),
        mtime: Some(root.mtime),
    };
    upper.set_self_attrs(&change).map_err(Error::io("set attributes of upper"))?;
    let dirs = [ROOTFS, LAYERS, UPPER, WORK].map(|name| Name::literal(name).into()).into();
    Ok(Laid { tree, stamps: Vec::new(), held: Support::ALL, users, dirs })
}

/// Sends what was written to the mounted file system: the changes that the upper directory represents.
pub(super) fn changes<D: DirPosix>(
    bundle: &Recorded<'_, D>,
    namespace: Namespace,
    options: &CompareOptions,
    sink: &mut dyn ChangeSink,
) -> Result<DiffSummary> {
    if !bundle.dir.support().mode {
        let message = "overlayfs's marks are not visible here\nhint: repack the bundle where they are";
        return Err(Error::Unsupported(message.into()));
    }
    let upper = open_dir(bundle.dir, UPPER)?;
    // Everything in it is new. The directory itself is not: it is the root, and overlayfs may have left notes
    // on it.
    let mut nothing = Tree::new();
    let mut root = bundle.record.tree.inode(Tree::ROOT).attrs.clone();
    root.xattrs = namespace.escape(&root.xattrs);
    root.xattrs.extend(namespace.notes(&upper.self_xattrs().map_err(Error::io("read xattrs of upper"))?));
    nothing.inode_mut(Tree::ROOT).attrs = root;
    let masked = bundle.masked(&upper, options);
    let options = DiffOptions { masked: &masked, limits: *bundle.limits, ..DiffOptions::default() };
    let sink = &mut Completed { tree: &bundle.record.tree, sink };
    diff(Baseline::unstamped(&nothing), &upper, &options, &mut FromUpper::new(sink, namespace))
}

/// A sink that completes entries by what the upper directory does not have, but the record has.
struct Completed<'a> {
    tree: &'a Tree,
    sink: &'a mut dyn ChangeSink,
}

impl ChangeSink for Completed<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let Change::Put(entry) = change else { return self.sink.put(change, body) };
        let mut entry = entry.clone();
        if let Some(file_type) = entry.kind.file_type() {
            let old = self.tree.get(&entry.path).map(|id| self.tree.inode(id));
            keep_system_xattrs(&mut entry.attrs.xattrs, old, file_type);
        }
        self.sink.put(&Change::Put(entry), body)
    }
}

#[cfg(test)]
mod tests;
