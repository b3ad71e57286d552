//! A cache of layer indexes in the user's cache directory: `OCICLE_CACHE`, else `ocicle` in `XDG_CACHE_HOME`
//! or `~/.cache`. If `OCICLE_CACHE` is empty, there is no cache. Errors are ignored: an index can be rebuilt.

use std::{env, fs, io::Write as _, path::PathBuf};

use ocicle::{digest::Digest, image::look::Indexes};

use crate::new_file::NewFile;

pub(crate) struct Cache(Option<PathBuf>);

impl Cache {
    pub(crate) fn of_user() -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let dir = match env::var_os("OCICLE_CACHE") {
            Some(dir) => Some(PathBuf::from(dir)).filter(|dir| !dir.as_os_str().is_empty()),
            None => set("XDG_CACHE_HOME")
                .or_else(|| Some(set("HOME")?.join(".cache")))
                .map(|cache| cache.join("ocicle")),
        };
        Self(dir.map(|dir| dir.join("layers")))
    }

    fn path(&self, blob: &Digest) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(format!("{}-{}.index", blob.algorithm_name(), blob.encoded())))
    }
}

impl Indexes for Cache {
    fn load(&mut self, blob: &Digest) -> Option<Vec<u8>> {
        fs::read(self.path(blob)?).ok()
    }

    fn keep(&mut self, blob: &Digest, index: &[u8]) {
        let Some(path) = self.path(blob) else { return };
        let _ = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let mut new = NewFile::create(&path)?;
            new.file.write_all(index)?;
            new.place()
        });
    }
}
