#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    cell::Cell,
    io::{Read, Write as _},
};

use super::{
    super::{
        copy::{Plan, What},
        describe::{Description, Node, Sources, add_roots, build},
        reach::check_complete,
    },
    GcMode, GcReport,
};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, ErrorKind, Result},
    fs::{Dir as _, DirWrite as _, mem::MemDir},
    graph::testing::{image, index, root, tagged},
    hash::digest_of,
    limits::Limits,
    name::Name,
    spec::{Descriptor, Index, MediaType, Raw, media_type},
    store::{
        BlobRead, BlobWrite, BlobWriter, Collect, Collector, NewBlob, Pending, Repository, RootIndex,
        RootIndexExt as _, Store, layout::LayoutStore, memory::MemoryStore,
    },
};

fn blob<S: Store>(store: &Repository<S>, bytes: &[u8], media_type: &str) -> Descriptor {
    let mut writer = BlobWriter::new(store.store(), media_type.parse().unwrap()).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn collect<S: Store + Collect>(store: &Repository<S>) -> GcReport {
    let dry = store.gc(GcMode::DryRun).unwrap();
    let done = store.gc(GcMode::Remove).unwrap();
    assert_eq!((dry.kept, &dry.blobs, &dry.leftovers), (done.kept, &done.blobs, &done.leftovers));
    let nothing = store.gc(GcMode::Remove).unwrap();
    assert_eq!((nothing.kept, nothing.blobs, nothing.leftovers), (done.kept, vec![], vec![]));
    done
}

fn gone(report: &GcReport) -> Vec<&Digest> {
    report.blobs.iter().map(|blob| &blob.digest).collect()
}

#[test]
fn reachable_blobs_at_any_depth_are_kept() {
    let store = Repository::in_memory().unwrap();
    let inner = index(&store, &[image(&store, "linux/amd64", 1), image(&store, "linux/arm64", 2)]);
    let outer = index(&store, &[inner, image(&store, "linux/s390x", 3)]);
    root(&store, &[tagged(outer, "a")]);
    let stray = blob(&store, b"stray", "text/plain");
    let report = collect(&store);
    // Two indexes, three manifests with their configs.
    assert_eq!((report.kept, gone(&report), report.bytes), (8, vec![&stray.digest], 5));
}

#[test]
fn an_untagged_tree_is_removed_but_shared_blobs_are_kept() {
    let store = Repository::in_memory().unwrap();
    let (kept, dropped) = (image(&store, "linux/amd64", 1), image(&store, "linux/amd64", 2));
    root(&store, std::slice::from_ref(&kept));
    let report = collect(&store);
    assert_eq!((report.kept, report.blobs.len()), (2, 2));
    assert!(gone(&report).contains(&&dropped.digest));
    assert!(store.store().try_size(&kept).unwrap().is_some());
}

/// Stores a manifest or index with a given media type and document.
fn manifest(
    store: &Repository<MemoryStore>,
    media_type: &str,
    config: &Descriptor,
    more: &str,
) -> Descriptor {
    let config = serde_json::to_string(config).unwrap();
    let text =
        format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{config},"layers":[{more}]}}"#);
    blob(store, text.as_bytes(), media_type)
}

#[test]
fn docker_types_are_followed() {
    let store = Repository::in_memory().unwrap();
    let config = blob(&store, b"{}", "application/vnd.docker.container.image.v1+json");
    let layer = blob(&store, b"layer", media_type::DOCKER_LAYER_GZIP);
    let layer = serde_json::to_string(&layer).unwrap();
    root(&store, &[tagged(manifest(&store, media_type::DOCKER_MANIFEST, &config, &layer), "a")]);
    assert_eq!(collect(&store).kept, 3);
}

#[test]
fn absent_objects_are_skipped() {
    let store = Repository::in_memory().unwrap();
    let absent = |size| {
        let digest = digest_of(Algorithm::Sha256, b"absent");
        Descriptor::new(MediaType::literal(media_type::MANIFEST), digest, size)
    };
    let sparse = index(&store, &[absent(10), image(&store, "linux/amd64", 1)]);
    root(&store, &[tagged(sparse, "a"), absent(11)]);
    blob(&store, b"stray", "text/plain");
    let report = collect(&store);
    assert_eq!((report.kept, report.blobs.len()), (3, 1));
}

#[test]
fn unknown_digest_algorithms_are_always_kept() {
    let store = Repository::in_memory().unwrap();
    let put = |digest: &Digest, bytes: &[u8]| {
        let mut pending =
            store.store().begin(&NewBlob::streamed(&MediaType::literal("application/octet-stream"))).unwrap();
        pending.write_all(bytes).unwrap();
        pending.publish(digest).unwrap();
    };
    let named = digest_of(Algorithm::Sha512, b"named");
    let stray = digest_of(Algorithm::Sha512, b"stray");
    let unknown: Digest = "blake9:c0ffee".parse().unwrap();
    put(&named, b"named");
    put(&stray, b"stray");
    put(&unknown, b"unknown");
    root(&store, &[Descriptor::new("text/plain".parse().unwrap(), named, 5)]);
    let report = collect(&store);
    assert_eq!((report.kept, gone(&report)), (2, vec![&stray]));
}

