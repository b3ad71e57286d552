#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::{Read as _, Write as _};

use super::*;
use crate::{
    digest::Digest,
    error::ErrorKind,
    hash::digest_of,
    layer::{
        tar::TarWriter,
        testing::{Item, Record, dir, file, remove},
    },
    limits::Limits,
    spec::Descriptor,
    store::{BlobRead as _, BlobWrite, NewBlob, Pending, Repository, memory::MemoryStore},
};

fn archive(items: &[Item]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new());
    for Item(change, content) in items {
        tar.put(change, &mut &content[..]).unwrap();
    }
    // What follows the end is of the diff_id too.
    [tar.finish().unwrap(), vec![0; 10_240]].concat()
}

fn layer() -> Vec<u8> {
    archive(&[dir("d"), file("d/f", &"text ".repeat(200_000)), remove("gone")])
}

fn compressed(content: &[u8], how: Compression) -> Vec<u8> {
    let mut out = Compressor::new(Vec::new(), how).unwrap();
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

fn sha256(bytes: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, bytes)
}

fn blob(store: &Repository<MemoryStore>, descriptor: &Descriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.store().try_open(descriptor).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// A store on a full disk.
struct Full;

impl BlobWrite for Full {
    fn hold(&self) -> Result<()> {
        Ok(())
    }

    fn begin(&self, _: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        Ok(Box::new(Full))
    }
}

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pending for Full {
    fn publish(self: Box<Self>, _: &Digest) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_not_blamed_on_the_archive() {
    let plain = layer();
    for (found, wanted) in ALL.into_iter().flat_map(|found| ALL.map(|wanted| (found, wanted))) {
        let store = Repository::new(Full, Limits::default());
        let archive = compressed(&plain, found);
        let how = Recompress::As(wanted);
        let error = import_layer(&store, &archive[..], "layer.tar", how, &mut ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().starts_with("write layer: "), "{found:?} to {wanted:?}: {error}");
    }
}

const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

#[test]
fn archives_with_the_wanted_compression_are_stored_unchanged() {
    let plain = layer();
    for found in ALL {
        let given = compressed(&plain, found);
        let mut ways = vec![Recompress::As(found)];
        if found != Compression::None {
            ways.extend([Recompress::IfPlain(Compression::Gzip), Recompress::IfPlain(Compression::Zstd)]);
        }
        for how in ways {
            let store = Repository::in_memory().unwrap();
            let layer = import_layer(&store, &given[..], "it", how, &mut ()).unwrap();
            assert_eq!(layer.diff_id, sha256(&plain));
            let expected = Descriptor::new(MediaType::layer(found), sha256(&given), given.len() as u64);
            assert_eq!(layer.descriptor, expected);
            assert!(blob(&store, &layer.descriptor) == given);
        }
    }
}

#[test]
fn recompression_keeps_the_archive() {
    let plain = layer();
    for found in ALL {
        for wanted in ALL.into_iter().filter(|&wanted| wanted != found) {
            let how = match found {
                Compression::None => Recompress::IfPlain(wanted),
                _ => Recompress::As(wanted),
            };
            let store = Repository::in_memory().unwrap();
            let given = compressed(&plain, found);
            let layer = import_layer(&store, &given[..], "it", how, &mut ()).unwrap();
            assert_eq!(
                (layer.diff_id, &layer.descriptor.media_type),
                (sha256(&plain), &MediaType::layer(wanted))
            );
            assert!(blob(&store, &layer.descriptor) == compressed(&plain, wanted), "{found:?} to {wanted:?}");
        }
    }
}

#[test]
fn the_sink_gets_the_changes() {
    let (store, mut record) = (Repository::in_memory().unwrap(), Record::default());
    let items = [dir("d"), file("d/f", "abc"), remove("gone")];
    let how = Recompress::As(Compression::Gzip);
    import_layer(&store, &archive(&items)[..], "it", how, &mut record).unwrap();
    let changes = |items: &[Item]| {
        items.iter().map(|Item(change, content)| (change.clone(), content.clone())).collect::<Vec<_>>()
    };
    assert_eq!(changes(&record.0), changes(&items));
}

#[test]
fn invalid_layers_are_refused_and_leave_no_blob() {
    let plain = layer();
    let gzip = compressed(&plain, Compression::Gzip);
    let damaged = |at: usize| [&gzip[..at], &[!gzip[at]], &gzip[at + 1..]].concat();
    let cases = [
        (vec![], "it: is empty: the smallest tar archive is 1024 zeros"),
        (
            b"BZh91AY&SY".to_vec(),
            "it: is compressed with bzip2: layers are tar archives, plain or compressed with gzip or zstd",
        ),
        (
            vec![0xfd, b'7', b'z', b'X', b'Z', 0],
            "it: is compressed with xz: layers are tar archives, plain or compressed with gzip or zstd",
        ),
        (b"#!/bin/sh\necho no tar\n".repeat(40), "it, header at byte 0: "),
        (plain[..2000].to_vec(), "it: "),
        (gzip[..gzip.len() - 20].to_vec(), "it: "),
        (damaged(gzip.len() - 5), "it: "),
        ([&gzip[..], b"more"].concat(), "it: trailing data after the gzip data"),
    ];
    for (given, message) in cases {
        for how in [Recompress::As(Compression::Gzip), Recompress::As(Compression::None)] {
            let store = Repository::in_memory().unwrap();
            let error = import_layer(&store, &given[..], "it", how, &mut ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.to_string().starts_with(message), "{error}");
            for digest in [sha256(&given), sha256(&plain)] {
                let blob = Descriptor::new(MediaType::layer(Compression::None), digest, 0);
                assert_eq!(store.store().try_size(&blob).unwrap(), None);
            }
        }
    }
}

#[test]
fn limits_hold_for_what_comes_from_outside() {
    let given = compressed(&layer(), Compression::Gzip);
    let limits = Limits { layer_size: 1000, ..Limits::default() };
    for how in [Recompress::As(Compression::Gzip), Recompress::As(Compression::Zstd)] {
        let store = Repository::new(MemoryStore::new().unwrap(), limits);
        let error = import_layer(&store, &given[..], "it", how, &mut ()).unwrap_err();
        assert!(matches!(error, Error::Limit { name: "layer_size", .. }), "{error}");
    }
}
