//! Progress of long work, on standard error: a bar on a terminal, a line every few seconds if asked for, else nothing.
//!
//! It counts bytes of blobs where they are read and written, so the library needs to know nothing of it.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use ocicle::{
    Result,
    digest::Digest,
    spec::{Index, Raw},
    store::{BlobRead, BlobWrite, Pending, ReadSeek, RootIndex},
    text::human_size,
};

use crate::args::{Args, Progress};

const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// A store that shows how far work on it has come.
pub(crate) struct Watched<'a, S> {
    store: &'a S,
    meter: Meter,
    tell: bool,
}

/// What shows it.
enum Meter {
    None,
    Plain {
        doing: &'static str,
        total: Option<u64>,
        state: Mutex<(u64, Instant)>,
    },
    #[cfg(not(target_family = "wasm"))]
    Bar(indicatif::ProgressBar),
}

impl<'a, S> Watched<'a, S> {
    /// `total` is the number of bytes to come, if it is known.
    pub(crate) fn new(args: &Args, store: &'a S, doing: &'static str, total: Option<u64>) -> Self {
        let meter = match args.progress {
            // Lines about blobs and a bar do not go together.
            _ if args.quiet || args.verbose > 1 => Meter::None,
            Progress::None => Meter::None,
            Progress::Plain => Meter::Plain { doing, total, state: Mutex::new((0, Instant::now())) },
            Progress::Auto => automatic(doing, total),
        };
        Self { store, meter, tell: args.verbose > 1 }
    }
}

#[cfg(target_family = "wasm")]
fn automatic(_: &'static str, _: Option<u64>) -> Meter {
    Meter::None
}

#[cfg(not(target_family = "wasm"))]
fn automatic(doing: &'static str, total: Option<u64>) -> Meter {
    use std::io::IsTerminal as _;

    use indicatif::{ProgressBar, ProgressStyle};

    if !io::stderr().is_terminal() {
        return Meter::None;
    }
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{msg} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {msg} {decimal_bytes} {decimal_bytes_per_sec}"),
    };
    // The style first: a message draws.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(doing);
    Meter::Bar(bar)
}

impl Meter {
    fn add(&self, bytes: u64) {
        match self {
            Self::None => {}
            Self::Plain { doing, total, state } => {
                let Ok(mut state) = state.lock() else { return };
                state.0 += bytes;
                if state.1.elapsed() >= PLAIN_INTERVAL {
                    state.1 = Instant::now();
                    let of = total.map_or_else(String::new, |total| format!(" of {}", human_size(total)));
                    eprintln!("{doing}: {}{of}", human_size(state.0));
                }
            }
            #[cfg(not(target_family = "wasm"))]
            Self::Bar(bar) => bar.inc(bytes),
        }
    }
}

impl<S: BlobRead> BlobRead for Watched<'_, S> {
    fn try_open(&self, digest: &Digest) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        if self.tell {
            eprintln!("reading blob {digest}");
        }
        let blob = self.store.try_open(digest)?;
        Ok(blob.map(|inner| Box::new(Counted { inner, meter: &self.meter }) as Box<dyn ReadSeek + '_>))
    }

    fn try_size(&self, digest: &Digest) -> Result<Option<u64>> {
        self.store.try_size(digest)
    }
}

impl<S: BlobWrite> BlobWrite for Watched<'_, S> {
    fn begin(&self) -> Result<Box<dyn Pending + '_>> {
        Ok(Box::new(Counted { inner: self.store.begin()?, meter: &self.meter }))
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

struct Counted<'a, T> {
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
