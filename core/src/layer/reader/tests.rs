//! Tests of whole layers: from a store to a sink.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
};

use flate2::write::GzEncoder;

use super::*;
use crate::{
    digest::Algorithm,
    hash::digest_of,
    layer::EntryKind,
    limits::Limits,
    spec::{Compression, MediaType},
    store::Repository,
};

#[derive(Default)]
struct Blobs(BTreeMap<Digest, Vec<u8>>);

impl BlobRead for Blobs {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(self.0.get(&blob.digest).map(|blob| Box::new(Cursor::new(blob)) as Box<dyn Read + Send>))
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        Ok(self.0.get(&blob.digest).map(|blob| blob.len() as u64))
    }
}

fn repository(store: &Blobs) -> Repository<&Blobs> {
    Repository::new(store, Limits::default())
}

impl Blobs {
    fn add(&mut self, blob: Vec<u8>, compression: Compression) -> Descriptor {
        let digest = digest_of(Algorithm::Sha256, &blob);
        let descriptor = Descriptor::new(MediaType::layer(compression), digest.clone(), blob.len() as u64);
        self.0.insert(digest, blob);
        descriptor
    }
}

/// Keeps the paths and contents, and fails at a given path.
#[derive(Default, PartialEq, Eq, Debug)]
struct Kept {
    files: Vec<(String, Vec<u8>)>,
    fail_at: Option<&'static str>,
}

impl ChangeSink for Kept {
    fn put(&mut self, change: &Change, body: &mut dyn Read) -> Result<()> {
        let Change::Put(entry) = change else { panic!("{change:?}") };
        let name = entry.path.to_string();
        if self.fail_at == Some(&name) {
            return Err(Error::Unsupported("enough".into()));
        }
        let mut content = Vec::new();
        if entry.kind != EntryKind::Dir {
            body.read_to_end(&mut content).map_err(Error::io("body"))?;
        }
        self.files.push((name, content));
        Ok(())
    }
}

/// Returns an archive of files, of bytes that do not compress well.
fn archive(files: usize, size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut archive = Vec::new();
    for number in 0..files {
        let mut header = [0; 512];
        header[..3].copy_from_slice(format!("{number:03}").as_bytes());
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum::<u32>() + 8 * 32;
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        archive.extend_from_slice(&header);
        archive.extend((0..size).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }));
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Reads in one thread and, where there are threads, in several; the two must agree.
fn read(
    store: &Blobs,
    descriptor: &Descriptor,
    diff_id: &Digest,
    limits: &Limits,
) -> (Kept, Result<(), String>) {
    read_failing(store, descriptor, diff_id, limits, None)
}

fn read_failing(
    store: &Blobs,
    descriptor: &Descriptor,
    diff_id: &Digest,
    limits: &Limits,
    fail_at: Option<&'static str>,
) -> (Kept, Result<(), String>) {
    let repository = Repository::new(store, *limits);
    let mut kept = Kept { fail_at, ..Kept::default() };
    let result = LayerReader::open(&repository, descriptor, diff_id)
        .and_then(|mut layer| pump(&mut layer.tar, &mut kept))
        .map_err(|error| error.to_string());
    #[cfg(all(feature = "parallel", not(target_family = "wasm")))]
    {
        let mut other = Kept { fail_at, ..Kept::default() };
        let threads = stages(&repository, descriptor, diff_id).and_then(|stages| {
            let read = |archive: Archive<'_>| pump(&mut tar(archive, &repository, descriptor), &mut other);
            threads::read_archive(stages, read).ok().unwrap()
        });
        assert_eq!((threads.map_err(|error| error.to_string()), &other), (result.clone(), &kept));
    }
    (kept, result.map(drop))
}

#[test]
fn all_compressions_give_the_same() {
    let mut store = Blobs::default();
    let archive = archive(20, 70_000);
    let diff_id = digest_of(Algorithm::Sha256, &archive);
    let blobs = [
        store.add(archive.clone(), Compression::None),
        store.add(gzip(&archive), Compression::Gzip),
        store.add(zstd(&archive), Compression::Zstd),
    ];
    for descriptor in blobs {
        let (kept, result) = read(&store, &descriptor, &diff_id, &Limits::default());
        assert_eq!(result, Ok(()));
        assert_eq!(kept.files.len(), 20);
        assert_eq!(
            (kept.files[19].0.as_str(), &kept.files[19].1[..]),
            ("019", &archive[19 * 70_656 + 512..][..70_000])
        );
        let mut through = Kept::default();
        read_layer(&repository(&store), &descriptor, &diff_id, &mut through).unwrap();
        assert_eq!(through, kept);
    }
}

#[test]
fn bytes_after_the_archive_count_for_the_diff_id() {
    let mut store = Blobs::default();
    let mut archive = archive(1, 10);
    let short = digest_of(Algorithm::Sha256, &archive);
    archive.extend_from_slice(&[7; 300_000]);
    let long = digest_of(Algorithm::Sha512, &archive);
    let descriptor = store.add(gzip(&archive), Compression::Gzip);
    assert_eq!(read(&store, &descriptor, &long, &Limits::default()).1, Ok(()));
    let (kept, result) = read(&store, &descriptor, &short, &Limits::default());
    assert_eq!(kept.files.len(), 1);
    let found = digest_of(Algorithm::Sha256, &archive);
    let subject = format!("layer {}", descriptor.digest);
    assert_eq!(result, Err(format!("{subject}: diff_id mismatch: expected {short}, actual {found}")));
}

