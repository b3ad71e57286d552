//! Limits on untrusted input.

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
    /// Bytes of the table of contents inside one layer. Default 64 MiB, about 200,000 files.
    pub toc: u64,
    /// Entries of one layer. Default 10 million.
    pub entries: u64,
    /// Bytes of one layer after decompression, and of one sparse file after expansion. Default 1 TiB.
    pub layer_size: u64,
    /// Bytes of the window of a zstd frame, rounded down to a power of two: this is the memory needed to
    /// decompress a layer. Default 128 MiB, the default of the `zstd` command.
    pub zstd_window: u64,
    /// Decompressed bytes for each compressed byte, checked once a layer exceeds 1 GiB. Default 200.
    pub ratio: u64,
}

impl Limits {
    /// Levels of objects and arrays in a JSON document. This limit is fixed: the JSON parser has a fixed one
    /// of its own, of 128.
    pub const JSON_DEPTH: usize = 100;

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
            toc: 64 << 20,
            entries: 10_000_000,
            layer_size: 1 << 40,
            zstd_window: 128 << 20,
            ratio: 200,
        }
    }
}
