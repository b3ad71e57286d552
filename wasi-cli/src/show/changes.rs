//! The changes by `tree apply --dry-run`, as a tree.

use std::fmt;

use ocicle::{
    digest::Digest,
    graph::describe::{ListingDiff, ObjectChange, ObjectChangeKind},
    text::printable,
};

use super::Show;

impl Show for ListingDiff {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        table(out, &self.entries, 0)
    }

    /// Writes one line per object, indented by two spaces per level: change, tag or `-`, kind, platform or
    /// `-`, digest, previous digest or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        plain(out, &self.entries, 0)
    }
}

fn table(out: &mut dyn fmt::Write, entries: &[ObjectChange], depth: usize) -> fmt::Result {
    for ObjectChange { change, tag, kind, platform, digest, before, entries, .. } in entries {
        let sign = match change {
            ObjectChangeKind::Added => '+',
            ObjectChangeKind::Removed => '-',
            ObjectChangeKind::Changed => '~',
            ObjectChangeKind::Same => ' ',
        };
        write!(out, "{sign} {}", "  ".repeat(depth))?;
        if let Some(tag) = tag {
            write!(out, "#{}  ", printable(tag))?;
        }
        write!(out, "{}", printable(kind))?;
        if let Some(platform) = platform {
            write!(out, "  {}", printable(&platform.to_string()))?;
        }
        match before {
            Some(before) => writeln!(out, "  {digest}  (was {before})")?,
            None => writeln!(out, "  {digest}")?,
        }
        table(out, entries, depth + 1)?;
    }
    Ok(())
}

fn plain(out: &mut dyn fmt::Write, entries: &[ObjectChange], depth: usize) -> fmt::Result {
    for ObjectChange { change, tag, kind, platform, digest, before, entries, .. } in entries {
        let (indent, change, kind) = ("  ".repeat(depth), change.name(), printable(kind));
        let tag = tag.as_deref().map_or_else(|| "-".into(), printable);
        let platform = platform.as_ref().map_or_else(|| "-".into(), |it| printable(&it.to_string()));
        let before = before.as_ref().map_or("-", Digest::as_str);
        writeln!(out, "{indent}{change}\t{tag}\t{kind}\t{platform}\t{digest}\t{before}")?;
        plain(out, entries, depth + 1)?;
    }
    Ok(())
}
