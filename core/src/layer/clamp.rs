//! Clamping of times, for reproducible layers.

use std::io::Read;

use super::{Change, ChangeSink};
use crate::{attrs::Time, error::Result};

/// A sink that passes changes on, with times later than `latest` replaced by it (`SOURCE_DATE_EPOCH`,
/// reproducible-builds.org).
pub struct Clamp<'a> {
    /// The sink that receives the changes.
    pub sink: &'a mut dyn ChangeSink,
    /// The latest time that is kept.
    pub latest: Time,
}

impl ChangeSink for Clamp<'_> {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        match change {
            Change::Put(entry) if entry.attrs.mtime > self.latest => {
                let mut entry = entry.clone();
                entry.attrs.mtime = self.latest;
                self.sink.put(&Change::Put(entry), body)
            }
            change => self.sink.put(change, body),
        }
    }
}

impl std::fmt::Debug for Clamp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clamp").field("latest", &self.latest).finish_non_exhaustive()
    }
}
