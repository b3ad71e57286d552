//! The results of `find`.

use std::fmt;

use ocicle::{
    image::{
        find::{FoundEntry, Secret},
        look::path_text,
    },
    layer::EntryKind,
};
use ocicle_report::words;

use super::{Show, human_size};

impl Show for [FoundEntry] {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for FoundEntry { layer, entry, secret, hidden, .. } in self {
            let (kind, mode) = (words::entry_type(&entry.kind), words::mode(entry.attrs.mode));
            let owner = format!("{}:{}", entry.attrs.uid, entry.attrs.gid);
            let (size, path) = (human_size(size(&entry.kind)), path_text(&entry.path));
            write!(out, "{kind:<8}  {mode}  {owner:<9}  {size:>8}  {layer:>3}  {path}")?;
            if let Some(secret) = secret {
                write!(out, "  {}", secret.name())?;
            }
            match hidden {
                Some(by) => writeln!(out, "  ({} by layer {})", by.kind.name(), by.layer)?,
                None => writeln!(out)?,
            }
        }
        Ok(())
    }

    /// Writes one line per file: path, layer, type, mode, uid, gid, bytes, secret or `-`, hidden by layer or
    /// `-`, how or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for FoundEntry { layer, entry, secret, hidden, .. } in self {
            let (kind, mode) = (words::entry_type(&entry.kind), words::mode(entry.attrs.mode));
            let (path, size) = (path_text(&entry.path), size(&entry.kind));
            let (uid, gid) = (entry.attrs.uid, entry.attrs.gid);
            let secret = secret.as_ref().map_or("-", Secret::name);
            let (by, how) = match hidden {
                Some(by) => (by.layer.to_string(), by.kind.name()),
                None => ("-".into(), "-"),
            };
            writeln!(out, "{path}\t{layer}\t{kind}\t{mode}\t{uid}\t{gid}\t{size}\t{secret}\t{by}\t{how}")?;
        }
        Ok(())
    }
}

fn size(kind: &EntryKind) -> u64 {
    match kind {
        EntryKind::File { size } => *size,
        _ => 0,
    }
}
