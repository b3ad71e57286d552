//! Combining several images in one index.

use super::{IndexNode, Node, build::config_platform, export, export::ExportDepth};
use crate::{
    error::Result,
    spec::{Descriptor, Index, Platform, Raw},
    store::{BlobRead, Repository},
};

/// The treatment of entries with equal platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one thing or the other")]
pub enum SamePlatform {
    /// All are described, and [`build`](super::build) refuses them.
    Refuse,
    /// The last of them is kept.
    KeepLast,
}

/// The description of an index of several images.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The index.
    pub index: IndexNode,
    /// Names and values of annotations that are not in it: an index before has them with other values.
    pub contradicted: Vec<(String, String)>,
}

/// Describes an index of some images. An index among them contributes its entries and annotations; an
/// annotation that several have keeps its first value. The artifact type is that of the first index.
///
/// # Errors
/// Those of reading indexes, manifests and configs.
pub fn merge<S: BlobRead>(
    repository: &Repository<S>,
    targets: &[Descriptor],
    same_platform: SamePlatform,
) -> Result<Merged> {
    let (mut merged, mut contradicted) = (IndexNode::default(), Vec::new());
    let mut entries: Vec<(Node, Option<Platform>)> = Vec::new();
    let mut is_first = true;
    let replace = same_platform == SamePlatform::KeepLast;
    for target in targets {
        let of_index = if target.media_type.is_index() {
            let index: Raw<Index> = repository.document(target)?;
            if std::mem::take(&mut is_first) {
                merged.artifact_type.clone_from(&index.view().artifact_type);
            }
            for (name, value) in &index.view().annotations {
                let first = merged.annotations.entry(name.clone()).or_insert_with(|| value.clone());
                if first != value {
                    contradicted.push((name.clone(), value.clone()));
                }
            }
            index.view().manifests.clone()
        } else {
            vec![target.clone()]
        };
        for entry in of_index.into_iter().map(Descriptor::without_names) {
            let platform = match &entry.platform {
                Some(platform) => Some(platform.clone()),
                None => config_platform(repository, &entry)?,
            };
            let platform = platform.map(|platform| platform.normalized());
            // The same object again is not a second image.
            if replace || entries.iter().any(|(node, _)| node.from.as_deref() == Some(entry.digest.as_str()))
            {
                entries.retain(|(node, other)| {
                    node.from.as_deref() != Some(entry.digest.as_str())
                        && !(replace && platform.is_some() && *other == platform && !is_attestation(&entry))
                });
            }
            let described = export(repository, &[entry], ExportDepth::Entries)?.root;
            entries.extend(described.into_iter().map(|node| (node, platform.clone())));
        }
    }
    merged.manifests = entries.into_iter().map(|(node, _)| node).collect();
    Ok(Merged { index: merged, contradicted })
}

/// Returns whether an entry is an attestation: all of these have the same, unknown platform.
fn is_attestation(entry: &Descriptor) -> bool {
    entry.annotations.contains_key("vnd.docker.reference.type")
}
