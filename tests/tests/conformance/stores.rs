//! Every store does the same; and layouts on disk, as they are found and left.

use std::{collections::BTreeMap, fs, io::Write as _, os::unix::fs::symlink, sync::Arc};

use ocicle::{
    Error,
    digest::{Algorithm, Digest},
    error::ErrorKind,
    fs::{Dir, DirWrite, mem::MemDir},
    graph::archive::{ArchiveFile, create_archive},
    hash::digest_of,
    limits::Limits,
    name::Name,
    spec::{Descriptor, Index, Raw},
    store::{
        BlobRead as _, BlobWriter, ReadAt, RootIndex, Store,
        archive::{self, Archive},
        conformance::{self, get, put},
        files::{FileStore, Files},
        layout::LayoutStore,
        memory::MemoryStore,
        overlay::Overlay,
    },
};
use ocicle_tests::{
    failing_dir::{Fail, FailingDir},
    temp::TempDir,
};

#[test]
fn in_memory() {
    conformance::run(|| MemoryStore::new().unwrap());
}

#[test]
fn a_layout_in_memory() {
    conformance::run(|| LayoutStore::create(MemDir::new()).unwrap());
}

#[test]
fn a_layout_on_the_host() {
    let temps: Vec<TempDir> = (0..16).map(|_| TempDir::new().unwrap()).collect();
    let next = std::cell::Cell::new(0);
    conformance::run(|| {
        let temp = &temps[next.replace(next.get() + 1)];
        LayoutStore::create(temp.open().unwrap()).unwrap()
    });
}

#[test]
fn layouts_and_memory_collect_garbage() {
    let dir = MemDir::new();
    drop(LayoutStore::create(dir.clone()).unwrap());
    conformance::collect(|| LayoutStore::open(dir.clone(), &Limits::default()).unwrap());
    conformance::collect_beside_edit(|| LayoutStore::open(dir.clone(), &Limits::default()).unwrap());
    let store = Arc::new(MemoryStore::new().unwrap());
    conformance::collect(|| store.clone());
}

/// Stores that only read.
#[test]
fn archives_and_files_are_read() {
    conformance::blob_read(|contents| {
        let blobs = contents.blobs.iter();
        let blobs = blobs.map(|(descriptor, bytes)| (path_of(&descriptor.digest), bytes.clone()));
        let documents = [
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), contents.index.bytes().to_vec()),
        ];
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in documents.into_iter().chain(blobs) {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        Archive::open(tar.into_inner().unwrap(), None, &Limits::default()).unwrap()
    });
    conformance::blob_read(|contents| {
        let blobs = contents.blobs.iter();
        let mut files: BTreeMap<String, Vec<u8>> =
            blobs.map(|(descriptor, bytes)| (path_of(&descriptor.digest), bytes.clone())).collect();
        files.insert("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec());
        files.insert("index.json".into(), contents.index.bytes().to_vec());
        FileStore::open(InMemory(files), &Limits::default()).unwrap()
    });
}

fn path_of(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm_name(), digest.encoded())
}

struct InMemory(BTreeMap<String, Vec<u8>>);

impl Files for InMemory {
    fn find(&self, path: &str) -> ocicle::Result<Option<Arc<dyn ReadAt>>> {
        Ok(self.0.get(path).map(|bytes| Arc::new(bytes.clone()) as Arc<dyn ReadAt>))
    }
}

fn named(digest: &Digest) -> Descriptor {
    Descriptor::new("text/plain".parse().unwrap(), digest.clone(), 0)
}

#[test]
fn an_overlay_of_two_memory_stores() {
    conformance::run(|| {
        Overlay::new(MemoryStore::new().unwrap(), MemoryStore::new().unwrap(), &Limits::default())
    });
}

