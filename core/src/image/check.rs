//! Verification of an image store: every reachable document, blob and layer. All faults are reported, not
//! only the first.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::{self, Read},
};

use serde::Serialize;

use super::Image;
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Result},
    layer::{Change, ChangeSink, reader::read_layer},
    spec::{self, CompressedFormat, Compression, Descriptor, Document, Index, Manifest, Raw},
    store::{BlobRead, BlobReadExt as _, Repository, RootIndex},
    text::printable,
};

/// A fault or deviation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The path from `index.json`, as the fragment of a reference: `pos=0//pos=1`.
    pub place: String,
    /// The digest of the object.
    pub digest: Digest,
    /// A description of the fault.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, printable(&self.problem))
    }
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CheckReport {
    /// The number of distinct blobs that were read and verified.
    pub blobs: usize,
    /// The number of layers among them, which were read down to their last entry.
    pub layers: usize,
    /// The faults, in the order of the documents.
    pub findings: Vec<Finding>,
    /// Findings that are unambiguous but deviate from the specification, such as a manifest without layers.
    pub warnings: Vec<Finding>,
}

impl<S: BlobRead + RootIndex> Repository<S> {
    /// Verifies everything in the store: documents, blobs, layers. Faults that make content unusable are
    /// findings; content that readers can use all the same causes a warning.
    ///
    /// Each blob is read once for each different description of it. The specification lets a `subject` be
    /// absent, and entries of indexes below `index.json`; the latter is a warning, and so is an absent layer
    /// that has a URL.
    ///
    /// # Errors
    /// Those of [`RootIndex::load`]; [`Error::Io`] if a blob cannot be read.
    pub fn check(&self) -> Result<CheckReport> {
        let root = self.index()?;
        let report = CheckReport { blobs: 0, layers: 0, findings: Vec::new(), warnings: Vec::new() };
        let mut checker = Checker { repository: self, report, seen: HashMap::new(), visited: 0 };
        checker.tags(&root);
        checker.index(&root, "", 0)?;
        Ok(checker.report)
    }
}

/// A description of a blob that decides how it is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Described {
    size: u64,
    data: Option<String>,
    /// The compression and diff_id of a layer.
    layer: Option<(Compression, Digest)>,
}

struct Checker<'a, S> {
    repository: &'a Repository<S>,
    report: CheckReport,
    /// The descriptions of each blob that were verified already.
    seen: HashMap<Digest, HashSet<Described>>,
    visited: usize,
}

