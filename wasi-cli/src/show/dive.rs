//! The numbers of dive.

use std::fmt;

use ocicle::image::waste::dive::DiveNumbers;

use super::{Show, human_size};

impl Show for DiveNumbers {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "efficiency: {:.4} %", self.efficiency * 100.0)?;
        writeln!(out, "wastedBytes: {} bytes ({})", self.wasted_bytes, human_size(self.wasted_bytes))?;
        writeln!(out, "userWastedPercent: {:.4} %", self.user_wasted_percent * 100.0)
    }

    /// Writes efficiency, wasted bytes and user wasted percent.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{}\t{}\t{}", self.efficiency, self.wasted_bytes, self.user_wasted_percent)
    }
}
