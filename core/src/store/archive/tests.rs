#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::Read as _;

use tar::{Builder, EntryType, Header};

use super::{Archive, ArchiveKind};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, ErrorKind, Result},
    hash::digest_of,
    limits::Limits,
    spec::{Descriptor, ImageConfig, Manifest},
    store::{BlobRead as _, BlobReadExt as _, BlobWrite as _, NewBlob, Repository, RootIndex as _},
};

/// A tar being built.
struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn file(mut self, name: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        self.0.append_data(&mut header, name, content).unwrap();
        self
    }

    fn link(mut self, kind: EntryType, name: &str, target: &str) -> Self {
        let mut header = Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(kind);
        self.0.append_link(&mut header, name, target).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    fn open(self) -> Result<Archive> {
        open(self.bytes())
    }
}

fn open(bytes: Vec<u8>) -> Result<Archive> {
    Archive::open(bytes, None, &Limits::default())
}

fn digest(content: &[u8]) -> Digest {
    digest_of(Algorithm::Sha256, content)
}

fn content(archive: &Archive, digest: &Digest) -> Option<Vec<u8>> {
    let blob = Descriptor::new("text/plain".parse().unwrap(), digest.clone(), 0);
    let mut bytes = Vec::new();
    archive.try_open(&blob).unwrap()?.read_to_end(&mut bytes).unwrap();
    assert_eq!(archive.try_size(&blob).unwrap(), Some(bytes.len() as u64));
    Some(bytes)
}

const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const EMPTY: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

fn oci() -> Tar {
    Tar::new().file("oci-layout", MARKER).file("index.json", EMPTY)
}

fn blob_name(content: &[u8]) -> String {
    format!("blobs/sha256/{}", digest(content).encoded())
}

#[test]
fn a_layout_in_a_tar_is_read_in_place() {
    let long = format!("{}/{}", "d".repeat(150), "f".repeat(150));
    for prefix in ["", "./"] {
        let archive = Tar::new()
            .file(&long, b"not of the layout")
            .file(&format!("{prefix}oci-layout"), MARKER)
            .file(&format!("{prefix}{}", blob_name(b"one")), b"one")
            .file(&format!("{prefix}blobs/sha256/stray"), b"stray")
            .file(&format!("{prefix}index.json"), EMPTY)
            .open()
            .unwrap();
        assert_eq!(archive.kind(), ArchiveKind::Oci);
        assert_eq!(content(&archive, &digest(b"one")).unwrap(), b"one");
        assert_eq!(content(&archive, &digest(b"two")), None);
        assert_eq!(archive.blobs().count(), 1);
        assert!(archive.load().unwrap().view().manifests.is_empty());
    }
}

#[test]
fn of_equal_names_the_last_counts() {
    let name = blob_name(b"one");
    let archive = oci().file(&name, b"wrong").file(&name, b"one").open().unwrap();
    assert_eq!(content(&archive, &digest(b"one")).unwrap(), b"one");
}

