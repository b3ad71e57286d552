//! The protocol's corners, against a registry in memory.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    sync::Arc,
};

use super::{
    Client, Listed, Method, RegistryStore,
    testing::{Canary, FakeRegistry, client, response},
};
use crate::{
    digest::Algorithm,
    error::{Error, ErrorKind},
    graph::{copy::What, resolve::Want},
    hash::digest_of,
    limits::Limits,
    spec::{
        Descriptor, ImageConfig, Index, Manifest, MediaType, REF_NAME, Raw,
        media_type::{CONFIG, MANIFEST},
    },
    store::{
        BlobRead as _, BlobWrite as _, BlobWriter, NewBlob, Repository, RootIndex as _, files::FileStore,
        memory::MemoryStore, put_document,
    },
};

type Store = RegistryStore<Arc<FakeRegistry>, Canary>;

fn open(registry: &Arc<FakeRegistry>, tag: &str) -> Repository<Store> {
    let store = RegistryStore::new(client(registry, "reg.example/app"), Listed::Tags(vec![tag.into()]));
    Repository::new(store, Limits::default())
}

/// Stores an image without layers.
fn image(repository: &Repository<MemoryStore>, platform: &str, created: &str) -> Descriptor {
    let mut config = ImageConfig::new(&platform.parse().unwrap());
    config.created = Some(created.into());
    let put = |kind| MediaType::literal(kind);
    let config = put_document(repository.store(), &Raw::new(config).unwrap(), &put(CONFIG)).unwrap();
    let manifest = Raw::new(Manifest::new(config, Vec::new())).unwrap();
    put_document(repository.store(), &manifest, &put(MANIFEST)).unwrap()
}

/// Adds an entry to the root index.
fn add(repository: &Repository<MemoryStore>, entry: &Descriptor, tag: &str) {
    let mut entry = entry.clone();
    entry.annotations.insert(REF_NAME.into(), tag.into());
    let root = repository.index().unwrap();
    repository.store().replace(&root.digest(), &root.push(&entry).unwrap()).unwrap();
}

/// Returns a repository with a tagged image.
fn local(tag: &str) -> Repository<MemoryStore> {
    let repository = Repository::in_memory().unwrap();
    let image = image(&repository, "linux/amd64", "2020-01-01T00:00:00Z");
    add(&repository, &image, tag);
    repository
}

/// Returns some bytes that differ.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * at / 7 % 251) as u8).collect()
}

fn blob(bytes: &[u8]) -> Descriptor {
    let media_type = MediaType::literal("application/octet-stream");
    Descriptor::new(media_type, digest_of(Algorithm::Sha256, bytes), bytes.len() as u64)
}

fn write(store: &Store, bytes: &[u8]) -> crate::Result<()> {
    let blob = blob(bytes);
    let mut pending = store.begin(&NewBlob::known(&blob))?;
    pending.write_all(bytes).map_err(Error::io("write"))?;
    pending.publish(&blob.digest)
}

fn read(store: &Store, blob: &Descriptor) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    store.try_open(blob)?.unwrap().read_to_end(&mut content)?;
    Ok(content)
}

#[test]
fn there_and_back() {
    for secured in [false, true] {
        let registry = Arc::new(FakeRegistry { secured, ..Default::default() });
        let (from, to) = (local("v1"), open(&registry, "v1"));
        let copied = from.copy(What::Everything, None, &to).unwrap();
        assert_eq!((copied.blobs, copied.present), (2, 0));
        let back = Repository::in_memory().unwrap();
        open(&registry, "v1").copy(What::Everything, None, &back).unwrap();
        assert_eq!(back.index().unwrap().view().manifests, from.index().unwrap().view().manifests);
        let log = registry.log();
        let put = |part: &str| log.iter().position(|line| line.starts_with("PUT") && line.contains(part));
        assert!(put("/blobs/") < put("/manifests/v1"), "{log:#?}");
        let again = from.copy(What::Everything, None, &open(&registry, "v1")).unwrap();
        assert_eq!((again.blobs, again.present), (0, 2));
        assert!(!registry.log().iter().any(|line| line.starts_with("PUT") || line.starts_with("POST")));
    }
}

