//! Inputs to begin with: small, and with as much in them as the formats have.

use std::io::Write as _;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder},
};
use ocicle::{
    attrs::{Attrs, Time},
    layer::{Change, ChangeSink as _, Entry, EntryKind, tar::TarWriter},
    name::EntryPath,
};

use crate::{layout, limits};

const SELECTORS: [&str; 8] = [
    "layout#v1//platform=linux/arm64/v8",
    "oci-archive:a%23b.tar#tag//digest=sha256:ab//type=manifest",
    "docker-archive:save.tar#registry/app:latest//pos=0",
    "#annotation:a.b=c//artifact=x",
    "linux/amd64:10.0.17763",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "application/vnd.oci.image.layer.v1.tar+gzip; charset=utf-8",
    "v1.2_x-y",
];

const MTREE: &str = "#mtree\n/set type=file uid=0 gid=0 mode=0644\n. type=dir mode=0755\n    a\\040b size=3 \\\n \
    sha256digest=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad time=1.000000005\n    l type=link \
    link=a\\040b\n    c type=char device=native,1,3 nlink=2 xattr.user.k=dg==\n/unset mode\nd type=dir\n..\n";

const TOC: &str = r#"{"version":1,"entries":[{"name":"d/","type":"dir","mode":493,"modtime":"2020-01-01T00:00:00Z"},
    {"name":"d/f","type":"reg","size":3,"mode":420,"uid":7,"offset":20,"digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","xattrs":{"user.k":"dg=="}},
    {"name":"d/f","type":"chunk","offset":30,"chunkOffset":1,"chunkSize":2},{"name":"l","type":"symlink","linkName":"d/f"},
    {"name":"h","type":"hardlink","linkName":"d/f"},{"name":"c","type":"char","devMajor":1,"devMinor":3}]}"#;

/// Returns inputs, each with the name of its target.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    for which in 0..4 {
        layout(|name, text| {
            if name == ["config", "manifest", "index", "root"][usize::from(which)] {
                seeds.push(("documents", [&[which], text.as_bytes()].concat()));
            }
            text.into_bytes()
        });
    }
    seeds.extend(SELECTORS.map(|text| ("selectors", text.into())));
    seeds.push(("mtree", MTREE.into()));
    seeds.push(("toc", [b"\0", TOC.as_bytes()].concat()));
    let tar = archive();
    let (gzip, zstd) = (gzip(&tar), zstd::encode_all(&tar[..], 3).expect("memory"));
    seeds.push(("inflate", [b"\0", &gzip[..]].concat()));
    seeds.push(("inflate", [b"\x01", &zstd[..]].concat()));
    seeds.push(("inflate", [b"\x02", &deflated(&tar)[..]].concat()));
    seeds.extend([tar, gzip, zstd].map(|archive| ("tar", archive)));
    seeds
}

/// Returns an archive with entries of all kinds, and names that ustar cannot hold.
fn archive() -> Vec<u8> {
    let path = |text: &str| EntryPath::clean(text.as_bytes(), &limits()).expect("a path");
    let long = "n".repeat(200);
    let mut tar = TarWriter::new(Vec::new());
    for (name, kind) in [
        ("d", EntryKind::Dir),
        ("d/f", EntryKind::File { size: 3 }),
        ("d/h", EntryKind::HardLink { to: path("d/f") }),
        ("l", EntryKind::Symlink { target: b"d/f".as_slice().into() }),
        ("c", EntryKind::Char { major: 1, minor: 3 }),
        ("p", EntryKind::Fifo),
        (&long, EntryKind::File { size: 0 }),
    ] {
        let mtime = Time::from_seconds(-1);
        let mut attrs = Attrs { mode: 0o4755, uid: 3_000_000_000, mtime, ..Attrs::default() };
        attrs.xattrs.insert(b"user.k".as_slice().into(), b"v\0".as_slice().into());
        let body: &[u8] = if name == "d/f" { b"abc" } else { b"" };
        let change = Change::Put(Entry { path: path(name), attrs, kind });
        tar.put(&change, &mut &body[..]).expect("memory");
    }
    tar.put(&Change::Remove(path("d/gone")), &mut std::io::empty()).expect("memory");
    tar.put(&Change::ClearLower(path("d")), &mut std::io::empty()).expect("memory");
    tar.finish().expect("memory")
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("memory");
    encoder.finish().expect("memory")
}
