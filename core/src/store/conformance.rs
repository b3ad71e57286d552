//! The requirements on every store, as suites for the tests of a driver. Behind the feature `conformance`.
//!
//! [`blob_read`] is for drivers that only read: each of its cases is handed a store with known [`Contents`].
//! [`blob_write`], [`root_index`] and [`collect`] each need one more capability, and an empty store. [`run`]
//! is all of them but [`collect`]. [`collect_beside_edit`] is for stores that several values share. A suite
//! passes when it returns; `docs/library.md` has an example.
#![allow(clippy::expect_used, clippy::panic, reason = "what fails here fails a test")]

use std::{
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    BlobRead, BlobReadExt as _, BlobWrite, BlobWriter, Collect, NewBlob, RootIndex, RootIndexExt as _, Store,
    layout::empty_index,
};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, Result},
    hash::digest_of,
    spec::{Descriptor, Index, MediaType, Raw},
};

/// A title and the function that checks it.
type Case<S> = (&'static str, fn(&S) -> Result<()>);

/// The same for a store with contents.
type ReadCase<S> = (&'static str, fn(&S, &Contents) -> Result<()>);

/// The contents of a store of the suite [`blob_read`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Contents {
    /// The root index.
    pub index: Raw<Index>,
    /// Blobs by their descriptors. One has content that its digest does not match.
    pub blobs: Vec<(Descriptor, Vec<u8>)>,
}

/// Runs the cases for reading. `make` returns a store that holds exactly these contents.
///
/// # Panics
/// If a case fails.
pub fn blob_read<S: BlobRead + RootIndex>(make: impl Fn(&Contents) -> S) {
    let contents = contents().expect("documents of the suite");
    let cases: [ReadCase<S>; 5] = [
        ("blobs are read, with their sizes", blobs_are_read),
        ("absent blobs are None", absent_is_none),
        ("reading verifies size and digest", reading_verifies),
        ("seeking reads the same bytes", seeking_reads_the_same),
        ("the root index is returned to the byte", index_is_read),
    ];
    for (title, case) in cases {
        if let Err(error) = case(&make(&contents), &contents) {
            panic!("{title}: {error}");
        }
    }
}

/// Runs the cases for writing blobs, each with a new, empty store.
///
/// # Panics
/// If a case fails.
pub fn blob_write<S: BlobRead + BlobWrite>(new: impl Fn() -> S) {
    let cases: [Case<S>; 5] = [
        ("a blob appears when it is published", blobs_appear_when_published),
        ("a blob that is dropped leaves nothing", dropped_blobs_leave_nothing),
        ("the same blob twice is one blob", twice_is_once),
        ("large blobs and empty ones", sizes),
        ("sha384 and sha512 are stored", other_algorithms),
    ];
    run_cases(&cases, new);
}

/// Runs the cases for the root index, each with a new, empty store.
///
/// # Panics
/// If a case fails.
pub fn root_index<S: Store>(new: impl Fn() -> S) {
    let cases: [Case<S>; 2] = [
        ("replacing another index is a conflict", replace_conflicts),
        ("threads lose no update", threads_lose_nothing),
    ];
    run_cases(&cases, new);
}

/// Runs the cases for garbage collection. `open` returns the same store each time, as a new value: a value
/// that has written blobs may not collect.
///
/// # Panics
/// If a case fails.
pub fn collect<S: Store + Collect>(open: impl Fn() -> S) {
    if let Err(error) = collecting(&open) {
        panic!("blobs are found and removed: {error}");
    }
}

/// Runs the case for collecting beside an edit. `open` returns the same store each time, as a new value.
///
/// # Panics
/// If the case fails.
pub fn collect_beside_edit<S: Store + Collect>(open: impl Fn() -> S + Sync) {
    if let Err(error) = collecting_beside_edit(&open) {
        panic!("what an edit relies on is kept: {error}");
    }
}

/// Runs [`blob_write`], [`root_index`] and, with contents that are written to the store, [`blob_read`]; each
/// case with a new, empty store.
///
/// # Panics
/// If a case fails.
pub fn run<S: Store>(new: impl Fn() -> S) {
    blob_read(|contents| {
        let store = new();
        fill(&store, contents).expect("filling an empty store");
        store
    });
    blob_write(&new);
    root_index(&new);
}

fn run_cases<S>(cases: &[Case<S>], new: impl Fn() -> S) {
    for (title, case) in cases {
        if let Err(error) = case(&new()) {
            panic!("{title}: {error}");
        }
    }
}

/// Stores a blob.
///
/// # Errors
/// Those of the store.
pub fn put(store: &(impl BlobWrite + ?Sized), bytes: &[u8]) -> Result<Descriptor> {
    let mut writer = BlobWriter::new(store, octets())?;
    writer.write_all(bytes).map_err(Error::io("write"))?;
    writer.finish()
}

/// Reads the content of a descriptor, verified.
///
/// # Errors
/// Those of the store, and of verifying.
pub fn get(store: &(impl BlobRead + ?Sized), descriptor: &Descriptor) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    store.open(descriptor)?.read_to_end(&mut bytes).map_err(Error::io("read"))?;
    Ok(bytes)
}