#[test]
fn a_password_goes_to_the_token_server_alone() {
    let registry = Arc::new(FakeRegistry { secured: true, ..Default::default() });
    local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
    let log = registry.log();
    let with_password: Vec<_> = log.iter().filter(|line| line.contains("Basic")).collect();
    assert!(!with_password.is_empty());
    for line in with_password {
        assert!(line.starts_with("GET https://auth.example/token?"), "{line}");
    }
    assert!(!log[0].contains("Bearer"), "the registry is asked first");
}

#[test]
fn hostile_realms_get_nothing() {
    for realm in [
        "http://auth.example/token",
        "https://10.0.0.1/token",
        "https://8.8.8.8/token",
        "https://u@auth.example/",
        "https://localhost/token",
        "ftp://auth.example/",
        "https://[::1]/",
        "http://reg.example/token",
    ] {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |_, _| {
                Some(Ok(response(401, &[("www-authenticate", &challenge)], b"")))
            })),
            ..Default::default()
        });
        let error = client(&registry, "reg.example/app").tags().unwrap_err();
        assert!(matches!(error, Error::Refused { .. } | Error::Misuse(_)), "{realm}: {error}");
        assert_eq!(registry.log(), ["GET https://reg.example/v2/"], "{realm}");
    }
}

/// Answers requests for blobs by a redirect.
fn redirecting(to: &'static str) -> Arc<FakeRegistry> {
    let registry = FakeRegistry { secured: true, ..Default::default() };
    registry.state.lock().unwrap().blobs.insert(format!("app/{}", blob(&bytes(9)).digest), bytes(9));
    Arc::new(FakeRegistry {
        fault: Some(Box::new(move |request, _| {
            let path = request.url.path_and_query();
            (request.url.host() == "reg.example" && path.contains("/blobs/"))
                .then(|| Ok(response(307, &[("location", to)], b"")))
        })),
        ..registry
    })
}

#[test]
fn redirects_lose_the_token_where_they_leave_the_registry() {
    let registry = redirecting("https://cdn.example/x?sig=secret");
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    let error = read(&store, &blob(&bytes(9))).unwrap_err();
    assert!(
        error.to_string().contains("cdn.example/x?…") && !error.to_string().contains("secret"),
        "{error}"
    );
    let log = registry.log();
    let elsewhere: Vec<_> = log.iter().filter(|line| line.contains("cdn.example")).collect();
    assert_eq!(elsewhere, ["GET https://cdn.example/x?sig=secret"]);
}

#[test]
fn redirects_into_private_networks_or_the_open_are_refused() {
    for to in
        ["http://cdn.example/x", "https://127.0.0.1/x", "https://169.254.169.254/x", "https://localhost/x"]
    {
        let registry = redirecting(to);
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        let error = read(&store, &blob(&bytes(9))).unwrap_err();
        assert!(error.to_string().contains("redirect"), "{to}: {error}");
        let host = to.split('/').nth(2).unwrap();
        assert!(!registry.log().iter().any(|line| line.contains(host)), "{to}");
    }
}

#[test]
fn a_redirect_in_a_circle_ends() {
    let registry = redirecting("/v2/app/blobs/x");
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    assert!(read(&store, &blob(&bytes(9))).unwrap_err().to_string().contains("redirects"));
    assert!(registry.log().len() < 20);
}

