#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    io::{Read, Write as _},
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use ocicle::{
    Descriptor, Repository, Result,
    store::{BlobRead, BlobWriter, ReadSeek, memory::MemoryStore},
};

use super::{BlobCache, Cached};
use crate::net::native::environment::Environment;

/// Counts how often blobs are opened.
struct Counting {
    store: MemoryStore,
    opened: AtomicUsize,
}

impl BlobRead for Counting {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.store.try_open(blob)
    }

    fn try_seek(&self, blob: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.store.try_seek(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.store.try_size(blob)
    }
}

/// A directory that ends with this value.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ocicle-blobs-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn names(&self) -> usize {
        fs::read_dir(&self.0).map_or(0, Iterator::count)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn blob(store: &MemoryStore, content: &[u8]) -> Descriptor {
    let mut writer = BlobWriter::new(store, "application/octet-stream".parse().unwrap()).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn cached(dir: &Dir, size: u64, store: MemoryStore) -> Cached<Counting> {
    let cache = BlobCache { dir: dir.0.clone(), size };
    Cached::new(Counting { store, opened: AtomicUsize::new(0) }, Some(cache))
}

fn read(store: &Cached<Counting>, blob: &Descriptor) -> Result<Vec<u8>> {
    let repository = Repository::new(store, ocicle::Limits::default());
    let mut content = Vec::new();
    repository.blob(blob)?.read_to_end(&mut content).map_err(ocicle::Error::io("read"))?;
    Ok(content)
}

fn opened(store: &Cached<Counting>) -> usize {
    store.inner.opened.load(Ordering::Relaxed)
}

#[test]
fn a_blob_is_fetched_once() {
    let (dir, store) = (Dir::new("once"), MemoryStore::new().unwrap());
    let (one, other) = (blob(&store, b"one"), blob(&store, b"the other"));
    let store = cached(&dir, 100, store);
    for _ in 0..3 {
        assert_eq!(read(&store, &one).unwrap(), b"one");
    }
    assert_eq!((opened(&store), dir.names()), (1, 1));
    // A blob that is not read to its end is not kept.
    drop(store.try_open(&other).unwrap());
    assert_eq!(dir.names(), 1);
    let mut start = [0; 2];
    store.try_seek(&one).unwrap().unwrap().read_exact(&mut start).unwrap();
    assert_eq!((&start, opened(&store)), (b"on", 2));
}

#[test]
fn damage_is_reported_and_fetched_again() {
    let (dir, store) = (Dir::new("damage"), MemoryStore::new().unwrap());
    let one = blob(&store, b"one");
    let store = cached(&dir, 100, store);
    read(&store, &one).unwrap();
    let kept = fs::read_dir(&dir.0).unwrap().next().unwrap().unwrap().path();
    fs::write(&kept, "two").unwrap();
    assert!(read(&store, &one).unwrap_err().to_string().contains("digest"));
    assert_eq!(read(&store, &one).unwrap(), b"one");
    fs::write(&kept, "two").unwrap();
    let mut sought = String::new();
    store.try_seek(&one).unwrap().unwrap().read_to_string(&mut sought).unwrap();
    assert_eq!((sought.as_str(), kept.exists()), ("one", false));
    read(&store, &one).unwrap();
    fs::write(&kept, "on").unwrap();
    assert_eq!(read(&store, &one).unwrap(), b"one", "of another size");
    // What the other machine sends wrongly is not kept either.
    let mut wrong = one.clone();
    wrong.size = 2;
    fs::remove_file(&kept).unwrap();
    assert!(read(&store, &wrong).is_err());
    assert_eq!(dir.names(), 0);
}

#[test]
fn a_copy_asks_the_store_and_not_the_cache() {
    let (dir, store) = (Dir::new("asks"), MemoryStore::new().unwrap());
    let one = blob(&store, b"one");
    read(&cached(&dir, 100, store), &one).unwrap();
    let other = cached(&dir, 100, MemoryStore::new().unwrap());
    assert_eq!(read(&other, &one).unwrap(), b"one", "of the cache");
    assert_eq!(other.try_size(&one).unwrap(), None, "or it would be missing in a copy");
}

#[test]
fn blobs_that_were_not_used_make_room() {
    let (dir, store) = (Dir::new("room"), MemoryStore::new().unwrap());
    let blobs: Vec<_> = (0..4_u8).map(|number| blob(&store, &[number; 10])).collect();
    let large = blob(&store, &[9; 31]);
    let store = cached(&dir, 30, store);
    fs::create_dir(&dir.0).unwrap();
    fs::write(dir.0.join("notes"), "of the user").unwrap();
    let pause = || std::thread::sleep(std::time::Duration::from_millis(20));
    for blob in &blobs[..3] {
        read(&store, blob).unwrap();
        pause();
    }
    read(&store, &blobs[0]).unwrap();
    pause();
    read(&store, &blobs[3]).unwrap();
    read(&store, &large).unwrap();
    let is_kept = |blob: &Descriptor| dir.0.join(blob.digest.as_str().replace(':', "-")).exists();
    let kept: Vec<_> = blobs.iter().map(is_kept).collect();
    assert_eq!(kept, [true, false, true, true], "the second was used longest ago");
    assert!(!is_kept(&large) && dir.0.join("notes").exists());
}

#[test]
fn settings() {
    let of = |variables: &[(&str, &str)]| BlobCache::of(&Environment::of(variables, "/etc".as_ref()));
    assert!(of(&[]).unwrap().is_none() && of(&[("OCICLE_BLOB_CACHE", "")]).unwrap().is_none());
    let set = of(&[("OCICLE_BLOB_CACHE", "/c"), ("OCICLE_BLOB_CACHE_SIZE", "2MiB")]).unwrap().unwrap();
    assert_eq!((set.dir.to_str(), set.size), (Some("/c"), 2 << 20));
    let error = of(&[("OCICLE_BLOB_CACHE", "/c"), ("OCICLE_BLOB_CACHE_SIZE", "much")]).unwrap_err();
    assert!(error.to_string().contains("OCICLE_BLOB_CACHE_SIZE: not a size"), "{error}");
}
