//! Layers whose compression is not that of their media type: they are read, as by containerd, with a warning.

use std::{
    collections::BTreeSet,
    io::{self, Read, Seek, SeekFrom},
    sync::Mutex,
};

use ocicle::{digest::Digest, spec::Compression};

use crate::stream;

/// The bytes at the start of a blob that tell its compression.
pub(crate) const COMPRESSION_START: usize = 10;

/// The layers that the user was warned of.
static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The label of a layer, and what was read of the layer so far.
pub(crate) struct Label {
    digest: Digest,
    expected: Compression,
    start: Vec<u8>,
}

impl Label {
    pub(crate) fn new(digest: &Digest, expected: Compression) -> Self {
        Self { digest: digest.clone(), expected, start: Vec::new() }
    }

    /// Warns if the label is wrong.
    fn check(&self) {
        let actual = Compression::of_start(&self.start);
        let Ok(mut warned) = WARNED.lock() else { return };
        if actual != self.expected && warned.insert(self.digest.to_string()) {
            let Self { digest, expected, .. } = self;
            stream::message(format_args!(
                "warning: layer {digest}: its media type says {expected}, its content {actual}"
            ));
        }
    }
}

/// A reader of a layer that looks at its start.
pub(crate) struct Labelled<T> {
    pub(crate) inner: T,
    /// `None` once the start was read.
    pub(crate) label: Option<Label>,
}

impl<T: Read> Read for Labelled<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        if let Some(label) = &mut self.label {
            label.start.extend(buffer.iter().take(got.min(COMPRESSION_START - label.start.len())));
            if label.start.len() == COMPRESSION_START || (got == 0 && !buffer.is_empty()) {
                label.check();
                self.label = None;
            }
        }
        Ok(got)
    }
}

impl<T: Seek> Seek for Labelled<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = self.inner.seek(to)?;
        // Only a reader of the start is checked.
        self.label = self.label.take().filter(|_| position == 0);
        self.label.iter_mut().for_each(|label| label.start.clear());
        Ok(position)
    }
}