#[test]
fn broken_transfers_go_on_where_they_were() {
    for no_ranges in [false, true] {
        let (content, size) = (bytes(1_000_000), 1_000_000);
        let breaks_after = Some(if no_ranges { 900_000 } else { 300_000 });
        let registry = FakeRegistry { breaks_after, no_ranges, ..Default::default() };
        registry
            .state
            .lock()
            .unwrap()
            .blobs
            .insert(format!("app/{}", blob(&content).digest), content.clone());
        let registry = Arc::new(registry);
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        let got = read(&store, &blob(&content));
        if no_ranges {
            // Each try breaks off at the same place.
            assert_eq!(got.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        } else {
            assert_eq!((got.unwrap() == content, size), (true, 1_000_000));
            assert_eq!(registry.log().iter().filter(|line| line.contains("/blobs/")).count(), 4);
        }
    }
}

#[test]
fn parts_of_a_blob_are_read_by_small_ranges() {
    let content = bytes(3_000_000);
    for no_ranges in [false, true] {
        let registry = FakeRegistry { no_ranges, ..Default::default() };
        registry
            .state
            .lock()
            .unwrap()
            .blobs
            .insert(format!("app/{}", blob(&content).digest), content.clone());
        let registry = Arc::new(registry);
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        let descriptor = blob(&content);
        let mut seek = store.try_seek(&descriptor).unwrap().unwrap();
        for (at, count) in
            [(2_999_990, 10), (5, 100), (70, 100), (0, 70_000), (1_500_000, 1_400_000), (2_999_999, 1)]
        {
            let mut part = vec![0; count];
            seek.seek(SeekFrom::Start(at)).unwrap();
            seek.read_exact(&mut part).unwrap();
            let at = usize::try_from(at).unwrap();
            assert!(part == content[at..at + count], "{at}");
        }
        assert_eq!(seek.seek(SeekFrom::End(0)).unwrap(), 3_000_000);
        assert_eq!(seek.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn content_that_is_not_what_its_digest_says_is_refused() {
    let (right, wrong) = (blob(&bytes(50)), bytes(49));
    let registry = FakeRegistry::default();
    registry.state.lock().unwrap().blobs.insert(format!("app/{}", right.digest), wrong.clone());
    registry.state.lock().unwrap().manifests.insert(
        format!("app/{}", right.digest),
        ("application/vnd.oci.image.manifest.v1+json".into(), wrong),
    );
    let repository = open(&Arc::new(registry), "v1");
    let error = io::copy(&mut repository.blob(&right).unwrap(), &mut io::sink()).unwrap_err();
    assert!(error.to_string().contains("mismatch"), "{error}");
    let error = repository.store().client().manifest(right.digest.as_str()).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
}

#[test]
fn requests_are_sent_again_where_that_may_help() {
    let faults = [
        (429, vec![("retry-after", "3")], 3_000),
        (503, vec![("retry-after", "Mon, 12 Jan 1970 13:46:50 GMT")], 10_000),
        (502, vec![("retry-after", "100000")], 60_000),
        (500, vec![], 500),
    ];
    for (status, headers, wait) in faults {
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |_, number| {
                (number == 1).then(|| Ok(response(status, &headers, b"")))
            })),
            ..Default::default()
        });
        assert!(client(&registry, "reg.example/app").tags().is_ok(), "{status}");
        let waited = &registry.state.lock().unwrap().waited;
        assert_eq!(waited.iter().map(std::time::Duration::as_millis).collect::<Vec<_>>(), [wait], "{status}");
    }
    let always = |kind: io::ErrorKind, status: u16| {
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |_, _| {
                Some(if status == 0 { Err(kind.into()) } else { Ok(response(status, &[], b"")) })
            })),
            ..Default::default()
        });
        let error = client(&registry, "reg.example/app").tags().unwrap_err();
        (error, registry.log().len())
    };
    assert_eq!(always(io::ErrorKind::ConnectionRefused, 0).1, 5);
    assert_eq!(always(io::ErrorKind::InvalidData, 0).1, 1);
    let (error, count) = always(io::ErrorKind::Other, 503);
    assert_eq!((error.kind(), count), (ErrorKind::Refused, 5));
    assert_eq!(always(io::ErrorKind::Other, 403).1, 1);
}

