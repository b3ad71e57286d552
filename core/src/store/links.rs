//! Blobs of a layout that are symbolic links, or below one: Bazel and datalad make such layouts.
//!
//! A link is followed inside the layout and inside a directory of shared blobs, and nowhere else: what a
//! layout contains must not decide which other files are read.

use std::io::ErrorKind;

use crate::{
    error::{Error, Result},
    fs::{Dir, FileType},
    limits::Limits,
    name::{EntryPath, Name, NameBuf},
};

/// A directory with blobs of several layouts, as `ALGORITHM/ENCODED`: skopeo's `--shared-blob-dir`.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a plain value")]
pub struct SharedBlobs<D> {
    /// The directory.
    pub dir: D,
    /// Its absolute path, without links.
    pub path: EntryPath,
    /// The absolute path of the layout, without links: links of the layout may lead into the directory.
    pub layout: EntryPath,
}

/// The directories in which links are followed.
pub(super) struct Roots<'a, D> {
    layout: &'a D,
    shared: Option<&'a SharedBlobs<D>>,
    limits: &'a Limits,
}

/// A position of a path, relative to the roots.
enum Position<'a, D> {
    /// Above one of them: not a link, since the paths of the roots have none.
    Above,
    /// Inside: the names below the root.
    In(&'a D, usize),
    Outside,
}

impl<'a, D: Dir> Roots<'a, D> {
    pub(super) fn new(layout: &'a D, shared: Option<&'a SharedBlobs<D>>, limits: &'a Limits) -> Self {
        Self { layout, shared, limits }
    }

    /// Finds a file of the layout, and passes its directory and name on. Returns `None` if it does not exist,
    /// also if a link dangles.
    pub(super) fn in_layout<T>(
        &self,
        names: &[Name<'_>],
        found: impl FnOnce(&D, Name<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.find(self.layout_path(), names, found)
    }

    /// Finds a file of the shared directory.
    pub(super) fn in_shared<T>(
        &self,
        names: &[Name<'_>],
        found: impl FnOnce(&D, Name<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.shared {
            Some(shared) => self.find(names_of(&shared.path), names, found),
            None => Ok(None),
        }
    }

    /// Without shared blobs, the layout is the root of all paths.
    fn layout_path(&self) -> Vec<NameBuf> {
        self.shared.map_or_else(Vec::new, |shared| names_of(&shared.layout))
    }

    fn find<T>(
        &self,
        start: Vec<NameBuf>,
        names: &[Name<'_>],
        found: impl FnOnce(&D, Name<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let place = names.iter().map(ToString::to_string).collect::<Vec<_>>().join("/");
        let failed = |error| Error::io(format_args!("open {place}"))(error);
        let mut at = start;
        // The parts still to be walked, the last one first.
        let mut left: Vec<Box<[u8]>> = names.iter().rev().map(|name| name.as_bytes().into()).collect();
        let mut links = 0;
        while let Some(part) = left.pop() {
            let name = match &*part {
                b"" | b"." => continue,
                b".." if at.pop().is_some() => continue,
                b".." => return Err(outside(&place)),
                name => Name::new(name).map_err(|error| Error::document(&place, error.to_string()))?,
            };
            at.push(name.into());
            let (root, above) = match self.position(&at) {
                Position::Above => continue,
                Position::Outside => return Err(outside(&place)),
                Position::In(root, above) => (root, above),
            };
            let mut dir = None;
            for name in at.get(above..at.len() - 1).unwrap_or_default() {
                dir = Some(dir.as_ref().unwrap_or(root).open_dir(name.as_name()).map_err(failed)?);
            }
            let dir = dir.as_ref().unwrap_or(root);
            let kind = match dir.metadata(name) {
                Ok(metadata) => metadata.file_type,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed(error)),
            };
            if kind == FileType::Symlink {
                links += 1;
                if links > self.limits.links {
                    return Err(Error::limit(format!("links of {place}"), "links", self.limits.links as u64));
                }
                let target = dir.read_link(name).map_err(failed)?;
                at.pop();
                if target.starts_with(b"/") {
                    if self.shared.is_none() {
                        return Err(outside(&place));
                    }
                    at.clear();
                }
                left.extend(target.rsplit(|&byte| byte == b'/').map(Box::from));
            } else if left.iter().all(|part| part.is_empty() || &**part == b".") {
                return found(dir, name).map(Some);
            } else if kind != FileType::Dir {
                return Ok(None);
            }
        }
        Err(failed(ErrorKind::IsADirectory.into()))
    }

    fn position(&self, at: &[NameBuf]) -> Position<'a, D> {
        let mut roots = vec![(self.layout_path(), self.layout)];
        roots.extend(self.shared.map(|shared| (names_of(&shared.path), &shared.dir)));
        let is_in = |(path, _): &&(Vec<NameBuf>, &D)| at.len() > path.len() && at.starts_with(path);
        if let Some(&(ref path, root)) = roots.iter().find(is_in) {
            return Position::In(root, path.len());
        }
        match roots.iter().any(|(path, _)| path.starts_with(at)) {
            true => Position::Above,
            false => Position::Outside,
        }
    }
}

fn names_of(path: &EntryPath) -> Vec<NameBuf> {
    path.names().map(Into::into).collect()
}

fn outside(place: &str) -> Error {
    Error::Unsupported(format!(
        "refusing to follow {place}: a symbolic link leads out of the layout\n\
         hint: --shared-blob-dir DIRECTORY names a directory into which links may lead"
    ))
}
