//! The stamps file: for each path of the manifest, in the byte order of the tree, one line with inode number
//! and ctime. It repeats nothing of the manifest, and means nothing without it.

use std::io::{BufRead, Write};

use super::super::files::STAMPS;
use crate::{
    attrs::Time,
    error::{Error, Result},
    tree::{Tree, rootfs::Stamp},
};

/// Writes `INO SECONDS NANOSECONDS` for each path of the tree.
pub(super) fn write(tree: &Tree, stamps: &[Stamp], out: &mut dyn Write) -> Result<()> {
    for (_, id) in tree {
        let Stamp { ino, ctime } = stamps.get(id.index()).copied().unwrap_or_default();
        writeln!(out, "{ino} {} {}", ctime.seconds, ctime.nanoseconds)
            .map_err(Error::io(format_args!("write {STAMPS}")))?;
    }
    Ok(())
}

/// Reads the stamps of a tree, by [`crate::tree::InodeId::index`].
///
/// # Errors
/// [`Error::Document`] if the file does not belong to the tree.
pub(super) fn read(tree: &Tree, input: &mut dyn BufRead) -> Result<Vec<Stamp>> {
    let wrong = || Error::document(STAMPS, "does not belong to rootfs.mtree");
    let mut stamps = Vec::new();
    let mut line = String::new();
    for (_, id) in tree {
        line.clear();
        input.read_line(&mut line).map_err(Error::io(format_args!("read {STAMPS}")))?;
        let stamp = parse(line.trim_end()).ok_or_else(wrong)?;
        if stamps.len() <= id.index() {
            stamps.resize(id.index() + 1, Stamp::default());
        }
        stamps[id.index()] = stamp;
    }
    line.clear();
    match input.read_line(&mut line).map_err(Error::io(format_args!("read {STAMPS}")))? {
        0 => Ok(stamps),
        _ => Err(wrong()),
    }
}

fn parse(line: &str) -> Option<Stamp> {
    let mut fields = line.split(' ');
    let ino = fields.next()?.parse().ok()?;
    let ctime = Time { seconds: fields.next()?.parse().ok()?, nanoseconds: fields.next()?.parse().ok()? };
    fields.next().is_none().then_some(Stamp { ino, ctime })
}
