//! The contents of a store.

use std::fmt;

use ocicle::{
    graph::list::{ListEntry, Listing},
    text::printable,
};

use super::{Column, Show, columns, human_size};

impl Show for Listing {
    /// Writes one line per place, indented by depth: tag, kind, platform, digest, size.
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut rows = vec![["TAG", "KIND", "PLATFORM", "DIGEST", "SIZE"].map(String::from)];
        rows_of(&self.entries, 0, &mut rows);
        columns(out, [Column::left(0); 5], &rows)
    }

    /// Writes selector, tag, kind, platform, digest, bytes of the document, bytes of the image.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| line(out, entry))
    }
}

fn rows_of(entries: &[ListEntry], depth: usize, rows: &mut Vec<[String; 5]>) {
    for entry in entries {
        let tag = entry.tag.as_deref().map_or_else(|| "-".into(), printable);
        let platform =
            entry.platform.as_ref().map_or_else(|| "-".into(), |platform| printable(&platform.to_string()));
        let size = match entry.image_size {
            _ if entry.problem.is_some() => "unreadable".into(),
            Some(size) => human_size(size),
            None => "-".into(),
        };
        let kind = if entry.kind.contains('/') { printable(&entry.kind) } else { entry.kind.clone() };
        rows.push([format!("{}{tag}", "  ".repeat(depth)), kind, platform, entry.digest.to_string(), size]);
        rows_of(&entry.entries, depth + 1, rows);
    }
}

fn line(out: &mut dyn fmt::Write, entry: &ListEntry) -> fmt::Result {
    let ListEntry { tag, kind, platform, digest, size, image_size, selector, entries, .. } = entry;
    let tag = tag.as_deref().map_or_else(|| "-".into(), printable);
    let platform = platform.as_ref().map_or_else(|| "-".into(), |platform| printable(&platform.to_string()));
    let image_size = image_size.map_or_else(|| "-".into(), |size| size.to_string());
    let kind = printable(kind);
    writeln!(out, "{selector}\t{tag}\t{kind}\t{platform}\t{digest}\t{size}\t{image_size}")?;
    entries.iter().try_for_each(|entry| line(out, entry))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use crate::show::{
        Drawn,
        testing::{plain, table, tagged},
    };

    #[test]
    fn places_have_lines() {
        let store = tagged(&[&[("a", Some("1"))]]);
        let listing = store.list(None).unwrap();
        let text = table(&listing);
        let (head, line) = text.split_once('\n').unwrap();
        assert_eq!(
            head.split_whitespace().collect::<Vec<_>>(),
            ["TAG", "KIND", "PLATFORM", "DIGEST", "SIZE"]
        );
        assert!(line.starts_with("v1   manifest  linux/amd64  sha256:"), "{text}");
        assert!(plain(&listing).starts_with("pos=0,digest=sha256:"), "{}", plain(&listing));
        assert!(table(&Drawn(listing)).starts_with("#v1  manifest  linux/amd64  sha256:"));
    }
}
