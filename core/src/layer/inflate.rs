//! Decompression of layer blobs.

mod gzip;
mod input;
pub(crate) mod points;
#[cfg(feature = "zstd-native")]
mod zstd_native;
#[cfg(any(test, not(feature = "zstd-native")))]
mod zstd_pure;

use std::io::{self, Read};

#[cfg(feature = "zstd-native")]
use zstd_native as zstd;
#[cfg(not(feature = "zstd-native"))]
use zstd_pure as zstd;

use self::{
    input::Input,
    points::{Point, PointedGzip, Points},
};
use super::budget::Budget;
use crate::{
    error::{Error, Result},
    limits::Limits,
    spec::{CompressedFormat, Compression},
};

/// A blob as a layer's reader takes it: one type, so that the code exists once, which matters in browsers.
pub(crate) type BoxedBlob<'a> = Box<dyn Read + Send + 'a>;

/// A reader of the content of a compressed blob: of all gzip members, or all zstd frames. The blob is read to
/// its end before the content ends. The content is limited by a [`Budget`].
#[derive(Debug)]
pub(crate) struct Inflate<R> {
    what: String,
    decoder: Decoder<R>,
    budget: Budget,
    /// Bytes of content read so far.
    read: u64,
    /// Receives the points where decompression can start.
    points: Option<Points>,
}

#[derive(Debug)]
enum Decoder<R> {
    None(Input<R>),
    Gzip(gzip::Gzip<R>),
    Pointed(Box<PointedGzip<R>>),
    Zstd(Box<zstd::Zstd<R>>),
}

/// The errors of a decoder.
enum Failure {
    /// The blob cannot be read.
    Read(io::Error),
    /// The blob is not in the expected format.
    Data(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl<R: Read> Inflate<R> {
    /// Starts at the beginning of a blob. `what` names it in errors, such as `layer sha256:…`. Its first
    /// bytes tell its compression, as they do for containerd: media types of layers are often wrong.
    ///
    /// # Errors
    /// Fails with [`Error::Layer`] if the blob is compressed in a way that layers cannot have, or if reading
    /// fails.
    pub(crate) fn new(blob: R, what: impl Into<String>, limits: &Limits) -> Result<Self> {
        let (what, budget) = (what.into(), Budget::without_ratio(limits));
        let mut input = Input::new(blob);
        let start = input.fill().map_err(Error::io(format_args!("read {what}")))?;
        let compression = match CompressedFormat::of(start) {
            None => Compression::None,
            Some(CompressedFormat { compression: Some(compression), .. }) => compression,
            Some(CompressedFormat { name, .. }) => {
                return Err(Error::layer(what, format!("unsupported compression: {name}")));
            }
        };
        let decoder = match compression {
            Compression::None => Decoder::None(input),
            Compression::Gzip => Decoder::Gzip(gzip::Gzip::new(input)),
            Compression::Zstd => Decoder::Zstd(Box::new(
                zstd::Zstd::new(input, limits.zstd_window_log()).map_err(Error::io("start zstd"))?,
            )),
        };
        Ok(Self { what, decoder, budget, read: 0, points: None })
    }

    /// Bounds the content by the size of the blob.
    pub(crate) fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Records from now on the points where decompression can start. Must be called before reading.
    pub(crate) fn noting(self, points: &Points) -> Self {
        let decoder = match self.decoder {
            Decoder::Gzip(gzip) => Decoder::Pointed(Box::new(PointedGzip::new(gzip.input, points.clone()))),
            other => other,
        };
        Self { decoder, points: Some(points.clone()), ..self }
    }

    /// Resumes at a point; `blob` starts there.
    pub(crate) fn resume(
        blob: R,
        compression: Compression,
        point: &Point,
        what: &str,
        limits: &Limits,
    ) -> Result<Self> {
        if compression != Compression::Gzip {
            return Self::new(blob, what, limits);
        }
        let decoder = Decoder::Pointed(Box::new(PointedGzip::resume(Input::new(blob), point)));
        let budget = Budget::without_ratio(limits);
        Ok(Self { what: what.into(), decoder, budget, read: 0, points: None })
    }

    /// Returns the compression of the blob.
    pub(crate) fn compression(&self) -> Compression {
        match &self.decoder {
            Decoder::None(_) => Compression::None,
            Decoder::Gzip(_) | Decoder::Pointed(_) => Compression::Gzip,
            Decoder::Zstd(_) => Compression::Zstd,
        }
    }

    /// Returns the number of bytes of the blob used so far.
    #[must_use]
    pub(crate) fn compressed(&self) -> u64 {
        match &self.decoder {
            Decoder::None(input) => input.taken(),
            Decoder::Gzip(gzip) => gzip.input.taken(),
            Decoder::Pointed(gzip) => gzip.input.taken(),
            Decoder::Zstd(zstd) => zstd.input.taken(),
        }
    }

    /// Reads the rest of the blob, without decompressing it, so that a verifying reader sees all of it.
    ///
    /// # Errors
    /// Fails if reading does.
    pub(crate) fn drain(&mut self) -> Result<()> {
        let input = match &mut self.decoder {
            Decoder::None(input) => input,
            Decoder::Gzip(gzip) => &mut gzip.input,
            Decoder::Pointed(gzip) => &mut gzip.input,
            Decoder::Zstd(zstd) => &mut zstd.input,
        };
        loop {
            let available = input.fill().map_err(Error::io(format_args!("read {}", self.what)))?.len();
            if available == 0 {
                return Ok(());
            }
            input.consume(available);
        }
    }
}

impl<R: Read> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let result = match &mut self.decoder {
            Decoder::None(input) => input.read(buffer).map_err(Failure::Read),
            Decoder::Gzip(gzip) => gzip.read(buffer),
            Decoder::Pointed(gzip) => gzip.read(buffer),
            Decoder::Zstd(zstd) => zstd.read(buffer),
        };
        let read = result.map_err(|failure| match failure {
            Failure::Read(error) => error,
            Failure::Data(reason) => {
                let at = self.compressed();
                Error::layer(&self.what, format!("{reason}, before byte {at} of the blob")).into()
            }
        })?;
        self.read += read as u64;
        self.budget.check(self.read, &self.what)?;
        if let (Decoder::Zstd(zstd), Some(points)) = (&self.decoder, &self.points)
            && zstd.is_between_frames()
        {
            points.start(zstd.input.taken(), self.read);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
