//! Bytes that JavaScript has: files, parts of files, ranges on a server.
//!
//! A source is known by a number, so a store of sources holds no value of JavaScript and may be shared as the library asks.

use std::{cell::RefCell, io, sync::Arc};

use js_sys::Uint8Array;
use ocicle::{
    Error, Result,
    digest::Digest,
    store::{BlobRead, ReadAt, ReadSeek, files::Files, reader},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What the worker implements. Everything is synchronous, and throws where reading fails.
    #[derive(Debug)]
    pub type Host;
    /// The source at a path of a layout; a negative number if there is none.
    #[wasm_bindgen(method, catch)]
    fn find(this: &Host, path: &str) -> Result<f64, JsValue>;
    /// How many bytes a source has.
    #[wasm_bindgen(method, catch)]
    fn size(this: &Host, source: u32) -> Result<f64, JsValue>;
    /// Puts bytes from a position on into a buffer, as many as it holds or there are; gives how many.
    #[wasm_bindgen(method, catch)]
    fn read(this: &Host, source: u32, position: f64, into: &mut [u8]) -> Result<u32, JsValue>;
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// Hands in who reads; once, before anything is opened.
#[wasm_bindgen]
pub fn connect(host: Host) {
    HOST.with(|slot| *slot.borrow_mut() = Some(host));
}

fn with<T>(call: impl FnOnce(&Host) -> Result<T, JsValue>) -> io::Result<T> {
    HOST.with(|slot| match &*slot.borrow() {
        Some(host) => call(host).map_err(|thrown| io::Error::other(message(&thrown))),
        None => Err(io::Error::other("nobody was connected")),
    })
}

fn message(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{thrown:?}"),
    }
}

/// JavaScript counts in floating point: exactly, up to 2⁵³.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "see above"
)]
mod number {
    pub(super) fn to_js(count: u64) -> f64 {
        count as f64
    }

    pub(super) fn from_js(count: f64) -> u64 {
        count as u64
    }
}

/// A source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes(pub(crate) u32);

impl ReadAt for Bytes {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        with(|host| host.read(self.0, number::to_js(position), buffer)).map(|got| got as usize)
    }

    fn size(&self) -> io::Result<u64> {
        with(|host| host.size(self.0)).map(number::from_js)
    }
}

/// The files of a layout.
#[derive(Debug)]
pub(crate) struct HostFiles;

impl Files for HostFiles {
    fn find(&self, path: &str) -> Result<Option<Arc<dyn ReadAt>>> {
        let source = with(|host| host.find(path)).map_err(Error::io(format_args!("find {path}")))?;
        let source = (source >= 0.0).then(|| u32::try_from(number::from_js(source)).ok()).flatten();
        Ok(source.map(|source| Arc::new(Bytes(source)) as Arc<dyn ReadAt>))
    }
}

/// A source that is one blob.
#[derive(Debug)]
pub(crate) struct OneBlob(pub(crate) Bytes);

impl BlobRead for OneBlob {
    fn try_open(&self, _: &Digest) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        let bytes: Arc<dyn ReadAt> = Arc::new(self.0);
        let blob = reader(&bytes).map_err(Error::io("open the blob"))?;
        Ok(Some(Box::new(blob)))
    }

    fn try_size(&self, _: &Digest) -> Result<Option<u64>> {
        self.0.size().map(Some).map_err(Error::io("open the blob"))
    }
}

/// Hands pieces of a result to a function of JavaScript, each a copy.
pub(crate) struct Pieces<'a>(pub(crate) &'a js_sys::Function);

impl io::Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.0.call1(&JsValue::NULL, &Uint8Array::from(bytes));
        taken.map(|_| bytes.len()).map_err(|thrown| io::Error::other(message(&thrown)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
