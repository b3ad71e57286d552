#![allow(clippy::unwrap_used, reason = "tests may")]

use std::io::Write as _;

use super::{GcMode, GcReport};
use crate::{
    digest::{Algorithm, Digest},
    error::{Error, ErrorKind},
    fs::{Dir as _, DirWrite as _, mem::MemDir},
    graph::testing::{image, index, root, tagged},
    hash::digest_of,
    limits::Limits,
    name::Name,
    spec::{Descriptor, MediaType, media_type},
    store::{
        BlobRead as _, BlobWrite as _, BlobWriter, Collect, NewBlob, Repository, Store, layout::LayoutStore,
        memory::MemoryStore,
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
fn a_store_that_has_written_cannot_collect() {
    let dir = MemDir::new();
    let store = Repository::create(dir).unwrap();
    blob(&store, b"new", "text/plain");
    assert!(matches!(store.gc(GcMode::Remove), Err(Error::Misuse(_))));
}

/// The purpose of the lock: a writer that has stored its blobs but not yet the index loses nothing.
#[cfg(not(target_family = "wasm"))]
#[test]
fn gc_waits_for_an_edit_in_progress() {
    use crate::store::RootIndexExt as _;
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