fn octets() -> MediaType {
    MediaType::literal("application/octet-stream")
}

fn described(algorithm: Algorithm, bytes: &[u8]) -> Descriptor {
    Descriptor::new(octets(), digest_of(algorithm, bytes), bytes.len() as u64)
}

fn named(digest: Digest, size: u64) -> Descriptor {
    Descriptor::new(octets(), digest, size)
}

fn sha256(bytes: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, bytes)
}

/// Returns a descriptor of a blob with other content.
fn forged() -> Descriptor {
    named(sha256(b"genuine"), 7)
}

fn contents() -> Result<Contents> {
    let large: Vec<u8> = (0..300_007_u32).map(|at| (at % 251) as u8).collect();
    let mut blobs: Vec<_> = [&b"content"[..], b"", &large]
        .iter()
        .map(|bytes| (described(Algorithm::Sha256, bytes), bytes.to_vec()))
        .collect();
    blobs.push((described(Algorithm::Sha512, b"content"), b"content".to_vec()));
    let mut index = empty_index()?;
    for (descriptor, _) in &blobs {
        index = index.push(descriptor)?;
    }
    // Not in the index: a store may verify the objects of the index when it is replaced.
    blobs.push((forged(), b"forgery".to_vec()));
    Ok(Contents { index, blobs })
}

fn fill(store: &impl Store, contents: &Contents) -> Result<()> {
    for (descriptor, bytes) in &contents.blobs {
        let mut pending = store.begin(&NewBlob::known(descriptor))?;
        pending.write_all(bytes).map_err(Error::io("write"))?;
        pending.publish(&descriptor.digest)?;
    }
    store.replace(&store.load()?.digest(), &contents.index)
}

/// Returns whether a store has a blob, by every method.
fn is_there(store: &impl BlobRead, blob: &Descriptor) -> Result<bool> {
    let (open, size) = (store.try_open(blob)?.is_some(), store.try_size(blob)?.is_some());
    assert_eq!(open, size, "try_open and try_size disagree");
    assert!(open || store.try_seek(blob)?.is_none(), "try_seek finds what try_open does not");
    Ok(open)
}

fn blobs_are_read(store: &impl BlobRead, contents: &Contents) -> Result<()> {
    for (descriptor, bytes) in &contents.blobs {
        let mut found = Vec::new();
        let blob = store.try_open(descriptor)?;
        blob.expect("a blob").read_to_end(&mut found).map_err(Error::io("read"))?;
        assert!(found == *bytes, "{}", descriptor.digest);
        assert_eq!(store.try_size(descriptor)?, Some(bytes.len() as u64));
    }
    Ok(())
}

fn absent_is_none(store: &impl BlobRead, _: &Contents) -> Result<()> {
    let digests = [
        sha256(b"none"),
        digest_of(Algorithm::Sha512, b"none"),
        "other+algorithm:ABC-_=".parse().expect("a digest"),
    ];
    for digest in digests {
        assert!(!is_there(store, &named(digest.clone(), 4))?, "{digest}");
    }
    let absent = named(sha256(b"none"), 4);
    assert!(matches!(get(store, &absent), Err(Error::MissingBlob(digest)) if digest == absent.digest));
    Ok(())
}

fn reading_verifies(store: &impl BlobRead, contents: &Contents) -> Result<()> {
    let property = |descriptor: &Descriptor| match get(store, descriptor) {
        Err(Error::Mismatch { property, .. }) => property,
        other => panic!("{other:?}"),
    };
    let (good, bytes) = &contents.blobs[0];
    assert_eq!(get(store, good)?, *bytes);
    for size in [0, 6, 8, u64::MAX] {
        assert_eq!(property(&Descriptor { size, ..good.clone() }), "size");
    }
    assert_eq!(property(&forged()), "digest");
    Ok(())
}

fn seeking_reads_the_same(store: &impl BlobRead, contents: &Contents) -> Result<()> {
    for (descriptor, bytes) in &contents.blobs {
        let Some(mut blob) = store.try_seek(descriptor)? else { continue };
        assert_eq!(blob.seek(SeekFrom::End(0)).map_err(Error::io("seek"))?, bytes.len() as u64);
        for start in [bytes.len() / 2, 0] {
            let mut found = Vec::new();
            blob.seek(SeekFrom::Start(start as u64)).map_err(Error::io("seek"))?;
            blob.read_to_end(&mut found).map_err(Error::io("read"))?;
            assert!(found == bytes[start..], "{} from byte {start}", descriptor.digest);
        }
    }
    Ok(())
}

