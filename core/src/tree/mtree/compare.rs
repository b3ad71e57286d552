//! Comparison of a directory with a manifest.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    io::{self, BufRead, Read},
    ops::Bound,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Difference, Keywords, Parser, Spec, vis};
use crate::{
    attrs::{Time, Xattrs},
    digest::{Algorithm, Digest},
    error::{Error, Result},
    fs::{Dir, FileType, Metadata, SkipHoles, Support, is_system_xattr},
    hash::Hasher,
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// Compares everything below `root` with a manifest of any dialect, and passes each difference to `report`:
/// first those of the directory, walked in the order of names, then missing paths, in their order. Returns
/// the number of differences; what could not be checked ([`Difference::Unchecked`]) is reported but not
/// counted.
///
/// Values are compared decoded. Some rules:
/// - Content is read only if the manifest has a digest, and the size matches.
/// - Size and link count of a directory, and the mode of a symbolic link, belong to the file system and are
///   ignored.
/// - `time` is compared in nanoseconds, `tar_time` in whole seconds.
/// - An extended attribute that the manifest does not list is a difference if the manifest is of the native
///   dialect, or lists one anywhere (then only for files and directories, as umoci lists no others).
/// - An extended attribute that belongs to the system ([`is_system_xattr`]) is never a difference. If the
///   manifest lists it with another value, it is unchecked.
/// - Names that share an `inode` number in a native manifest must be one file.
/// - `optional` entries may be missing; below `ignore` nothing is compared; of `nochange` entries only the
///   existence is.
/// - If a path is listed twice, the later line applies.
///
/// # Errors
/// Fails as [`Parser`] does; with [`Error::Io`] from the directory; and if `report` fails.
pub fn compare<D: Dir>(
    manifest: &mut dyn BufRead,
    root: &D,
    limits: &Limits,
    report: &mut dyn FnMut(Difference) -> Result<()>,
) -> Result<u64> {
    let mut parser = Parser::new("mtree manifest", manifest, limits);
    let mut wanted = BTreeMap::new();
    let mut any_xattr = false;
    for spec in &mut parser {
        let Spec { path, keywords, .. } = spec?;
        any_xattr |= !keywords.xattrs.is_empty();
        wanted.insert(path, (keywords, false));
    }
    let comparison = Comparison {
        support: root.support(),
        native: parser.is_native(),
        any_xattr,
        wanted,
        unchecked: BTreeSet::new(),
        inodes: HashMap::new(),
        buffer: Vec::new(),
        count: 0,
        report,
    };
    comparison.run(root)
}

struct Comparison<'a> {
    support: Support,
    native: bool,
    any_xattr: bool,
    /// The entries of the manifest, and whether they were found.
    wanted: BTreeMap<EntryPath, (Keywords, bool)>,
    unchecked: BTreeSet<String>,
    /// For each inode number of a native manifest, the file and its first path.
    inodes: HashMap<u64, ((u64, u64), EntryPath)>,
    buffer: Vec<u8>,
    count: u64,
    report: &'a mut dyn FnMut(Difference) -> Result<()>,
}

/// An entry on disk.
struct Found<'a, D> {
    /// Its directory; for the root, the root itself.
    dir: &'a D,
    /// `None` for the root.
    name: Option<Name<'a>>,
    path: &'a EntryPath,
    metadata: Metadata,
}

/// A directory being walked. The handle is `None` for the root.
struct Frame<D> {
    dir: Option<D>,
    path: EntryPath,
    rest: std::vec::IntoIter<NameBuf>,
}

const BUFFER: usize = 128 << 10;

