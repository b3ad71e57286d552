//! Where things are: references to layouts, paths to directories.

use ocicle::{
    Error,
    fs::wasi::WasiDir,
    graph::{
        Resolution,
        reference::{Reference, StoreKind},
        resolve::{Want, resolve},
        selector::Selector,
    },
    limits::Limits,
    store::{RootIndex as _, layout::LayoutStore},
};

use crate::Done;

/// A layout, and what in it is meant.
pub(crate) struct Place {
    pub(crate) store: LayoutStore<WasiDir>,
    pub(crate) selector: Option<Selector>,
}

impl Place {
    pub(crate) fn open(reference: &str, limits: &Limits) -> Done<Self> {
        let Reference { kind, path, selector } = reference.parse()?;
        if kind.is_some_and(|kind| kind != StoreKind::Oci) {
            return Err(Error::Unsupported(format!("{reference}: only layouts, no archives")).into());
        }
        Ok(Self { store: LayoutStore::open(open_dir(&path)?, limits)?, selector })
    }

    pub(crate) fn resolve(&self, want: Want, limits: &Limits) -> Done<Resolution> {
        Ok(resolve(&self.store, &self.store.load()?, self.selector.as_ref(), want, limits)?)
    }
}

/// Opens a directory below one of those that the host opened.
pub(crate) fn open_dir(path: &str) -> Done<WasiDir> {
    let opened = std::fs::File::open(path).map_err(Error::io(format_args!("open directory {path}")))?;
    Ok(WasiDir::new(opened.into()))
}
