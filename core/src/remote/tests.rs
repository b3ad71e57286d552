//! The protocol's corners, against a registry in memory.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod lists;
mod pushing;
mod reading;
mod trust;

use std::{
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    sync::Arc,
};

use super::{
    Client, Credentials, HttpFiles, Listed, Method, RegistryStore, Request, Secret, Url,
    testing::{Canary, FakeRegistry, client, response},
};
use crate::{
    digest::Algorithm,
    error::{Error, ErrorKind},
    graph::{copy::What, resolve::Want},
    hash::digest_of,
    limits::Limits,
    spec::{
        Descriptor, ImageConfig, Index, Manifest, MediaType, REF_NAME, Raw,
        media_type::{CONFIG, MANIFEST},
    },
    store::{
        BlobRead as _, BlobWrite as _, BlobWriter, NewBlob, Repository, RootIndex as _, files::FileStore,
        memory::MemoryStore, put_document,
    },
};

type Store = RegistryStore<Arc<FakeRegistry>, Canary>;

fn open(registry: &Arc<FakeRegistry>, tag: &str) -> Repository<Store> {
    let store = RegistryStore::new(client(registry, "reg.example/app"), Listed::Tags(vec![tag.into()]));
    Repository::new(store, Limits::default())
}

/// Stores an image without layers.
fn image(repository: &Repository<MemoryStore>, platform: &str, created: &str) -> Descriptor {
    let mut config = ImageConfig::new(&platform.parse().unwrap());
    config.created = Some(created.into());
    let put = |kind| MediaType::literal(kind);
    let config = put_document(repository.store(), &Raw::new(config).unwrap(), &put(CONFIG)).unwrap();
    let manifest = Raw::new(Manifest::new(config, Vec::new())).unwrap();
    put_document(repository.store(), &manifest, &put(MANIFEST)).unwrap()
}

/// Adds an entry to the root index.
fn add(repository: &Repository<MemoryStore>, entry: &Descriptor, tag: &str) {
    let mut entry = entry.clone();
    entry.annotations.insert(REF_NAME.into(), tag.into());
    let root = repository.index().unwrap();
    repository.store().replace(&root.digest(), &root.push(&entry).unwrap()).unwrap();
}

/// Returns a repository with a tagged image.
fn local(tag: &str) -> Repository<MemoryStore> {
    let repository = Repository::in_memory().unwrap();
    let image = image(&repository, "linux/amd64", "2020-01-01T00:00:00Z");
    add(&repository, &image, tag);
    repository
}

/// Returns some bytes that differ.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * at / 7 % 251) as u8).collect()
}

fn blob(bytes: &[u8]) -> Descriptor {
    let media_type = MediaType::literal("application/octet-stream");
    Descriptor::new(media_type, digest_of(Algorithm::Sha256, bytes), bytes.len() as u64)
}

fn write(store: &Store, bytes: &[u8]) -> crate::Result<()> {
    let blob = blob(bytes);
    let mut pending = store.begin(&NewBlob::known(&blob))?;
    pending.write_all(bytes).map_err(Error::io("write"))?;
    pending.publish(&blob.digest)
}

fn read(store: &Store, blob: &Descriptor) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    store.try_open(blob)?.unwrap().read_to_end(&mut content)?;
    Ok(content)
}
