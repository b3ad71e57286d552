//! References to layouts, and paths to directories.

use ocicle::{
    Error, Limits, Reference, Repository, Selector, fs::wasi::WasiDir, graph::reference::StoreKind,
    store::layout::LayoutStore,
};

use crate::Done;

/// A layout, and what in it a reference selects.
pub(crate) struct Place {
    pub(crate) repository: Repository<LayoutStore<WasiDir>>,
    pub(crate) selector: Selector,
}

impl Place {
    pub(crate) fn open(reference: &str) -> Done<Self> {
        let Reference { kind, path, selector } = reference.parse()?;
        if kind.is_some_and(|kind| kind != StoreKind::Oci) {
            return Err(Error::Unsupported(format!("{reference}: only layouts, no archives")).into());
        }
        Ok(Self { repository: Repository::open(open_dir(&path)?, Limits::default())?, selector })
    }
}

/// Opens a directory below one of those that the host opened.
pub(crate) fn open_dir(path: &str) -> Done<WasiDir> {
    let opened = std::fs::File::open(path).map_err(Error::io(format_args!("open directory {path}")))?;
    Ok(WasiDir::new(opened.into()))
}