#[test]
fn large_blobs_are_sent_in_parts_which_are_resumed() {
    let content = bytes((8 << 20) * 2 + 12345);
    type Interrupt = fn(&super::Request<'_>) -> bool;
    let cases: [(&str, Interrupt); 2] =
        [("none", |_| false), ("part", |request| request.method == Method::Patch)];
    for (name, interrupt) in cases {
        let failed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                let now = interrupt(request) && !failed.swap(true, std::sync::atomic::Ordering::Relaxed);
                now.then(|| Err(io::ErrorKind::ConnectionReset.into()))
            })),
            ..Default::default()
        });
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        write(&store, &content).unwrap();
        assert!(
            registry.state.lock().unwrap().blobs.contains_key(&format!("app/{}", blob(&content).digest)),
            "{name}"
        );
        let patches = registry.log().iter().filter(|line| line.starts_with("PATCH")).count();
        assert_eq!(patches, if name == "none" { 3 } else { 4 }, "{name}");
    }
}

#[test]
fn parts_are_as_long_as_the_registry_wants() {
    let registry = Arc::new(FakeRegistry { shortest: 20 << 20, ..Default::default() });
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    write(&store, &bytes(45 << 20)).unwrap();
    let log = registry.log();
    assert_eq!(log.iter().filter(|line| line.starts_with("PATCH")).count(), 3, "{log:#?}");
}

#[test]
fn an_upload_that_fails_is_cancelled() {
    let registry = Arc::new(FakeRegistry {
        fault: Some(Box::new(|request, _| {
            (request.method == Method::Put).then(|| Ok(response(413, &[], b"")))
        })),
        ..Default::default()
    });
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    let error = write(&store, &bytes(100)).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    assert!(registry.log().last().unwrap().starts_with("DELETE"));
    let blob = blob(b"x");
    drop({
        let mut pending = store.begin(&NewBlob::known(&blob)).unwrap();
        pending.write_all(&bytes(9 << 20)).unwrap();
        pending
    });
    assert!(registry.log().last().unwrap().starts_with("DELETE"));
}

#[test]
fn uploads_elsewhere_get_no_token() {
    let registry = Arc::new(FakeRegistry {
        secured: true,
        fault: Some(Box::new(|request, _| match (request.method, request.url.host()) {
            (Method::Post, "reg.example") => {
                Some(Ok(response(202, &[("location", "https://store.example/up?sig=1")], b"")))
            }
            (Method::Put, "store.example") => Some(Ok(response(201, &[], b""))),
            _ => None,
        })),
        ..Default::default()
    });
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    write(&store, b"abc").unwrap();
    let log = registry.log();
    let elsewhere = log.iter().find(|line| line.contains("store.example")).unwrap();
    assert!(!elsewhere.contains("Bearer") && elsewhere.contains("sig=1&digest=sha256%3A"), "{elsewhere}");
    for location in ["http://store.example/up", "https://127.0.0.1/up", "https://u@store.example/"] {
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                (request.method == Method::Post).then(|| Ok(response(202, &[("location", location)], b"")))
            })),
            ..Default::default()
        });
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        assert!(write(&store, b"abc").is_err(), "{location}");
        assert!(!registry.log().iter().any(|line| line.starts_with("PUT")), "{location}");
    }
}

#[test]
fn a_push_that_is_cut_anywhere_leaves_the_tag_and_can_be_repeated() {
    let count = {
        let registry = Arc::new(FakeRegistry::default());
        local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
        registry.log().len()
    };
    assert!(count > 5);
    for cut in 0..count {
        let dead = Arc::new(std::sync::atomic::AtomicUsize::new(cut));
        let limit = Arc::clone(&dead);
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |_, number| {
                (number >= limit.load(std::sync::atomic::Ordering::Relaxed))
                    .then(|| Err(io::ErrorKind::PermissionDenied.into()))
            })),
            ..Default::default()
        });
        assert!(local("v1").copy(What::Everything, None, &open(&registry, "v1")).is_err(), "{cut}");
        assert!(!registry.state.lock().unwrap().manifests.contains_key("app/v1"), "{cut}");
        dead.store(usize::MAX, std::sync::atomic::Ordering::Relaxed);
        local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
        assert!(registry.state.lock().unwrap().manifests.contains_key("app/v1"), "{cut}");
    }
}

