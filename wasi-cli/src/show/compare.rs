//! The differences between two images.

use std::fmt;

use ocicle::{
    image::compare::{Compared, FieldDelta, FileDelta},
    text::printable,
};
use serde_json::Value;

use super::{Show, human_size};

/// The number of directories named in the summary.
const LARGEST: usize = 10;

impl Show for Compared {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for FileDelta { path, change, aspects, size_before, size_after, .. } in &self.files {
            let sign = match *change {
                "added" => '+',
                "removed" => '-',
                _ => '~',
            };
            write!(out, "{sign} {path}")?;
            if !aspects.is_empty() {
                write!(out, "  {}", aspects.join(", "))?;
            }
            match *change {
                _ if size_before == size_after => writeln!(out)?,
                "changed" => writeln!(out, "  {} → {}", human_size(*size_before), human_size(*size_after))?,
                _ => writeln!(out, "  {}", human_size(*size_before.max(size_after)))?,
            }
        }
        let value = |value: &Option<Value>| {
            value.as_ref().map_or_else(|| "nothing".into(), |it| printable(&it.to_string()))
        };
        for FieldDelta { field, before, after, .. } in &self.config {
            writeln!(out, "config {}: {} → {}", printable(field), value(before), value(after))?;
        }
        let mut largest: Vec<_> = self.directories.iter().collect();
        largest.sort_by_key(|(path, bytes)| (std::cmp::Reverse(bytes.unsigned_abs()), (*path).clone()));
        for (path, bytes) in largest.into_iter().take(LARGEST) {
            let sign = if *bytes < 0 { '-' } else { '+' };
            writeln!(out, "{sign}{} in {path}", human_size(bytes.unsigned_abs()))?;
        }
        for (what, count) in &self.ignored {
            writeln!(out, "ignored: {what} ({count})")?;
        }
        Ok(())
    }

    /// Writes one line per file: change, path, properties separated by commas or `-`, bytes before and after;
    /// then one line per field of the config: `config`, name, value before and after as JSON, or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for FileDelta { path, change, aspects, size_before, size_after, .. } in &self.files {
            let aspects = if aspects.is_empty() { "-".into() } else { aspects.join(",") };
            writeln!(out, "{change}\t{path}\t{aspects}\t{size_before}\t{size_after}")?;
        }
        let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".into(), Value::to_string);
        for FieldDelta { field, before, after, .. } in &self.config {
            writeln!(out, "config\t{}\t{}\t{}", printable(field), value(before), value(after))?;
        }
        Ok(())
    }
}
