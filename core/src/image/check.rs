//! Everything an image store promises, verified: every reachable document, blob and layer, all findings and
//! not the first.

use std::{
    collections::HashSet,
    fmt,
    io::{self, Read},
};

use serde::Serialize;

use super::Image;
use crate::{
    digest::Digest,
    error::{Error, Result},
    layer::{Change, ChangeSink, reader::read_layer},
    spec::{self, Descriptor, Document, Index, Manifest, Raw},
    store::{BlobRead, Repository, RootIndex},
    text::printable,
};

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The way from `index.json`, as a reference's fragment: `pos=0//pos=1`.
    pub place: String,
    /// The digest of the object.
    pub digest: Digest,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, printable(&self.problem))
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CheckReport {
    /// How many different blobs were read and verified.
    pub blobs: usize,
    /// How many of them are layers, read and verified down to their last entry.
    pub layers: usize,
    /// What is wrong, in the order of the documents.
    pub findings: Vec<Finding>,
    /// What can be understood without doubt, but is not as the specification has it, such as a manifest
    /// without layers.
    pub warnings: Vec<Finding>,
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Verifies everything in the store: documents, blobs, layers. Faults are findings; only a store that
    /// cannot be read at all is an error.
    ///
    /// Each blob is read once, wherever it is used. The specification lets a `subject` be absent, and entries
    /// of indexes below `index.json`; the latter is a warning.
    ///
    /// # Errors
    /// Those of [`RootIndex::load`].
    pub fn check(&self) -> Result<CheckReport> {
        let root = self.index()?;
        let report = CheckReport { blobs: 0, layers: 0, findings: Vec::new(), warnings: Vec::new() };
        let mut checker = Checker { repository: self, report, seen: HashSet::new(), visited: 0 };
        checker.tags(&root);
        checker.index(&root, "", 0);
        Ok(checker.report)
    }
}

struct Checker<'a, S> {
    repository: &'a Repository<S>,
    report: CheckReport,
    /// What was verified already: a blob, and for a layer also the diff_id it was verified against.
    seen: HashSet<(Digest, Option<Digest>)>,
    visited: usize,
}

