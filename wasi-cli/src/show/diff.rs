//! The differences between two images or indexes.

use std::fmt;

use ocicle::{
    image::{
        compare::{DiffKind, FieldDiff, FileDiff, ImageDiff},
        compare_indexes::{EntryDiff, IndexDiff},
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
        fields(out, "config ", &self.config)?;
        fields(out, "manifest ", &self.manifest)?;
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
    /// for each field of the config: `config`, name, value before and after as JSON, or `-`; then the same
    /// with `manifest`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for file in &self.files {
            let FileDiff { path, kind, size_before, size_after, .. } = file;
            let (kind, path, properties) = (kind.name(), path_text(path), properties(file, ","));
            let properties = if properties.is_empty() { "-" } else { &properties };
            writeln!(out, "{kind}\t{path}\t{properties}\t{size_before}\t{size_after}")?;
        }
        plain_fields(out, "config", &self.config)?;
        plain_fields(out, "manifest", &self.manifest)
    }
}

impl Show for IndexDiff {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        fields(out, "index ", &self.index)?;
        for EntryDiff { kind, name, before, after, fields: differing, .. } in &self.entries {
            let name = printable(name);
            match (before, after) {
                (Some(before), Some(after)) if before == after => writeln!(out, "{} {name}", sign(*kind))?,
                (Some(before), Some(after)) => writeln!(out, "{} {name}  {before} → {after}", sign(*kind))?,
                (before, after) => {
                    let digest = before.iter().chain(after).map(ToString::to_string).collect::<String>();
                    writeln!(out, "{} {name}  {digest}", sign(*kind))?;
                }
            }
            fields(out, "    ", differing)?;
        }
        Ok(())
    }

    /// Writes `index`, name, value before and after for each field of the index; then change, name, digest
    /// before and after, or `-`, for each entry, and `entry`, name, value before and after for each of its
    /// fields.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        plain_fields(out, "index", &self.index)?;
        for EntryDiff { kind, name, before, after, fields, .. } in &self.entries {
            let [before, after] =
                [before, after].map(|digest| digest.as_ref().map_or("-", |digest| digest.as_str()));
            writeln!(out, "{}\t{}\t{before}\t{after}", kind.name(), printable(name))?;
            plain_fields(out, "entry", fields)?;
        }
        Ok(())
    }
}

fn fields(out: &mut dyn fmt::Write, of: &str, fields: &[FieldDiff]) -> fmt::Result {
    let value = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "nothing".into(), |it| printable(&it.to_string()))
    };
    fields.iter().try_for_each(|FieldDiff { field, before, after, .. }| {
        writeln!(out, "{of}{}: {} → {}", printable(field), value(before), value(after))
    })
}

fn plain_fields(out: &mut dyn fmt::Write, of: &str, fields: &[FieldDiff]) -> fmt::Result {
    let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".into(), Value::to_string);
    fields.iter().try_for_each(|FieldDiff { field, before, after, .. }| {
        writeln!(out, "{of}\t{}\t{}\t{}", printable(field), value(before), value(after))
    })
}

fn sign(kind: DiffKind) -> char {
    match kind {
        DiffKind::Added => '+',
        DiffKind::Removed => '-',
        DiffKind::Changed => '~',
    }
}

fn line(out: &mut dyn fmt::Write, file: &FileDiff) -> fmt::Result {
    let FileDiff { path, kind, properties: differing, size_before, size_after, .. } = file;
    write!(out, "{} {}", sign(*kind), path_text(path))?;
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
