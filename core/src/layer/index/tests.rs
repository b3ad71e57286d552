#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::{Read as _, Write as _};

use super::{LayerIndex, Place};
use crate::{
    digest::Digest,
    error::{Error, ErrorKind},
    layer::{
        Change, ChangeSink as _, Entry, EntryKind,
        testing::{Item, clear, dir, file, link, remove, symlink},
        writer::LayerWriter,
    },
    limits::Limits,
    spec::{Compression, Descriptor, MediaType},
    store::{BlobReadExt as _, BlobWrite as _, BlobWriter, NewBlob, Repository, memory::MemoryStore},
};

/// Text that compresses, but not to nothing.
fn content(seed: u32, size: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"abcdefghijklmnop"[(state >> 20) as usize % 16]
    };
    (0..size).map(|_| next()).collect()
}

/// Stores a layer of files of these sizes, between other entries.
fn layer(store: &Repository<MemoryStore>, sizes: &[usize], compression: Compression) -> (Descriptor, Digest) {
    let mut writer = LayerWriter::new(store, compression).unwrap();
    let mut put = |Item(change, content): Item| writer.put(&change, &mut &content[..]).unwrap();
    put(dir("d"));
    for (number, size) in sizes.iter().enumerate() {
        let Item(change, _) = file(&format!("d/{}{number}", "long/".repeat(40)), "");
        let Change::Put(entry) = change else { panic!("a file") };
        let entry = Entry { kind: EntryKind::File { size: *size as u64 }, ..entry };
        put(Item(Change::Put(entry), content(number as u32, *size)));
        put(symlink(&format!("l{number}"), "d"));
    }
    put(link("hard", "l0"));
    put(remove("gone"));
    put(clear("d"));
    let layer = writer.finish().unwrap();
    (layer.descriptor, layer.diff_id)
}

fn places(index: &LayerIndex) -> Vec<Place> {
    index.changes().iter().filter_map(|(_, place)| *place).collect()
}

fn read(
    store: &Repository<MemoryStore>,
    blob: &Descriptor,
    index: &LayerIndex,
    place: Place,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    index.read_file(store, blob, place, &mut out)?;
    Ok(out)
}

const SIZES: [usize; 7] = [10, 3 << 20, 0, 5 << 20, 511, 9 << 20, 1];

#[test]
fn every_file_is_read_alone() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let store = Repository::in_memory().unwrap();
        let (blob, diff_id) = layer(&store, &SIZES, compression);
        let built = LayerIndex::build(&store, &blob, &diff_id).unwrap();
        let index = LayerIndex::from_bytes(&built.to_bytes(), &blob, &diff_id, &Limits::default()).unwrap();
        assert_eq!(index, built);
        assert_eq!(places(&index).len(), SIZES.len());
        for (number, place) in places(&index).into_iter().enumerate().rev() {
            let found = read(&store, &blob, &index, place).unwrap();
            assert!(found == content(number as u32, SIZES[number]), "{number} of {compression:?}");
        }
        if compression == Compression::Gzip {
            assert!(index.points.len() >= 3, "{}", index.points.len());
            assert!(index.points.iter().all(|point| point.inside.is_some()));
        }
    }
}

#[test]
fn members_and_frames_are_entered() {
    // Two halves of one archive, compressed separately, as parallel compressors do.
    for compression in [Compression::Gzip, Compression::Zstd] {
        let store = Repository::in_memory().unwrap();
        let (plain, diff_id) = layer(&store, &[6 << 20, 100], Compression::None);
        let mut tar = Vec::new();
        store.blob(&plain).unwrap().read_to_end(&mut tar).unwrap();
        let mut blob = Vec::new();
        for half in tar.chunks(5 << 20) {
            let part = Repository::in_memory().unwrap();
            let mut compressor = crate::layer::compress::Compressor::new(
                BlobWriter::new(part.store(), MediaType::layer(compression)).unwrap(),
                compression,
            )
            .unwrap();
            compressor.write_all(half).unwrap();
            let part_of = compressor.finish().unwrap().finish().unwrap();
            part.blob(&part_of).unwrap().read_to_end(&mut blob).unwrap();
        }
        let mut writer = BlobWriter::new(store.store(), MediaType::layer(compression)).unwrap();
        writer.write_all(&blob).unwrap();
        let blob = writer.finish().unwrap();
        let index = LayerIndex::build(&store, &blob, &diff_id).unwrap();
        assert!(index.points.iter().any(|point| point.inside.is_none()), "{compression:?}");
        assert!(read(&store, &blob, &index, places(&index)[1]).unwrap() == content(1, 100));
    }
}