#[test]
fn an_archive() {
    let name = Name::new(b"images.tar").unwrap();
    conformance::run(|| {
        let (dir, empty) = (MemDir::new(), MemoryStore::new().unwrap());
        let index = empty.load().unwrap();
        assert!(
            create_archive(&dir, name, &|| false, |out| archive::write_archive(&empty, &index, [], out))
                .unwrap()
        );
        ArchiveFile::open(dir, name, None, &Limits::default()).unwrap()
    });
    let temp = TempDir::new().unwrap();
    let dir = || temp.open().unwrap();
    let empty = MemoryStore::new().unwrap();
    let index = empty.load().unwrap();
    create_archive(&dir(), name, &|| false, |out| archive::write_archive(&empty, &index, [], out)).unwrap();
    let open = || ArchiveFile::open(dir(), name, None, &Limits::default()).unwrap();
    conformance::collect_beside_edit(|| open().waiting(Box::new(|| true)));
}

/// Returns the names in a directory, those of directories with a slash, and their modes.
fn names(dir: &MemDir) -> Vec<String> {
    let mut found = Vec::new();
    for name in dir.names().unwrap() {
        let name = name.as_name();
        let metadata = dir.metadata(name).unwrap();
        found.push(format!("{name} {:o}", metadata.mode));
        if let Ok(below) = dir.open_dir(name) {
            found.extend(names(&below).into_iter().map(|below| format!("{name}/{below}")));
        }
    }
    found
}

#[test]
fn a_layout_has_these_files() {
    let dir = MemDir::new();
    let store = LayoutStore::create(dir.clone()).unwrap();
    let blob = put(&store, b"content").unwrap().digest;
    assert_eq!(
        names(&dir),
        [
            "blobs 755".into(),
            "blobs/sha256 755".into(),
            format!("blobs/sha256/{} 644", blob.encoded()),
            "index.json 644".into(),
            "oci-layout 644".into(),
        ]
    );
}

#[test]
fn links_are_not_followed() {
    let temp = TempDir::new().unwrap();
    let store = LayoutStore::create(temp.open().unwrap()).unwrap();
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let secret = digest_of(Algorithm::Sha256, b"secret");
    let blob = temp.path().join("blobs/sha256").join(secret.encoded());
    symlink(outside.path().join("secret"), &blob).unwrap();
    let refused = |store: &LayoutStore<_>, digest: &Digest, kind: ErrorKind| {
        let blob = named(digest);
        let kinds =
            (store.try_open(&blob).err().unwrap().kind(), store.try_size(&blob).err().unwrap().kind());
        assert_eq!(kinds, (kind, kind));
    };
    refused(&store, &secret, ErrorKind::Unsupported);
    // A blob of that digest takes the place of the link, not of its target.
    put(&store, b"secret").unwrap();
    assert!(fs::symlink_metadata(&blob).unwrap().is_file());
    assert_eq!(store.try_size(&named(&secret)).unwrap(), Some(6));

    // Nor is a directory a blob.
    let empty = digest_of(Algorithm::Sha256, b"");
    fs::create_dir(temp.path().join("blobs/sha256").join(empty.encoded())).unwrap();
    refused(&store, &empty, ErrorKind::Io);

    // Nor is the directory of an algorithm a link.
    fs::create_dir(outside.path().join("sha512")).unwrap();
    symlink(outside.path().join("sha512"), temp.path().join("blobs/sha512")).unwrap();
    let sha512 = digest_of(Algorithm::Sha512, b"content");
    fs::write(outside.path().join("sha512").join(sha512.encoded()), "content").unwrap();
    refused(&store, &sha512, ErrorKind::Unsupported);

    for name in ["index.json", "oci-layout"] {
        fs::rename(temp.path().join(name), outside.path().join(name)).unwrap();
        symlink(outside.path().join(name), temp.path().join(name)).unwrap();
    }
    assert_eq!(store.load().unwrap_err().kind(), ErrorKind::Io);
    let error = LayoutStore::open(temp.open().unwrap(), &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

fn annotated(index: &Raw<Index>, bytes: usize) -> Raw<Index> {
    let mut view = index.view().clone();
    view.annotations.insert("a".into(), "x".repeat(bytes));
    Raw::new(view).unwrap()
}

#[test]
fn an_index_over_the_limits_is_not_written() {
    let limits = Limits { document: 300, ..Limits::default() };
    let dir = MemDir::new();
    LayoutStore::create(dir.clone()).unwrap();
    let layout = LayoutStore::open(dir.clone(), &limits).unwrap();
    let empty = layout.load().unwrap();
    let files = [
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), empty.bytes().to_vec()),
    ];
    let memory = MemoryStore::from_layout(files.clone(), &limits).unwrap();
    let fits = 300 - annotated(&empty, 0).bytes().len();
    for store in [&layout as &dyn RootIndex, &memory] {
        let error = store.replace(&empty.digest(), &annotated(&empty, fits + 1)).unwrap_err();
        assert_eq!(error.to_string(), "the new index.json: more than the limit of 300 (document)");
        assert_eq!(store.load().unwrap().bytes(), empty.bytes());
        store.replace(&empty.digest(), &annotated(&empty, fits)).unwrap();
        assert_eq!(store.load().unwrap().bytes().len(), 300);
    }
    for (document, what) in [(29, "oci-layout"), (empty.bytes().len() as u64 - 1, "index.json")] {
        let limits = Limits { document, ..Limits::default() };
        let error = MemoryStore::from_layout(files.clone(), &limits).unwrap_err();
        assert_eq!(error.to_string(), format!("{what}: more than the limit of {document} (document)"));
    }
}