impl<S: BlobRead> Checker<'_, S> {
    fn finding(&mut self, place: &str, digest: &Digest, problem: impl fmt::Display) {
        self.report.findings.push(finding(place, digest, problem));
    }

    fn warning(&mut self, place: &str, digest: &Digest, problem: impl fmt::Display) {
        self.report.warnings.push(finding(place, digest, problem));
    }

    fn tags(&mut self, root: &Raw<Index>) {
        let mut tags = HashSet::new();
        for (position, entry) in root.view().manifests.iter().enumerate() {
            if let Some(tag) = entry.ref_name()
                && !tags.insert(tag)
            {
                let problem = format!("the ref name {tag:?} is used more than once");
                self.finding(&format!("pos={position}"), &entry.digest, problem);
            }
        }
    }

    fn index(&mut self, index: &Raw<Index>, place: &str, depth: usize) {
        for (position, entry) in index.view().manifests.iter().enumerate() {
            let place =
                if place.is_empty() { format!("pos={position}") } else { format!("{place}//pos={position}") };
            self.visited += 1;
            if self.visited > self.repository.limits().descriptors || depth >= self.repository.limits().depth
            {
                let problem = "not checked: more than the limits on depth or descriptors allow";
                return self.finding(&place, &entry.digest, problem);
            }
            if depth > 0
                && entry.data.is_none()
                && matches!(self.repository.store().try_size(entry), Ok(None))
            {
                // image-layout.md: a layout may be without blobs that are elsewhere.
                self.warning(&place, &entry.digest, "is not in the store: this index is sparse");
            } else if entry.media_type.is_index() {
                if let Some(child) = self.document::<Index>(&place, entry) {
                    self.index(&child, &place, depth + 1);
                }
            } else if entry.media_type.is_manifest() {
                if let Some(manifest) = self.document(&place, entry) {
                    self.manifest(&place, entry, manifest);
                }
            } else {
                self.blob(&place, entry);
            }
        }
    }

    /// Each place is looked at, even of a document seen before: what its parent says of it can differ.
    fn document<T: Document>(&mut self, place: &str, descriptor: &Descriptor) -> Option<Raw<T>> {
        self.see(&descriptor.digest, None);
        match self.repository.document::<T>(descriptor) {
            Ok(document) => {
                if let Err(error) = spec::validate(&descriptor.media_type, document.bytes()) {
                    self.warning(place, &descriptor.digest, error);
                }
                Some(document)
            }
            Err(error) => {
                self.finding(place, &descriptor.digest, error);
                None
            }
        }
    }

    fn manifest(&mut self, place: &str, entry: &Descriptor, manifest: Raw<Manifest>) {
        let config = manifest.view().config.clone();
        // An attestation of BuildKit has the config of an image and statements for layers.
        let attests = entry.annotations.contains_key("vnd.docker.reference.type");
        if attests || !config.media_type.is_config() {
            self.blob(&format!("{place} config"), &config);
            for (number, layer) in manifest.view().layers.iter().enumerate() {
                self.blob(&format!("{place} layer {}", number + 1), layer);
            }
            return;
        }
        let Some(config) = self.document(&format!("{place} config"), &config) else {
            for (number, layer) in manifest.view().layers.iter().enumerate() {
                self.blob(&format!("{place} layer {}", number + 1), layer);
            }
            return;
        };
        let image = Image { descriptor: entry.clone(), manifest, config };
        self.counts(place, &image);
        self.platform(place, &image);
        let layers = image.manifest.view().layers.iter();
        let mut diff_ids = image.config.view().rootfs.diff_ids.iter();
        for (number, layer) in layers.enumerate() {
            let place = format!("{place} layer {}", number + 1);
            match diff_ids.next() {
                Some(diff_id) => self.layer(&place, layer, diff_id),
                None => self.blob(&place, layer),
            }
        }
    }

    fn counts(&mut self, place: &str, image: &Image) {
        let layers = image.manifest.view().layers.len();
        let config = image.config.view();
        let diff_ids = config.rootfs.diff_ids.len();
        if diff_ids != layers {
            let problem = format!("the manifest has {layers} layers, the config {diff_ids} diff_ids");
            self.finding(place, &image.descriptor.digest, problem);
        }
        if let Some(history) = &config.history {
            let made = history.iter().filter(|entry| entry.empty_layer != Some(true)).count();
            if made != layers {
                let problem = format!("the manifest has {layers} layers, the history tells of {made}");
                self.finding(place, &image.descriptor.digest, problem);
            }
        }
    }

    fn platform(&mut self, place: &str, image: &Image) {
        let Some(stated) = &image.descriptor.platform else { return };
        let actual = image.config.view().platform();
        let same = stated.normalized();
        let real = actual.normalized();
        if (&same.os, &same.architecture, &same.variant) != (&real.os, &real.architecture, &real.variant) {
            let problem = format!("the index says platform {stated}, the config {actual}");
            self.finding(place, &image.descriptor.digest, problem);
        }
    }

    fn layer(&mut self, place: &str, layer: &Descriptor, diff_id: &Digest) {
        if layer.media_type.layer_compression().is_none() {
            let problem = format!("media type {} is none of a layer", layer.media_type);
            self.finding(place, &layer.digest, problem);
            return self.blob(place, layer);
        }
        if !self.see(&layer.digest, Some(diff_id)) {
            return;
        }
        self.report.layers += 1;
        if let Err(error) = read_layer(self.repository, layer, diff_id, &mut Discard) {
            self.finding(place, &layer.digest, error);
        }
    }

    fn blob(&mut self, place: &str, descriptor: &Descriptor) {
        if !self.see(&descriptor.digest, None) {
            return;
        }
        let read = self.repository.blob(descriptor).and_then(|mut blob| {
            io::copy(&mut blob, &mut io::sink())
                .map_err(Error::io(format_args!("read blob {}", descriptor.digest)))
        });
        if let Err(error) = read {
            self.finding(place, &descriptor.digest, error);
        }
    }

    /// Whether this is seen for the first time.
    fn see(&mut self, digest: &Digest, diff_id: Option<&Digest>) -> bool {
        let first = self.seen.insert((digest.clone(), diff_id.cloned()));
        self.report.blobs += usize::from(first);
        first
    }
}

fn finding(place: &str, digest: &Digest, problem: impl fmt::Display) -> Finding {
    Finding { place: place.into(), digest: digest.clone(), problem: problem.to_string() }
}

/// Reads a layer to its end; what it would do is not asked.
struct Discard;

impl ChangeSink for Discard {
    fn put(&mut self, _: &Change, body: &mut dyn Read) -> Result<()> {
        io::copy(body, &mut io::sink()).map(drop).map_err(Error::io("read layer"))
    }
}

#[cfg(test)]
mod tests;
