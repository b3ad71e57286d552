//! Pushes: their order, their parts, and refusals.

use super::*;

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
fn large_blobs_are_sent_in_parts_which_are_resumed() {
    let content = bytes((8 << 20) * 2 + 12345);
    type Interrupt = fn(&Request<'_>) -> bool;
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
fn a_part_waits_as_long_as_the_registry_asks() {
    let busy = std::sync::atomic::AtomicBool::new(true);
    let registry = Arc::new(FakeRegistry {
        fault: Some(Box::new(move |request, _| {
            let now =
                request.method == Method::Patch && busy.swap(false, std::sync::atomic::Ordering::Relaxed);
            now.then(|| Ok(response(429, &[("retry-after", "7")], b"")))
        })),
        ..Default::default()
    });
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    write(&store, &bytes(9 << 20)).unwrap();
    assert_eq!(registry.state.lock().unwrap().waited, [std::time::Duration::from_secs(7)]);
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

/// A registry that restarts forgets uploads.
#[test]
fn a_blob_whose_upload_is_forgotten_is_read_and_sent_again() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let content = bytes((8 << 20) * 3 + 1);
    for (method, after) in [(Method::Patch, 1), (Method::Patch, 2), (Method::Put, 0)] {
        let from = local("v1");
        let mut writer =
            BlobWriter::new(from.store(), MediaType::literal("application/octet-stream")).unwrap();
        writer.write_all(&content).unwrap();
        let large = writer.finish().unwrap();
        let hex = large.digest.as_str().trim_start_matches("sha256:").to_owned();
        let (asked, lost) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&lost);
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                let to = request.url.path_and_query();
                if lost.load(Ordering::Relaxed) == 1
                    && to.contains("/uploads/")
                    && request.method == Method::Get
                {
                    lost.store(2, Ordering::Relaxed);
                    return Some(Ok(response(404, &[], b"")));
                }
                // Only the large blob is sent in parts.
                let is_it = request.method == method && (method == Method::Patch || to.contains(&hex));
                let now = is_it && asked.fetch_add(1, Ordering::Relaxed) == after;
                now.then(|| {
                    lost.store(1, Ordering::Relaxed);
                    let status = if request.method == Method::Put { 404 } else { 416 };
                    Ok(response(status, &[], b""))
                })
            })),
            ..Default::default()
        });
        let to = open(&registry, "v1");
        let mut plan = crate::graph::copy::Plan::new(&from, What::Everything).unwrap();
        plan = plan.with_entries(&from, std::slice::from_ref(&large)).unwrap();
        plan.copy_blobs(&from, &to).unwrap();
        let has = registry.state.lock().unwrap().blobs.get(&format!("app/{}", large.digest)).cloned();
        assert!(has.is_some_and(|has| has == content), "{method:?} {after}: {:#?}", registry.log());
        assert_ne!(seen.load(Ordering::Relaxed), 0, "{method:?} {after}");
    }
}
