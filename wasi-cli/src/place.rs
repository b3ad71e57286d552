//! Where things are: references to stores, paths to directories and files.

use std::{io, path::Path};

use ocicle::{
    graph::{
        RefName, Resolution,
        reference::Reference,
        resolve::{Want, resolve},
        rewrite::{Destination, Replaced, replace_target},
        selector::Selector,
    },
    image::Image,
    limits::Limits,
    name::EntryPath,
    spec::{Index, Raw},
    store::{RootIndex as _, RootIndexExt as _},
};

use crate::{
    failure::Failure,
    stores::{AnyStore, open_dir},
    system::{self, SystemDir},
};

/// A store, and what in it is meant.
pub(crate) struct Place {
    pub(crate) store: AnyStore,
    pub(crate) selector: Option<Selector>,
    limits: Limits,
}

impl Place {
    /// Opens the store of a reference.
    pub(crate) fn open(reference: &str, limits: &Limits) -> Result<Self, Failure> {
        let Reference { kind, path, selector } = reference.parse()?;
        Ok(Self { store: AnyStore::open(kind, &path, limits)?, selector, limits: *limits })
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

    /// The tag that the reference of a command is, where it must be one.
    pub(crate) fn tag(&self, command: &str) -> Result<RefName, Failure> {
        tag(self.selector.as_ref(), command)
    }

    /// The object that is meant.
    pub(crate) fn resolve(&self, want: Want) -> Result<Resolution, Failure> {
        self.resolve_in(&self.store.load()?, want)
    }

    /// The object that is meant, in an index just read.
    pub(crate) fn resolve_in(&self, root: &Raw<Index>, want: Want) -> Result<Resolution, Failure> {
        Ok(resolve(&self.store, root, self.selector.as_ref(), want, &self.limits)?)
    }

    /// The image that is meant.
    pub(crate) fn image(&self) -> Result<Image, Failure> {
        self.image_at(&self.resolve(Want::Image)?)
    }

    /// An image that was found.
    pub(crate) fn image_at(&self, at: &Resolution) -> Result<Image, Failure> {
        Ok(Image::open(&self.store, at.target(), &self.limits)?)
    }

    /// Changes the image that is meant. `edit` may be called again, on the new state, if somebody else
    /// changed the index meanwhile.
    pub(crate) fn edit_image(
        &self,
        to: &Destination,
        mut edit: impl FnMut(&Image) -> ocicle::Result<Image>,
    ) -> Result<Replaced, Failure> {
        let mut replaced = None;
        self.store.update(|root| {
            let at = self.resolve_in(root, Want::Image)?;
            let image = edit(&self.image_at(&at)?)?;
            let bytes = image.manifest.bytes();
            let done = replace_target(&self.store, root, &at, &image.descriptor, bytes, to, &self.limits)?;
            let root = done.root.clone();
            replaced = Some(done);
            Ok::<_, Failure>(root)
        })?;
        replaced.ok_or_else(|| Failure::failed("nothing was edited"))
    }
}

/// The tag that a selector is, where it must be one.
pub(crate) fn tag(selector: Option<&Selector>, command: &str) -> Result<RefName, Failure> {
    match selector.and_then(Selector::as_tag) {
        Some(tag) => Ok(tag.parse()?),
        None => Err(Failure::usage(format!("{command} needs a tag: {command} STORE#TAG"))),
    }
}

/// Makes a directory if there is none, and opens it. Tells whether it was made.
pub(crate) fn make_dir(path: &Path) -> Result<(SystemDir, bool), Failure> {
    opened(path, std::fs::create_dir(path))
}

/// The same, for its owner alone if it was made.
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

/// A path of an image: absolute or not, it is meant from the root.
pub(crate) fn path_in_image(path: &str, limits: &Limits) -> Result<EntryPath, Failure> {
    EntryPath::clean(path.as_bytes(), limits).map_err(|error| Failure::usage(error.to_string()))
}
