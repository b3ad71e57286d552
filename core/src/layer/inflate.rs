//! Undoing the compression of a layer blob.

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
use crate::{
    error::{Error, Result},
    limits::Limits,
    spec::media_type::Compression,
};

/// From how many bytes on the ratio of compression is looked at.
const RATIO_FROM: u64 = 1 << 30;

/// Reads the content of a compressed blob: all gzip members, all zstd frames. The blob is read to its end before the
/// content ends.
#[derive(Debug)]
pub struct Inflate<R> {
    what: String,
    decoder: Decoder<R>,
    /// Bytes of content given so far.
    given: u64,
    /// Where places are noted at which one could start.
    points: Option<Points>,
}

#[derive(Debug)]
enum Decoder<R> {
    None(Input<R>),
    Gzip(gzip::Gzip<R>),
    Pointed(Box<PointedGzip<R>>),
    Zstd(Box<zstd::Zstd<R>>),
}

/// What a decoder fails with.
enum Failure {
    /// The blob could not be read.
    Read(io::Error),
    /// The blob is not what the format asks for.
    Data(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl<R: Read> Inflate<R> {
    /// Starts at the beginning of a blob. `what` names it in errors, such as `layer sha256:…`.
    ///
    /// # Errors
    /// [`Error::Layer`] if the blob starts as one of another compression does; failed reads.
    pub fn new(blob: R, compression: Compression, what: impl Into<String>, limits: &Limits) -> Result<Self> {
        let what = what.into();
        let mut input = Input::new(blob);
        let start = input.fill().map_err(Error::io(format_args!("read {what}")))?;
        let found = Format::of(start);
        let expected = match compression {
            Compression::None => Format::Other,
            Compression::Gzip => Format::Gzip,
            Compression::Zstd => Format::Zstd,
        };
        if found != expected {
            let (promised, found) = (expected.name(), found.name());
            return Err(Error::layer(
                what,
                format!("its media type says {promised}, but its content is {found}"),
            ));
        }
        let decoder = match compression {
            Compression::None => Decoder::None(input),
            Compression::Gzip => Decoder::Gzip(gzip::Gzip::new(input)),
            Compression::Zstd => Decoder::Zstd(Box::new(
                zstd::Zstd::new(input, limits.zstd_window_log()).map_err(Error::io("start zstd"))?,
            )),
        };
        Ok(Self { what, decoder, given: 0, points: None })
    }

    /// Notes from now on where one could start; to be called before anything is read.
    pub(crate) fn noting(self, points: &Points) -> Self {
        let decoder = match self.decoder {
            Decoder::Gzip(gzip) => Decoder::Pointed(Box::new(PointedGzip::new(gzip.input, points.clone()))),
            other => other,
        };
        Self { decoder, points: Some(points.clone()), ..self }
    }

    /// Goes on at a point; `blob` starts there.
    pub(crate) fn resume(
        blob: R,
        compression: Compression,
        point: &Point,
        what: &str,
        limits: &Limits,
    ) -> Result<Self> {
        if compression != Compression::Gzip {
            return Self::new(blob, compression, what, limits);
        }
        let decoder = Decoder::Pointed(Box::new(PointedGzip::resume(Input::new(blob), point)));
        Ok(Self { what: what.into(), decoder, given: 0, points: None })
    }

    /// Bytes of the blob taken so far.
    #[must_use]
    pub fn compressed(&self) -> u64 {
        match &self.decoder {
            Decoder::None(input) => input.taken(),
            Decoder::Gzip(gzip) => gzip.input.taken(),
            Decoder::Pointed(gzip) => gzip.input.taken(),
            Decoder::Zstd(zstd) => zstd.input.taken(),
        }
    }

    /// Whether so much content is within the limits.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub(super) fn check_limits(&self, given: u64, limits: &Limits) -> Result<()> {
        let limit = |name, limit| Err(Error::Limit { what: self.what.clone(), name, limit });
        if given > limits.layer_size {
            return limit("layer_size", limits.layer_size);
        }
        if given > RATIO_FROM && given > self.compressed().saturating_mul(limits.ratio) {
            return limit("ratio", limits.ratio);
        }
        Ok(())
    }

    /// Reads the blob, but not its content, to the end: whoever verifies the blob sees all of it.
    ///
    /// # Errors
    /// Failed reads.
    pub fn drain(&mut self) -> Result<()> {
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
        if let Ok(given) = &result {
            self.given += *given as u64;
            if let (Decoder::Zstd(zstd), Some(points)) = (&self.decoder, &self.points)
                && zstd.is_between_frames()
            {
                points.start(zstd.input.taken(), self.given);
            }
        }
        result.map_err(|failure| match failure {
            Failure::Read(error) => error,
            Failure::Data(reason) => {
                let at = self.compressed();
                Error::layer(&self.what, format!("{reason}, before byte {at} of the blob")).into()
            }
        })
    }
}

/// The compression of a blob that starts so.
///
/// # Errors
/// [`Error::Layer`] for one that no layer can have.
pub(super) fn detect(start: &[u8], what: &str) -> Result<Compression> {
    match Format::of(start) {
        Format::Gzip => Ok(Compression::Gzip),
        Format::Zstd => Ok(Compression::Zstd),
        Format::Other => Ok(Compression::None),
        other @ (Format::Xz | Format::Bzip2) => {
            let reason =
                format!("is compressed with {}: a layer is a tar, plain or with gzip or zstd", other.name());
            Err(Error::layer(what, reason))
        }
    }
}

/// What the first bytes of a blob say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Other,
}

impl Format {
    fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or a skippable one in front of it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..] => Self::Bzip2,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Other => "not compressed",
        }
    }
}

#[cfg(test)]
mod tests;
