#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;
use crate::{
    image::testing::{image, layer},
    spec::Compression,
    spec::media_type::{DOCKER_CONFIG, DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD},
    store::{Repository, memory::MemoryStore},
    tree::testing::file,
};

fn history_of(image: &Image) -> Vec<History> {
    image.config.view().history.clone().unwrap_or_default()
}

fn by(text: &str) -> History {
    History { created_by: Some(text.into()), ..History::default() }
}

#[test]
fn a_blank_image_has_no_layers() {
    let store = Repository::in_memory().unwrap();
    let made = |created| {
        let descriptor = blank(&store, &"linux/arm64/v8".parse().unwrap(), created).unwrap();
        (Image::open(&store, &descriptor).unwrap(), descriptor)
    };
    let (image, descriptor) = made("2020-01-01T00:00:00Z");
    assert_eq!(descriptor.media_type.as_str(), MANIFEST);
    let config = concat!(
        r#"{"created":"2020-01-01T00:00:00Z","architecture":"arm64","os":"linux","variant":"v8","config":{},"#,
        r#""rootfs":{"type":"layers","diff_ids":[]}}"#,
        "\n"
    );
    assert_eq!(std::str::from_utf8(image.config.bytes()).unwrap(), config);
    assert_eq!((image.layers().len(), image.size()), (0, 0));
    assert_eq!(made("2020-01-01T00:00:00Z").1, descriptor);
}

#[test]
fn a_blank_image_is_that_of_umoci() {
    let store = Repository::in_memory().unwrap();
    let platform = "linux/amd64".parse().unwrap();
    let manifest = blank(&store, &platform, "2025-09-05T13:05:10.12345+10:00").unwrap();
    let config = Image::open(&store, &manifest).unwrap().manifest.view().config.clone();
    // As umoci's tests have them.
    let digests = [
        "sha256:e5101a46118c740a7709af8eaeec19cbc50a567f4fe7741f8420af39a3779a77",
        "sha256:98a4b5d5fe4ea076a0a9059075dad54741e055fd0fa016903a8e2b858dcbad80",
    ];
    assert_eq!([config.digest.as_str(), manifest.digest.as_str()], digests);
    assert_eq!((config.size, manifest.size), (135, 249));
}

#[test]
fn a_layer_goes_on_top_with_its_history_and_date() {
    let store = Repository::in_memory().unwrap();
    let below = image(&store, &[&[file("a", "1")]]);
    let added = layer(&store, &[file("b", "2")], Compression::Zstd);
    let history = History { created: Some("2022-02-02T00:00:00Z".into()), ..by("me") };
    let above = append_layer(&store, &below, &added, Some(&history)).unwrap();
    // The returned image is the stored one.
    let read = Image::open(&store, &above.descriptor).unwrap();
    assert_eq!(read.manifest.bytes(), above.manifest.bytes());
    assert_eq!(read.config.bytes(), above.config.bytes());
    let (descriptor, diff_id) = read.layers().last().unwrap();
    assert_eq!(
        (&descriptor.digest, descriptor.size, diff_id),
        (&added.descriptor.digest, added.descriptor.size, &added.diff_id)
    );
    assert_eq!(descriptor.media_type, MediaType::layer(Compression::Zstd));
    assert_eq!(read.config.view().created.as_deref(), Some("2022-02-02T00:00:00Z"));
    assert_eq!(history_of(&read), [History::default(), history]);
    // The layer below is unchanged.
    assert_eq!(Image::open(&store, &below.descriptor).unwrap().layers().len(), 1);
}

#[test]
fn without_a_date_the_image_keeps_its_own() {
    let store = Repository::in_memory().unwrap();
    let below = image(&store, &[]);
    let added = layer(&store, &[file("b", "2")], Compression::None);
    let above = append_layer(&store, &below, &added, Some(&by("me"))).unwrap();
    assert_eq!(above.config.view().created.as_deref(), Some("2020-01-01T00:00:00Z"));
}

#[test]
fn a_layer_without_an_entry_leaves_the_history_alone() {
    let store = Repository::in_memory().unwrap();
    let below = image(&store, &[&[file("a", "1")]]);
    let added = layer(&store, &[file("b", "2")], Compression::Gzip);
    let above = append_layer(&store, &below, &added, None).unwrap();
    assert_eq!((above.layers().len(), history_of(&above)), (2, history_of(&below)));
    assert_eq!(above.config.view().created, below.config.view().created);
    // The next entry is at its layer.
    let above = append_layer(&store, &above, &added, Some(&by("me"))).unwrap();
    assert_eq!(history_of(&above), [History::default(), History::default(), by("me")]);
}

