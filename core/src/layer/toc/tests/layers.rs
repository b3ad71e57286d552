//! Layers with tables.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read, Seek, SeekFrom, Write as _},
    sync::atomic::{AtomicU64, Ordering},
};

use flate2::write::GzEncoder;

use crate::{
    attrs::{Attrs, Time},
    digest::Algorithm,
    error::Result,
    hash::digest_of,
    layer::{
        Change, ChangeSink as _, Entry, EntryKind,
        inflate::Inflate,
        reader::read_layer,
        tar::TarWriter,
        testing::{Item, Record, clear, dir, file, link, path, put, remove, symlink},
        toc,
    },
    limits::Limits,
    spec::{Compression, Descriptor, MediaType},
    store::{BlobRead, ReadSeek},
};

/// A store with one blob, which counts the bytes read of it.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) blob: Vec<u8>,
    pub(super) annotations: BTreeMap<String, String>,
    compression: Compression,
    /// The annotations of zstd:chunked.
    known: Vec<(&'static str, String)>,
    read: AtomicU64,
}

impl Clone for Layer {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.compression, self.blob.clone());
        (copy.annotations, copy.known) = (self.annotations.clone(), self.known.clone());
        copy
    }
}

impl Layer {
    pub(super) fn new(compression: Compression, blob: Vec<u8>) -> Self {
        Self { blob, annotations: BTreeMap::new(), compression, known: Vec::new(), read: AtomicU64::new(0) }
    }

    /// Adds the annotations of its writer.
    pub(super) fn annotated(mut self) -> Self {
        let prefix = toc::zstd_chunked::PREFIXES[0];
        self.annotations
            .extend(self.known.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone())));
        self
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(super) fn descriptor(&self) -> Descriptor {
        let digest = digest_of(Algorithm::Sha256, &self.blob);
        let mut descriptor =
            Descriptor::new(MediaType::layer(self.compression), digest, self.blob.len() as u64);
        descriptor.annotations.extend(self.annotations.clone());
        descriptor
    }
}

impl BlobRead for Layer {
    fn try_open(&self, _: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(Some(Box::new(Counted(Cursor::new(&self.blob), &self.read))))
    }

    fn try_seek(&self, _: &Descriptor) -> Result<Option<Box<dyn ReadSeek + '_>>> {
        Ok(Some(Box::new(Counted(Cursor::new(&self.blob), &self.read))))
    }

    fn try_size(&self, _: &Descriptor) -> Result<Option<u64>> {
        Ok(Some(self.blob.len() as u64))
    }
}

struct Counted<'a>(Cursor<&'a Vec<u8>>, &'a AtomicU64);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(buffer)?;
        self.1.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

pub(super) fn read(layer: &Layer, limits: &Limits) -> Result<Option<Vec<Change>>> {
    toc::read_toc(&crate::Repository::new(layer, *limits), &layer.descriptor())
}

/// Returns what reading the layer returns.
pub(super) fn reading(layer: &Layer) -> Vec<Change> {
    let (descriptor, limits) = (layer.descriptor(), Limits::default());
    let mut tar = Vec::new();
    Inflate::new(&layer.blob[..], "it", &limits).unwrap().read_to_end(&mut tar).unwrap();
    let mut record = Record::default();
    read_layer(
        &crate::Repository::new(layer, limits),
        &descriptor,
        &digest_of(Algorithm::Sha256, &tar),
        &mut record,
    )
    .unwrap();
    record.0.into_iter().map(|Item(change, _)| change).collect()
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

pub(super) fn skippable(content: &[u8]) -> Vec<u8> {
    [&[0x50, 0x2a, 0x4d, 0x18][..], &(content.len() as u32).to_le_bytes(), content].concat()
}

pub(super) fn plain_tar(items: &[Item]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new());
    for Item(change, content) in items {
        tar.put(change, &mut &content[..]).unwrap();
    }
    tar.finish().unwrap()
}

/// Returns the archive without its end.
fn unended_tar(items: &[Item]) -> Vec<u8> {
    let mut tar = plain_tar(items);
    tar.truncate(tar.len() - 1024);
    tar
}

/// Returns a layer with a table at this position; `footer` makes the footer.
pub(super) fn with_footer(before: &[u8], table: &[u8], at: &str, estargz: bool) -> Layer {
    let extra = match estargz {
        true => [b"\x1a\0SG\x16\0", at.as_bytes(), b"STARGZ"].concat(),
        false => [b"\x16\0", at.as_bytes(), b"STARGZ"].concat(),
    };
    let footer =
        [b"\x1f\x8b\x08\x04\0\0\0\0\0\xff", &extra[..], b"\x01\0\0\xff\xff", b"\0\0\0\0\0\0\0\0"].concat();
    assert_eq!(footer.len(), if estargz { 51 } else { 47 });
    Layer::new(Compression::Gzip, [before, table, &footer].concat())
}

/// The end of a layer with an external table.
pub(super) const EXTERNAL: &[u8] =
    b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x15\0SG\x11\0STARGZEXTERNALTOC\x01\0\0\xff\xff\0\0\0\0\0\0\0\0";

fn footed(items: &[Item], json: &str, estargz: bool) -> Layer {
    // Each content is a member of its own; their positions do not matter here.
    let before: Vec<u8> = unended_tar(items).chunks(700).flat_map(gzip).collect();
    let table = gzip(&plain_tar(&[file("stargz.index.json", json)]));
    with_footer(&before, &table, &format!("{:016x}", before.len()), estargz)
}

