//! Images put together by hand, so that they can be wrong in any way. Archives are made with the `tar` crate.

use std::{fs, path::Path};

use ocicle::{
    digest::{Algorithm, Digest},
    hash::digest_of,
};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

/// A layer's archive in the making. Names and targets are taken as they are, however wrong.
#[derive(Debug, Clone, Default)]
pub struct Archive(Vec<u8>);

impl Archive {
    /// Returns an empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry.
    ///
    /// # Panics
    /// If the name or target is longer than a header holds.
    #[must_use]
    pub fn entry(mut self, kind: EntryType, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        let fields = header.as_ustar_mut().unwrap();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        header.set_cksum();
        let mut builder = Builder::new(&mut self.0);
        builder.append(&header, content).unwrap();
        builder.get_mut(); // no finish: the end comes with `end`
        std::mem::forget(builder);
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, name: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, name, "", content.as_bytes())
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, name, target, b"")
    }

    /// Adds a hard link.
    #[must_use]
    pub fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Link, name, target, b"")
    }

    /// Returns the archive with its end marker.
    #[must_use]
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }

    /// Returns the archive so far, without an end marker.
    #[must_use]
    pub fn unfinished(self) -> Vec<u8> {
        self.0
    }
}

/// A layer: blob, media type and diff_id.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_structs, reason = "made by tests")]
pub struct Layer {
    /// The blob as stored.
    pub blob: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
}

impl Layer {
    /// Returns an uncompressed layer with the right digest.
    #[must_use]
    pub fn plain(archive: Vec<u8>) -> Self {
        let diff_id = digest_of(Algorithm::Sha256, &archive);
        Self { blob: archive, media_type: "application/vnd.oci.image.layer.v1.tar", diff_id }
    }

    /// Returns a compressed layer: `blob` is the compressed form of `archive`.
    #[must_use]
    pub fn gzip(blob: Vec<u8>, archive: &[u8]) -> Self {
        let diff_id = digest_of(Algorithm::Sha256, archive);
        Self { blob, media_type: "application/vnd.oci.image.layer.v1.tar+gzip", diff_id }
    }
}

/// Writes a layout with one image, tagged `t`.
///
/// # Panics
/// If it cannot be written.
pub fn layout(dir: &Path, layers: &[Layer]) {
    fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
    let blob = |media_type: &str, bytes: &[u8]| -> Value {
        let digest = digest_of(Algorithm::Sha256, bytes);
        fs::write(dir.join("blobs/sha256").join(digest.encoded()), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() })
    };
    let json = |value: &Value| serde_json::to_vec(value).unwrap();
    let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = blob("application/vnd.oci.image.config.v1+json", &json(&config));
    let layers: Vec<Value> = layers.iter().map(|layer| blob(layer.media_type, &layer.blob)).collect();
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
    let mut entry = blob("application/vnd.oci.image.manifest.v1+json", &json(&manifest));
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": "t" });
    fs::write(dir.join("index.json"), json(&json!({ "schemaVersion": 2, "manifests": [entry] }))).unwrap();
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}
