//! Reading over connections that break, and from servers that err.

use super::*;

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
    let url: Url = "https://web.example/x?y".parse().unwrap();
    let store = FileStore::open(HttpFiles::new(&url, Arc::clone(&server)), &Limits::default()).unwrap();
    let repository = Repository::new(store, Limits::default());
    let image = repository.resolve(&"v1".parse().unwrap(), Want::Image).unwrap();
    let manifest: Raw<Manifest> = repository.document(image.target()).unwrap();
    let config: Raw<ImageConfig> = repository.document(&manifest.view().config).unwrap();
    assert_eq!(config.view().architecture, "amd64");
    repository.document::<Manifest>(image.target()).unwrap();
    repository.index().unwrap();
    let mut log = server.log();
    log.sort();
    assert!(log.windows(2).all(|pair| pair[0] != pair[1]), "once each: {log:#?}");
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
        HttpFiles::new(&"https://web.example/y".parse().unwrap(), Arc::clone(&server)),
        &Limits::default(),
    );
    assert!(matches!(error.unwrap_err(), Error::NotFound(_)));
}

#[test]
fn only_some_small_files_are_kept() {
    use crate::store::files::Files as _;
    let size = 60_000;
    let count = (32 << 20) / size + 2;
    let files = (0..count).map(|number| (format!("/x/{number}"), vec![0; size])).collect();
    let server = Arc::new(FakeRegistry { files, ..Default::default() });
    let files = HttpFiles::new(&"https://web.example/x".parse().unwrap(), Arc::clone(&server));
    let read = |number: usize| {
        let file = files.find(&number.to_string()).unwrap().unwrap();
        let mut buffer = vec![1; size];
        assert_eq!(file.read_at(&mut buffer, 0).unwrap(), size);
    };
    (0..count).for_each(read);
    server.log();
    read(0);
    assert_eq!(server.log().len(), 0, "kept");
    read(count - 1);
    assert_eq!(server.log().len(), 1, "its content is asked for again");
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
