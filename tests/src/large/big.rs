//! A gigabyte, a fifth of it hidden in each way there is.

use std::{io, path::Path};

use super::{content::Content, image::Layout, layer::Layer};

const MB: u64 = 1_000_000;

pub(super) fn make(dir: &Path) {
    let mut layout = Layout::new(dir);
    layout.plain(noise);
    layout.gzip(text_and_copies);
    layout.tag("base");
    layout.plain(changes);
    layout.tag("top");
    layout.finish();
}

/// Returns the content of `data/noise-N`.
fn noise_of(number: u64) -> Content {
    Content::noise(number)
}

fn noise(layer: &mut Layer<'_>) {
    layer.dir("data");
    for number in 0..10 {
        layer.file(&format!("data/noise-{number}"), 40 * MB, noise_of(number));
    }
    layer.file("data/zeros", 64 * MB, io::repeat(0));
    layer.hard_link("data/noise-6-too", "data/noise-6");
    layer.hard_link("data/noise-7-too", "data/noise-7");
    layer.dir("tree");
    for dir in 0..20 {
        layer.dir(&format!("tree/{dir}"));
        for file in 0..100 {
            let seed = 1000 + dir * 100 + file;
            // Around the sizes of blocks.
            layer.file(&format!("tree/{dir}/{file}"), 49_000 + 37 * file, Content::noise(seed));
        }
    }
    layer.dir("becomes-a-link");
    layer.file("becomes-a-link/below", MB, Content::noise(50));
    layer.file("becomes-a-directory", MB, Content::noise(51));
}

fn text_and_copies(layer: &mut Layer<'_>) {
    layer.at(1);
    layer.dir("log");
    for number in 0..10 {
        layer.file(&format!("log/text-{number}"), 20 * MB, Content::text(number));
    }
    // For the sake of a mode.
    layer.file_of("data/noise-0", 40 * MB, noise_of(0), 0o600, 0);
    layer.file("copy-of-noise-1", 40 * MB, noise_of(1));
    layer.hard_link("noise-6-from-above", "data/noise-6");
}

fn changes(layer: &mut Layer<'_>) {
    layer.at(2);
    layer.marker("data/.wh.noise-4");
    layer.marker("data/.wh.noise-6");
    layer.marker("data/.wh.noise-7");
    layer.marker("data/.wh.noise-7-too");
    layer.marker("tree/.wh.3");
    layer.dir_of("tree/5", 0o700, 5);
    layer.marker("tree/5/.wh..wh..opq");
    layer.file("tree/5/0", 49_000, Content::noise(1500));
    layer.file("tree/5/new", 50_000, Content::noise(60));
    layer.file("data/noise-2", 40 * MB, Content::noise(62));
    layer.file("data/noise-3", 41 * MB, Content::noise(63));
    layer.file("data/new", 60 * MB, Content::noise(64));
    layer.symlink("becomes-a-link", "tree/7");
    layer.dir("becomes-a-directory");
    layer.file("becomes-a-directory/file", MB, Content::text(65));
    // The same again, but for one byte at its end.
    layer.file(
        "log/text-9",
        20 * MB,
        io::Read::chain(io::Read::take(Content::text(9), 20 * MB - 1), &b"!"[..]),
    );
}
