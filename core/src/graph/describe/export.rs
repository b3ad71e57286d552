//! Describing objects of a store.

use super::{
    Data, Description, Duplicates, Form, IndexNode, ManifestNode, Node,
    build::{Listed, config_platform, fits},
};
use crate::{
    error::{Error, Result},
    spec::{
        Descriptor, Index, Manifest, REF_NAME, Raw,
        media_type::{EMPTY, INDEX, MANIFEST},
    },
    store::{BlobRead, Repository},
};

/// How much of a tree a description spells out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "one thing or the other")]
pub enum ExportDepth {
    /// The entries, each `from` its digest.
    Entries,
    /// Indexes and manifests as well, down to the blobs.
    Blobs,
}

/// Describes entries of a root index, or other descriptors. Each object is `from` its digest;
/// [`ExportDepth::Blobs`] spells out the indexes and manifests that [`build`](super::build) would rebuild
/// byte for byte. Others, such as those with unknown fields or Docker's types, are `from`.
///
/// # Errors
/// Those of reading an index or manifest, but for an absent one, which is `from`; [`Error::Limit`] past
/// [`Limits::depth`](crate::Limits::depth).
pub fn export<S: BlobRead>(
    repository: &Repository<S>,
    entries: &[Descriptor],
    depth: ExportDepth,
) -> Result<Description> {
    let exporter = Exporter { repository, depth };
    let root = entries.iter().map(|entry| {
        let mut node = exporter.node(entry, 0, false)?;
        node.tag = node.annotations.remove(REF_NAME);
        Ok(node)
    });
    Ok(Description { root: root.collect::<Result<_>>()? })
}

enum Spelled {
    Index(IndexNode),
    Manifest(ManifestNode),
}

struct Exporter<'a, S> {
    repository: &'a Repository<S>,
    depth: ExportDepth,
}

impl<S: BlobRead> Exporter<'_, S> {
    fn node(&self, of: &Descriptor, depth: usize, in_index: bool) -> Result<Node> {
        if depth > self.repository.limits().depth {
            let what = format!("{}: depth of indexes", of.digest);
            return Err(Error::limit(what, "depth", self.repository.limits().depth as u64));
        }
        let mut node = Node {
            platform: of.platform.as_ref().map(ToString::to_string),
            annotations: of.annotations.clone().into_iter().collect(),
            urls: of.urls.clone(),
            data: of.data.is_some().then_some(Data::Embed),
            ..Node::default()
        };
        // Building fills in what is not said, and refuses what contradicts the config.
        node.platform_override = self.contradicts(of)?;
        if of.platform.is_none() && in_index && of.media_type.is_manifest() {
            node.platform = Some("none".into());
        }
        if self.depth == ExportDepth::Blobs {
            match self.spelled_out(of, depth) {
                Ok(Some(Spelled::Index(index))) if index.artifact_type == of.artifact_type => {
                    return Ok(Node { index: Some(index), ..node });
                }
                Ok(Some(Spelled::Manifest(manifest))) if manifest.artifact_type == of.artifact_type => {
                    return Ok(Node { manifest: Some(manifest), ..node });
                }
                Ok(_) | Err(Error::MissingBlob(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Node {
            from: Some(of.digest.to_string()),
            media_type: Some(of.media_type.clone()),
            artifact_type: of.artifact_type.clone(),
            ..node
        })
    }

    /// Returns whether the platform differs from that of the config.
    fn contradicts(&self, of: &Descriptor) -> Result<bool> {
        let Some(said) = &of.platform else { return Ok(false) };
        match config_platform(self.repository, of) {
            Err(Error::MissingBlob(_)) => Ok(false),
            actual => Ok(actual?.is_some_and(|actual| !fits(said, &actual))),
        }
    }

    /// Spells out an index or manifest; returns `None` if building it would yield other bytes.
    fn spelled_out(&self, of: &Descriptor, depth: usize) -> Result<Option<Spelled>> {
        let subject =
            |subject: &Option<Descriptor>| subject.as_ref().map(|subject| subject.digest.to_string());
        let is_plain = |subject: &Option<Descriptor>| {
            subject.as_ref().is_none_or(|subject| {
                *subject == Descriptor::new(subject.media_type.clone(), subject.digest.clone(), subject.size)
                    && matches!(self.repository.store().try_size(subject), Ok(Some(_)))
            })
        };
        if of.media_type.as_str() == INDEX {
            let document: Raw<Index> = self.repository.document(of)?;
            let index = document.view();
            let Some(form) = Form::of(&document) else { return Ok(None) };
            if index.media_type.is_none() || !is_plain(&index.subject) {
                return Ok(None);
            }
            for entry in &index.manifests {
                if self.repository.store().try_size(entry)?.is_none() {
                    return Ok(None); // a sparse index
                }
            }
            let manifests = index.manifests.iter().map(|entry| self.node(entry, depth + 1, true));
            let node = IndexNode {
                artifact_type: index.artifact_type.clone(),
                subject: subject(&index.subject),
                duplicates: has_duplicates(&index.manifests).then_some(Duplicates::Allow),
                form,
                annotations: index.annotations.clone().into_iter().collect(),
                manifests: manifests.collect::<Result<_>>()?,
            };
            return Ok(Some(Spelled::Index(node)));
        }
        if of.media_type.as_str() == MANIFEST {
            let document: Raw<Manifest> = self.repository.document(of)?;
            let manifest = document.view();
            let no_type = manifest.config.media_type.as_str() == EMPTY && manifest.artifact_type.is_none();
            let no_layers = manifest.layers.is_empty() && !manifest.config.media_type.is_config();
            let typed = manifest.media_type.is_some();
            let Some(form) = Form::of(&document) else { return Ok(None) };
            if !typed || no_type || no_layers || !is_plain(&manifest.subject) {
                return Ok(None);
            }
            let layers = manifest.layers.iter().map(|layer| self.node(layer, depth + 1, false));
            let node = ManifestNode {
                artifact_type: manifest.artifact_type.clone(),
                subject: subject(&manifest.subject),
                form,
                annotations: manifest.annotations.clone().into_iter().collect(),
                config: Some(Box::new(self.node(&manifest.config, depth + 1, false)?)),
                layers: layers.collect::<Result<_>>()?,
            };
            return Ok(Some(Spelled::Manifest(node)));
        }
        Ok(None)
    }
}

/// Returns whether building an index of these entries needs [`Duplicates::Allow`].
fn has_duplicates(entries: &[Descriptor]) -> bool {
    let mut listed = Listed::default();
    entries.iter().enumerate().any(|(number, entry)| listed.add("", number, entry).is_err())
}