#[test]
fn create_refuses_directories_with_other_files() {
    /// The path, the content of a file or `None` for a directory, and what the error names.
    type Case = (&'static [&'static str], Option<&'static [u8]>, &'static str);

    let put = |dir: &MemDir, path: &[&'static str], content: Option<&[u8]>| {
        let (last, parents) = path.split_last().unwrap();
        let mut dir = dir.clone();
        for name in parents.iter().map(|name| Name::literal(name)) {
            let _ = dir.create_dir(name);
            dir = dir.open_dir(name).unwrap();
        }
        match content {
            Some(content) => dir.create_file(Name::literal(last)).unwrap().write_all(content).unwrap(),
            None => dir.create_dir(Name::literal(last)).unwrap(),
        }
    };
    let cases: [Case; 10] = [
        (&["file"], Some(b""), "file"),
        (&["directory"], None, "directory"),
        (&["blobs", "sha256", "blob"], Some(b""), "blobs"),
        (&["blobs", "file"], Some(b""), "blobs"),
        (&["blobs"], Some(b""), "blobs"),
        (&["index.json"], Some(br#"{"schemaVersion":2,"manifests":[{}]}"#), "index.json"),
        (&["index.json"], None, "index.json"),
        (&[".ocicle-0", "file"], Some(b""), ".ocicle-0"),
        (&[".ocicle"], Some(b""), ".ocicle"),
        (&["oci-layout"], Some(b""), ""),
    ];
    for (path, content, named) in cases {
        let dir = MemDir::new();
        put(&dir, path, content);
        let before = names(&dir);
        let error = LayoutStore::create(dir.clone()).unwrap_err().to_string();
        let expected = match named {
            "" => "a layout already exists".to_owned(),
            _ => format!("a new layout needs an empty directory, but {named} already exists"),
        };
        assert_eq!(error, expected, "{path:?}");
        assert_eq!(names(&dir), before);
    }
}

/// Returns the temporary names in a directory.
fn temporaries(dir: &MemDir) -> Vec<String> {
    names(dir).into_iter().filter(|name| name.starts_with(".ocicle-")).collect()
}

/// Lets `work` fail at its first call, at its second, and so on, until it does not fail any more, as `fail`
/// says. `check` gets the number of the call and what is there afterwards.
fn at_every_call(
    fail: fn(usize) -> Fail,
    prepared: impl Fn() -> MemDir,
    work: impl Fn(FailingDir) -> Result<(), Error>,
    check: impl Fn(usize, &MemDir, bool),
) {
    for call in 0.. {
        let dir = prepared();
        let failing = FailingDir::new(dir.clone(), fail(call));
        let result = work(failing.clone());
        if !failing.failed() {
            assert!(result.is_ok());
            assert!(call > 5, "it makes more calls");
            return;
        }
        check(call, &dir, result.is_ok());
        if let Fail::Only(_) = fail(call) {
            assert_eq!(temporaries(&dir), [""; 0], "call {call}");
        }
    }
}

fn layout() -> MemDir {
    let dir = MemDir::new();
    LayoutStore::create(dir.clone()).unwrap();
    dir
}

fn open<D: DirWrite>(dir: D) -> Result<LayoutStore<D>, Error> {
    LayoutStore::open(dir, &Limits::default())
}

/// Returns whether the index is one of these.
fn is_one_of(store: &impl Store, indexes: &[&Raw<Index>]) -> bool {
    let now = store.load().unwrap();
    indexes.iter().any(|index| index.bytes() == now.bytes())
}

#[test]
fn a_failed_create_can_be_repeated() {
    for fail in [Fail::Only, Fail::From] {
        at_every_call(
            fail,
            MemDir::new,
            |dir| LayoutStore::create(dir).map(drop),
            |call, dir, created| {
                let half_made = |name: &String| !name.starts_with(".ocicle-") && name.ends_with(" 700");
                assert_eq!(names(dir).into_iter().find(half_made), None, "call {call}");
                // Either it is a layout, or it can be made one.
                let marked = dir.metadata(Name::literal("oci-layout")).is_ok();
                assert!(marked || !created, "call {call}");
                let store = match marked {
                    true => open(dir.clone()),
                    false => LayoutStore::create(dir.clone()),
                };
                let store = store.unwrap_or_else(|error| panic!("call {call}: {error}"));
                assert!(store.load().unwrap().view().manifests.is_empty());
                put(&store, b"content").unwrap();
            },
        );
    }
}

/// A blob put into a layout is never lost when another process creates the layout at the same time.
#[test]
fn one_of_several_concurrent_creates_succeeds() {
    for _ in 0..20 {
        let dir = MemDir::new();
        let made = std::thread::scope(|scope| {
            let work = || match LayoutStore::create(dir.clone()) {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Exists);
                    false
                }
                Ok(store) => {
                    let index = store.load().unwrap();
                    store.replace(&index.digest(), &annotated(&index, 1)).unwrap();
                    true
                }
            };
            let workers: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).filter(|made| *made).count()
        });
        assert_eq!(made, 1);
        assert_eq!(open(dir).unwrap().load().unwrap().view().annotations.len(), 1);
    }
}