#[test]
fn a_tag_that_moved_is_a_conflict_with_both_digests() {
    let registry = Arc::new(FakeRegistry::default());
    local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
    let repository = open(&registry, "v1");
    let root = repository.index().unwrap();
    let before = root.view().manifests[0].digest.clone();
    let mut state = registry.state.lock().unwrap();
    let other = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
    let kind = "application/vnd.oci.image.index.v1+json".to_owned();
    state.manifests.insert("app/v1".into(), (kind, other.clone()));
    drop(state);
    let changed = Repository::in_memory().unwrap();
    add(&changed, &image(&changed, "linux/arm64", "2021-01-01T00:00:00Z"), "v1");
    let error = changed.copy(What::Everything, None, &repository).unwrap_err();
    let Error::Moved { expected, actual, .. } = &error else { panic!("{error}") };
    assert_eq!((expected, actual), (&Some(before), &Some(digest_of(Algorithm::Sha256, &other))));
    assert_eq!(registry.state.lock().unwrap().manifests["app/v1"].1, other);
}

#[test]
fn a_tag_that_somebody_made_meanwhile_is_a_conflict() {
    let registry = Arc::new(FakeRegistry::default());
    let repository = open(&registry, "v1");
    assert!(repository.index().unwrap().view().manifests.is_empty());
    local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
    let theirs = registry.state.lock().unwrap().manifests["app/v1"].1.clone();
    let other = Repository::in_memory().unwrap();
    add(&other, &image(&other, "linux/arm64", "2021-01-01T00:00:00Z"), "v1");
    let error = other.copy(What::Everything, None, &repository).unwrap_err();
    assert!(matches!(&error, Error::Moved { expected: None, actual: Some(_), .. }), "{error}");
    assert_eq!(registry.state.lock().unwrap().manifests["app/v1"].1, theirs);
}

#[test]
fn a_repository_that_does_not_exist_is_empty_to_who_writes() {
    let registry = Arc::new(FakeRegistry {
        fault: Some(Box::new(|request, _| {
            request.url.path_and_query().contains("tags/list").then(|| Ok(response(404, &[], b"")))
        })),
        ..Default::default()
    });
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    assert!(matches!(store.load().unwrap_err(), Error::NotFound(_)));
    store.hold().unwrap();
    assert!(store.load().unwrap().view().manifests.is_empty());
}

#[test]
fn what_a_registry_cannot_keep_is_refused_before_anything_is_sent() {
    let registry = Arc::new(FakeRegistry::default());
    local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
    registry.log();
    let repository = open(&registry, "v1");
    let root = repository.index().unwrap();
    let entry = root.view().manifests[0].clone();
    let untagged = root.push(&entry.clone().without_names()).unwrap();
    let annotated = root.annotate(0, "com.example.x", Some("1")).unwrap();
    let odd = root.annotate(0, "org.opencontainers.image.ref.name", Some("a/b:c")).unwrap();
    let mut elsewhere = entry.clone();
    elsewhere.platform = Some("linux/arm64".parse().unwrap());
    let moved = root.remove(0).unwrap().push(&elsewhere).unwrap();
    for (new, why) in [
        (untagged, "without a tag"),
        (moved, "the platform of"),
        (annotated, "com.example.x"),
        (odd, "a/b:c"),
    ] {
        let error = repository.store().replace(&root.digest(), &new).unwrap_err();
        assert!(matches!(&error, Error::Unsupported(text) if text.contains(why)), "{error}");
    }
    assert!(registry.log().iter().all(|line| line.starts_with("GET")));
}

