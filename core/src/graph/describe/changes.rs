//! What a description would change, as a tree.

use std::fmt;

use serde::Serialize;

use crate::{
    digest::Digest,
    graph::list::{Entry, Listing},
    text::{self, printable},
};

/// The entries of a root index before and after. Schema version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Changes {
    schema_version: u32,
    /// Entries of the root, those after first, then those that are gone.
    pub entries: Vec<Changed>,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Changed {
    /// `same`, `added`, `removed` or `changed`.
    pub change: &'static str,
    /// Its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// `index`, `manifest`, or a media type.
    pub kind: String,
    /// What it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its digest; of one that is gone, what it was.
    pub digest: Digest,
    /// What it was before a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// What is in an index that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Changed>,
}

impl Changes {
    /// Compares two listings.
    #[must_use]
    pub fn between(before: &Listing, after: &Listing) -> Self {
        Self { schema_version: 1, entries: level(&before.entries, &after.entries) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.entries.iter().all(|entry| entry.change == "same")
    }
}

/// Pairs entries by tag, by digest, then by kind and platform.
fn level(before: &[Entry], after: &[Entry]) -> Vec<Changed> {
    let mut left: Vec<&Entry> = before.iter().collect();
    let mut take = |fits: &dyn Fn(&Entry) -> bool| {
        let at = left.iter().position(|old| fits(old))?;
        Some(left.remove(at))
    };
    let mut pairs: Vec<(&Entry, Option<&Entry>)> = after
        .iter()
        .map(|new| {
            let same_tag = |old: &Entry| new.tag.is_some() && old.tag == new.tag;
            (new, take(&same_tag).or_else(|| take(&|old| old.tag == new.tag && old.digest == new.digest)))
        })
        .collect();
    for (new, old) in &mut pairs {
        if old.is_none() && new.tag.is_none() {
            *old = take(&|old| {
                old.tag.is_none()
                    && (&old.kind, &old.platform, &old.artifact_type)
                        == (&new.kind, &new.platform, &new.artifact_type)
            });
        }
    }
    let mut changed: Vec<Changed> = pairs
        .into_iter()
        .map(|(new, old)| match old {
            None => of(new, "added", None),
            Some(old) if old.digest == new.digest => {
                of(new, if same(old, new) { "same" } else { "changed" }, None)
            }
            Some(old) => {
                let mut changed = of(new, "changed", Some(old.digest.clone()));
                changed.entries = level(&old.entries, &new.entries);
                changed
            }
        })
        .collect();
    changed.extend(left.into_iter().map(|old| of(old, "removed", None)));
    changed
}

/// Whether what the entries say is the same, too.
fn same(old: &Entry, new: &Entry) -> bool {
    old.platform == new.platform && old.annotations == new.annotations && old.media_type == new.media_type
}

fn of(entry: &Entry, change: &'static str, before: Option<Digest>) -> Changed {
    Changed {
        change,
        tag: entry.tag.clone(),
        kind: entry.kind.clone(),
        platform: entry.platform.as_ref().map(ToString::to_string),
        digest: entry.digest.clone(),
        before,
        entries: Vec::new(),
    }
}

impl text::Report for Changes {
    /// A line for each object, with two spaces for each level before it: change, tag or `-`, kind, platform or `-`, digest, digest before or `-`.
    fn plain(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        fn lines(out: &mut dyn fmt::Write, entries: &[Changed], depth: usize) -> fmt::Result {
            for Changed { change, tag, kind, platform, digest, before, entries } in entries {
                let indent = "  ".repeat(depth);
                let [tag, platform] =
                    [tag, platform].map(|text| text.as_deref().map_or_else(|| "-".into(), printable));
                let before = before.as_ref().map_or("-", Digest::as_str);
                writeln!(
                    out,
                    "{indent}{change}\t{tag}\t{}\t{platform}\t{digest}\t{before}",
                    printable(kind)
                )?;
                lines(out, entries, depth + 1)?;
            }
            Ok(())
        }
        lines(out, &self.entries, 0)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn lines(f: &mut fmt::Formatter<'_>, entries: &[Changed], depth: usize) -> fmt::Result {
            for Changed { change, tag, kind, platform, digest, before, entries } in entries {
                let sign = match *change {
                    "added" => '+',
                    "removed" => '-',
                    "changed" => '~',
                    _ => ' ',
                };
                write!(f, "{sign} {}", "  ".repeat(depth))?;
                if let Some(tag) = tag {
                    write!(f, "#{}  ", printable(tag))?;
                }
                write!(f, "{}", printable(kind))?;
                if let Some(platform) = platform {
                    write!(f, "  {}", printable(platform))?;
                }
                write!(f, "  {digest}")?;
                match before {
                    Some(before) => writeln!(f, "  (was {before})")?,
                    None => writeln!(f)?,
                }
                lines(f, entries, depth + 1)?;
            }
            Ok(())
        }
        lines(f, &self.entries, 0)
    }
}