#[test]
fn missing_history_is_filled_up() {
    let store = Repository::in_memory().unwrap();
    let original = image(&store, &[&[file("a", "1")], &[file("b", "2")]]);
    let added = layer(&store, &[file("c", "3")], Compression::Gzip);
    let no_layer = History { empty_layer: Some(true), ..by("env") };
    let none = History::default();
    let cases = [
        (None, vec![none.clone(), none.clone(), by("new")]),
        (Some(vec![]), vec![none.clone(), none.clone(), by("new")]),
        (Some(vec![by("a"), no_layer.clone()]), vec![by("a"), no_layer.clone(), none, by("new")]),
        (Some(vec![by("a"), by("b")]), vec![by("a"), by("b"), by("new")]),
    ];
    for (history, expected) in cases {
        let mut below = original.clone();
        below.config = Raw::new(ImageConfig { history, ..original.config.view().clone() }).unwrap();
        let above = append_layer(&store, &below, &added, Some(&by("new"))).unwrap();
        assert_eq!(history_of(&above), expected);
        let layers = above.history().filter(|(_, layer)| layer.is_some()).count();
        assert_eq!(layers, 3);
    }
}

#[test]
fn a_docker_image_gets_docker_layers() {
    let store = Repository::in_memory().unwrap();
    let mut docker = image(&store, &[]);
    docker.descriptor.media_type = MediaType::literal(DOCKER_MANIFEST);
    let mut manifest = docker.manifest.view().clone();
    manifest.media_type = Some(MediaType::literal(DOCKER_MANIFEST));
    manifest.config.media_type = MediaType::literal(DOCKER_CONFIG);
    docker.manifest = Raw::new(manifest).unwrap();
    for (compression, expected) in [
        (Compression::None, DOCKER_LAYER),
        (Compression::Gzip, DOCKER_LAYER_GZIP),
        (Compression::Zstd, DOCKER_LAYER_ZSTD),
    ] {
        let added = layer(&store, &[file("b", "2")], compression);
        let above = append_layer(&store, &docker, &added, Some(&by("me"))).unwrap();
        let read = Image::open(&store, &above.descriptor).unwrap();
        let view = read.manifest.view();
        assert_eq!(view.layers.last().unwrap().media_type.as_str(), expected);
        assert_eq!(view.config.media_type.as_str(), DOCKER_CONFIG);
        assert_eq!(read.descriptor.media_type.as_str(), DOCKER_MANIFEST);
    }
}

#[test]
fn unknown_fields_of_documents_are_kept() {
    let store = Repository::in_memory().unwrap();
    let mut below = image(&store, &[]);
    let with_unknown = |bytes: &[u8]| [&b"{\"x-unknown\" : [1,  2],"[..], &bytes[1..]].concat();
    below.config = Raw::parse("config", with_unknown(below.config.bytes()), None).unwrap();
    below.manifest = Raw::parse("manifest", with_unknown(below.manifest.bytes()), None).unwrap();
    below.descriptor.annotations.insert("a".into(), "b".into());
    below.descriptor.data = Some("e30=".into());
    let added = layer(&store, &[file("b", "2")], Compression::Gzip);
    let above = append_layer(&store, &below, &added, Some(&by("me"))).unwrap();
    for bytes in [above.config.bytes(), above.manifest.bytes()] {
        assert!(bytes.starts_with(b"{\"x-unknown\" : [1,  2],"));
    }
    assert_eq!(above.descriptor.annotations, below.descriptor.annotations);
    assert_eq!(above.descriptor.data, None);
    assert_eq!(
        (above.descriptor.size, &above.descriptor.digest),
        (above.manifest.bytes().len() as u64, &above.manifest.digest())
    );
}

/// Returns an image with another history.
fn with_history(store: &Repository<MemoryStore>, image: &Image, history: &[History]) -> Image {
    let config = image.config.edit("config", |config| config.set("history", history)).unwrap();
    with_config(store, image, config, Ok).unwrap()
}

#[test]
fn entries_without_a_layer_do_not_take_the_next_one() {
    let store = Repository::in_memory().unwrap();
    let below = image(&store, &[&[file("a", "1")]]);
    let below = with_history(&store, &below, &[by("one"), by("two"), by("env").without_layer()]);
    let added = layer(&store, &[file("b", "2")], Compression::Gzip);
    for entry in [Some(by("me")), None] {
        let above = append_layer(&store, &below, &added, entry.as_ref()).unwrap();
        let two = by("two").without_layer();
        let expected: Vec<_> =
            [by("one"), two, by("env").without_layer()].into_iter().chain(entry.clone()).collect();
        assert_eq!(history_of(&above), expected);
        let layers: Vec<_> = above.history().filter_map(|(entry, layer)| Some((entry, layer?.1))).collect();
        assert_eq!(
            layers.last().map(|(entry, _)| *entry),
            expected.iter().rfind(|entry| entry.makes_layer())
        );
        assert_eq!(layers.get(1).map(|(_, id)| *id), entry.as_ref().map(|_| &added.diff_id));
    }
}
