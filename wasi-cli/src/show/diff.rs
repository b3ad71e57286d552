//! The differences between two images.

use std::fmt;

use ocicle::{
    image::{
        compare::{DiffKind, FieldDiff, FileDiff, ImageDiff},
        look::path_text,
    },
    text::printable,
};
use serde_json::Value;

use super::{Show, human_size};

/// Directories named in the text.
const LARGEST: usize = 10;

impl Show for ImageDiff {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.files.iter().try_for_each(|file| line(out, file))?;
        let value = |value: &Option<Value>| {
            value.as_ref().map_or_else(|| "nothing".into(), |it| printable(&it.to_string()))
        };
        for FieldDiff { field, before, after, .. } in &self.config {
            writeln!(out, "config {}: {} → {}", printable(field), value(before), value(after))?;
        }
        let mut largest: Vec<_> =
            self.directories.iter().map(|(path, bytes)| (path_text(path), *bytes)).collect();
        largest.sort_by_key(|(path, bytes)| (std::cmp::Reverse(bytes.unsigned_abs()), path.clone()));
        for (path, bytes) in largest.iter().take(LARGEST) {
            let sign = if *bytes < 0 { '-' } else { '+' };
            writeln!(out, "{sign}{} in {path}", human_size(bytes.unsigned_abs()))?;
        }
        for (what, count) in &self.ignored {
            writeln!(out, "ignored: {} ({count})", what.name())?;
        }
        Ok(())
    }

    /// Writes a line for each file: change, path, properties with commas or `-`, bytes before and after; then
    /// for each field of the config: `config`, name, value before and after as JSON, or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for file in &self.files {
            let FileDiff { path, kind, size_before, size_after, .. } = file;
            let (kind, path, properties) = (kind.name(), path_text(path), properties(file, ","));
            let properties = if properties.is_empty() { "-" } else { &properties };
            writeln!(out, "{kind}\t{path}\t{properties}\t{size_before}\t{size_after}")?;
        }
        let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".into(), Value::to_string);
        for FieldDiff { field, before, after, .. } in &self.config {
            writeln!(out, "config\t{}\t{}\t{}", printable(field), value(before), value(after))?;
        }
        Ok(())
    }
}

fn line(out: &mut dyn fmt::Write, file: &FileDiff) -> fmt::Result {
    let FileDiff { path, kind, properties: differing, size_before, size_after, .. } = file;
    let sign = match kind {
        DiffKind::Added => '+',
        DiffKind::Removed => '-',
        DiffKind::Changed => '~',
    };
    write!(out, "{sign} {}", path_text(path))?;
    if !differing.is_empty() {
        write!(out, "  {}", properties(file, ", "))?;
    }
    let (before, after) = (human_size(*size_before), human_size(*size_after));
    match kind {
        _ if size_before == size_after => writeln!(out),
        DiffKind::Changed => writeln!(out, "  {before} → {after}"),
        DiffKind::Added => writeln!(out, "  {after}"),
        DiffKind::Removed => writeln!(out, "  {before}"),
    }
}

fn properties(file: &FileDiff, between: &str) -> String {
    file.properties.iter().map(|property| property.name()).collect::<Vec<_>>().join(between)
}
