//! Other compression for the layers of an image. Its files, config and history stay the same.

use std::collections::HashMap;

use super::{
    Image,
    edit::{layer_of, with_manifest},
};
use crate::{
    digest::Digest,
    error::Result,
    layer::{recompress::recompress_layer, toc::describes_toc, writer::Layer},
    spec::{Compression, Descriptor},
    store::{Repository, Store},
};

/// Stores the layers with another compression, except those whose media type says that they have it. A layer
/// is read once, and verified. Its annotations stay, but for those of a table of contents, which only the old
/// blob has.
///
/// # Errors
/// Those of [`recompress_layer`]; [`Error::Io`](crate::Error::Io) if the store cannot be written.
pub fn recompress<S: Store>(
    repository: &Repository<S>,
    image: &Image,
    compression: Compression,
) -> Result<Image> {
    let mut done: HashMap<(&Digest, &Digest), Descriptor> = HashMap::new();
    let mut manifest = image.manifest.clone();
    for (position, (blob, diff_id)) in image.layers().enumerate() {
        if blob.media_type.layer_compression() == Some(compression) {
            continue;
        }
        let descriptor = match done.get(&(&blob.digest, diff_id)) {
            Some(descriptor) => descriptor.clone(),
            None => recompress_layer(repository, blob, diff_id, compression)?,
        };
        done.insert((&blob.digest, diff_id), descriptor.clone());
        let new = layer_of(image, &Layer { descriptor, diff_id: diff_id.clone() });
        let keys = blob.annotations.keys().map(String::as_str);
        let outdated = keys.filter(|key| describes_toc(key)).collect::<Vec<_>>();
        manifest = manifest.set_layer(position, &new, &outdated)?;
    }
    with_manifest(repository, image.clone(), manifest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use std::io::Read as _;

    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde_json::{Value, json};

    use super::recompress;
    use crate::{
        error::ErrorKind,
        image::{
            Image,
            look::Look,
            testing::{image, overwrite},
        },
        spec::{Compression, Document as _, Manifest, MediaType, Raw, media_type::DOCKER_MANIFEST},
        store::{Repository, memory::MemoryStore},
        tree::testing::file,
    };

    fn three_layers() -> (Repository<MemoryStore>, Image) {
        let store = Repository::in_memory().unwrap();
        let image = image(&store, &[&[file("a", "1")], &[file("b", "2")], &[file("a", "1")]]);
        (store, image)
    }

    fn types(image: &Image) -> Vec<&str> {
        image.layers().map(|(blob, _)| blob.media_type.as_str()).collect()
    }

    #[test]
    fn layers_get_another_compression_and_nothing_else_changes() {
        let (store, image) = three_layers();
        let zstd = recompress(&store, &image, Compression::Zstd).unwrap();
        assert_eq!(types(&zstd), ["application/vnd.oci.image.layer.v1.tar+zstd"; 3]);
        assert_eq!(zstd.config.bytes(), image.config.bytes());
        assert_eq!(
            Look::inside(&store, &zstd).unwrap().tree.len(),
            Look::inside(&store, &image).unwrap().tree.len()
        );
        let plain = recompress(&store, &zstd, Compression::None).unwrap();
        assert!(plain.layers().all(|(blob, diff_id)| blob.digest == *diff_id));
        let back = recompress(&store, &plain, Compression::Gzip).unwrap();
        assert_eq!(back.manifest.bytes(), image.manifest.bytes(), "written as before");
        let same = recompress(&store, &image, Compression::Gzip).unwrap();
        assert_eq!(same.descriptor, image.descriptor);
    }

    #[test]
    fn fields_of_a_layer_stay_unless_they_are_about_the_blob() {
        let (store, image) = three_layers();
        let mut manifest: Value = serde_json::from_slice(image.manifest.bytes()).unwrap();
        manifest["layers"][1]["annotations"] = json!({
            "containerd.io/snapshot/stargz/toc.digest": "sha256:0",
            "io.github.containers.zstd-chunked.manifest-position": "1:2:3:1",
            "org.example": "kept",
        });
        manifest["layers"][1]["urls"] = json!(["https://example.com/old"]);
        let mut embedded = Vec::new();
        let blob = image.layers().nth(1).unwrap().0;
        store.blob(blob).unwrap().read_to_end(&mut embedded).unwrap();
        manifest["layers"][1]["data"] = json!(STANDARD.encode(embedded));
        manifest["layers"][1]["org.example"] = json!(7);
        manifest["layers"][2]["annotations"] = json!({ "io.containers.estargz.uncompressed-size": "9" });
        let bytes = serde_json::to_vec(&manifest).unwrap();
        let mut image = Image { manifest: Raw::parse(Manifest::KIND, bytes, None).unwrap(), ..image };
        image.descriptor.media_type = MediaType::literal(DOCKER_MANIFEST);
        let zstd = recompress(&store, &image, Compression::None).unwrap();
        let after: Value = serde_json::from_slice(zstd.manifest.bytes()).unwrap();
        assert_eq!(after["layers"][1]["annotations"], json!({ "org.example": "kept" }));
        assert_eq!(after["layers"][1]["org.example"], 7);
        assert_eq!((&after["layers"][1]["urls"], &after["layers"][1]["data"]), (&Value::Null, &Value::Null));
        assert_eq!(after["layers"][2]["annotations"], Value::Null);
        assert_eq!(types(&zstd), ["application/vnd.docker.image.rootfs.diff.tar"; 3]);
    }

    #[test]
    fn a_damaged_layer_is_refused() {
        let (store, image) = three_layers();
        let damaged = &image.layers().nth(1).unwrap().0.digest;
        overwrite(&store, damaged, b"no layer");
        let error = recompress(&store, &image, Compression::None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(damaged.as_str()), "{error}");
    }
}