fn index_is_read(store: &impl RootIndex, contents: &Contents) -> Result<()> {
    assert_eq!(store.load()?.bytes(), contents.index.bytes());
    Ok(())
}

fn blobs_appear_when_published(store: &(impl BlobRead + BlobWrite)) -> Result<()> {
    let blob = described(Algorithm::Sha256, b"content");
    for new in [NewBlob::known(&blob), NewBlob::streamed(&blob.media_type)] {
        let mut pending = store.begin(&new)?;
        pending.write_all(b"con").map_err(Error::io("write"))?;
        pending.write_all(b"tent").map_err(Error::io("write"))?;
        assert!(new.digest.is_none() || !is_there(store, &blob)?);
        pending.publish(&blob.digest)?;
        assert_eq!(store.try_size(&blob)?, Some(7));
        assert_eq!(get(store, &blob)?, b"content");
    }
    Ok(())
}

fn dropped_blobs_leave_nothing(store: &(impl BlobRead + BlobWrite)) -> Result<()> {
    let blob = described(Algorithm::Sha256, b"content");
    let mut pending = store.begin(&NewBlob::known(&blob))?;
    pending.write_all(b"content").map_err(Error::io("write"))?;
    drop(pending);
    assert!(!is_there(store, &blob)?);
    Ok(())
}

fn twice_is_once(store: &(impl BlobRead + BlobWrite)) -> Result<()> {
    let first = put(store, b"content")?;
    // The existing blob is readable while the other is written.
    let mut open = store.open(&first)?;
    assert_eq!(put(store, b"content")?, first);
    let mut bytes = Vec::new();
    open.read_to_end(&mut bytes).map_err(Error::io("read"))?;
    assert_eq!(bytes, b"content");
    assert_eq!(get(store, &first)?, b"content");
    Ok(())
}

fn sizes(store: &(impl BlobRead + BlobWrite)) -> Result<()> {
    for size in [0, 1, 4096, 1_000_003] {
        let bytes: Vec<u8> = (0..size).map(|at: u32| at as u8).collect();
        let blob = put(store, &bytes)?;
        assert_eq!(blob, described(Algorithm::Sha256, &bytes));
        assert_eq!(store.try_size(&blob)?, Some(u64::from(size)));
        assert!(get(store, &blob)? == bytes);
    }
    Ok(())
}

fn other_algorithms(store: &(impl BlobRead + BlobWrite)) -> Result<()> {
    for algorithm in [Algorithm::Sha384, Algorithm::Sha512] {
        let blob = described(algorithm, b"content");
        let mut pending = store.begin(&NewBlob::known(&blob))?;
        pending.write_all(b"content").map_err(Error::io("write"))?;
        pending.publish(&blob.digest)?;
        assert_eq!(get(store, &blob)?, b"content");
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

fn collecting_beside_edit<S: Store + Collect>(open: &(impl Fn() -> S + Sync)) -> Result<()> {
    let blob = {
        let store = open();
        let blob = put(&store, b"relied on")?;
        store.update(|old| old.push(&blob))?;
        blob
    };
    let store = open();
    store.hold()?;
    assert!(is_there(&store, &blob)?);
    let (done, collected) = mpsc::channel();
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            open().update(|old| old.remove(0))?;
            let store = open();
            let collector = store.collect()?;
            if store.load()?.view().manifests.is_empty() {
                collector.remove(&blob.digest)?;
            }
            collector.finish()?;
            done.send(()).map_err(|error| Error::Misuse(error.to_string()))
        });
        // Either it waits for the edit, or the blob must be there all the same.
        let _ = collected.recv_timeout(Duration::from_millis(100));
        store
            .update(|old| if old.view().manifests.is_empty() { old.push(&blob) } else { Ok(old.clone()) })?;
        drop(store);
        other.join().expect("no panic")
    })?;
    let store = open();
    for entry in &store.load()?.view().manifests {
        assert_eq!(get(&store, entry)?, b"relied on");
    }
    Ok(())
}

fn collecting<S: Store + Collect>(open: &impl Fn() -> S) -> Result<()> {
    let (kept, removed) = {
        let store = open();
        (put(&store, b"kept")?, put(&store, b"removed")?)
    };
    let store = open();
    let collector = store.collect()?;
    let mut expected = vec![(kept.digest.clone(), 4), (removed.digest.clone(), 7)];
    expected.sort();
    assert_eq!(collector.blobs()?, expected);
    collector.remove(&removed.digest)?;
    collector.remove(&removed.digest)?;
    collector.finish()?;
    let store = open();
    assert!(is_there(&store, &kept)?);
    assert!(!is_there(&store, &removed)?);
    Ok(())
}
