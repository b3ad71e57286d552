//! The changes that a description would make, as a tree.

use crate::{
    digest::Digest,
    graph::list::{ListEntry, Listing},
    spec::Platform,
};

/// The differences between the entries of two listings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListingDiff {
    /// Entries of the second root index, then those that only the first has.
    pub entries: Vec<ObjectChange>,
}

/// An object before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectChange {
    /// The kind of change.
    pub change: ObjectChangeKind,
    /// Its tag.
    pub tag: Option<String>,
    /// `index`, `manifest`, or a media type.
    pub kind: String,
    /// Its platform.
    pub platform: Option<Platform>,
    /// Its digest; for a removed object, the old one.
    pub digest: Digest,
    /// Its digest before a change.
    pub before: Option<Digest>,
    /// The entries of an index that changed.
    pub entries: Vec<ObjectChange>,
}

/// The kinds of change of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "all there are")]
pub enum ObjectChangeKind {
    /// Unchanged.
    Same,
    /// Only the second listing has it.
    Added,
    /// Only the first listing has it.
    Removed,
    /// Its content or its descriptor differs.
    Changed,
}

impl ObjectChangeKind {
    /// Returns its name, such as `added`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl ListingDiff {
    /// Compares two listings.
    #[must_use]
    pub fn between(before: &Listing, after: &Listing) -> Self {
        Self { entries: level(&before.entries, &after.entries) }
    }

    /// Returns whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.entries.iter().all(|entry| entry.change == ObjectChangeKind::Same)
    }
}

/// Pairs entries by tag, by digest, then by kind and platform.
fn level(before: &[ListEntry], after: &[ListEntry]) -> Vec<ObjectChange> {
    let mut left: Vec<&ListEntry> = before.iter().collect();
    let mut take = |fits: &dyn Fn(&ListEntry) -> bool| {
        let at = left.iter().position(|old| fits(old))?;
        Some(left.remove(at))
    };
    let mut pairs: Vec<(&ListEntry, Option<&ListEntry>)> = after
        .iter()
        .map(|new| {
            let same_tag = |old: &ListEntry| new.tag.is_some() && old.tag == new.tag;
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
    let mut changed: Vec<ObjectChange> = pairs
        .into_iter()
        .map(|(new, old)| match old {
            None => of(new, ObjectChangeKind::Added, None),
            Some(old) if old.digest == new.digest => {
                of(new, if same(old, new) { ObjectChangeKind::Same } else { ObjectChangeKind::Changed }, None)
            }
            Some(old) => {
                let mut changed = of(new, ObjectChangeKind::Changed, Some(old.digest.clone()));
                changed.entries = level(&old.entries, &new.entries);
                changed
            }
        })
        .collect();
    changed.extend(left.into_iter().map(|old| of(old, ObjectChangeKind::Removed, None)));
    changed
}

/// Returns whether the entries are the same, too.
fn same(old: &ListEntry, new: &ListEntry) -> bool {
    old.platform == new.platform && old.annotations == new.annotations && old.media_type == new.media_type
}

fn of(entry: &ListEntry, change: ObjectChangeKind, before: Option<Digest>) -> ObjectChange {
    ObjectChange {
        change,
        tag: entry.tag.clone(),
        kind: entry.kind.clone(),
        platform: entry.platform.clone(),
        digest: entry.digest.clone(),
        before,
        entries: Vec::new(),
    }
}