#[test]
fn a_document_that_cannot_be_read_stops_it_before_anything_is_removed() {
    let store = Repository::in_memory().unwrap();
    let broken = blob(&store, b"no json", media_type::INDEX);
    root(&store, &[image(&store, "linux/amd64", 1), tagged(broken.clone(), "a")]);
    let stray = blob(&store, b"stray", "text/plain");
    let error = store.gc(GcMode::Remove).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&broken.digest.to_string()), "{error}");
    assert_eq!(store.store().try_size(&stray).unwrap(), Some(5));
}

fn layout(dir: &MemDir) -> Repository<LayoutStore<MemDir>> {
    Repository::open(dir.clone(), Limits::default()).unwrap()
}

#[test]
fn gc_removes_leftovers_and_keeps_other_files() {
    let dir = MemDir::new();
    drop(Repository::create(dir.clone()).unwrap());
    let stray = blob(&layout(&dir), b"stray", "text/plain").digest;
    let blobs = dir.open_dir(Name::literal("blobs")).unwrap();
    let sha256 = blobs.open_dir(Name::literal("sha256")).unwrap();
    sha256.create_file(Name::literal("README")).unwrap();
    sha256.create_dir(Name::new(stray.encoded().replace('0', "1").as_bytes()).unwrap()).unwrap();
    blobs.create_file(Name::literal("notes")).unwrap();
    for name in [".ocicle-7", ".ocicle-lock", ".ocicle-x", "mine"] {
        dir.create_file(Name::literal(name)).unwrap().write_all(b"abc").unwrap();
    }
    dir.create_dir(Name::literal(".ocicle-8")).unwrap();
    let report = collect(&layout(&dir));
    assert_eq!(gone(&report), [&stray]);
    let leftovers: Vec<_> = report.leftovers.iter().map(|it| (it.name.as_str(), it.size)).collect();
    assert_eq!((leftovers, report.bytes), (vec![(".ocicle-7", 3), (".ocicle-8", 0)], 8));
    let names = |dir: &MemDir| {
        let names = dir.names().unwrap();
        names.iter().map(|name| name.as_name().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&dir), [".ocicle-lock", ".ocicle-x", "blobs", "index.json", "mine", "oci-layout"]);
    assert_eq!((names(&blobs), names(&sha256).len()), (vec!["notes".to_owned(), "sha256".into()], 2));
}

#[test]
fn a_store_that_holds_its_blobs_cannot_collect() {
    let dir = MemDir::new();
    let store = Repository::create(dir.clone()).unwrap();
    blob(&store, b"new", "text/plain");
    assert!(matches!(store.gc(GcMode::Remove), Err(Error::Misuse(_))));
    let held = layout(&dir);
    held.store().hold().unwrap();
    assert!(matches!(held.gc(GcMode::Remove), Err(Error::Misuse(_))));
}

/// A store with garbage that is collected at each look into it, unless an edit holds that off.
struct BesideGc {
    dir: MemDir,
    store: LayoutStore<MemDir>,
}

impl BesideGc {
    fn open(dir: &MemDir) -> Repository<Self> {
        let store = layout(dir).into_store();
        Repository::new(Self { dir: dir.clone(), store }, Limits::default())
    }

    fn gc(&self) {
        let blobs = self.dir.open_dir(Name::literal("blobs")).unwrap();
        if blobs.try_lock().unwrap().is_some() {
            layout(&self.dir).gc(GcMode::Remove).unwrap();
        }
    }
}

impl BlobRead for BesideGc {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        let found = self.store.try_open(blob);
        self.gc();
        found
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        let found = self.store.try_size(blob);
        self.gc();
        found
    }
}

impl BlobWrite for BesideGc {
    fn hold(&self) -> Result<()> {
        self.store.hold()
    }