#[test]
fn an_archive_is_read_only() {
    let archive = oci().open().unwrap();
    let index = archive.load().unwrap();
    assert_eq!(
        archive.begin(&NewBlob::streamed(&"text/plain".parse().unwrap())).err().unwrap().kind(),
        ErrorKind::Unsupported
    );
    assert_eq!(archive.replace(&index.digest(), &index).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn no_archive_at_all() {
    for (bytes, part) in [
        (Vec::new(), "shorter than the header"),
        (vec![b'x'; 4096], "checksum"),
        ([&[0x1f, 0x8b, 8][..], &[0; 4096]].concat(), "gzip -d"),
        ([&[0x28, 0xb5, 0x2f, 0xfd][..], &[0; 4096]].concat(), "zstd -d"),
        (Tar::new().file("a", b"b").bytes(), "neither oci-layout nor manifest.json"),
    ] {
        let error = open(bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn truncated_archives_are_refused_or_complete() {
    let all = oci().file(&blob_name(b"one"), b"one").bytes();
    let whole = |archive: &Archive| content(archive, &digest(b"one")).is_some();
    let mut refused = 0;
    for length in 0..all.len() {
        match open(all[..length].to_vec()) {
            // At the border of a member the cut is not noticed; then the blob is missing, and reported.
            Ok(archive) => assert!(whole(&archive) || length <= 512 * 5, "{length}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 512 * 3, "{refused}");
    assert!(whole(&open(all).unwrap()));
}

#[test]
fn docker_archives_are_read_as_layouts() {
    let plain = b"a plain layer";
    let zipped = {
        let mut bytes = vec![0x1f, 0x8b, 8];
        bytes.extend(b"as if compressed");
        bytes
    };
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}","{}","{}"]}}}}"#,
        digest(plain),
        digest(b"inside"),
        digest(plain)
    );
    let tar = || {
        Tar::new()
            .file("c.json", config.as_bytes())
            .file("one/layer.tar", plain)
            .file("two/layer.tar", &zipped)
            .link(EntryType::Symlink, "three/layer.tar", "../one/layer.tar")
            .file(
                "manifest.json",
                br#"[{"Config":"c.json","RepoTags":["example/a:1","example/a:2"],
                     "Layers":["one/layer.tar","two/layer.tar","three/layer.tar"]}]"#,
            )
    };
    let archive = tar().open().unwrap();
    assert_eq!(archive.kind(), ArchiveKind::Docker);
    let root = archive.load().unwrap();
    let names: Vec<_> = root.view().manifests.iter().map(|entry| entry.ref_name().unwrap()).collect();
    assert_eq!(names, ["example/a:1", "example/a:2"]);
    let repository = Repository::new(&archive, Limits::default());
    let manifest = repository.document::<Manifest>(&root.view().manifests[0]).unwrap();
    let types: Vec<_> = manifest
        .view()
        .layers
        .iter()
        .map(|layer| (layer.media_type.as_str().rsplit('.').next().unwrap(), layer.digest.clone()))
        .collect();
    let expected = [("tar", digest(plain)), ("tar+gzip", digest(&zipped)), ("tar", digest(plain))];
    assert_eq!(types, expected);
    repository.document::<ImageConfig>(&manifest.view().config).unwrap();
    for layer in &manifest.view().layers {
        let mut bytes = Vec::new();
        archive.open(layer).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, layer.size);
    }
    // The same again.
    assert_eq!(tar().open().unwrap().load().unwrap().digest(), root.digest());
    // Docker writes archives of both formats.
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"a/b","digest":"{}","size":1}}]}}"#,
        digest(b"x")
    );
    let both = tar().file("oci-layout", MARKER).file("index.json", index.as_bytes()).bytes();
    assert_eq!(open(both.clone()).unwrap().kind(), ArchiveKind::Oci);
    // With one list empty, it is what the other lists.
    let saved = tar().file("oci-layout", MARKER).file("index.json", EMPTY).open().unwrap();
    assert_eq!((saved.kind(), saved.load().unwrap().digest()), (ArchiveKind::Docker, root.digest()));
    let docker = Archive::open(both, Some(ArchiveKind::Docker), &Limits::default()).unwrap();
    assert_eq!(docker.load().unwrap().digest(), root.digest());
}