impl Comparison<'_> {
    fn run<D: Dir>(mut self, root: &D) -> Result<u64> {
        let path = EntryPath::root();
        let metadata = root.self_metadata().map_err(Error::io("stat the root directory"))?;
        // A manifest need not list the root.
        let enter = !self.wanted.contains_key(&path)
            || self.entry(&Found { dir: root, name: None, path: &path, metadata })?;
        if enter {
            self.walk(root, path)?;
        }
        for (path, (keywords, found)) in std::mem::take(&mut self.wanted) {
            if !found && !keywords.optional {
                self.differs(Difference::Missing { path })?;
            }
        }
        for keyword in std::mem::take(&mut self.unchecked) {
            (self.report)(Difference::Unchecked { keyword })?;
        }
        Ok(self.count)
    }

    fn walk<D: Dir>(&mut self, root: &D, path: EntryPath) -> Result<()> {
        let list = |dir: &D, path: &EntryPath| {
            dir.names().map(Vec::into_iter).map_err(Error::io(format_args!("read directory /{path}")))
        };
        let mut open = vec![Frame { dir: None, rest: list(root, &path)?, path }];
        while let Some(frame) = open.last_mut() {
            let Some(name) = frame.rest.next() else {
                open.pop();
                continue;
            };
            let (dir, name) = (frame.dir.as_ref().unwrap_or(root), name.as_name());
            let path = frame.path.join(name);
            let metadata = dir.metadata(name).map_err(Error::io(format_args!("stat /{path}")))?;
            if self.entry(&Found { dir, name: Some(name), path: &path, metadata })? {
                let dir = dir.open_dir(name).map_err(Error::io(format_args!("open directory /{path}")))?;
                open.push(Frame { rest: list(&dir, &path)?, dir: Some(dir), path });
            }
        }
        Ok(())
    }

    /// Compares an entry. Returns whether entries below it are to be compared as well.
    fn entry<D: Dir>(&mut self, found: &Found<'_, D>) -> Result<bool> {
        let Some((wanted, seen)) = self.wanted.get_mut(found.path) else {
            self.differs(Difference::Extra { path: found.path.clone() })?;
            return Ok(false);
        };
        *seen = true;
        let wanted = std::mem::take(wanted);
        let actual = found.metadata.file_type;
        let same_type = wanted.file_type.is_none_or(|expected| expected == actual);
        if !wanted.nochange {
            if same_type {
                self.values(found, &wanted)?;
            } else {
                let expected = wanted.file_type.map_or("", type_name).to_owned();
                self.changed(found.path, "type", expected, type_name(actual).into())?;
            }
            self.unchecked.extend(wanted.others);
        }
        if wanted.ignore {
            self.ignore_below(found.path);
        }
        Ok(actual == FileType::Dir && same_type && !wanted.ignore)
    }

    fn ignore_below(&mut self, dir: &EntryPath) {
        let prefix = dir.as_bytes();
        let after = (Bound::Excluded(dir), Bound::Unbounded);
        let mut candidates = self.wanted.range_mut::<EntryPath, _>(after);
        // `a.b` sorts between `a` and `a/b`.
        while let Some((path, (_, seen))) = candidates.next()
            && let Some(rest) = path.as_bytes().strip_prefix(prefix)
        {
            *seen |= dir.is_root() || rest.starts_with(b"/");
        }
    }

    fn values<D: Dir>(&mut self, found: &Found<'_, D>, wanted: &Keywords) -> Result<()> {
        let (path, metadata) = (found.path, &found.metadata);
        let is_dir = metadata.file_type == FileType::Dir;
        let mode = wanted.mode.filter(|_| metadata.file_type != FileType::Symlink);
        // A driver that can set modes can see them, and owners as well. Setting owners is not needed here,
        // and only root can.
        if self.support.mode {
            self.value(path, "mode", mode.as_ref(), &metadata.mode, |mode| match mode {
                0 => "0".into(),
                _ => format!("0{mode:o}"),
            })?;
            self.value(path, "uid", wanted.uid.as_ref(), &metadata.uid, u32::to_string)?;
            self.value(path, "gid", wanted.gid.as_ref(), &metadata.gid, u32::to_string)?;
        } else {
            let listed =
                [("mode", mode.is_some()), ("uid", wanted.uid.is_some()), ("gid", wanted.gid.is_some())];
            for (keyword, _) in listed.into_iter().filter(|(_, listed)| *listed) {
                if !self.unchecked.contains(keyword) {
                    self.unchecked.insert(keyword.into());
                }
            }
        }
        if !is_dir {
            self.value(path, "size", wanted.size.as_ref(), &metadata.size, u64::to_string)?;
            self.value(path, "nlink", wanted.nlink.as_ref(), &metadata.nlink, u64::to_string)?;
        }
        self.value(path, "time", wanted.time.as_ref(), &metadata.mtime, show_time)?;
        self.value(path, "tar_time", wanted.tar_time.as_ref(), &metadata.mtime.seconds, i64::to_string)?;
        if matches!(metadata.file_type, FileType::Char | FileType::Block) {
            self.value(path, "device", wanted.device.as_ref(), &metadata.rdev, |(major, minor)| {
                format!("native,{major},{minor}")
            })?;
        }
        if let (Some(link), FileType::Symlink, Some(name)) =
            (wanted.link.as_deref(), metadata.file_type, found.name)
        {
            let target = found.dir.read_link(name).map_err(Error::io(format_args!("read link /{path}")))?;
            self.value(path, "link", Some(link), &target[..], vis::to_text)?;
        }
        if let (true, Some(number)) = (self.native && !is_dir, wanted.inode) {
            self.inode(path, number, metadata)?;
        }
        self.digests(found, wanted)?;
        self.xattrs(found, &wanted.xattrs)
    }

    fn value<T: PartialEq + ?Sized>(
        &mut self,
        path: &EntryPath,
        keyword: &str,
        wanted: Option<&T>,
        found: &T,
        show: impl Fn(&T) -> String,
    ) -> Result<()> {
        match wanted {
            Some(wanted) if wanted != found => self.changed(path, keyword, show(wanted), show(found)),
            _ => Ok(()),
        }
    }

    /// Returns whether all names with one number are one file.
    fn inode(&mut self, path: &EntryPath, number: u64, metadata: &Metadata) -> Result<()> {
        let file = (metadata.dev, metadata.ino);
        let first = match self.inodes.entry(number) {
            Entry::Vacant(entry) => {
                entry.insert((file, path.clone()));
                return Ok(());
            }
            Entry::Occupied(entry) => entry.get().clone(),
        };
        if first.0 == file {
            return Ok(());
        }
        let expected = format!("that of {}", vis::to_text(first.1.as_bytes()));
        self.changed(path, "inode", expected, "another".into())
    }

    fn digests<D: Dir>(&mut self, found: &Found<'_, D>, wanted: &Keywords) -> Result<()> {
        let Some(name) = found.name.filter(|_| found.metadata.file_type == FileType::File) else {
            return Ok(());
        };
        if wanted.digests.is_empty() || wanted.size.is_some_and(|size| size != found.metadata.size) {
            return Ok(());
        }
        let reading = || Error::io(format!("read /{}", found.path));
        let file = found.dir.open_file(name).map_err(reading())?;
        let mut file = SkipHoles::new(file, found.metadata.size);
        let algorithms: Vec<Algorithm> = wanted.digests.iter().filter_map(Digest::algorithm).collect();
        for (expected, actual) in
            wanted.digests.iter().zip(self.hash(&mut file, &algorithms).map_err(reading())?)
        {
            if *expected != actual {
                let keyword = format!("{}digest", actual.algorithm_name());
                let (expected, actual) = (expected.encoded().into(), actual.encoded().into());
                self.changed(found.path, &keyword, expected, actual)?;
            }
        }
        Ok(())
    }

    /// Returns the digests of a file, which is read once.
    fn hash(&mut self, file: &mut impl Read, algorithms: &[Algorithm]) -> io::Result<Vec<Digest>> {
        self.buffer.resize(BUFFER, 0);
        let mut hashers: Vec<Hasher> = algorithms.iter().copied().map(Hasher::new).collect();
        loop {
            let got = match file.read(&mut self.buffer) {
                Ok(0) => return Ok(hashers.into_iter().map(Hasher::finish).collect()),
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = self.buffer.get(..got).unwrap_or_default();
            hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
        }
    }

    fn xattrs<D: Dir>(&mut self, found: &Found<'_, D>, wanted: &Xattrs) -> Result<()> {
        let listed = self.native
            || self.any_xattr && matches!(found.metadata.file_type, FileType::File | FileType::Dir);
        if wanted.is_empty() && !listed {
            return Ok(());
        }
        if !self.support.xattrs {
            if !wanted.is_empty() {
                self.unchecked.insert("xattr".into());
            }
            return Ok(());
        }
        let actual = match found.name {
            Some(name) => found.dir.xattrs(name),
            None => found.dir.self_xattrs(),
        };
        let actual = actual.map_err(Error::io(format_args!("read xattrs of /{}", found.path)))?;
        let both: BTreeSet<&[u8]> = wanted.keys().chain(actual.keys()).map(|name| &**name).collect();
        for name in both {
            let (expected, actual) = (wanted.get(name), actual.get(name));
            if expected == actual || expected.is_none() && (!listed || is_system_xattr(name)) {
                continue;
            }
            let keyword = format!("xattr.{}", vis::to_text(name));
            if is_system_xattr(name) {
                // An unpack does not set it, and the system may.
                self.unchecked.insert(keyword);
                continue;
            }
            let show =
                |value: Option<&Arc<[u8]>>| value.map_or("none".into(), |value| STANDARD.encode(value));
            self.changed(found.path, &keyword, show(expected), show(actual))?;
        }
        Ok(())
    }

    fn changed(&mut self, path: &EntryPath, keyword: &str, expected: String, found: String) -> Result<()> {
        self.differs(Difference::Changed { path: path.clone(), keyword: keyword.into(), expected, found })
    }

    fn differs(&mut self, difference: Difference) -> Result<()> {
        self.count += 1;
        (self.report)(difference)
    }
}

fn show_time(time: &Time) -> String {
    format!("{}.{:09}", time.seconds, time.nanoseconds)
}

fn type_name(file_type: FileType) -> &'static str {
    match file_type {
        FileType::File => "file",
        FileType::Dir => "dir",
        FileType::Symlink => "link",
        FileType::Char => "char",
        FileType::Block => "block",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
    }
}

#[cfg(test)]
mod tests;
