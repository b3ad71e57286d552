//! The JSON of what a description would change.

use ocicle::{
    digest::Digest,
    graph::describe::{ListingDiff, ObjectChange},
};
use serde::Serialize;

use crate::{Report, Versioned};

#[derive(Serialize)]
struct Diff<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    digest: &'a Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entries: Vec<Entry<'a>>,
}

impl<'a> From<&'a ObjectChange> for Entry<'a> {
    fn from(object: &'a ObjectChange) -> Self {
        Self {
            change: object.change.name(),
            tag: object.tag.as_deref(),
            kind: &object.kind,
            platform: object.platform.as_ref().map(ToString::to_string),
            digest: &object.digest,
            before: object.before.as_ref(),
            entries: object.entries.iter().map(Entry::from).collect(),
        }
    }
}

impl Report for ListingDiff {
    fn shape(&self) -> impl Serialize {
        Versioned::first(Diff { entries: self.entries.iter().map(Entry::from).collect() })
    }
}
