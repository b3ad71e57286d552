//! References and paths, opened.

use std::{borrow::Cow, ffi::OsStr, io, path::Path};

use ocicle::{
    Repository,
    graph::{
        RefName, Resolution,
        reference::Reference,
        resolve::Want,
        rewrite::{Destination, Replaced},
        selector::{Clause, Selector},
    },
    image::Image,
    limits::Limits,
    name::EntryPath,
    spec::{Index, Raw},
};

use crate::{
    failure::Failure,
    stores::{AnyStore, Opening, open_dir},
    system::{self, SystemDir},
};

/// The tag that a reference to a registry means if it names none.
const LATEST: &str = "latest";

/// A repository, and what in it a reference selects.
pub(crate) struct Place {
    pub(crate) repository: Repository<AnyStore>,
    /// Empty if the reference names the store alone.
    pub(crate) selector: Selector,
}

impl Place {
    /// Opens the store of a reference.
    pub(crate) fn open(reference: &str, opening: &Opening) -> Result<Self, Failure> {
        let Reference { kind, path, selector } = reference.parse()?;
        let store = AnyStore::open(kind, &path, opening)?;
        if let Some(remote) = store.remote() {
            remote.look_for(&selector);
        }
        Ok(Self { repository: Repository::new(store, opening.limits), selector })
    }

    /// Opens the store of a reference without a selector.
    pub(crate) fn open_whole(reference: &str, opening: &Opening) -> Result<Self, Failure> {
        let place = Self::open(reference, opening)?;
        match place.selector.is_empty() {
            true => Ok(place),
            false => {
                Err(Failure::usage(format!("expected a whole store, found the selector #{}", place.selector)))
            }
        }
    }

    /// Returns the place of one object: in a registry, a reference without a tag means `latest`.
    pub(crate) fn of_one(mut self) -> Self {
        self.selector = self.one().into_owned();
        self
    }

    /// Returns the tag that the reference of a command must be.
    pub(crate) fn tag(&self, command: &str) -> Result<RefName, Failure> {
        tag(&self.selector, command)
    }

    /// Returns whether the store is a repository of a registry.
    pub(crate) fn is_registry(&self) -> bool {
        self.repository.store().is_registry()
    }

    /// Returns the selector of one object. In a registry, none means the tag `latest`: to look at all tags
    /// would take a request for each.
    pub(crate) fn one(&self) -> Cow<'_, Selector> {
        match self.repository.store().remote().filter(|remote| remote.is_registry()) {
            Some(remote) if self.selector.is_empty() => {
                let latest = Selector::of(Clause::Tag(LATEST.into()));
                remote.look_for(&latest);
                Cow::Owned(latest)
            }
            _ => Cow::Borrowed(&self.selector),
        }
    }

    /// Resolves the reference.
    pub(crate) fn resolve(&self, want: Want) -> Result<Resolution, Failure> {
        Ok(self.repository.resolve(&self.one(), want)?)
    }

    /// Resolves the reference in an index that was just read.
    pub(crate) fn resolve_in(&self, root: &Raw<Index>, want: Want) -> Result<Resolution, Failure> {
        Ok(self.repository.resolve_in(root, &self.selector, want)?)
    }

    /// Opens the image that the reference selects.
    pub(crate) fn image(&self) -> Result<Image, Failure> {
        Ok(self.repository.image(&self.one())?)
    }

    /// Opens an image that was found.
    pub(crate) fn image_at(&self, at: &Resolution) -> Result<Image, Failure> {
        Ok(Image::open(&self.repository, at.target())?)
    }

    /// Edits the image that the reference selects; see [`Repository::edit`].
    pub(crate) fn edit_image(
        &self,
        to: &Destination,
        edit: impl FnMut(&Image) -> ocicle::Result<Image>,
    ) -> Result<Replaced, Failure> {
        Ok(self.repository.edit(&self.one(), to, edit)?)
    }
}

/// Returns the tag that a selector must be.
pub(crate) fn tag(selector: &Selector, command: &str) -> Result<RefName, Failure> {
    match selector.as_tag() {
        Some(tag) => Ok(tag.parse()?),
        None => Err(Failure::usage(format!("expected a tag: {command} STORE#TAG"))),
    }
}

/// Opens a directory, created if it does not exist. Returns whether it was created.
pub(crate) fn make_dir(path: &Path) -> Result<(SystemDir, bool), Failure> {
    opened(path, std::fs::create_dir(path))
}

/// Opens a directory, created for its owner alone if it does not exist. Returns whether it was created.
pub(crate) fn make_private_dir(path: &Path) -> Result<(SystemDir, bool), Failure> {
    opened(path, system::create_private_dir(path))
}

fn opened(path: &Path, made: io::Result<()>) -> Result<(SystemDir, bool), Failure> {
    let made = match made {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(Failure::failed(format!("create directory {}: {error}", path.display()))),
    };
    Ok((open_dir(path)?, made))
}

/// Parses a path in an image, which need not be UTF-8. Relative paths also start at the root.
pub(crate) fn path_in_image(path: impl AsRef<OsStr>, limits: &Limits) -> Result<EntryPath, Failure> {
    EntryPath::clean(path.as_ref().as_encoded_bytes(), limits)
        .map_err(|error| Failure::usage(error.to_string()))
}
