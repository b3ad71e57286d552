//! Tables of layers that are made here, byte by byte as the formats say. `tests/tests/interop/toc.rs` has
//! those of other tools.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod hostile;
mod layers;

use self::layers::{
    EXTERNAL, Layer, NAMES, content, estargz, gzip, json, plain_tar, read, reading, skippable, stargz, zstd,
    zstd_chunked,
};
use super::JSON_DIGEST;
use crate::{
    digest::Algorithm,
    error::ErrorKind,
    hash::digest_of,
    layer::testing::{dir, file},
    limits::Limits,
    spec::Compression,
};

#[test]
fn a_table_lists_the_same_as_the_archive() {
    let (json, items) = (json(NAMES), content());
    for layer in [
        estargz(&items, &json),
        stargz(&items, &json),
        zstd_chunked(&items, &json, 64, b"GNUlInUx"),
        zstd_chunked(&items, &json, 40, b"GNUlInUx"),
        zstd_chunked(&items, &json, 40, b"GnUlInUx"),
    ] {
        assert_eq!(read(&layer, &Limits::default()).unwrap().unwrap(), reading(&layer));
    }
}

#[test]
fn annotations_say_where_the_table_is() {
    let json = json(NAMES);
    let whole = zstd_chunked(&content(), &json, 64, b"GNUlInUx");
    let footer = 8 + 64;
    for prefix in super::zstd_chunked::PREFIXES {
        let mut layer = whole.clone().annotated();
        layer.annotations = layer
            .annotations
            .iter()
            .map(|(key, value)| (key.replace(super::zstd_chunked::PREFIXES[0], prefix), value.clone()))
            .collect();
        layer.blob.truncate(layer.blob.len() - footer);
        assert_eq!(layer.annotations.len(), 2);
        assert_eq!(read(&layer, &Limits::default()).unwrap().unwrap(), reading(&layer), "{prefix}");
        for value in layer.annotations.values_mut().filter(|value| value.starts_with("sha256:")) {
            *value = digest_of(Algorithm::Sha256, b"another").to_string();
        }
        let error = read(&layer, &Limits::default()).unwrap_err();
        assert!(matches!(error, crate::Error::Mismatch { property: "digest", .. }), "{error}");
    }
}

#[test]
fn the_digest_of_the_document_is_verified() {
    let json = json(NAMES);
    let items = content();
    for layer in [estargz(&items, &json), zstd_chunked(&items, &json, 64, b"GNUlInUx")] {
        for (digest, kind) in [
            (digest_of(Algorithm::Sha256, json.as_bytes()).to_string(), None),
            (digest_of(Algorithm::Sha512, json.as_bytes()).to_string(), None),
            (digest_of(Algorithm::Sha256, b"").to_string(), Some(ErrorKind::Corrupt)),
            ("md5:d41d8cd98f00b204e9800998ecf8427e".into(), Some(ErrorKind::Unsupported)),
            ("none".into(), Some(ErrorKind::Corrupt)),
        ] {
            let mut layer = layer.clone();
            layer.annotations.insert(JSON_DIGEST.into(), digest.clone());
            assert_eq!(read(&layer, &Limits::default()).map_err(|e| e.kind()).err(), kind, "{digest}");
        }
    }
}

#[test]
fn layers_without_a_table_have_none() {
    let tar = plain_tar(&[dir("d"), file("d/f", "content")]);
    for layer in [
        Layer::new(Compression::None, tar.clone()),
        Layer::new(Compression::Gzip, gzip(&tar)),
        Layer::new(Compression::Zstd, zstd(&tar)),
        Layer::new(Compression::Zstd, [zstd(&tar), skippable(&[0; 64])].concat()),
        Layer::new(Compression::Gzip, [&gzip(&tar)[..], EXTERNAL].concat()),
        Layer::new(Compression::Gzip, Vec::new()),
        Layer::new(Compression::Zstd, b"few".to_vec()),
        // A table of another compression than the layer's is ignored.
        Layer::new(Compression::Zstd, estargz(&[], "{}").blob),
        Layer::new(Compression::Gzip, zstd_chunked(&[], "{}", 64, b"GNUlInUx").blob),
    ] {
        assert_eq!(read(&layer, &Limits::default()).unwrap(), None, "{layer:?}");
        assert!(layer.bytes_read() <= 72, "{}", layer.bytes_read());
    }
}

#[test]
fn only_the_table_is_read() {
    let json = json(NAMES);
    let mut items = content();
    let noise: String =
        (0..200_000_u32).map(|n| char::from(b'a' + (n.wrapping_mul(n) >> 7) as u8 % 26)).collect();
    items.insert(0, file("large", &noise));
    for layer in [estargz(&items, &json), zstd_chunked(&items, &json, 64, b"GNUlInUx")] {
        read(&layer, &Limits::default()).unwrap().unwrap();
        assert!(layer.bytes_read() < 3000, "{}", layer.bytes_read());
        assert!(layer.blob.len() > 50_000);
    }
}

#[test]
fn an_empty_table() {
    for json in [r#"{"version":1,"entries":null}"#, r#"{"entries":[],"more":{"a":[1]},"version":1}"#] {
        let layer = zstd_chunked(&[], json, 64, b"GNUlInUx");
        assert_eq!(read(&layer, &Limits::default()).unwrap().unwrap(), []);
    }
}
