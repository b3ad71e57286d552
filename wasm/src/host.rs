//! Bytes that JavaScript reads: files, parts of files, ranges on a server, answers of a registry.
//!
//! A source is a number, so stores made of sources hold no JavaScript value and are `Sync`, as the library
//! requires.

use std::{
    cell::RefCell,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use js_sys::Uint8Array;
use ocicle::{
    Error, Result,
    spec::Descriptor,
    store::{BlobRead, ReadAt, ReadSeek, files::Files, reader},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Implemented by the worker. All methods are synchronous, and throw if reading fails.
    #[derive(Debug)]
    pub type Host;
    /// Opens the file at a path of a layout; returns its source, or a negative number if there is no such
    /// file.
    #[wasm_bindgen(method, catch)]
    fn find(this: &Host, path: &str) -> Result<f64, JsValue>;
    /// Returns the size of a source in bytes.
    #[wasm_bindgen(method, catch)]
    fn size(this: &Host, source: u32) -> Result<f64, JsValue>;
    /// Reads from a position into a buffer, until it is full or the source ends; returns the number of bytes
    /// read.
    #[wasm_bindgen(method, catch)]
    fn read(this: &Host, source: u32, position: f64, into: &mut [u8]) -> Result<u32, JsValue>;
    /// Closes a source; its number is not used again.
    #[wasm_bindgen(method, catch)]
    fn close(this: &Host, source: u32) -> Result<(), JsValue>;
    /// Sends a request without a body; `headers` is the JSON of pairs of name and value.
    #[wasm_bindgen(method, catch)]
    fn send(this: &Host, method: &str, url: &str, headers: &str) -> Result<Answer, JsValue>;
    /// Waits.
    #[wasm_bindgen(method, catch)]
    fn pause(this: &Host, milliseconds: f64) -> Result<(), JsValue>;

    /// An answer of a server.
    type Answer;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Answer) -> u16;
    /// Lines of name and value.
    #[wasm_bindgen(method, getter)]
    fn headers(this: &Answer) -> String;
    #[wasm_bindgen(method, getter)]
    fn body(this: &Answer) -> Uint8Array;
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// Sets the host that reads sources; called once, before anything is opened.
#[wasm_bindgen]
pub fn connect(host: Host) {
    HOST.with(|slot| *slot.borrow_mut() = Some(host));
}

fn with<T>(call: impl FnOnce(&Host) -> Result<T, JsValue>) -> io::Result<T> {
    HOST.with(|slot| match &*slot.borrow() {
        Some(host) => call(host).map_err(|thrown| io::Error::other(message(&thrown))),
        None => Err(io::Error::other("no host is connected")),
    })
}

fn message(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        // The worker throws errors only; the functions that show other values are long.
        None => thrown.as_string().unwrap_or_default(),
    }
}

/// JavaScript numbers are floating point: exact up to 2⁵³.
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

/// An answer of a server, with its whole body.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) status: u16,
    /// Names, in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request without a body.
pub(crate) fn send(method: &str, url: &str, headers: &[&(&str, String)]) -> io::Result<Exchange> {
    let headers = serde_json::to_string(headers)?;
    let answer = with(|host| host.send(method, url, &headers))?;
    let text = answer.headers();
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let headers = lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    Ok(Exchange { status: answer.status(), headers, body: answer.body().to_vec() })
}

/// Returns the time since 1970-01-01 UTC.
pub(crate) fn now() -> Duration {
    Duration::from_secs_f64((js_sys::Date::now() / 1000.0).max(0.0))
}

/// Waits.
pub(crate) fn pause(time: Duration) -> io::Result<()> {
    with(|host| host.pause(time.as_secs_f64() * 1000.0))
}

/// A source; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Source(u32);

impl Source {
    /// Takes over a source that the host opened.
    pub(crate) fn new(number: u32) -> Self {
        Self(number)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // A failure cannot be reported here, and loses nothing.
        let _ = with(|host| host.close(self.0));
    }
}

impl ReadAt for Source {
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
        Ok(source.map(|source| Arc::new(Source(source)) as Arc<dyn ReadAt>))
    }
}

/// A store with one blob, whatever its digest.
#[derive(Debug)]
pub(crate) struct OneBlob(Arc<Source>);

impl OneBlob {
    pub(crate) fn new(source: Source) -> Self {
        Self(Arc::new(source))
    }

    fn reader(&self) -> Result<impl ReadSeek + use<>> {
        let bytes: Arc<dyn ReadAt> = self.0.clone();
        reader(&bytes).map_err(Error::io("open the blob"))
    }
}

impl BlobRead for OneBlob {
    fn try_open(&self, _: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(Some(Box::new(self.reader()?)))
    }

    fn try_seek(&self, _: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(Some(Box::new(self.reader()?)))
    }

    fn try_size(&self, _: &Descriptor) -> Result<Option<u64>> {
        self.0.size().map(Some).map_err(Error::io("open the blob"))
    }
}

/// A writer that passes each piece to a JavaScript function, as a copy.
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