#[test]
fn an_index_is_known_to_be_that_of_another_or_damaged() {
    let store = Repository::in_memory().unwrap();
    let limits = Limits::default();
    let (blob, diff_id) = layer(&store, &[10, 20], Compression::Gzip);
    let (other, _) = layer(&store, &[11], Compression::Gzip);
    let bytes = LayerIndex::build(&store, &blob, &diff_id).unwrap().to_bytes();
    let refusal = |bytes: &[u8], blob: &Descriptor| {
        LayerIndex::from_bytes(bytes, blob, &diff_id, &limits).unwrap_err().to_string()
    };
    assert!(refusal(&bytes, &other).contains("another layer"));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(refusal(&damaged, &blob).contains("damaged"), "{at}");
        assert!(refusal(&bytes[..at], &blob).contains("damaged"), "{at}");
    }
}

#[test]
fn changes_below_an_index_are_found() {
    let store = Repository::in_memory().unwrap();
    let (blob, diff_id) = layer(&store, &[100_000, 20], Compression::None);
    let index = LayerIndex::build(&store, &blob, &diff_id).unwrap();
    let mut bytes = Vec::new();
    store.blob(&blob).unwrap().read_to_end(&mut bytes).unwrap();
    bytes[50_000] ^= 1;
    let mut pending =
        store.store().begin(&NewBlob::streamed(&MediaType::literal("application/octet-stream"))).unwrap();
    pending.write_all(&bytes).unwrap();
    pending.publish(&blob.digest).unwrap();
    let error = read(&store, &blob, &index, places(&index)[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(read(&store, &blob, &index, places(&index)[1]).is_ok());
    assert!(LayerIndex::build(&store, &blob, &diff_id).is_err());
}

#[test]
fn many_points_thin_out() {
    use crate::layer::inflate::points::Points;
    let points = Points::default();
    for content in (0..10_000).map(|number: u64| number << 22) {
        points.start(content / 2, content);
    }
    let kept = points.take();
    assert!(kept.len() > 100 && kept.len() <= 512, "{}", kept.len());
    assert!(kept.windows(2).all(|pair| pair[0].content < pair[1].content));
}

#[test]
fn an_unverified_list_has_all_but_digests() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let store = Repository::in_memory().unwrap();
        let (blob, diff_id) = layer(&store, &SIZES, compression);
        let limits = Limits::default();
        let built = LayerIndex::build(&store, &blob, &diff_id).unwrap();
        let seen = LayerIndex::list_unverified(&store, &blob, &diff_id).unwrap();
        let without = |(change, place): &(Change, Option<Place>)| {
            (change.clone(), place.map(|place| Place { sha256: None, ..place }))
        };
        assert_eq!(seen.changes(), built.changes().iter().map(without).collect::<Vec<_>>());
        assert_eq!(LayerIndex::from_bytes(&seen.to_bytes(), &blob, &diff_id, &limits).unwrap(), seen);
        let place = places(&seen)[3];
        assert!(read(&store, &blob, &seen, place).unwrap() == content(3, SIZES[3]), "{compression:?}");
    }
}

#[test]
fn an_unverified_list_is_checked_for_its_size_alone() {
    let store = Repository::in_memory().unwrap();
    let (blob, diff_id) = layer(&store, &SIZES, Compression::Gzip);
    let (other, _) = layer(&store, &[1, 2, 3], Compression::Gzip);
    let lying = Descriptor { size: other.size, ..blob.clone() };
    let mut bytes = Vec::new();
    store.store().content(&other).unwrap().read_to_end(&mut bytes).unwrap();
    let mut pending =
        store.store().begin(&NewBlob::streamed(&MediaType::literal("application/octet-stream"))).unwrap();
    pending.write_all(&bytes).unwrap();
    pending.publish(&blob.digest).unwrap();
    assert_eq!(places(&LayerIndex::list_unverified(&store, &lying, &diff_id).unwrap()).len(), 3);
    assert_eq!(LayerIndex::build(&store, &lying, &diff_id).unwrap_err().kind(), ErrorKind::Corrupt);
    let error = LayerIndex::list_unverified(&store, &blob, &diff_id).unwrap_err().to_string();
    assert!(error.contains("size mismatch"), "{error}");
}

#[test]
fn files_of_a_layer_called_another_compression_are_read() {
    let all = [Compression::None, Compression::Gzip, Compression::Zstd];
    for (actual, called) in all.iter().flat_map(|actual| all.map(|called| (*actual, called))) {
        let store = Repository::in_memory().unwrap();
        let sizes = [10, 3 << 20, 0, 1];
        let (blob, diff_id) = layer(&store, &sizes, actual);
        let blob = Descriptor { media_type: MediaType::layer(called), ..blob };
        let built = LayerIndex::build(&store, &blob, &diff_id).unwrap();
        let index = LayerIndex::from_bytes(&built.to_bytes(), &blob, &diff_id, &Limits::default()).unwrap();
        for (number, place) in places(&index).into_iter().enumerate().rev() {
            let found = read(&store, &blob, &index, place).unwrap();
            assert!(found == content(number as u32, sizes[number]), "{number} of {actual}, called {called}");
        }
    }
}
