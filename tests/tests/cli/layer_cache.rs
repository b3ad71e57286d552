//! Indexes of layers in the cache, and files read with them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ocicle_tests::{
    ocicle::{at, command, ocicle, text},
    temp::TempDir,
};

/// Runs a command with a cache; its output and exit code.
fn with_cache(cache: &Path, words: &[&str]) -> (Vec<u8>, Option<i32>) {
    let output = command().args(words).env("OCICLE_CACHE", cache).output().unwrap();
    (output.stdout, output.status.code())
}

/// Text that does not compress much.
fn content(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + (state >> 60) as u8
    };
    (0..6 << 20).map(|_| next()).collect()
}

/// Creates an image with a layer of three files of 6 MiB; returns it and the layer's blob.
fn image(temp: &TempDir, compression: &str) -> (String, PathBuf) {
    let layout = temp.path().join(compression);
    let source = temp.path().join("source");
    fs::create_dir_all(&source).unwrap();
    for (seed, name) in ["a", "b", "c"].iter().enumerate() {
        fs::write(source.join(name), content(seed as u64)).unwrap();
    }
    let image = at(&layout, "v1");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &image]);
    ocicle(["insert", &image, text(&source), "/data", "--compress", compression]);
    let stat: serde_json::Value = serde_json::from_str(&ocicle(["stat", &image, "--json"])).unwrap();
    let digest = stat["manifest"]["layers"][0]["digest"].as_str().unwrap().to_owned();
    (image, layout.join("blobs").join(digest.replace(':', "/")))
}

#[test]
fn a_second_read_uses_the_layer_index() {
    for compression in ["gzip", "none"] {
        let temp = TempDir::new().unwrap();
        let cache = temp.path().join("cache");
        let (image, blob) = image(&temp, compression);
        let listed = with_cache(&cache, &["files", &image]);
        assert!(!cache.exists(), "listing makes no index");
        assert!(with_cache(&cache, &["cat", &image, "/data/c"]) == (content(2), Some(0)));
        assert_eq!(fs::read_dir(cache.join("layers")).unwrap().count(), 1);
        assert_eq!(with_cache(&cache, &["files", &image]), listed);
        assert_eq!(with_cache(&cache, &["why", &image, "/data/a"]).1, Some(0));
        // The end can be read without the beginning of the blob.
        let mut bytes = fs::read(&blob).unwrap();
        for byte in &mut bytes[100_000..200_000] {
            *byte ^= 0x55;
        }
        fs::remove_file(&blob).unwrap();
        fs::write(&blob, &bytes).unwrap();
        assert!(with_cache(&cache, &["cat", &image, "/data/c"]) == (content(2), Some(0)), "{compression}");
        // Damage is found; and without the index everything is read again.
        assert_eq!(with_cache(&cache, &["cat", &image, "/data/a"]).1, Some(4));
        assert_eq!(with_cache(&temp.path().join("other"), &["cat", &image, "/data/c"]).1, Some(4));
        assert_eq!(fs::read_dir(temp.path().join("other")).map_or(0, Iterator::count), 0);
    }
}

#[test]
fn a_damaged_layer_index_is_rebuilt() {
    let temp = TempDir::new().unwrap();
    let cache = temp.path().join("cache");
    let (image, _) = image(&temp, "gzip");
    with_cache(&cache, &["cat", &image, "/data/a"]);
    let index = fs::read_dir(cache.join("layers")).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&index).unwrap();
    for wrong in [&good[..good.len() / 2], b"", &[&good[..], b"x"].concat()] {
        fs::write(&index, wrong).unwrap();
        assert!(with_cache(&cache, &["cat", &image, "/data/b"]) == (content(1), Some(0)));
        assert!(fs::read(&index).unwrap() == good);
    }
    // A cache that cannot be written is not an error.
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(with_cache(&file, &["cat", &image, "/data/b"]) == (content(1), Some(0)));
}
