//! A hundred thousand files, most of them in one directory, in a hundred, or far below each other.

use std::path::Path;

use super::{
    content::{Content, Numbers},
    image::Layout,
    layer::Layer,
};

pub(super) fn make(dir: &Path) {
    let mut layout = Layout::new(dir);
    layout.gzip(flat_and_deep);
    layout.gzip(wide_and_links);
    layout.tag("base");
    layout.gzip(changes);
    layout.tag("top");
    layout.finish();
}

/// A file of up to 199 bytes. Size, mode, owner and content follow from the seed; one in ten is like a few
/// others.
fn small(layer: &mut Layer<'_>, name: &str, seed: u64) {
    let mut numbers = Numbers::new(seed);
    let mut any = |end: u64| numbers.next() % end;
    let content = if any(10) == 0 { any(50) } else { seed };
    let (mode, owner) = (if any(5) == 0 { 0o600 } else { 0o644 }, if any(4) == 0 { 1000 } else { 0 });
    let size = Numbers::new(content).next() % 200;
    layer.file_of(name, size, Content::noise(content), mode, owner);
}

fn flat_and_deep(layer: &mut Layer<'_>) {
    layer.dir("flat");
    for number in 0..40_000 {
        small(layer, &format!("flat/{number}"), number);
    }
    layer.dir("deep");
    for way in 0..20 {
        let mut dir = format!("deep/{way}");
        layer.dir(&dir);
        for depth in 0..100 {
            dir += "/d";
            layer.dir(&dir);
            for number in 0..10 {
                small(layer, &format!("{dir}/{number}"), 100_000 + way * 1000 + depth * 10 + number);
            }
        }
    }
}

fn wide_and_links(layer: &mut Layer<'_>) {
    layer.at(1);
    layer.dir("wide");
    for dir in 0..100 {
        layer.dir(&format!("wide/{dir}"));
        for number in 0..300 {
            small(layer, &format!("wide/{dir}/{number}"), 200_000 + dir * 1000 + number);
        }
    }
    layer.dir("links");
    for number in 0..5000 {
        // To files of this layer, and of the one below.
        layer.hard_link(&format!("links/wide-{number}"), &format!("wide/{}/{}", number % 100, number % 7));
        layer.hard_link(&format!("links/flat-{number}"), &format!("flat/{number}"));
        layer.symlink(&format!("links/to-{number}"), &format!("../flat/{number}"));
    }
    // Each name of four in the directory gets new content, loses its old one, both, or neither.
    for number in (10_000..14_000).step_by(4) {
        small(layer, &format!("flat/{number}"), 300_000 + number);
        layer.marker(&format!("flat/.wh.{}", number + 1));
        layer.marker(&format!("flat/.wh.{}", number + 2));
        small(layer, &format!("flat/{}", number + 2), 300_000 + number);
    }
}

fn changes(layer: &mut Layer<'_>) {
    layer.at(2);
    layer.dir("new");
    for number in 0..8000 {
        small(layer, &format!("new/{number}"), 400_000 + number);
    }
    // Some of a file's names, and all names of another.
    for number in 0..1000 {
        layer.marker(&format!("links/.wh.flat-{number}"));
        layer.marker(&format!("flat/.wh.{number}"));
        layer.marker(&format!("flat/.wh.{}", number + 1000));
        layer.marker(&format!("links/.wh.wide-{}", number + 3000));
    }
    for number in 20_000..22_000 {
        // The same again except for its time, or other content.
        small(layer, &format!("flat/{number}"), number - number % 3);
    }
    for dir in 0..10 {
        layer.marker(&format!("wide/.wh.{dir}"));
    }
    for dir in 10..20 {
        layer.dir_of(&format!("wide/{dir}"), 0o700, 3);
        small(layer, &format!("wide/{dir}/7"), 500_000 + dir);
        layer.marker(&format!("wide/{dir}/.wh..wh..opq"));
    }
    // From half its depth on, and a change far down.
    layer.marker(&format!("deep/0{}/.wh.d", "/d".repeat(50)));
    small(layer, &format!("deep/1{}/5", "/d".repeat(100)), 600_000);
    for number in 0..500 {
        layer.symlink(&format!("links/to-{number}"), "elsewhere");
        layer.dir(&format!("links/wide-{}", number + 1000));
        layer.hard_link(&format!("links/wide-{}", number + 2000), "new/7");
    }
}
