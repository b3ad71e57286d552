//! Progress of long operations, on standard error: a bar on a terminal, or a line every few seconds.
//!
//! Bytes of blobs are counted where they are read and written, so that the library need not report progress.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use ocicle::{
    Result,
    digest::Digest,
    spec::{Descriptor, Index, Raw},
    store::{BlobRead, BlobWrite, NewBlob, Pending, ReadSeek, RootIndex},
};

use crate::{
    label::{Label, Labelled},
    show::human_size,
    stream,
    system::Bar,
};

const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// The display of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Progress {
    /// A bar, if standard error is a terminal.
    #[default]
    Auto,
    /// A line every few seconds.
    Plain,
    /// Nothing.
    None,
}

/// The output while a store is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Nothing,
    /// A line for each blob that is read.
    Blobs,
    Progress(Progress),
}

/// A store that shows the progress of reading and writing.
pub(crate) struct Watched<'a, S> {
    store: &'a S,
    meter: Meter,
    show: Show,
}

/// The display of the progress of reading and writing.
pub(crate) enum Meter {
    None,
    Plain { doing: &'static str, total: Option<u64>, state: Mutex<(u64, Instant)> },
    Bar(Bar),
}

impl<'a, S> Watched<'a, S> {
    /// `total` is the number of bytes to come, if it is known.
    pub(crate) fn new(store: &'a S, doing: &'static str, total: Option<u64>, show: Show) -> Self {
        Self { store, meter: Meter::new(doing, total, show), show }
    }

    /// Shows the progress of reading a blob, and warns if it is a layer of another compression than its media
    /// type says.
    fn labelled<T: Read>(&self, inner: T, blob: &Descriptor) -> Labelled<Counted<'_, T>> {
        let expected = blob.media_type.layer_compression().filter(|_| self.show != Show::Nothing);
        let label = expected.map(|expected| Label::new(&blob.digest, expected));
        Labelled { inner: self.meter.count(inner), label }
    }
}

impl Meter {
    /// `total` is the number of bytes to come, if it is known.
    pub(crate) fn new(doing: &'static str, total: Option<u64>, show: Show) -> Self {
        match show {
            Show::Nothing | Show::Blobs | Show::Progress(Progress::None) => Self::None,
            Show::Progress(Progress::Plain) => {
                Self::Plain { doing, total, state: Mutex::new((0, Instant::now())) }
            }
            Show::Progress(Progress::Auto) => Bar::new(doing, total).map_or(Self::None, Self::Bar),
        }
    }

    /// Shows the progress of a reader or writer.
    pub(crate) fn count<T>(&self, inner: T) -> Counted<'_, T> {
        Counted { inner, meter: self }
    }

    fn add(&self, bytes: u64) {
        match self {
            Self::None => {}
            Self::Plain { doing, total, state } => {
                let Ok(mut state) = state.lock() else { return };
                state.0 += bytes;
                if state.1.elapsed() >= PLAIN_INTERVAL {
                    state.1 = Instant::now();
                    let of = total.map_or_else(String::new, |total| format!(" of {}", human_size(total)));
                    stream::message(format_args!("{doing}: {}{of}", human_size(state.0)));
                }
            }
            Self::Bar(bar) => bar.add(bytes),
        }
    }
}

impl<S: BlobRead> BlobRead for Watched<'_, S> {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        if self.show == Show::Blobs {
            stream::message(format_args!("reading blob {}", blob.digest));
        }
        let found = self.store.try_open(blob)?;
        Ok(found.map(|inner| Box::new(self.labelled(inner, blob)) as Box<dyn Read + Send + '_>))
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        if self.show == Show::Blobs {
            stream::message(format_args!("reading blob {}", blob.digest));
        }
        let found = self.store.try_seek(blob)?;
        Ok(found.map(|inner| Box::new(self.labelled(inner, blob)) as Box<dyn ReadSeek + '_>))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.store.try_size(blob)
    }
}

impl<S: BlobWrite> BlobWrite for Watched<'_, S> {
    fn hold(&self) -> Result<()> {
        self.store.hold()
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        Ok(Box::new(self.meter.count(self.store.begin(blob)?)))
    }
}

impl<S: RootIndex> RootIndex for Watched<'_, S> {
    fn load(&self) -> Result<Raw<Index>> {
        self.store.load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.store.replace(expected, new)
    }
}

/// A reader or writer whose progress is shown.
pub(crate) struct Counted<'a, T> {
    inner: T,
    meter: &'a Meter,
}

impl<T: Read> Read for Counted<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.meter.add(got as u64);
        Ok(got)
    }
}

impl<T: Seek> Seek for Counted<'_, T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<T: Write> Write for Counted<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.meter.add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Pending for Counted<'_, Box<dyn Pending + '_>> {
    fn publish(self: Box<Self>, digest: &Digest) -> Result<()> {
        self.inner.publish(digest)
    }
}
