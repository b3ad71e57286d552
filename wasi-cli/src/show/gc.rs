//! The blobs and temporary files that `gc` removes.

use std::fmt;

use ocicle::graph::gc::{GcReport, Leftover, UnusedBlob};

use super::{Show, human_size};

impl Show for GcReport {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for UnusedBlob { digest, size, .. } in &self.blobs {
            writeln!(out, "{digest}  {}", human_size(*size))?;
        }
        for Leftover { name, size, .. } in &self.leftovers {
            writeln!(out, "{name}  {}", human_size(*size))?;
        }
        let done = if self.dry_run { "would remove" } else { "removed" };
        let blobs = match self.blobs.len() {
            1 => "1 blob".to_owned(),
            many => format!("{many} blobs"),
        };
        let leftovers = match self.leftovers.len() {
            0 => String::new(),
            1 => " and 1 temporary file".to_owned(),
            many => format!(" and {many} temporary files"),
        };
        let (bytes, kept) = (human_size(self.bytes), self.kept);
        writeln!(out, "{done} {blobs}{leftovers}, {bytes}; {kept} kept")
    }

    /// Writes one line per removed item: digest of a blob or name of a temporary file, bytes.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.blobs
            .iter()
            .try_for_each(|UnusedBlob { digest, size, .. }| writeln!(out, "{digest}\t{size}"))?;
        self.leftovers.iter().try_for_each(|Leftover { name, size, .. }| writeln!(out, "{name}\t{size}"))
    }
}
