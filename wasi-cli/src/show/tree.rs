//! A listing drawn as a tree.

use std::{collections::BTreeSet, fmt};

use ocicle::{
    digest::Digest,
    graph::list::{ListEntry, Listing},
    text::printable,
};
use ocicle_report::Report;
use serde::Serialize;

use super::{Show, human_size};

/// A listing drawn with lines from each index to its entries, and from each object to its subject and its
/// referrers. An object at several places is drawn once with everything below it, and then marked `as above`.
pub(crate) struct Drawn(pub(crate) Listing);

impl Show for Drawn {
    fn table(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let mut seen = BTreeSet::new();
        for entry in &self.0.entries {
            match (&entry.tag, entry.selector.steps().len()) {
                (Some(tag), _) => write!(out, "#{}  ", printable(tag))?,
                (None, 1) => out.write_str("(no tag)  ")?,
                (None, _) => {}
            }
            node(out, entry, "", &mut seen)?;
        }
        Ok(())
    }

    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.0.plain(out)
    }
}

impl Report for Drawn {
    fn shape(&self) -> impl Serialize {
        self.0.shape()
    }
}

/// Draws the rest of the line of an entry, and everything below it.
fn node<'a>(
    out: &mut dyn fmt::Write,
    entry: &'a ListEntry,
    before: &str,
    seen: &mut BTreeSet<&'a Digest>,
) -> fmt::Result {
    write!(out, "{}", what(entry))?;
    if let Some(platform) = &entry.platform {
        write!(out, "  {}", printable(&platform.to_string()))?;
    }
    write!(out, "  {}", short(entry.digest.as_str()))?;
    match entry.image_size {
        Some(size) => write!(out, "  {}", human_size(size))?,
        None if entry.problem.is_some() => write!(out, "  not readable here")?,
        None => {}
    }
    for about in entry.subject.iter().map(Digest::as_str).chain(entry.attests.as_deref()) {
        write!(out, "  about {}", short(about))?;
    }
    let again = !seen.insert(&entry.digest);
    if again {
        return writeln!(out, "  (as above)");
    }
    writeln!(out)?;
    let about = entry.referrers.iter().map(Below::About);
    let below: Vec<_> = about.chain(entry.entries.iter().map(Below::Entry)).collect();
    for (number, part) in below.iter().enumerate() {
        let (line, indent) =
            if number + 1 == below.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        write!(out, "{before}{line}")?;
        match part {
            Below::About(referrer) => writeln!(out, "← {}", short(referrer.as_str()))?,
            Below::Entry(entry) => node(out, entry, &format!("{before}{indent}"), seen)?,
        }
    }
    Ok(())
}

enum Below<'a> {
    /// A referrer of the object.
    About(&'a Digest),
    Entry(&'a ListEntry),
}

fn what(entry: &ListEntry) -> String {
    match (&entry.artifact_type, entry.kind.as_str()) {
        _ if entry.attests.is_some() => "attestation".into(),
        (Some(kind), "index") => format!("index  {}", printable(kind.as_str())),
        (Some(kind), _) => printable(kind.as_str()),
        (None, kind) => printable(kind),
    }
}

/// Returns a prefix of a digest.
fn short(digest: &str) -> String {
    let length = digest.find(':').map_or(12, |colon| colon + 13);
    printable(digest.get(..length).unwrap_or(digest))
}
