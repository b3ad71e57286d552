//! Lists of tags and referrers, and the removal of tags.

use super::*;

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
    let small = Client::new("reg.example/app".parse().unwrap(), Arc::clone(&endless), Canary, &limits);
    assert!(matches!(small.tags().unwrap_err(), Error::Limit { .. }));
    for link in ["<https://other.example/x>; rel=\"next\"", "</v2/app/tags/list?n=1000>; rel=next"] {
        let hostile = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                let asks = request.url.path_and_query().contains("tags");
                asks.then(|| Ok(response(200, &[("link", link)], br#"{"tags":[]}"#)))
            })),
            ..Default::default()
        });
        let error = client(&hostile, "reg.example/app").tags().unwrap_err();
        assert!(error.to_string().contains("the next page is elsewhere"), "{link}: {error}");
        assert!(!hostile.log().iter().any(|line| line.contains("other.example")), "{link}");
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

#[test]
fn an_answer_that_is_no_list_of_tags_is_said() {
    for (body, expected) in [
        (r#"{"name":"app","tags":null}"#, Some(0)),
        (r#"{"name":"app"}"#, Some(0)),
        (r#"{"tags":["a"]}"#, Some(1)),
        (r#"{"tags":"a"}"#, None),
        (r#"{"tags":["a",1]}"#, None),
        ("<html>", None),
    ] {
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                let asks = request.url.path_and_query().contains("tags");
                asks.then(|| Ok(response(200, &[], body.as_bytes())))
            })),
            ..Default::default()
        });
        let tags = client(&registry, "reg.example/app").tags();
        assert_eq!(tags.as_ref().map(Vec::len).ok(), expected, "{body}");
        assert!(tags.is_ok() || matches!(tags, Err(Error::Document { .. })), "{body}: {tags:?}");
    }
}