#[test]
fn invalid_docker_archives_are_refused() {
    let config = format!(
        r#"{{"architecture":"a","os":"b","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        digest(b"x")
    );
    let with = |manifest: &str| {
        Tar::new().file("c.json", config.as_bytes()).file("manifest.json", manifest.as_bytes())
    };
    for (tar, part) in [
        (with("{}"), "not a list of images"),
        (with(r#"[{"Config":"absent","Layers":[]}]"#), "\"absent\" not found"),
        (with(r#"[{"Config":"c.json","Layers":[]}]"#), "has 0 layers, but its config"),
        (with(r#"[{"Config":"c.json","Layers":["l"]}]"#), "\"l\", which is not in the archive"),
        (
            with(r#"[{"Config":"c.json","Layers":["l"]}]"#).link(EntryType::Symlink, "l", "../../etc/passwd"),
            "outside of the archive",
        ),
        (
            with(r#"[{"Config":"c.json","Layers":["l"]}]"#).link(EntryType::Symlink, "l", "/etc/passwd"),
            "outside of the archive",
        ),
        (
            with(r#"[{"Config":"c.json","Layers":["l"]}]"#).link(EntryType::Symlink, "l", "l"),
            "too many links",
        ),
    ] {
        let error = tar.open().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_archive_is_read_as_the_requested_kind() {
    let docker = Tar::new().file("manifest.json", b"[]").bytes();
    let both = oci().file("manifest.json", b"[]").bytes();
    let as_kind = |bytes: &Vec<u8>, kind| Archive::open(bytes.clone(), Some(kind), &Limits::default());
    assert_eq!(as_kind(&both, ArchiveKind::Docker).unwrap().kind(), ArchiveKind::Docker);
    for (bytes, kind, message) in [
        (
            oci().bytes(),
            ArchiveKind::Docker,
            "manifest.json not found in the archive, but oci-layout: it is of the kind oci-archive:, not docker-archive:",
        ),
        (
            docker,
            ArchiveKind::Oci,
            "oci-layout not found in the archive, but manifest.json: it is of the kind docker-archive:, not oci-archive:",
        ),
    ] {
        let error = as_kind(&bytes, kind).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::NotFound, message));
    }
}

/// A small list may name the same layers many times.
#[test]
fn docker_archives_cannot_expand_without_limit() {
    let config = format!(
        r#"{{"architecture":"a","os":"b","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        digest(b"x")
    );
    let image = r#"{"Config":"c.json","RepoTags":["a:1"],"Layers":["l"]}"#;
    let open = |count: usize, limits: &Limits| {
        let list = format!("[{}]", vec![image; count].join(","));
        let tar = Tar::new().file("c.json", config.as_bytes()).file("l", b"x");
        Archive::open(tar.file("manifest.json", list.as_bytes()).bytes(), None, limits)
    };
    // Each image: an entry, a manifest, a config, a layer.
    let limits = Limits { descriptors: 12, ..Limits::default() };
    let archive = open(3, &limits).unwrap();
    assert_eq!(archive.load().unwrap().view().manifests.len(), 3);
    assert_eq!(archive.blobs().count(), 3);
    assert!(matches!(open(4, &limits), Err(Error::Limit { name: "descriptors", limit: 12, .. })));
}

/// No input causes a panic, and every archive that opens can be read.
#[test]
fn damage_anywhere_is_an_error_or_harmless() {
    let config = format!(
        r#"{{"architecture":"a","os":"b","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
        digest(b"x")
    );
    let archive = oci()
        .file(&blob_name(b"one"), b"one")
        .file(&"n".repeat(150), b"long")
        .link(EntryType::Symlink, "link", "l")
        .file("c.json", config.as_bytes())
        .file("l", b"x")
        .file("manifest.json", br#"[{"Config":"c.json","Layers":["link"]}]"#)
        .bytes();
    let mut opened = 0;
    for at in 0..archive.len() {
        for byte in [0, b'7', 0x80, 0xff] {
            let mut bytes = archive.clone();
            bytes[at] = byte;
            for kind in [ArchiveKind::Oci, ArchiveKind::Docker] {
                let Ok(archive) = Archive::open(bytes.clone(), Some(kind), &Limits::default()) else {
                    continue;
                };
                opened += 1;
                for (digest, size) in archive.blobs() {
                    assert_eq!(content(&archive, digest).unwrap().len() as u64, size);
                }
            }
        }
    }
    assert!(opened > 1000, "{opened}");
}

#[test]
fn limits_hold() {
    let limits = Limits { entries: 3, ..Limits::default() };
    let many = oci().file("a", b"").file("b", b"").bytes();
    assert!(matches!(Archive::open(many, None, &limits), Err(Error::Limit { name: "entries", .. })));
    let limits = Limits { document: 10, ..Limits::default() };
    assert!(matches!(
        Archive::open(oci().bytes(), None, &limits),
        Err(Error::Limit { name: "document", .. })
    ));
    let limits = Limits { header: 100, ..Limits::default() };
    let long = oci().file(&"n".repeat(200), b"").bytes();
    assert!(matches!(Archive::open(long, None, &limits), Err(Error::Limit { name: "header", .. })));
}
