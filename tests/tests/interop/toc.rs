//! Tables of contents made by other tools list what is in their layers.

use std::fs;

use ocicle::{
    Repository,
    attrs::{Attrs, Time},
    digest::Digest,
    image::Image,
    layer::{Change, ChangeSource as _, Entry, reader::LayerReader, toc},
    limits::Limits,
    name::EntryPath,
    spec::Descriptor,
    store::archive::Archive,
};
use ocicle_tests::{
    fixtures::ODD,
    ocicle::text,
    temp::TempDir,
    tools::{have, run},
};

/// Returns the layers of the first image of an archive.
fn layers<T>(archive: Vec<u8>, look: impl Fn(&Repository<Archive>, &Descriptor, &Digest) -> T) -> Vec<T> {
    let limits = Limits::default();
    let store = Repository::new(Archive::open(archive, None, &limits).unwrap(), limits);
    let index = store.index().unwrap();
    let image = Image::open(&store, &index.view().manifests[0]).unwrap();
    image.layers().map(|(descriptor, diff_id)| look(&store, descriptor, diff_id)).collect()
}

/// Returns the changes that a layer's table of contents lists.
fn said(store: &Repository<Archive>, descriptor: &Descriptor, _: &Digest) -> Vec<Change> {
    assert!(descriptor.annotations.keys().any(|key| key.ends_with(".digest") || key.ends_with("-checksum")));
    let said = toc::read_toc(store, descriptor).unwrap().unwrap();
    // Without the annotations, the end of the blob has the same facts.
    let mut bare = descriptor.clone();
    bare.annotations.clear();
    assert_eq!(toc::read_toc(store, &bare).unwrap().unwrap(), said);
    said
}

/// Returns the changes that reading a layer finds.
fn read(store: &Repository<Archive>, descriptor: &Descriptor, diff_id: &Digest) -> Vec<Change> {
    let mut layer = LayerReader::open(store, descriptor, diff_id).unwrap();
    let mut changes = Vec::new();
    while let Some((change, _)) = layer.next_change().unwrap() {
        changes.push(change);
    }
    layer.finish().unwrap();
    changes
}

/// Returns a change as a table of contents can hold it: names are Unicode; those of eStargz have whole
/// seconds.
fn as_told(change: &Change, time: impl Fn(Time) -> Time) -> Change {
    let unicode = |path: &EntryPath| {
        EntryPath::clean(String::from_utf8_lossy(path.as_bytes()).as_bytes(), &Limits::default()).unwrap()
    };
    match change {
        Change::Put(Entry { path, attrs, kind }) => Change::Put(Entry {
            path: unicode(path),
            attrs: Attrs { mtime: time(attrs.mtime), ..attrs.clone() },
            kind: kind.clone(),
        }),
        Change::Remove(path) => Change::Remove(unicode(path)),
        Change::ClearLower(path) => Change::ClearLower(unicode(path)),
    }
}

fn nearest_second(time: Time) -> Time {
    Time::from_seconds(time.seconds + i64::from(time.nanoseconds >= 500_000_000))
}

/// skopeo 1.9 spoils what it converts (sparse files, and the diff_id of archives that are padded): so its
/// tables are held to the layers it was given.
#[test]
fn tables_of_skopeo() {
    let Some(layout) = ODD.layout() else { return };
    if !have(&["skopeo"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let copy = |format: &str| {
        let file = temp.path().join(format!("{}.tar", format.len()));
        let (from, to) = (format!("oci:{}:odd", text(&layout)), format!("oci-archive:{}", text(&file)));
        run("skopeo", ["copy", "--quiet", "--dest-compress-format", format, &from, &to]);
        fs::read(file).unwrap()
    };
    let (said, read) = (layers(copy("zstd:chunked"), said), layers(copy("gzip"), read));
    assert_eq!(said.len(), 3);
    for (said, read) in said.iter().zip(read) {
        let expected: Vec<_> = read.iter().map(|change| as_told(change, |time| time)).collect();
        assert_eq!(*said, expected);
    }
}

/// The archives were made by ctr-remote of stargz-snapshotter 0.12; `fixtures/toc/make.sh` makes them again.
#[test]
fn tables_of_stargz_snapshotter() {
    let archives: [&[u8]; 2] = [
        include_bytes!("../../fixtures/toc/estargz.tar"),
        include_bytes!("../../fixtures/toc/zstdchunked.tar"),
    ];
    for archive in archives {
        let (said, read) = (layers(archive.into(), said), layers(archive.into(), read));
        assert_eq!(said.len(), 3);
        for (said, read) in said.iter().zip(read) {
            let expected: Vec<_> = read.iter().map(|change| as_told(change, nearest_second)).collect();
            assert_eq!(*said, expected);
        }
    }
}
