//! Removing blobs from a layout while no process writes to it.

use std::io::{self, ErrorKind};

use super::{
    Collect, Collector,
    layout::{BLOBS, LayoutStore, is_empty, name_of},
    temporary::TEMPORARY,
};
use crate::{
    digest::Digest,
    error::{Error, Result},
    fs::{DirWrite, FileType},
    name::Name,
};

impl<D: DirWrite + Sync> Collect for LayoutStore<D> {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        if self.held().is_some() {
            let reason = "this store holds its blobs: drop it, and open the layout again to remove some";
            return Err(Error::Misuse(reason.into()));
        }
        let blobs = self.blobs_dir()?;
        let lock = blobs.lock().map_err(Error::io("lock the blobs"))?;
        // `index.json` is written beside the blobs by writers without new blobs: its temporary file is not a
        // leftover.
        let index_lock = self.dir.lock().map_err(Error::io("lock the layout"))?;
        Ok(Box::new(LayoutCollector { store: self, blobs, _index_lock: index_lock, _lock: lock }))
    }
}

struct LayoutCollector<'a, D: DirWrite> {
    store: &'a LayoutStore<D>,
    blobs: D,
    // Released in this order, the reverse of acquiring them.
    _index_lock: D::Lock,
    _lock: D::Lock,
}

/// Returns what was found, or `None` if it was removed since it was listed.
fn unless_gone<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

impl<D: DirWrite + Sync> Collector for LayoutCollector<'_, D> {
    fn blobs(&self) -> Result<Vec<(Digest, u64)>> {
        let mut found = Vec::new();
        for algorithm in self.blobs.names().map_err(Error::io(format_args!("read {BLOBS}")))? {
            let place = format!("{BLOBS}/{}", algorithm.as_name());
            let io = |doing: &str| Error::io(format!("{doing} {place}"));
            // Lock files of other processes come and go.
            let metadata = unless_gone(self.blobs.metadata(algorithm.as_name())).map_err(io("stat"))?;
            if metadata.is_none_or(|metadata| metadata.file_type != FileType::Dir) {
                continue;
            }
            let dir = self.blobs.open_dir(algorithm.as_name()).map_err(io("open"))?;
            for name in dir.names().map_err(io("read"))? {
                let text = format!("{}:{}", algorithm.as_name(), name.as_name());
                let Ok(digest) = text.parse::<Digest>() else { continue };
                let metadata = dir.metadata(name.as_name()).map_err(io("stat what is in"))?;
                if metadata.file_type == FileType::File {
                    found.push((digest, metadata.size));
                }
            }
        }
        Ok(found)
    }

    fn remove(&self, digest: &Digest) -> Result<()> {
        let Some(dir) = self.store.algorithm(digest)? else { return Ok(()) };
        match dir.remove_file(name_of(digest.encoded())?) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io(format_args!("remove blob {digest}"))(error))
            }
            _ => Ok(()),
        }
    }

    fn leftovers(&self) -> Result<Vec<(String, u64)>> {
        let dir = &self.store.dir;
        let mut found = Vec::new();
        for name in dir.names().map_err(Error::io("read the layout's directory"))? {
            let Some(text) = temporary(name.as_name()) else { continue };
            let metadata =
                unless_gone(dir.metadata(name.as_name())).map_err(Error::io(format_args!("stat {text}")))?;
            let Some(metadata) = metadata else { continue };
            match metadata.file_type {
                FileType::File => found.push((text.into(), metadata.size)),
                // A directory gets its name while it is empty.
                FileType::Dir
                    if is_empty(dir, name.as_name()).map_err(Error::io(format_args!("read {text}")))? =>
                {
                    found.push((text.into(), 0));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn remove_leftover(&self, name: &str) -> Result<()> {
        let io = || Error::io(format!("remove {name}"));
        let entry = name_of(name)?;
        if temporary(entry).is_none() {
            return Err(Error::Misuse(format!("{name} is not the name of a temporary file")));
        }
        let dir = &self.store.dir;
        let removed = match dir.metadata(entry) {
            Ok(metadata) if metadata.file_type == FileType::Dir => dir.remove_dir(entry),
            Ok(_) => dir.remove_file(entry),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io()(error)),
            _ => Ok(()),
        }
    }
}

/// Returns the text of a temporary name of a writer; not, for example, of a sandbox's lock.
fn temporary(name: Name<'_>) -> Option<&str> {
    let text = std::str::from_utf8(name.as_bytes()).ok()?;
    let number = text.strip_prefix(TEMPORARY)?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_removed_is_gone() {
        let failed = |kind: ErrorKind| unless_gone::<()>(Err(kind.into()));
        assert_eq!(unless_gone(Ok(7)).unwrap(), Some(7));
        assert_eq!(failed(ErrorKind::NotFound).unwrap(), None);
        assert_eq!(failed(ErrorKind::PermissionDenied).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
