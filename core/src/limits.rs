//! Limits on untrusted input.

use crate::error::{Error, Result};

/// Limits on what an image may make the library hold or do.
///
/// ```
/// use ocicle::limits::Limits;
/// let tight = Limits { layer_size: 1 << 30, ..Limits::default() };
/// assert_eq!(tight.path, 4096);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "made with struct update syntax")]
pub struct Limits {
    /// Bytes of one JSON document (index, manifest, config, `oci-layout`). Default 16 MiB.
    pub document: u64,
    /// Depth of indexes below `index.json`. Default 64.
    pub depth: usize,
    /// Descriptors visited in one walk. Default 100,000.
    pub descriptors: usize,
    /// Bytes of one path inside a layer. Default 4096.
    pub path: usize,
    /// Symbolic links followed for one path. Default 255.
    pub links: usize,
    /// Bytes of the extension headers (pax records, GNU long names, sparse maps) of one entry. Default 1 MiB.
    pub header: u64,
    /// Bytes that the extended attributes of all entries of all layers of an image take in memory: equal
    /// names and values once, and 32 bytes for each attribute. Default 128 MiB.
    pub xattrs: u64,
    /// Bytes of the table of contents inside one layer. Default 64 MiB, about 200,000 files.
    pub toc: u64,
    /// Entries of one layer. Default 10 million.
    pub entries: u64,
    /// Bytes that one layer expands to: its archive after decompression, and its files with their holes.
    /// Default 1 TiB.
    pub layer_size: u64,
    /// Bytes of the window of a zstd frame, rounded down to a power of two: this is the memory needed to
    /// decompress a layer. Default 128 MiB, the default of the `zstd` command.
    pub zstd_window: u64,
    /// Bytes that one layer expands to for each byte of its blob, checked for what is larger than
    /// [`Limits::ratio_from`]. Default 1100: deflate reaches 1032.
    pub ratio: u64,
    /// Bytes that any layer may expand to, however small its blob is. Default 16 GiB.
    pub ratio_from: u64,
    /// Bytes of an archive of images that cannot be read in place, after decompression. Default 64 GiB.
    pub archive_size: u64,
}

impl Limits {
    /// Levels of objects and arrays in a JSON document. This limit is fixed: the JSON parser has a fixed one
    /// of its own, of 128.
    pub const JSON_DEPTH: usize = 100;

    /// The name of each limit, and what it bounds.
    pub const NAMES: [(&'static str, &'static str); 14] = [
        ("document", "the bytes of one JSON document, which is held in memory"),
        ("depth", "the depth of nested indexes"),
        ("descriptors", "the descriptors visited in one walk"),
        ("path", "the bytes of one path in a layer"),
        ("links", "the symbolic links followed for one path"),
        ("header", "the bytes of the headers of one archive entry, which are held in memory"),
        ("xattrs", "the bytes of the extended attributes of an image, which are held in memory"),
        ("toc", "the bytes of the table of contents of a layer, which is held in memory"),
        ("entries", "the entries of one layer, which are held in memory"),
        ("layer_size", "the bytes that one layer expands to, on disk or in time"),
        ("zstd_window", "the memory that decompressing a zstd layer takes, in bytes"),
        ("ratio", "what a small blob can expand to: the bytes for each byte of a layer's blob"),
        ("ratio_from", "the bytes that any layer may expand to before `ratio` is checked"),
        ("archive_size", "the bytes of a compressed archive after decompression, which are held on disk"),
    ];

    /// Sets a limit by the name of its field.
    ///
    /// ```
    /// use ocicle::limits::Limits;
    /// let mut limits = Limits::default();
    /// limits.set("ratio", 5000)?;
    /// assert_eq!(limits.ratio, 5000);
    /// # Ok::<(), ocicle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Misuse`] for a name that is not in [`Limits::NAMES`].
    pub fn set(&mut self, name: &str, value: u64) -> Result<()> {
        let count = usize::try_from(value).unwrap_or(usize::MAX);
        match name {
            "document" => self.document = value,
            "depth" => self.depth = count,
            "descriptors" => self.descriptors = count,
            "path" => self.path = count,
            "links" => self.links = count,
            "header" => self.header = value,
            "xattrs" => self.xattrs = value,
            "toc" => self.toc = value,
            "entries" => self.entries = value,
            "layer_size" => self.layer_size = value,
            "zstd_window" => self.zstd_window = value,
            "ratio" => self.ratio = value,
            "ratio_from" => self.ratio_from = value,
            "archive_size" => self.archive_size = value,
            _ => {
                let known = Self::NAMES.map(|(name, _)| name).join(", ");
                return Err(Error::Misuse(format!("unknown limit {name:?} (known: {known})")));
            }
        }
        Ok(())
    }

    pub(crate) fn zstd_window_log(&self) -> u32 {
        self.zstd_window.max(1 << 10).ilog2().min(31)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: 16 << 20,
            depth: 64,
            descriptors: 100_000,
            path: 4096,
            links: 255,
            header: 1 << 20,
            xattrs: 128 << 20,
            toc: 64 << 20,
            entries: 10_000_000,
            layer_size: 1 << 40,
            zstd_window: 128 << 20,
            ratio: 1100,
            ratio_from: 16 << 30,
            archive_size: 64 << 30,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn every_limit_has_a_name() {
        let mut limits = Limits::default();
        for (name, _) in Limits::NAMES {
            limits.set(name, 77).unwrap();
        }
        let Limits {
            document,
            depth,
            descriptors,
            path,
            links,
            header,
            xattrs,
            toc,
            entries,
            layer_size,
            zstd_window,
            ratio,
            ratio_from,
            archive_size,
        } = limits;
        let counts = [depth, descriptors, path, links].map(|count| count as u64);
        let bytes = [
            document,
            header,
            xattrs,
            toc,
            entries,
            layer_size,
            zstd_window,
            ratio,
            ratio_from,
            archive_size,
        ];
        assert!(counts.iter().chain(&bytes).all(|&value| value == 77), "{limits:?}");
        let error = limits.set("rate", 1).unwrap_err().to_string();
        assert!(error.starts_with("unknown limit \"rate\" (known: document, depth, "), "{error}");
    }
}