pub(super) fn estargz(items: &[Item], json: &str) -> Layer {
    footed(items, json, true)
}

pub(super) fn stargz(items: &[Item], json: &str) -> Layer {
    footed(items, json, false)
}

pub(super) fn zstd_chunked(items: &[Item], json: &str, footer: usize, magic: &[u8]) -> Layer {
    let tar = plain_tar(items);
    let mut blob: Vec<u8> = tar.chunks(700).flat_map(zstd).collect();
    let table = zstd(json.as_bytes());
    let numbers = [blob.len() as u64 + 8, table.len() as u64, json.len() as u64, 1];
    blob.extend(skippable(&table));
    let mut content: Vec<u8> = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
    content.resize(footer - magic.len(), 7);
    content.extend(magic);
    blob.extend(skippable(&content));
    let position = numbers.map(|number| number.to_string()).join(":");
    let checksum = digest_of(Algorithm::Sha256, &table).to_string();
    let known = vec![("manifest-position", position), ("manifest-checksum", checksum)];
    Layer { known, ..Layer::new(Compression::Zstd, blob) }
}

/// Entries of all kinds.
pub(super) fn content() -> Vec<Item> {
    let attributes = |Item(change, content): Item, attrs| match change {
        Change::Put(entry) => Item(Change::Put(Entry { attrs, ..entry }), content),
        other => Item(other, content),
    };
    let odd = Attrs {
        mode: 0o4755,
        uid: 3_000_000_000,
        gid: 7,
        mtime: Time { seconds: -2, nanoseconds: 500_000_000 },
        xattrs: [(b"user.a"[..].into(), b"\0\xff"[..].into()), (b"user.empty"[..].into(), b""[..].into())]
            .into(),
    };
    let null = Item(
        Change::Put(Entry {
            path: path("dev/null"),
            attrs: Attrs { mode: 0o666, ..Attrs::default() },
            kind: EntryKind::Char { major: 1, minor: 3 },
        }),
        Vec::new(),
    );
    let target = Attrs { mode: 0o777, mtime: Time::from_seconds(1), ..Attrs::default() };
    vec![
        file(".no.prefetch.landmark", "\x0f"),
        dir("usr"),
        attributes(file("usr/odd", "a content in pieces"), odd),
        file("usr/ü \"quoted\"", ""),
        remove("usr/gone"),
        clear("usr"),
        attributes(symlink("link", "/usr/../odd"), target),
        link("hard", "usr/odd"),
        link("across", "of/a/lower/layer"),
        null,
        put("disk", EntryKind::Block { major: 259, minor: 1_048_575 }),
        put("pipe", EntryKind::Fifo),
        file("usr/odd", "twice"),
    ]
}

/// The entries of [`content`].
pub(super) const NAMES: &str = r#"
    {"name":".no.prefetch.landmark","type":"reg","size":1,"modtime":"1970-01-01T00:00:01Z","mode":420,
     "offset":85,
     "digest":"sha256:dc0e9c3658a1a3ed1ec94274d8b19925c93e1abb7ddba294923ad9bde30f8cb8"},
    {"name":"./usr/","type":"dir","modtime":"1970-01-01T00:00:01Z","mode":16877,"NumLink":0},
    {"name":"usr/odd","type":"reg","size":19,"modtime":"1969-12-31T23:59:58.5Z","mode":35309,
     "uid":3000000000,"gid":7,
     "userName":"a","groupName":"b","xattrs":{"user.a":"AP8=","user.empty":null},"offset":1,"chunkSize":10},
    {"name":"usr/odd","type":"chunk","offset":2,"chunkOffset":10,"chunkSize":8},
    {"type":"chunk","offset":3,"chunkOffset":18},
    {"name":"usr/\u00fc \"quoted\"","type":"reg","modtime":"1970-01-01T01:00:01+01:00","mode":420},
    {"name":"usr/.wh.gone","type":"reg","mode":420},
    {"name":"usr/.wh..wh..opq","type":"reg","mode":420},
    {"name":"usr/.wh..wh.plnk","type":"dir","mode":420},
    {"name":"link","type":"symlink","modtime":"1970-01-01T00:00:01Z","linkName":"/usr/../odd","mode":0},
    {"name":"hard","type":"hardlink","modtime":"1970-01-01T00:00:01Z","linkName":"./usr/odd","mode":420},
    {"name":"across","type":"hardlink","modtime":"1970-01-01T00:00:01Z","linkName":"of/a/lower/layer",
     "mode":420},
    {"name":"dev/null","type":"char","modtime":"","mode":438,"devMajor":1,"devMinor":3,"xattrs":null},
    {"name":"disk","type":"block","modtime":"1970-01-01T00:00:01Z","mode":420,"devMajor":259,
     "devMinor":1048575},
    {"name":"pipe","type":"fifo","modtime":"1970-01-01T00:00:01Z","mode":420},
    {"name":"usr/odd","type":"reg","size":5,"modtime":"1970-01-01T00:00:01Z","mode":420}"#;

/// Returns a document with these entries.
pub(super) fn json(entries: &str) -> String {
    format!("{{\"version\":1,\"entries\":[{entries}]}}")
}