#[test]
fn an_index_is_sent_after_its_entries_and_not_without() {
    let registry = Arc::new(FakeRegistry::default());
    let from = local("v1");
    let image = from.resolve(&"v1".parse().unwrap(), Want::Any).unwrap();
    let index = Index::new(vec![image.target().clone().without_names()]);
    let text = serde_json::to_vec(&index).unwrap();
    let mut writer =
        BlobWriter::new(from.store(), MediaType::literal(crate::spec::media_type::INDEX)).unwrap();
    writer.write_all(&text).unwrap();
    let descriptor = writer.finish().unwrap();
    let root = from.index().unwrap();
    let new = root.remove(0).unwrap().push(&descriptor).unwrap();
    let new = new.annotate(0, "org.opencontainers.image.ref.name", Some("both")).unwrap();
    from.store().replace(&root.digest(), &new).unwrap();
    from.copy(What::Everything, None, &open(&registry, "both")).unwrap();
    let log = registry.log();
    let puts: Vec<_> =
        log.iter().filter(|line| line.starts_with("PUT") && line.contains("manifests")).collect();
    assert!(puts.len() == 2 && puts[0].contains("sha256") && puts[1].ends_with("/both"), "{log:#?}");

    let sparse = index_without("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    let error = sparse.copy(What::Everything, None, &open(&registry, "sparse")).unwrap_err();
    assert!(matches!(&error, Error::Unsupported(text) if text.contains("not there")), "{error}");
    assert!(!registry.state.lock().unwrap().manifests.contains_key("app/sparse"));
}

/// Returns a repository whose index has an entry more, which is nowhere.
fn index_without(digest: &str) -> Repository<MemoryStore> {
    let repository = Repository::in_memory().unwrap();
    let absent = Descriptor::new(MediaType::literal(MANIFEST), digest.parse().unwrap(), 10);
    let index = Index::new(vec![absent]);
    let text = serde_json::to_vec(&index).unwrap();
    let mut writer =
        BlobWriter::new(repository.store(), MediaType::literal(crate::spec::media_type::INDEX)).unwrap();
    writer.write_all(&text).unwrap();
    let descriptor = writer.finish().unwrap();
    let root = repository.index().unwrap();
    let new = root.push(&descriptor).unwrap();
    let new = new.annotate(0, "org.opencontainers.image.ref.name", Some("sparse")).unwrap();
    repository.store().replace(&root.digest(), &new).unwrap();
    repository
}

#[test]
fn all_tags_page_by_page() {
    let registry = Arc::new(FakeRegistry::default());
    for tag in ["a", "b", "c", "d", "e"] {
        local(tag).copy(What::Everything, None, &open(&registry, tag)).unwrap();
    }
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    let index = store.load().unwrap();
    let tags: Vec<_> = index.view().manifests.iter().filter_map(Descriptor::ref_name).collect();
    assert_eq!(tags, ["a", "b", "c", "d", "e"]);
    registry.log();
    let repository = Repository::new(store, Limits::default());
    repository.store().replace(&index.digest(), &index.remove(1).unwrap()).unwrap();
    assert_eq!(client(&registry, "reg.example/app").tags().unwrap(), ["a", "c", "d", "e"]);
    let endless = Arc::new(FakeRegistry {
        fault: Some(Box::new(|request, number| {
            let next = format!("</v2/app/tags/list?last={number}>; rel=next");
            request
                .url
                .path_and_query()
                .contains("tags")
                .then(|| Ok(response(200, &[("link", &next)], br#"{"tags":["a","b","c"]}"#)))
        })),
        ..Default::default()
    });
    let limits = Limits { descriptors: 50, ..Limits::default() };
    let client = Client::new("reg.example/app".parse().unwrap(), Arc::clone(&endless), Canary, &limits);
    assert!(matches!(client.tags().unwrap_err(), Error::Limit { .. }));
    for link in ["<https://other.example/x>; rel=\"next\"", "</v2/app/tags/list?n=1000>; rel=next"] {
        let hostile = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                let asks = request.url.path_and_query().contains("tags");
                asks.then(|| Ok(response(200, &[("link", link)], br#"{"tags":[]}"#)))
            })),
            ..Default::default()
        });
        assert!(super::testing::client(&hostile, "reg.example/app").tags().is_err(), "{link}");
    }
}

#[test]
fn a_tag_alone_is_removed_or_nothing() {
    for status in [400, 405] {
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                (request.method == Method::Delete).then(|| Ok(response(status, &[], b"")))
            })),
            ..Default::default()
        });
        let error = client(&registry, "reg.example/app").remove_tag("v1").unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert!(!registry.log().iter().any(|line| line.contains("sha256")));
    }
}

