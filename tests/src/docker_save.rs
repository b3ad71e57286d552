//! Archives as Docker with containerd's image store saves them: a layout, and a `manifest.json` beside it.

use std::{collections::BTreeMap, fs, path::Path};

use ocicle::{
    digest::{Algorithm, Digest},
    hash::digest_of,
};
use serde_json::{Value, json};

use crate::handmade::{Archive, Layer};

/// The members of an archive.
#[derive(Debug, Clone, Default)]
pub struct DockerSave {
    blobs: BTreeMap<Digest, Vec<u8>>,
    /// The entries of `index.json`.
    pub entries: Vec<Value>,
    /// The images of `manifest.json`.
    pub images: Vec<Value>,
    /// The content of `repositories`, which older versions write, too.
    pub repositories: Option<Value>,
}

impl DockerSave {
    /// Returns an archive without images.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image with one layer, which has a file with this content, under names such as `app:latest`.
    /// Without a name, it is only in `manifest.json`, as `docker save IMAGE@DIGEST` does.
    #[must_use]
    pub fn image(mut self, content: &str, names: &[&str]) -> Self {
        let layer = Layer::plain(Archive::new().file("file", content).end());
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [layer.diff_id.as_str()] },
        });
        let config = self.json("application/vnd.oci.image.config.v1+json", &config);
        let layer = self.blob(layer.media_type, layer.blob);
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
        let entry = self.json("application/vnd.oci.image.manifest.v1+json", &manifest);
        for name in names {
            let mut entry = entry.clone();
            entry["annotations"] = json!({
                "io.containerd.image.name": format!("docker.io/library/{name}"),
                "org.opencontainers.image.ref.name": name.split(':').next_back(),
            });
            self.entries.push(entry);
        }
        let path = |blob: &Value| format!("blobs/{}", blob["digest"].as_str().unwrap().replace(':', "/"));
        self.images.push(json!({
            "Config": path(&config),
            "RepoTags": if names.is_empty() { Value::Null } else { json!(names) },
            "Layers": [path(&layer)],
        }));
        self
    }

    fn json(&mut self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, document.to_string().into_bytes())
    }

    fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = digest_of(Algorithm::Sha256, &bytes);
        let blob = json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() });
        self.blobs.insert(digest, bytes);
        blob
    }

    /// Returns the archive.
    #[must_use]
    pub fn tar(&self) -> Vec<u8> {
        let index = json!({ "schemaVersion": 2, "manifests": self.entries });
        let mut tar = Archive::new();
        for (digest, bytes) in &self.blobs {
            let name = format!("blobs/sha256/{}", digest.encoded());
            tar = tar.entry(tar::EntryType::Regular, &name, "", bytes);
        }
        tar = tar
            .file("index.json", &index.to_string())
            .file("manifest.json", &Value::from(self.images.clone()).to_string())
            .file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        if let Some(repositories) = &self.repositories {
            tar = tar.file("repositories", &repositories.to_string());
        }
        tar.end()
    }

    /// Writes the archive.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, file: &Path) {
        fs::write(file, self.tar()).unwrap();
    }
}
