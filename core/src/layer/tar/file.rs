//! The content of regular files: its stored size, and the maps of sparse files.

use std::io::BufRead;

use super::{
    BLOCK, TarReader,
    header::Header,
    kind,
    pax::{Pax, SparseRecords},
    sparse::{self, Lines, Map},
};
use crate::error::Result;

impl<R: BufRead> TarReader<R> {
    /// Starts the content of a file and returns its size, including holes. `bytes` is the size of its
    /// extended headers so far.
    pub(super) fn start_file(&mut self, header: Header<'_>, pax: &Pax, bytes: u64) -> Result<u64> {
        let stored = match pax.size {
            Some(size) => size,
            None => header.size().map_err(|reason| self.bad_entry(reason))?,
        };
        if self.path.ends_with(b"/") {
            return Err(self.bad_entry("the name of the file ends with '/'"));
        }
        self.budget.check(stored, self.body.what())?;
        let map = match (header.kind(), &pax.sparse) {
            (kind::GNU_SPARSE, records) if !records.is_empty() => {
                return Err(self.bad_entry("sparse file in two formats at once"));
            }
            (kind::GNU_SPARSE, _) => Some(self.start_old_gnu(header, stored, bytes)?),
            (_, records) if !records.is_empty() => Some(self.start_pax_sparse(records, stored, bytes)?),
            _ => {
                self.body.start(stored);
                None
            }
        };
        let size = map.as_ref().map_or(stored, |map| map.size);
        self.content = self.content.saturating_add(size);
        self.budget.check(self.content, self.body.what())?;
        if let Some(map) = map {
            self.body.spread(map);
        }
        Ok(size)
    }

    /// Reads a map in the old GNU format: in the header, and in blocks between the header and the stored
    /// bytes.
    fn start_old_gnu(&mut self, header: Header<'_>, stored: u64, bytes: u64) -> Result<Map> {
        if !header.is_gnu() {
            return Err(self.bad_entry("unknown format of a sparse file"));
        }
        let (mut segments, mut more, size) =
            sparse::old_gnu(header.block()).map_err(|reason| self.bad_entry(reason))?;
        let mut block = [0; BLOCK];
        let mut bytes = bytes;
        while more {
            bytes += BLOCK as u64;
            self.check_map_bytes(bytes)?;
            if !self.body.block(&mut block)? {
                return Err(self.bad_entry("the archive is truncated inside the sparse map"));
            }
            more =
                sparse::old_gnu_extension(&block, &mut segments).map_err(|reason| self.bad_entry(reason))?;
        }
        self.body.start(stored);
        Map::new(segments, size, stored).map_err(|reason| self.bad_entry(reason))
    }

    /// Reads a map in a pax format: in the records, or (1.0) in front of the stored bytes.
    fn start_pax_sparse(&mut self, records: &SparseRecords, stored: u64, bytes: u64) -> Result<Map> {
        self.body.start(stored);
        let size = records.size.ok_or_else(|| self.bad_entry("sparse file without a size"))?;
        let segments = match (records.major.unwrap_or(0), records.minor.unwrap_or(0)) {
            (0, 0 | 1) => {
                let segments = sparse::pairs(&records.numbers).map_err(|reason| self.bad_entry(reason))?;
                if records.count.is_some_and(|count| count != segments.len() as u64) {
                    return Err(self.bad_entry("sparse map: wrong number of segments"));
                }
                segments
            }
            (1, 0) => {
                let mut lines = Lines::default();
                let mut block = [0; BLOCK];
                let mut bytes = bytes;
                loop {
                    bytes += BLOCK as u64;
                    self.check_map_bytes(bytes)?;
                    self.body.content_block(&mut block)?;
                    if let Some(segments) = lines.push(&block).map_err(|reason| self.bad_entry(reason))? {
                        break segments;
                    }
                }
            }
            (major, minor) => return Err(self.bad_entry(format!("unknown sparse format {major}.{minor}"))),
        };
        Map::new(segments, size, self.body.stored()).map_err(|reason| self.bad_entry(reason))
    }

    fn check_map_bytes(&self, bytes: u64) -> Result<()> {
        if bytes > self.limits.header { Err(self.limit("header", self.limits.header)) } else { Ok(()) }
    }
}