    fn begin(&self, blob: &NewBlob<'_>) -> Result<Box<dyn Pending + '_>> {
        self.store.begin(blob)
    }
}

impl RootIndex for BesideGc {
    fn load(&self) -> Result<Raw<Index>> {
        let index = self.store.load();
        self.gc();
        index
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.store.replace(expected, new)
    }
}

/// Returns a layout with the blobs of an image, to which no index refers.
fn with_unreachable_image() -> (MemDir, Repository<MemoryStore>, Descriptor) {
    let dir = MemDir::new();
    drop(Repository::create(dir.clone()).unwrap());
    let other = Repository::in_memory().unwrap();
    let image = image(&other, "linux/amd64", 1);
    root(&other, &[tagged(image.clone(), "t")]);
    Plan::new(&other, What::Everything).unwrap().copy_blobs(&other, &layout(&dir)).unwrap();
    (dir, other, image)
}

fn assert_complete(dir: &MemDir) {
    let store = layout(dir);
    let index = store.index().unwrap();
    assert_eq!(index.view().manifests.len(), 1);
    check_complete(&store, &index.view().manifests[0]).unwrap();
}

#[test]
fn what_a_copy_finds_is_kept() {
    let (dir, from, _) = with_unreachable_image();
    let copied = from.copy(What::Everything, None, &BesideGc::open(&dir)).unwrap();
    assert_eq!((copied.present, copied.blobs), (2, 0));
    assert_complete(&dir);
}

#[test]
fn what_a_description_refers_to_is_kept() {
    struct One(Descriptor);

    impl Sources for One {
        fn object(&mut self, _: &str) -> Result<Descriptor> {
            Ok(self.0.clone())
        }

        fn file(&mut self, path: &str) -> Result<Box<dyn Read + '_>> {
            Err(Error::NotFound(path.into()))
        }
    }

    let (dir, _, image) = with_unreachable_image();
    let store = BesideGc::open(&dir);
    let node = Node { from: Some(image.digest.to_string()), ..Node::default() };
    let description = Description { root: vec![node] };
    let roots = build(&store, &description, &mut One(image)).unwrap();
    store.store().update(|index| add_roots(index, &roots)).unwrap();
    drop(store);
    assert_complete(&dir);
}

/// A store whose collector stops after the first blob.
struct Interrupted(MemoryStore);

impl BlobRead for Interrupted {
    fn try_open(&self, blob: &Descriptor) -> Result<Option<Box<dyn Read + Send + '_>>> {
        self.0.try_open(blob)
    }

    fn try_size(&self, blob: &Descriptor) -> Result<Option<u64>> {
        self.0.try_size(blob)
    }
}

impl RootIndex for Interrupted {
    fn load(&self) -> Result<Raw<Index>> {
        self.0.load()
    }

    fn replace(&self, expected: &Digest, new: &Raw<Index>) -> Result<()> {
        self.0.replace(expected, new)
    }
}

impl Collect for Interrupted {
    fn collect(&self) -> Result<Box<dyn Collector + '_>> {
        Ok(Box::new(First { collector: self.0.collect()?, removed: Cell::new(false) }))
    }
}

struct First<'a> {
    collector: Box<dyn Collector + 'a>,
    removed: Cell<bool>,
}

impl Collector for First<'_> {
    fn blobs(&self) -> Result<Vec<(Digest, u64)>> {
        self.collector.blobs()
    }

    fn remove(&self, digest: &Digest) -> Result<()> {
        match self.removed.replace(true) {
            true => Err(Error::Misuse("interrupted".into())),
            false => self.collector.remove(digest),
        }
    }

    fn leftovers(&self) -> Result<Vec<(String, u64)>> {
        self.collector.leftovers()
    }

    fn remove_leftover(&self, name: &str) -> Result<()> {
        self.collector.remove_leftover(name)
    }
}

#[test]
fn an_interrupted_gc_leaves_no_manifest_without_its_blobs() {
    // The digests of some of these manifests are before, and of others after that of their config.
    for salt in 0..8 {
        let store = Repository::in_memory().unwrap();
        let image = image(&store, "linux/amd64", salt);
        let store = Repository::new(Interrupted(store.into_store()), Limits::default());
        store.gc(GcMode::Remove).unwrap_err();
        assert_eq!(store.store().try_size(&image).unwrap(), None, "{salt}");
    }
}

/// The purpose of the lock: a writer that has stored its blobs but not yet the index loses nothing.
#[cfg(not(target_family = "wasm"))]
#[test]
fn gc_waits_for_an_edit_in_progress() {
    use std::sync::mpsc;

    let dir = MemDir::new();
    drop(Repository::create(dir.clone()).unwrap());
    let stray = blob(&layout(&dir), b"stray", "text/plain").digest;
    let writer = layout(&dir);
    let new = blob(&writer, b"new", "text/plain");
    let (done, collected) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| done.send(layout(&dir).gc(GcMode::Remove)).unwrap());
        let early = collected.recv_timeout(std::time::Duration::from_millis(100));
        assert!(early.is_err(), "it did not wait");
        writer.store().update(|index| crate::graph::rewrite::point(index, &"t".parse()?, &new)).unwrap();
        drop(writer);
        let report = collected.recv().unwrap().unwrap();
        assert_eq!((report.kept, gone(&report)), (1, vec![&stray]));
    });
    assert_eq!(layout(&dir).store().try_size(&new).unwrap(), Some(3));
}