impl<S: BlobRead> Checker<'_, S> {
    fn finding(&mut self, place: &str, digest: &Digest, problem: impl fmt::Display) {
        self.report.findings.push(finding(place, digest, problem));
    }

    fn warning(&mut self, place: &str, digest: &Digest, problem: impl fmt::Display) {
        self.report.warnings.push(finding(place, digest, problem));
    }

    /// Records why a blob cannot be used. An error of the system is not about the blob: it ends the check.
    fn failed(&mut self, place: &str, digest: &Digest, error: Error) -> Result<()> {
        if error.kind() == ErrorKind::Io {
            return Err(error);
        }
        self.finding(place, digest, error);
        Ok(())
    }

    fn tags(&mut self, root: &Raw<Index>) {
        let mut tags = HashSet::new();
        for (position, entry) in root.view().manifests.iter().enumerate() {
            if let Some(tag) = entry.ref_name()
                && !tags.insert(tag)
            {
                let problem = format!("the ref name {tag:?} is used more than once");
                self.warning(&format!("pos={position}"), &entry.digest, problem);
            }
        }
    }

    fn index(&mut self, index: &Raw<Index>, place: &str, depth: usize) -> Result<()> {
        for (position, entry) in index.view().manifests.iter().enumerate() {
            let place =
                if place.is_empty() { format!("pos={position}") } else { format!("{place}//pos={position}") };
            self.visited += 1;
            if self.visited > self.repository.limits().descriptors || depth >= self.repository.limits().depth
            {
                let problem = "not checked: more than the limits on depth or descriptors allow";
                self.finding(&place, &entry.digest, problem);
                return Ok(());
            }
            if let Err(malformed) = entry.well_formed() {
                self.finding(&place, &entry.digest, malformed);
            } else if depth > 0 && self.is_absent(entry)? {
                // image-layout.md: a layout may lack blobs that are elsewhere.
                self.warning(&place, &entry.digest, "is not in the store: this index is sparse");
            } else if entry.media_type.is_index() {
                if let Some(child) = self.document::<Index>(&place, entry)? {
                    self.index(&child, &place, depth + 1)?;
                }
            } else if entry.media_type.is_manifest() {
                if let Some(manifest) = self.document(&place, entry)? {
                    self.manifest(&place, entry, manifest)?;
                }
            } else {
                self.blob(&place, entry)?;
            }
        }
        Ok(())
    }

    fn is_absent(&self, descriptor: &Descriptor) -> Result<bool> {
        Ok(descriptor.data.is_none()
            && match self.repository.store().try_size(descriptor) {
                Ok(size) => size.is_none(),
                Err(error) if error.kind() == ErrorKind::Io => return Err(error),
                Err(_) => false,
            })
    }

    /// Checks a document at a place, even one seen before: its descriptor there may differ.
    fn document<T: Document>(&mut self, place: &str, descriptor: &Descriptor) -> Result<Option<Raw<T>>> {
        self.see(descriptor, None);
        match self.repository.document::<T>(descriptor) {
            Ok(document) => {
                if let Err(error) = spec::validate(&descriptor.media_type, document.bytes()) {
                    self.warning(place, &descriptor.digest, error);
                }
                Ok(Some(document))
            }
            Err(error) => {
                self.failed(place, &descriptor.digest, error)?;
                Ok(None)
            }
        }
    }

    fn manifest(&mut self, place: &str, entry: &Descriptor, manifest: Raw<Manifest>) -> Result<()> {
        let config = manifest.view().config.clone();
        // A BuildKit attestation has the config of an image, and statements instead of layers.
        let attests = entry.annotations.contains_key("vnd.docker.reference.type");
        let config_place = format!("{place} config");
        let config = if attests || !config.media_type.is_config() {
            self.blob(&config_place, &config)?;
            None
        } else {
            self.document(&config_place, &config)?
        };
        let Some(config) = config else {
            for (number, layer) in manifest.view().layers.iter().enumerate() {
                self.blob(&format!("{place} layer {}", number + 1), layer)?;
            }
            return Ok(());
        };
        let image = Image { descriptor: entry.clone(), manifest, config };
        self.counts(place, &image);
        self.platform(place, &image);
        let layers = image.manifest.view().layers.iter();
        let mut diff_ids = image.config.view().rootfs.diff_ids.iter();
        for (number, layer) in layers.enumerate() {
            let place = format!("{place} layer {}", number + 1);
            match diff_ids.next() {
                Some(diff_id) => self.layer(&place, layer, diff_id)?,
                None => self.blob(&place, layer)?,
            }
        }
        Ok(())
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
            let made = history.iter().filter(|entry| entry.makes_layer()).count();
            if made != layers {
                let problem = format!("the manifest has {layers} layers, the history {made}");
                self.warning(place, &image.descriptor.digest, problem);
            }
        }
    }

    fn platform(&mut self, place: &str, image: &Image) {
        let Some(stated) = &image.descriptor.platform else { return };
        let actual = image.config.view().platform();
        let problem = || format!("platform {stated} in the index, {actual} in the config");
        let same = stated.normalized();
        let real = actual.normalized();
        if (&same.os, &same.architecture) != (&real.os, &real.architecture) {
            self.finding(place, &image.descriptor.digest, problem());
        } else if same.variant != real.variant {
            // Many configs lack the variant, and readers choose by the index.
            match actual.variant {
                Some(_) => self.finding(place, &image.descriptor.digest, problem()),
                None => self.warning(place, &image.descriptor.digest, problem()),
            }
        }
    }

    fn layer(&mut self, place: &str, layer: &Descriptor, diff_id: &Digest) -> Result<()> {
        let Some(compression) = layer.media_type.layer_compression() else {
            // A signature, a module, an encrypted layer: for readers that know the type.
            let problem = format!("unsupported layer media type {}: verified as a blob", layer.media_type);
            self.warning(place, &layer.digest, problem);
            return self.blob(place, layer);
        };
        if self.is_elsewhere(place, layer)? || !self.see(layer, Some((compression, diff_id.clone()))) {
            return Ok(());
        }
        self.report.layers += 1;
        match read_layer(self.repository, layer, diff_id, &mut Discard) {
            Ok(lost) => {
                if lost.count > 0 {
                    self.warning(place, &layer.digest, lost);
                }
                self.label(place, layer, compression)
            }
            Err(error) => self.failed(place, &layer.digest, error),
        }
    }

    /// Warns if a layer has another compression than its media type says. It can be read all the same.
    fn label(&mut self, place: &str, layer: &Descriptor, labelled: Compression) -> Result<()> {
        let mut start = Vec::new();
        let content = self.repository.store().content(layer)?;
        content
            .take(CompressedFormat::START as u64)
            .read_to_end(&mut start)
            .map_err(Error::io(format_args!("read blob {}", layer.digest)))?;
        let actual = CompressedFormat::of(&start).and_then(|format| format.compression);
        let actual = actual.unwrap_or(Compression::None);
        if actual != labelled {
            let problem = format!("compression is {actual}, although the media type is {}", layer.media_type);
            self.warning(place, &layer.digest, problem);
        }
        Ok(())
    }

    fn blob(&mut self, place: &str, descriptor: &Descriptor) -> Result<()> {
        if self.is_elsewhere(place, descriptor)? || !self.see(descriptor, None) {
            return Ok(());
        }
        let read = self.repository.blob(descriptor).and_then(|mut blob| {
            io::copy(&mut blob, &mut io::sink())
                .map_err(Error::io(format_args!("read blob {}", descriptor.digest)))
        });
        match read {
            Ok(_) => Ok(()),
            Err(error) => self.failed(place, &descriptor.digest, error),
        }
    }

    /// Returns whether a blob is absent and available from a URL, as foreign layers are; records that as a
    /// warning.
    fn is_elsewhere(&mut self, place: &str, descriptor: &Descriptor) -> Result<bool> {
        let Some(url) = descriptor.urls.first() else { return Ok(false) };
        let absent = self.is_absent(descriptor)?;
        if absent {
            let problem = format!("is not in the store; its descriptor has the URL {url}");
            self.warning(place, &descriptor.digest, problem);
        }
        Ok(absent)
    }

    /// Records a description. Returns whether it is new.
    fn see(&mut self, descriptor: &Descriptor, layer: Option<(Compression, Digest)>) -> bool {
        let Descriptor { digest, size, data, .. } = descriptor;
        let known = self.seen.entry(digest.clone()).or_default();
        self.report.blobs += usize::from(known.is_empty());
        known.insert(Described { size: *size, data: data.clone(), layer })
    }
}

fn finding(place: &str, digest: &Digest, problem: impl fmt::Display) -> Finding {
    Finding { place: place.into(), digest: digest.clone(), problem: problem.to_string() }
}

/// A sink for a layer that is only verified.
struct Discard;

impl ChangeSink for Discard {
    fn put(&mut self, _: &Change, body: &mut dyn Read) -> Result<()> {
        io::copy(body, &mut io::sink()).map(drop).map_err(Error::io("read layer"))
    }
}

#[cfg(test)]
mod tests;
