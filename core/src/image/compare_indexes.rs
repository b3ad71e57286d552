//! Comparison of two indexes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::compare::{DiffKind, FieldDiff, fields_between};
use crate::{
    digest::Digest,
    error::Result,
    spec::{Descriptor, Index, Raw},
    store::{BlobRead, Repository},
};

/// The differences between two indexes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IndexDiff {
    /// Fields of the indexes that differ: annotations, media type, artifact type and subject.
    pub index: Vec<FieldDiff>,
    /// Entries that differ: those of the first index, then those that only the second has.
    pub entries: Vec<EntryDiff>,
}

/// An entry that differs. Entries with the same platform and artifact type are compared in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntryDiff {
    /// The kind of difference.
    pub kind: DiffKind,
    /// The platform, or else the artifact type or media type.
    pub name: String,
    /// The digest before.
    pub before: Option<Digest>,
    /// The digest after.
    pub after: Option<Digest>,
    /// Annotations and media types of the entry that differ.
    pub fields: Vec<FieldDiff>,
}

impl IndexDiff {
    /// Compares two indexes, each with the repository that has it.
    ///
    /// # Errors
    /// Those of [`Repository::document`].
    pub fn new<A: BlobRead, B: BlobRead>(
        before: (&Repository<A>, &Descriptor),
        after: (&Repository<B>, &Descriptor),
    ) -> Result<Self> {
        let a: Raw<Index> = before.0.document(before.1)?;
        let b: Raw<Index> = after.0.document(after.1)?;
        let (mut index, mut entries) = (Vec::new(), Vec::new());
        let [fields_a, fields_b] = [(&a, before.1), (&b, after.1)].map(|(index, of)| index_fields(index, of));
        fields_between(String::new(), Some(&fields_a), Some(&fields_b), &mut index);
        let mut rest = numbered(b.view());
        for (key, old) in numbered(a.view()) {
            let new = rest.iter().position(|(other, _)| *other == key).map(|at| rest.remove(at).1);
            entries.extend(entry_diff(key.0, Some(old), new));
        }
        entries.extend(rest.into_iter().filter_map(|(key, new)| entry_diff(key.0, None, Some(new))));
        Ok(Self { index, entries })
    }

    /// Returns whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.index.is_empty() && self.entries.is_empty()
    }
}

fn index_fields(index: &Raw<Index>, descriptor: &Descriptor) -> Value {
    let Index { artifact_type, annotations, subject, .. } = index.view();
    json!({
        "mediaType": descriptor.media_type,
        "artifactType": artifact_type,
        "annotations": annotations,
        "subject": subject.as_ref().map(|subject| &subject.digest),
    })
}

/// Returns the entries with their names, and the number of each among those of its name.
fn numbered(index: &Index) -> Vec<((String, usize), &Descriptor)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let entry = |entry| {
        let name = name_of(entry);
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        ((name, *count), entry)
    };
    index.manifests.iter().map(entry).collect()
}

fn name_of(entry: &Descriptor) -> String {
    let platform = entry.platform.as_ref().map(|platform| platform.normalized().to_string());
    let artifact_type = entry.artifact_type.as_ref();
    let names: Vec<_> = platform.into_iter().chain(artifact_type.map(ToString::to_string)).collect();
    if names.is_empty() { entry.media_type.to_string() } else { names.join(" ") }
}

fn entry_diff(name: String, before: Option<&Descriptor>, after: Option<&Descriptor>) -> Option<EntryDiff> {
    let kind = match (before, after) {
        (None, _) => DiffKind::Added,
        (_, None) => DiffKind::Removed,
        _ => DiffKind::Changed,
    };
    let mut fields = Vec::new();
    if let (Some(before), Some(after)) = (before, after) {
        let [a, b] = [before, after].map(|entry| {
            let Descriptor { media_type, annotations, urls, .. } = entry;
            json!({ "mediaType": media_type, "annotations": annotations, "urls": urls })
        });
        fields_between(String::new(), Some(&a), Some(&b), &mut fields);
    }
    let [before, after] = [before, after].map(|entry| entry.map(|entry| entry.digest.clone()));
    (before != after || !fields.is_empty()).then_some(EntryDiff { kind, name, before, after, fields })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::IndexDiff;
    use crate::{
        image::{Image, testing::image},
        spec::{Descriptor, Index, MediaType, Raw, media_type::INDEX},
        store::{Repository, memory::MemoryStore, put_document},
        tree::testing::file,
    };

    fn entry(store: &Repository<MemoryStore>, platform: &str, content: &str) -> Descriptor {
        let Image { mut descriptor, .. } = image(store, &[&[file("a", content)]]);
        descriptor.platform = Some(platform.parse().unwrap());
        descriptor
    }

    fn index(store: &Repository<MemoryStore>, entries: &[Descriptor], note: &str) -> Descriptor {
        let mut index = Index::new(entries.to_vec());
        index.annotations.insert("note".into(), note.into());
        put_document(store.store(), &Raw::new(index).unwrap(), &MediaType::literal(INDEX)).unwrap()
    }

    #[test]
    fn entries_are_compared_by_platform() {
        let store = Repository::in_memory().unwrap();
        let [amd64, arm64, s390x] =
            ["linux/amd64", "linux/arm64", "linux/s390x"].map(|platform| entry(&store, platform, "1"));
        let changed = entry(&store, "linux/arm64/v8", "2");
        let mut noted = amd64.clone();
        noted.annotations.insert("a".into(), "b".into());
        let before = index(&store, &[arm64.clone(), amd64.clone(), s390x.clone()], "1");
        let after = index(&store, &[noted, entry(&store, "linux/riscv64", "1"), changed.clone()], "2");
        let diff = IndexDiff::new((&store, &before), (&store, &after)).unwrap();
        let lines: Vec<_> = diff
            .entries
            .iter()
            .map(|entry| format!("{} {} {}", entry.kind.name(), entry.name, entry.fields.len()))
            .collect();
        assert_eq!(
            lines,
            [
                "changed linux/arm64 0",
                "changed linux/amd64 1",
                "removed linux/s390x 0",
                "added linux/riscv64 0"
            ]
        );
        assert_eq!(diff.entries[0].after.as_ref(), Some(&changed.digest));
        assert_eq!(diff.index[0].field, "annotations.note");
        assert!(!diff.is_same());
        assert!(IndexDiff::new((&store, &after), (&store, &after)).unwrap().is_same());
    }
}