#[test]
fn a_change_anywhere_in_a_blob_is_a_mismatch() {
    let mut store = Blobs::default();
    let archive = archive(3, 50_000);
    let diff_id = digest_of(Algorithm::Sha256, &archive);
    for (blob, compression) in [(archive.clone(), Compression::None), (gzip(&archive), Compression::Gzip)] {
        let descriptor = store.add(blob.clone(), compression);
        for at in [100, 160, 5_000, blob.len() - 3] {
            let mut changed = blob.clone();
            changed[at] ^= 0x55;
            store.0.insert(descriptor.digest.clone(), changed);
            let error = read(&store, &descriptor, &diff_id, &Limits::default()).1.unwrap_err();
            assert!(error.contains("digest mismatch"), "{compression:?} {at}: {error}");
        }
        store.0.insert(descriptor.digest.clone(), blob[1..].to_vec());
        let error = read(&store, &descriptor, &diff_id, &Limits::default()).1.unwrap_err();
        assert!(error.contains("size mismatch"), "{error}");
    }
}

#[test]
fn an_error_of_the_sink_comes_back_and_nothing_hangs() {
    let mut store = Blobs::default();
    let archive = archive(60, 100_000);
    let descriptor = store.add(archive.clone(), Compression::None);
    let diff_id = digest_of(Algorithm::Sha256, &archive);
    for fail_at in ["000", "030", "059"] {
        let (kept, result) = read_failing(&store, &descriptor, &diff_id, &Limits::default(), Some(fail_at));
        assert_eq!(result, Err("enough".into()));
        assert_eq!(kept.files.len(), fail_at.parse::<usize>().unwrap());
    }
}

#[test]
fn limits_hold() {
    let mut store = Blobs::default();
    let archive = archive(10, 100_000);
    let descriptor = store.add(gzip(&archive), Compression::Gzip);
    let diff_id = digest_of(Algorithm::Sha256, &archive);
    let limits = |layer_size| Limits { layer_size, ..Limits::default() };
    assert_eq!(read(&store, &descriptor, &diff_id, &limits(archive.len() as u64)).1, Ok(()));
    let error = read(&store, &descriptor, &diff_id, &limits(archive.len() as u64 - 1)).1.unwrap_err();
    assert!(error.contains("(layer_size)"), "{error}");
}

/// In one thread and in several, whatever the blob looks like.
#[test]
fn holes_count_like_content() {
    let mut header = [0; 512];
    header[..4].copy_from_slice(b"hole");
    header[124..135].copy_from_slice(b"00000000000");
    header[156] = b'S';
    header[257..265].copy_from_slice(b"ustar  \0");
    header[483..494].copy_from_slice(format!("{:011o}", 1 << 20).as_bytes());
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum::<u32>() + 8 * 32;
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    let sparse = [&header[..], &archive(1, 40_000)].concat();
    let mut store = Blobs::default();
    let descriptor = store.add(sparse.clone(), Compression::None);
    let diff_id = digest_of(Algorithm::Sha256, &sparse);
    let limits = |ratio_from| Limits { ratio: 2, ratio_from, ..Limits::default() };
    assert_eq!(read(&store, &descriptor, &diff_id, &limits(2 << 20)).1, Ok(()));
    let error = read(&store, &descriptor, &diff_id, &limits(1 << 19)).1.unwrap_err();
    assert!(error.ends_with("more than the limit of 2 (ratio)"), "{error}");
}

#[test]
fn a_small_blob_expands_only_so_far() {
    let mut store = Blobs::default();
    let mut blob = gzip(&archive(1, 10));
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 16 << 20]).unwrap();
    blob.extend_from_slice(&encoder.finish().unwrap().repeat(4));
    let descriptor = store.add(blob, Compression::Gzip);
    let diff_id = digest_of(Algorithm::Sha256, b"");
    let limits = Limits { ratio: 200, ratio_from: 32 << 20, ..Limits::default() };
    let repository = Repository::new(&store, limits);
    let error = read_layer(&repository, &descriptor, &diff_id, &mut Kept::default()).unwrap_err();
    assert!(error.to_string().ends_with("more than the limit of 200 (ratio)"), "{error}");
    // Deflate cannot do better than 1032, so the default lets it pass.
    let default = Repository::new(&store, Limits { ratio_from: 0, ..Limits::default() });
    let error = read_layer(&default, &descriptor, &diff_id, &mut Kept::default()).unwrap_err();
    assert!(error.to_string().contains("diff_id mismatch"), "{error}");
}

#[test]
fn unreadable_layers_are_refused_before_reading() {
    let mut store = Blobs::default();
    let mut descriptor = store.add(archive(1, 10), Compression::None);
    let unknown: Digest = "sha3:abc".parse().unwrap();
    let error = read(&store, &descriptor, &unknown, &Limits::default()).1.unwrap_err();
    assert!(error.contains("cannot verify diff_id sha3:abc"), "{error}");
    descriptor.media_type = MediaType::literal("text/plain");
    let error = read(&store, &descriptor, &unknown, &Limits::default()).1.unwrap_err();
    assert!(error.contains("unsupported media type text/plain"), "{error}");
    descriptor.digest = digest_of(Algorithm::Sha256, b"missing");
    descriptor.media_type = MediaType::layer(Compression::None);
    let error = read(&store, &descriptor, &unknown, &Limits::default()).1.unwrap_err();
    assert!(error.contains("is not in the store"), "{error}");
}

#[test]
fn a_failed_reader_never_reports_success() {
    let mut store = Blobs::default();
    let archive = archive(1, 10);
    let descriptor = store.add(archive.clone(), Compression::None);
    let wrong = digest_of(Algorithm::Sha256, b"");
    let repository = repository(&store);
    let mut layer = LayerReader::open(&repository, &descriptor, &wrong).unwrap();
    while layer.next_change().unwrap().is_some() {}
    assert_eq!(layer.tar.drain().unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(layer.finish().is_err());
}
