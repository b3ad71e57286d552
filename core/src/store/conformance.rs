//! What every store must do, for the tests of a driver: it passes when [`run`] returns. Behind the feature `conformance`.
#![allow(clippy::expect_used, clippy::panic, reason = "what fails here fails a test")]

use std::{
    io::{Read as _, Write as _},
    thread,
};

use super::{BlobReadExt as _, BlobWriter, RootIndexExt as _, Store};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
    spec::{Descriptor, Index, MediaType, Raw},
};

const BLOB: &str = "application/octet-stream";

/// Runs all cases, each with a new, empty store. The guide `docs/library.md` has an example.
///
/// # Panics
/// If one fails.
pub fn run<S: Store>(new: impl Fn() -> S) {
    let cases: [(&str, Case<S>); 9] = [
        ("a blob appears when it is published", blobs_appear_when_published),
        ("a blob that is dropped leaves nothing", dropped_blobs_leave_nothing),
        ("the same blob twice is one blob", twice_is_once),
        ("large blobs and empty ones", sizes),
        ("what is missing is none", missing_is_none),
        ("reading verifies size and digest", reading_verifies),
        ("sha384 and sha512 are read", other_algorithms),
        ("a replace from another index conflicts", replace_conflicts),
        ("threads lose no update", threads_lose_nothing),
    ];
    for (title, case) in cases {
        if let Err(error) = case(&new()) {
            panic!("{title}: {error}");
        }
    }
}

/// A case gets an empty store.
type Case<S> = fn(&S) -> Result<()>;

/// Stores a blob.
///
/// # Errors
/// Those of the store.
pub fn put(store: &(impl Store + ?Sized), bytes: &[u8]) -> Result<Descriptor> {
    let mut writer = BlobWriter::new(store)?;
    writer.write_all(bytes).map_err(Error::io("write"))?;
    let (digest, size) = writer.finish()?;
    Ok(Descriptor::new(MediaType::literal(BLOB), digest, size))
}

/// Reads what a descriptor stands for, verified.
///
/// # Errors
/// Those of the store, and of verifying.
pub fn get(store: &(impl Store + ?Sized), descriptor: &Descriptor) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    store.open(descriptor)?.read_to_end(&mut bytes).map_err(Error::io("read"))?;
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, bytes)
}

fn is_there(store: &impl Store, digest: &Digest) -> Result<bool> {
    let (open, size) = (store.try_open(digest)?.is_some(), store.try_size(digest)?.is_some());
    assert_eq!(open, size);
    Ok(open)
}

fn blobs_appear_when_published(store: &impl Store) -> Result<()> {
    let digest = sha256(b"content");
    let mut pending = store.begin()?;
    pending.write_all(b"con").map_err(Error::io("write"))?;
    pending.write_all(b"tent").map_err(Error::io("write"))?;
    assert!(!is_there(store, &digest)?);
    pending.publish(&digest)?;
    assert_eq!(store.try_size(&digest)?, Some(7));
    let mut bytes = Vec::new();
    store.try_open(&digest)?.expect("a blob").read_to_end(&mut bytes).map_err(Error::io("read"))?;
    assert_eq!(bytes, b"content");
    Ok(())
}

fn dropped_blobs_leave_nothing(store: &impl Store) -> Result<()> {
    let mut pending = store.begin()?;
    pending.write_all(b"content").map_err(Error::io("write"))?;
    drop(pending);
    assert!(!is_there(store, &sha256(b"content"))?);
    Ok(())
}

fn twice_is_once(store: &impl Store) -> Result<()> {
    let first = put(store, b"content")?;
    // The one that is there stays readable while the other comes.
    let mut open = store.open(&first)?;
    assert_eq!(put(store, b"content")?, first);
    let mut bytes = Vec::new();
    open.read_to_end(&mut bytes).map_err(Error::io("read"))?;
    assert_eq!(bytes, b"content");
    assert_eq!(get(store, &first)?, b"content");
    Ok(())
}

fn sizes(store: &impl Store) -> Result<()> {
    for size in [0, 1, 4096, 1_000_003] {
        let bytes: Vec<u8> = (0..size).map(|at: u32| at as u8).collect();
        let blob = put(store, &bytes)?;
        assert_eq!((blob.size, &blob.digest), (u64::from(size), &sha256(&bytes)));
        assert_eq!(store.try_size(&blob.digest)?, Some(u64::from(size)));
        assert!(get(store, &blob)? == bytes);
    }
    Ok(())
}

fn missing_is_none(store: &impl Store) -> Result<()> {
    let digests = [
        sha256(b"none"),
        digest_of(Algorithm::Sha512, b"none"),
        "other+algorithm:ABC-_=".parse().expect("a digest"),
    ];
    for digest in digests {
        assert!(!is_there(store, &digest)?, "{digest}");
    }
    let descriptor = Descriptor::new(MediaType::literal(BLOB), sha256(b"none"), 4);
    assert!(matches!(get(store, &descriptor), Err(Error::MissingBlob(digest)) if digest == sha256(b"none")));
    Ok(())
}

fn reading_verifies(store: &impl Store) -> Result<()> {
    let good = put(store, b"content")?;
    let property = |descriptor: &Descriptor| match get(store, descriptor) {
        Err(Error::Mismatch { property, .. }) => property,
        other => panic!("{other:?}"),
    };
    for size in [0, 6, 8, u64::MAX] {
        assert_eq!(property(&Descriptor { size, ..good.clone() }), "size");
    }
    // A blob that is not what its name says.
    let mut pending = store.begin()?;
    pending.write_all(b"forgery").map_err(Error::io("write"))?;
    pending.publish(&sha256(b"genuine"))?;
    assert_eq!(property(&Descriptor { digest: sha256(b"genuine"), ..good.clone() }), "digest");
    Ok(())
}

fn other_algorithms(store: &impl Store) -> Result<()> {
    for algorithm in [Algorithm::Sha384, Algorithm::Sha512] {
        let digest = digest_of(algorithm, b"content");
        let mut pending = store.begin()?;
        pending.write_all(b"content").map_err(Error::io("write"))?;
        pending.publish(&digest)?;
        let descriptor = Descriptor::new(MediaType::literal(BLOB), digest, 7);
        assert_eq!(get(store, &descriptor)?, b"content");
    }
    Ok(())
}

fn replace_conflicts(store: &impl Store) -> Result<()> {
    let empty = store.load()?;
    assert!(empty.view().manifests.is_empty());
    let one = empty.push(&put(store, b"1")?)?;
    let two = empty.push(&put(store, b"2")?)?;
    store.replace(&empty.digest(), &one)?;
    match store.replace(&empty.digest(), &two) {
        Err(Error::Conflict { expected, actual }) => {
            assert_eq!((expected, actual), (empty.digest(), one.digest()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(store.load()?.bytes(), one.bytes());
    store.replace(&one.digest(), &two)?;
    assert_eq!(store.load()?.bytes(), two.bytes());
    Ok(())
}

fn threads_lose_nothing(store: &impl Store) -> Result<()> {
    fn update(store: &impl Store, text: &str) -> Result<Raw<Index>> {
        let blob = put(store, text.as_bytes())?;
        store.update(|old| old.push(&blob))
    }
    thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|thread| {
                scope.spawn(move || {
                    (0..20).try_for_each(|turn| update(store, &format!("{thread}-{turn}")).map(drop))
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })?;
    let index = store.load()?;
    for entry in &index.view().manifests {
        get(store, entry)?;
    }
    let mut digests: Vec<_> = index.view().manifests.iter().map(|entry| &entry.digest).collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 160);
    Ok(())
}