#[test]
fn a_failed_publish_leaves_all_or_nothing() {
    let content = [b'x'; 40];
    let digest = digest_of(Algorithm::Sha256, &content);
    // A layout of another tool may even lack the directory `blobs`.
    let bare = || {
        let dir = layout();
        ocicle::fs::remove_tree(&dir, Name::literal("blobs")).unwrap();
        dir
    };
    for fail in [Fail::Only, Fail::From] {
        for prepared in [layout as fn() -> MemDir, bare] {
            at_every_call(
                fail,
                prepared,
                |dir| put(&open(dir)?, &content).map(drop),
                |call, dir, published| {
                    let store = open(dir.clone()).unwrap();
                    let size = store.try_size(&named(&digest)).unwrap();
                    assert!(size == Some(40) || size.is_none() && !published, "call {call}: {size:?}");
                    let blob = put(&store, &content).unwrap();
                    assert_eq!(get(&store, &blob).unwrap(), content, "call {call}");
                },
            );
        }
    }
}

#[test]
fn a_failed_replace_leaves_the_old_or_the_new_index() {
    let empty = open(layout()).unwrap().load().unwrap();
    let new = annotated(&empty, 100);
    for fail in [Fail::Only, Fail::From] {
        at_every_call(
            fail,
            layout,
            |dir| open(dir)?.replace(&empty.digest(), &new),
            |call, dir, replaced| {
                let store = open(dir.clone()).unwrap();
                let allowed = if replaced { &[&new][..] } else { &[&empty, &new] };
                assert!(is_one_of(&store, allowed), "call {call}");
                // And it can be changed again: no lock is left.
                let now = store.load().unwrap();
                store.replace(&now.digest(), &annotated(&empty, 3)).unwrap();
            },
        );
    }
}

#[test]
fn a_blob_that_is_never_finished_leaves_no_file() {
    let dir = layout();
    let store = open(dir.clone()).unwrap();
    let before = names(&dir);
    let mut writer = BlobWriter::new(&store, "text/plain".parse().unwrap()).unwrap();
    writer.write_all(b"content").unwrap();
    assert_eq!(temporaries(&dir).len(), 1);
    drop(writer);
    assert_eq!(names(&dir), before);
}
