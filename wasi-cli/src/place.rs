//! Where things are: references to stores, paths to directories. The only file that differs between native and WASI.

use std::path::{Path, PathBuf};

use ocicle::{
    graph::{
        Resolution,
        reference::Reference,
        resolve::{Want, resolve},
        rewrite::{Destination, Replaced, replace_target},
        selector::Selector,
    },
    image::Image,
    limits::Limits,
    spec::{Index, Raw},
    store::{RootIndex as _, RootIndexExt as _},
};

use crate::{failure::Failure, stores::AnyStore};

/// A directory of this system.
#[cfg(unix)]
pub(crate) type SystemDir = ocicle::fs::host::HostDir;
/// A directory of this system.
#[cfg(target_os = "wasi")]
pub(crate) type SystemDir = ocicle::fs::wasi::WasiDir;

/// A store, and what in it is meant.
pub(crate) struct Place {
    pub(crate) store: AnyStore,
    pub(crate) selector: Option<Selector>,
}

impl Place {
    /// Opens the store of a reference.
    pub(crate) fn open(reference: &str, limits: &Limits) -> Result<Self, Failure> {
        let Reference { kind, path, selector } = reference.parse()?;
        Ok(Self { store: AnyStore::open(kind, &path, limits)?, selector })
    }

    /// Opens the store of a reference that stands for all of it.
    pub(crate) fn open_whole(reference: &str, limits: &Limits) -> Result<Self, Failure> {
        let place = Self::open(reference, limits)?;
        match &place.selector {
            None => Ok(place),
            Some(selector) => {
                Err(Failure::usage(format!("this command is about a whole store: leave out #{selector}")))
            }
        }
    }

    /// The object that is meant.
    pub(crate) fn resolve(&self, want: Want, limits: &Limits) -> Result<Resolution, Failure> {
        self.resolve_in(&self.store.load()?, want, limits)
    }

    /// The object that is meant, in an index just read.
    pub(crate) fn resolve_in(
        &self,
        root: &Raw<Index>,
        want: Want,
        limits: &Limits,
    ) -> Result<Resolution, Failure> {
        Ok(resolve(&self.store, root, self.selector.as_ref(), want, limits)?)
    }
}

impl Place {
    /// Changes the image that is meant. `edit` may be called again, on the new state, if somebody else changed the index meanwhile.
    pub(crate) fn edit_image(
        &self,
        to: &Destination,
        limits: &Limits,
        mut edit: impl FnMut(&Image) -> ocicle::Result<Image>,
    ) -> Result<Replaced, Failure> {
        let mut replaced = None;
        self.store.update(|root| {
            let at = self.resolve_in(root, Want::Image, limits)?;
            let image = edit(&Image::open(&self.store, at.target(), limits)?)?;
            let bytes = image.manifest.bytes();
            let done = replace_target(&self.store, root, &at, &image.descriptor, bytes, to, limits)?;
            let root = done.root.clone();
            replaced = Some(done);
            Ok::<_, Failure>(root)
        })?;
        replaced.ok_or_else(|| Failure::failed("nothing was edited"))
    }
}

/// Opens a directory.
pub(crate) fn open_dir(path: &Path) -> Result<SystemDir, Failure> {
    system_dir(path).map_err(|error| Failure::failed(format!("open directory {}: {error}", path.display())))
}

/// Makes a directory if there is none, for its owner alone if `private`, and opens it. Tells whether it was made.
pub(crate) fn make_dir(path: &Path, private: bool) -> Result<(SystemDir, bool), Failure> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    #[cfg(not(unix))]
    let _ = private; // there are no modes
    let made = match builder.create(path) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(Failure::failed(format!("create directory {}: {error}", path.display()))),
    };
    Ok((open_dir(path)?, made))
}

#[cfg(unix)]
pub(crate) fn system_dir(path: &Path) -> std::io::Result<SystemDir> {
    let dir = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
    Ok(SystemDir::new(dir))
}

#[cfg(target_os = "wasi")]
pub(crate) fn system_dir(path: &Path) -> std::io::Result<SystemDir> {
    Ok(SystemDir::new(std::fs::File::open(path)?.into()))
}

/// The path of what links at a path lead to; the path itself if that cannot be told.
pub(crate) fn followed(path: &Path) -> PathBuf {
    #[cfg(unix)]
    let followed = std::fs::canonicalize(path);
    #[cfg(target_os = "wasi")] // has no realpath
    let followed = crate::stores::follow(path);
    followed.unwrap_or_else(|_| path.into())
}

/// What to add to an error of the system, where its words leave one in the dark.
#[cfg(unix)]
pub(crate) fn why_refused(_message: &str) -> &'static str {
    ""
}

/// What to add to an error of the system, where its words leave one in the dark: of `ENOTCAPABLE` and `EPERM`.
#[cfg(target_os = "wasi")]
pub(crate) fn why_refused(message: &str) -> &'static str {
    if message.contains(" (os error 76)") {
        "; a sandbox sees only the directories that it is given: give it the one this is in (wasmtime: --dir DIRECTORY)"
    } else if message.contains(" (os error 63)") {
        "; this sandbox is given the directory for reading only, or the path leads out of it"
    } else {
        ""
    }
}
