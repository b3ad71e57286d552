//! A store with all kinds of objects, for tests.

use std::io::Write as _;

use crate::{
    digest::{Algorithm, Digest},
    hash::digest_of,
    spec::{
        Descriptor, ImageConfig, Index, Manifest, MediaType, Platform, REF_NAME, Raw,
        media_type::{CONFIG, EMPTY, INDEX, MANIFEST},
    },
    store::{BlobWriter, Repository, RootIndexExt as _, memory::MemoryStore, put_document},
};

/// Stores an image for a platform; `salt` makes it differ from others.
pub(super) fn image(store: &Repository<MemoryStore>, platform: &str, salt: u64) -> Descriptor {
    let platform: Platform = platform.parse().unwrap();
    let mut config = ImageConfig::new(&platform);
    config.created = Some(format!("2020-01-01T00:00:{salt:02}Z"));
    let config =
        put_document(store.store(), &Raw::new(config).unwrap(), &MediaType::literal(CONFIG)).unwrap();
    manifest(store, config)
}

/// Stores a manifest whose config is not that of an image, as cosign does.
pub(super) fn artifact(store: &Repository<MemoryStore>) -> Descriptor {
    let config = digest_of(Algorithm::Sha256, b"{}");
    manifest(store, Descriptor::new(MediaType::literal(EMPTY), config, 2))
}

fn manifest(store: &Repository<MemoryStore>, config: Descriptor) -> Descriptor {
    let manifest = Manifest { media_type: None, ..Manifest::new(config, Vec::new()) };
    put_document(store.store(), &Raw::new(manifest).unwrap(), &MediaType::literal(MANIFEST)).unwrap()
}

pub(super) fn with_platform(mut descriptor: Descriptor, platform: &str) -> Descriptor {
    descriptor.platform = Some(platform.parse().unwrap());
    descriptor
}

pub(super) fn annotated(mut descriptor: Descriptor, key: &str, value: &str) -> Descriptor {
    descriptor.annotations.insert(key.into(), value.into());
    descriptor
}

pub(super) fn tagged(descriptor: Descriptor, tag: &str) -> Descriptor {
    annotated(descriptor, REF_NAME, tag)
}

/// Stores an index with an unknown field and unusual white space.
pub(super) fn index(store: &Repository<MemoryStore>, entries: &[Descriptor]) -> Descriptor {
    let entries: Vec<String> = entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let text = format!(
        "{{\"x-unknown\" : [1,  2],\n \"schemaVersion\": 2, \"mediaType\": \"{INDEX}\",\n \"manifests\": [\n  {}\n ]}}\n",
        entries.join(",\n  ")
    );
    let mut writer = BlobWriter::new(store.store(), MediaType::literal(INDEX)).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

pub(super) fn root(store: &Repository<MemoryStore>, entries: &[Descriptor]) -> Raw<Index> {
    store
        .store()
        .update(|root| entries.iter().try_fold(root.clone(), |root, entry| root.push(entry)))
        .unwrap()
}

/// Returns the store. `v1`: an index of two platforms and what BuildKit adds; `v2`: a bare manifest; `deep`:
/// an index with the index of `v1` and an index of one image; `sparse`: an index the store lacks; `again`:
/// one of the images of `v1`.
pub(super) fn store() -> (Repository<MemoryStore>, Raw<Index>) {
    let store = Repository::in_memory().unwrap();
    let amd64 = image(&store, "linux/amd64", 1);
    let arm64 = image(&store, "linux/arm64", 1);
    let proof = annotated(
        with_platform(image(&store, "unknown/unknown", 1), "unknown/unknown"),
        "vnd.docker.reference.type",
        "attestation-manifest",
    );
    let both = index(
        &store,
        &[with_platform(amd64.clone(), "linux/amd64"), with_platform(arm64, "linux/arm64/v8"), proof],
    );
    let inner = index(&store, &[with_platform(image(&store, "linux/riscv64", 2), "linux/riscv64")]);
    let deep = index(&store, &[both.clone(), inner]);
    let missing: Digest = digest_of(Algorithm::Sha256, b"elsewhere");
    let root = root(
        &store,
        &[
            tagged(both, "v1"),
            tagged(image(&store, "linux/amd64", 3), "v2"),
            tagged(deep, "deep"),
            tagged(Descriptor::new(MediaType::literal(INDEX), missing, 9), "sparse"),
            tagged(amd64, "again"),
        ],
    );
    (store, root)
}

/// The xorshift64 generator, so that every run tries the same.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
