//! A listing drawn as a tree.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use super::{Entry, Listing};
use crate::{
    digest::Digest,
    text::{self, human_size, printable},
};

/// A listing that is shown with lines from each index to what is in it, what each object is about, and what is about it. An object that
/// is at several places is drawn with all below it once, and marked `as above` after that. The rest is as in the listing.
#[derive(Debug, Serialize)]
#[serde(transparent)]
#[allow(clippy::exhaustive_structs, reason = "another face of the same value")]
pub struct Drawn(pub Listing);

impl text::Report for Drawn {
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.0.plain(out)
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut seen = BTreeSet::new();
        for entry in &self.0.entries {
            match (&entry.tag, entry.selector.steps().len()) {
                (Some(tag), _) => write!(f, "#{}  ", printable(tag))?,
                (None, 1) => f.write_str("(no tag)  ")?,
                (None, _) => {}
            }
            node(f, entry, "", &mut seen)?;
        }
        Ok(())
    }
}

/// The rest of the line of an entry, and all that is below it.
fn node<'a>(
    f: &mut fmt::Formatter<'_>,
    entry: &'a Entry,
    before: &str,
    seen: &mut BTreeSet<&'a Digest>,
) -> fmt::Result {
    write!(f, "{}", what(entry))?;
    if let Some(platform) = &entry.platform {
        write!(f, "  {}", printable(&platform.to_string()))?;
    }
    write!(f, "  {}", short(entry.digest.as_str()))?;
    match entry.image_size {
        Some(size) => write!(f, "  {}", human_size(size))?,
        None if entry.problem.is_some() => write!(f, "  not readable here")?,
        None => {}
    }
    for about in entry.subject.iter().map(Digest::as_str).chain(entry.attests.as_deref()) {
        write!(f, "  about {}", short(about))?;
    }
    let again = !seen.insert(&entry.digest);
    if again {
        return writeln!(f, "  (as above)");
    }
    writeln!(f)?;
    let about = entry.referrers.iter().map(Below::About);
    let below: Vec<_> = about.chain(entry.entries.iter().map(Below::Entry)).collect();
    for (number, part) in below.iter().enumerate() {
        let (line, indent) =
            if number + 1 == below.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        write!(f, "{before}{line}")?;
        match part {
            Below::About(referrer) => writeln!(f, "← {}", short(referrer.as_str()))?,
            Below::Entry(entry) => node(f, entry, &format!("{before}{indent}"), seen)?,
        }
    }
    Ok(())
}

enum Below<'a> {
    /// Something says that it is about this.
    About(&'a Digest),
    Entry(&'a Entry),
}

fn what(entry: &Entry) -> String {
    match (&entry.artifact_type, entry.kind.as_str()) {
        _ if entry.attests.is_some() => "attestation".into(),
        (Some(kind), "index") => format!("index  {}", printable(kind.as_str())),
        (Some(kind), _) => printable(kind.as_str()),
        (None, kind) => printable(kind),
    }
}

/// Enough of a digest to tell it from others.
fn short(digest: &str) -> String {
    let length = digest.find(':').map_or(12, |colon| colon + 13);
    printable(digest.get(..length).unwrap_or(digest))
}