#[test]
fn blobs_of_another_repository_are_mounted() {
    let registry = Arc::new(FakeRegistry::default());
    let from = local("v1");
    from.copy(What::Everything, None, &open(&registry, "v1")).unwrap();
    registry.log();
    let store = RegistryStore::new(client(&registry, "reg.example/copy"), Listed::Tags(vec!["v1".into()]));
    let to = Repository::new(store, Limits::default());
    let all = crate::graph::copy::Plan::new(&from, What::Everything).unwrap();
    let (blobs, _) = all.blobs(&from).unwrap();
    assert_eq!(to.store().mount(blobs, "app").unwrap(), 1);
    let copied = from.copy(What::Everything, None, &to).unwrap();
    assert_eq!((copied.blobs, copied.present), (1, 1));
    assert!(!registry.log().iter().any(|line| line.starts_with("PUT") && line.contains("/blobs/")));
}

#[test]
fn referrers_by_the_registry_or_by_a_tag() {
    for referrers in [true, false] {
        let registry = Arc::new(FakeRegistry { referrers, ..Default::default() });
        let from = local("v1");
        from.copy(What::Everything, None, &open(&registry, "v1")).unwrap();
        let image = from.resolve(&"v1".parse().unwrap(), Want::Any).unwrap();
        let subject = image.target().clone().without_names();
        let index = Index { subject: Some(subject.clone()), ..Index::new(Vec::new()) };
        let text = serde_json::to_vec(&index).unwrap();
        let kind = MediaType::literal(crate::spec::media_type::INDEX);
        let about = Descriptor::new(kind.clone(), digest_of(Algorithm::Sha256, &text), text.len() as u64);
        let repository = open(&registry, "sig");
        let mut pending = repository.store().begin(&NewBlob::known(&about)).unwrap();
        pending.write_all(&text).unwrap();
        pending.publish(&about.digest).unwrap();
        let root = repository.index().unwrap();
        let new =
            root.push(&about).unwrap().annotate(0, "org.opencontainers.image.ref.name", Some("sig")).unwrap();
        repository.store().replace(&root.digest(), &new).unwrap();
        let tag = format!("app/{}", subject.digest.as_str().replace(':', "-"));
        assert_eq!(registry.state.lock().unwrap().manifests.contains_key(&tag), !referrers);
        if !referrers {
            let found = client(&registry, "reg.example/app").referrers(&subject.digest).unwrap();
            assert_eq!(found.iter().map(|entry| &entry.digest).collect::<Vec<_>>(), [&about.digest]);
        }
    }
}

