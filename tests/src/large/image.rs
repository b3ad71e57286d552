//! A layout whose layers go to their blobs while they are made, however large.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use ocicle::{
    digest::{Algorithm, Digest},
    hash::{HashWrite, digest_of},
};
use serde_json::{Value, json};

use super::layer::Layer;

/// A layout in the making, with one image that grows.
pub(super) struct Layout {
    blobs: PathBuf,
    layers: Vec<Value>,
    diff_ids: Vec<Digest>,
    tags: Vec<Value>,
}

impl Layout {
    pub(super) fn new(dir: &Path) -> Self {
        let blobs = dir.join("layout/blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        Self { blobs, layers: Vec::new(), diff_ids: Vec::new(), tags: Vec::new() }
    }

    /// A layer as it is.
    pub(super) fn plain(&mut self, fill: impl FnOnce(&mut Layer<'_>)) {
        let mut out = self.begin();
        fill_layer(&mut out, fill);
        let digest = self.end(out, "application/vnd.oci.image.layer.v1.tar");
        self.diff_ids.push(digest);
    }

    /// A layer in gzip, compressed in little time.
    pub(super) fn gzip(&mut self, fill: impl FnOnce(&mut Layer<'_>)) {
        let packed = GzEncoder::new(self.begin(), Compression::fast());
        let mut out = HashWrite::new(BufWriter::with_capacity(1 << 16, packed), Algorithm::Sha256);
        fill_layer(&mut out, fill);
        let (packed, diff_id, _) = out.finish();
        let out = packed.into_inner().unwrap().finish().unwrap();
        self.end(out, "application/vnd.oci.image.layer.v1.tar+gzip");
        self.diff_ids.push(diff_id);
    }

    /// An image of the layers so far.
    pub(super) fn tag(&mut self, name: &str) {
        let diff_ids: Vec<&str> = self.diff_ids.iter().map(Digest::as_str).collect();
        let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
        let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": rootfs });
        let config = self.blob("application/vnd.oci.image.config.v1+json", &config);
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": self.layers });
        let mut entry = self.blob("application/vnd.oci.image.manifest.v1+json", &manifest);
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        self.tags.push(entry);
    }

    pub(super) fn finish(self) {
        let layout = self.blobs.ancestors().nth(2).unwrap();
        let index = json!({ "schemaVersion": 2, "manifests": self.tags });
        fs::write(layout.join("index.json"), index.to_string()).unwrap();
        fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    }

    fn begin(&self) -> HashWrite<BufWriter<File>> {
        let file = File::create(self.blobs.join("new")).unwrap();
        HashWrite::new(BufWriter::with_capacity(1 << 18, file), Algorithm::Sha256)
    }

    fn end(&mut self, out: HashWrite<BufWriter<File>>, media_type: &str) -> Digest {
        let (mut file, digest, size) = out.finish();
        file.flush().unwrap();
        fs::rename(self.blobs.join("new"), self.blobs.join(digest.encoded())).unwrap();
        self.layers.push(json!({ "mediaType": media_type, "digest": digest.as_str(), "size": size }));
        digest
    }

    fn blob(&self, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string();
        let digest = digest_of(Algorithm::Sha256, bytes.as_bytes());
        fs::write(self.blobs.join(digest.encoded()), &bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() })
    }
}

fn fill_layer(out: &mut impl std::io::Write, fill: impl FnOnce(&mut Layer<'_>)) {
    let mut layer = Layer::new(out);
    fill(&mut layer);
    layer.finish();
}
