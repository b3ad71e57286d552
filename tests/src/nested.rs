//! A layout with a tree in it as builders and signers write them: an index of indexes with variants,
//! attestations of BuildKit, an artifact with a subject, two tags for one object, a sparse index, and
//! Docker's media types.

use std::{fs, path::Path};

use ocicle::{
    digest::{Algorithm, Digest},
    hash::digest_of,
    spec::{Document, Index, Manifest, Raw},
};
use serde_json::{Value, json};

use crate::handmade::{Archive, Layer};

/// Writes objects into a layout.
#[derive(Debug)]
pub struct Maker<'a>(&'a Path);

const OCI: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar",
];
const DOCKER: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar",
];

impl<'a> Maker<'a> {
    /// In an empty directory.
    ///
    /// # Panics
    /// If it cannot be written; as all the others.
    #[must_use]
    pub fn new(dir: &'a Path) -> Self {
        fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self(dir)
    }

    /// Stores a blob; its descriptor.
    #[must_use]
    pub fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = digest_of(Algorithm::Sha256, bytes);
        fs::write(self.0.join("blobs/sha256").join(digest.encoded()), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() })
    }

    fn document(&self, media_type: &str, value: &Value) -> Value {
        self.blob(media_type, &serde_json::to_vec(value).unwrap())
    }

    /// Adds a document with its fields in the usual order.
    fn ordered<T: Document + Clone>(&self, media_type: &str, value: &Value) -> Value {
        let parsed = Raw::<T>::parse("a document", serde_json::to_vec(value).unwrap(), None).unwrap();
        self.blob(media_type, Raw::new(parsed.view().clone()).unwrap().bytes())
    }

    fn image_of(&self, types: [&str; 4], platform: &Value, content: &str) -> Value {
        let layer = Layer::plain(Archive::new().file("file", content).end());
        let mut config =
            json!({ "rootfs": { "type": "layers", "diff_ids": [layer.diff_id.as_str()] }, "config": {} });
        config.as_object_mut().unwrap().extend(platform.as_object().unwrap().clone());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": types[1],
            "config": self.document(types[2], &config),
            "layers": [self.blob(types[3], &layer.blob)],
        });
        let mut entry = self.ordered::<Manifest>(types[1], &manifest);
        entry["platform"] = platform.clone();
        entry
    }

    /// Stores an image with one file; returns its descriptor with the platform.
    #[must_use]
    pub fn image(&self, platform: &Value, content: &str) -> Value {
        self.image_of(OCI, platform, content)
    }

    /// Stores an index.
    #[must_use]
    pub fn index(&self, entries: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI[0], "manifests": entries });
        self.ordered::<Index>(OCI[0], &index)
    }

    /// Stores an attestation as BuildKit writes it: provenance in an in-toto statement.
    #[must_use]
    pub fn attestation(&self, about: &Value) -> Value {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2",
            "subject": [], "predicate": {}
        });
        let mut layer = self.document("application/vnd.in-toto+json", &statement);
        layer["annotations"] = json!({ "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" });
        let diff_id = layer["digest"].clone();
        let config = json!({
            "architecture": "unknown", "os": "unknown", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [diff_id] }
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI[1], "config": self.document(OCI[2], &config),
            "layers": [layer]
        });
        let mut entry = self.ordered::<Manifest>(OCI[1], &manifest);
        entry["annotations"] = json!({
            "vnd.docker.reference.digest": about["digest"],
            "vnd.docker.reference.type": "attestation-manifest"
        });
        entry["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
        entry
    }

    /// Stores an artifact with a subject.
    #[must_use]
    pub fn artifact(&self, artifact_type: &str, about: &Value, content: &[u8]) -> Value {
        let subject =
            json!({ "mediaType": about["mediaType"], "digest": about["digest"], "size": about["size"] });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI[1], "artifactType": artifact_type,
            "config": self.blob("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [self.blob(artifact_type, content)], "subject": subject,
        });
        self.ordered::<Manifest>(OCI[1], &manifest)
    }

    /// Writes `index.json`.
    pub fn root(&self, entries: &[Value]) {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI[0], "manifests": entries });
        fs::write(self.0.join("index.json"), index.to_string()).unwrap();
    }

    /// Removes a blob.
    pub fn forget(&self, entry: &Value) {
        fs::remove_file(self.0.join("blobs").join(digest(entry).as_str().replace(':', "/"))).unwrap();
    }
}

/// Returns the digest of a descriptor.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn digest(entry: &Value) -> Digest {
    entry["digest"].as_str().unwrap().parse().unwrap()
}

/// Returns a platform.
#[must_use]
pub fn linux(architecture: &str, variant: Option<&str>) -> Value {
    match variant {
        Some(variant) => json!({ "architecture": architecture, "os": "linux", "variant": variant }),
        None => json!({ "architecture": architecture, "os": "linux" }),
    }
}

/// Returns the same descriptor with a ref name.
#[must_use]
pub fn tagged(entry: &Value, tag: &str) -> Value {
    let mut entry = entry.clone();
    entry["annotations"]["org.opencontainers.image.ref.name"] = tag.into();
    entry
}

/// Writes the layout:
///
/// ```text
/// #v1, #same  index: amd64, index: (arm/v6, arm/v7), attestation of amd64
/// #docker     Docker's list: amd64, arm64
/// #sparse     index: amd64, arm64 (absent)
/// (no tag)    an SBOM about amd64
/// ```
///
/// # Panics
/// If it cannot be written.
pub fn layout(dir: &Path) {
    let make = Maker::new(dir);
    let amd64 = make.image(&linux("amd64", None), "amd64");
    let arm = make.index(&[
        make.image(&linux("arm", Some("v6")), "arm v6"),
        make.image(&linux("arm", Some("v7")), "arm v7"),
    ]);
    let multi = make.index(&[amd64.clone(), arm, make.attestation(&amd64)]);
    let docker = json!({
        "schemaVersion": 2, "mediaType": DOCKER[0],
        "manifests": [
            make.image_of(DOCKER, &linux("amd64", None), "docker"),
            make.image_of(DOCKER, &linux("arm64", Some("v8")), "docker arm"),
        ]
    });
    let docker = make.ordered::<Index>(DOCKER[0], &docker);
    let absent = make.image(&linux("arm64", None), "absent");
    make.forget(&absent);
    let sparse = make.index(&[amd64.clone(), absent]);
    make.root(&[
        tagged(&multi, "v1"),
        tagged(&multi, "same"),
        tagged(&docker, "docker"),
        tagged(&sparse, "sparse"),
        make.artifact("application/spdx+json", &amd64, b"{\"spdxVersion\":\"SPDX-2.3\"}"),
    ]);
}