#[test]
fn a_layout_on_a_web_server_is_read_by_ranges() {
    let from = local("v1");
    let content = bytes(700_000);
    let mut writer = BlobWriter::new(from.store(), MediaType::literal("application/octet-stream")).unwrap();
    writer.write_all(&content).unwrap();
    let large = writer.finish().unwrap();
    let mut files = std::collections::BTreeMap::from([
        ("/x/oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("/x/index.json".to_owned(), from.index().unwrap().bytes().to_vec()),
        (format!("/x/blobs/sha256/{}", large.digest.encoded()), content.clone()),
    ]);
    let plan = crate::graph::copy::Plan::new(&from, What::Everything).unwrap();
    for blob in plan.blobs(&from).unwrap().0 {
        let mut bytes = Vec::new();
        from.blob(blob).unwrap().read_to_end(&mut bytes).unwrap();
        files.insert(format!("/x/blobs/sha256/{}", blob.digest.encoded()), bytes);
    }
    let server = Arc::new(FakeRegistry { files, ..Default::default() });
    let url: super::Url = "https://web.example/x?y".parse().unwrap();
    let store =
        FileStore::open(super::HttpFiles::new(&url, Arc::clone(&server)), &Limits::default()).unwrap();
    let repository = Repository::new(store, Limits::default());
    let image = repository.resolve(&"v1".parse().unwrap(), Want::Image).unwrap();
    let manifest: Raw<Manifest> = repository.document(image.target()).unwrap();
    let config: Raw<ImageConfig> = repository.document(&manifest.view().config).unwrap();
    assert_eq!(config.view().architecture, "amd64");
    server.log();
    let mut seek = repository.store().try_seek(&large).unwrap().unwrap();
    let mut part = [0; 100];
    seek.seek(SeekFrom::Start(600_000)).unwrap();
    seek.read_exact(&mut part).unwrap();
    assert_eq!(part, content[600_000..600_100]);
    let mut whole = Vec::new();
    io::copy(&mut repository.blob(&large).unwrap(), &mut whole).unwrap();
    assert!(whole == content);
    assert_eq!(server.log().len(), 1 + 1 + 3, "a head, a range, and windows that grow");
    let error = FileStore::open(
        super::HttpFiles::new(&"https://web.example/y".parse().unwrap(), Arc::clone(&server)),
        &Limits::default(),
    );
    assert!(matches!(error.unwrap_err(), Error::NotFound(_)));
}

#[test]
fn content_that_ends_early_has_the_wrong_size() {
    let content = bytes(500_000);
    let registry = FakeRegistry::default();
    let descriptor = blob(&content);
    registry
        .state
        .lock()
        .unwrap()
        .blobs
        .insert(format!("app/{}", descriptor.digest), content[..400_000].to_vec());
    let repository = open(&Arc::new(registry), "v1");
    let error = io::copy(&mut repository.blob(&descriptor).unwrap(), &mut io::sink()).unwrap_err();
    assert!(error.to_string().contains("size mismatch: expected 500000, actual 400000"), "{error}");
}

#[test]
fn a_manifest_larger_than_the_limit_is_refused() {
    let registry = FakeRegistry::default();
    let kind = "application/vnd.oci.image.index.v1+json".to_owned();
    registry.state.lock().unwrap().manifests.insert("app/v1".into(), (kind, vec![b' '; 2000]));
    let limits = Limits { document: 1000, ..Limits::default() };
    let client = Client::new("reg.example/app".parse().unwrap(), Arc::new(registry), Canary, &limits);
    let error = client.manifest("v1").unwrap_err();
    assert!(matches!(error, Error::Limit { name: "document", limit: 1000, .. }), "{error}");
}

#[test]
fn lists_of_referrers_may_have_pages() {
    let digest = digest_of(Algorithm::Sha256, b"subject");
    let registry = Arc::new(FakeRegistry {
        fault: Some(Box::new(|request, _| {
            let path = request.url.path_and_query();
            let entry = |text: &[u8]| {
                let digest = digest_of(Algorithm::Sha256, text);
                let kind = MediaType::literal(MANIFEST);
                serde_json::to_vec(&Index::new(vec![Descriptor::new(kind, digest, 1)])).unwrap()
            };
            match (path.contains("/referrers/"), path.contains("page=2")) {
                (true, false) => {
                    let next = format!("<{path}?page=2>; rel=\"next\"");
                    Some(Ok(response(200, &[("link", &next)], &entry(b"a"))))
                }
                (true, true) => Some(Ok(response(200, &[], &entry(b"b")))),
                _ => None,
            }
        })),
        ..Default::default()
    });
    assert_eq!(client(&registry, "reg.example/app").referrers(&digest).unwrap().len(), 2);
}
