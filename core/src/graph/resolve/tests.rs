use super::{
    super::{
        list::ListEntry,
        testing::{artifact, image, index, root, store, tagged, with_platform},
    },
    Resolution, ResolveError, Want,
};
use crate::{graph::selector::Selector, limits::Limits, store::Repository};

fn find(selector: &str, want: Want) -> Result<Resolution, ResolveError> {
    let (store, root) = store();
    let selector = match selector {
        "" => Selector::default(),
        selector => selector.parse().unwrap(),
    };
    store.resolve_in(&root, &selector, want)
}

/// Returns the positions along the path found.
fn way(selector: &str, want: Want) -> Vec<usize> {
    let found = find(selector, want).unwrap_or_else(|error| panic!("{selector}: {error}"));
    found.hops().iter().map(|hop| hop.position).collect()
}

fn message(selector: &str, want: Want) -> String {
    find(selector, want).unwrap_err().to_string()
}

#[test]
fn tags_platforms_and_positions() {
    assert_eq!(way("v1", Want::Any), [0]);
    assert_eq!(way("v1//platform=linux/arm64", Want::Any), [0, 1]);
    assert_eq!(way("v1//platform=linux/arm64", Want::Image), [0, 1]);
    assert_eq!(way("v2", Want::Image), [1]);
    assert_eq!(
        way("tag=v2,platform=linux/amd64", Want::Any),
        [1],
        "the config says it where the index does not"
    );
    assert_eq!(way("deep//platform=linux/riscv64", Want::Any), [2, 1, 0]);
    assert_eq!(way("deep//pos=1//type=manifest", Want::Any), [2, 1, 0]);
    assert_eq!(way("pos=2//pos=1//pos=0", Want::Any), [2, 1, 0]);
    assert_eq!(way("platform=linux/riscv64", Want::Image), [2, 1, 0]);
    assert_eq!(way("v1//annotation.vnd.docker.reference.type=attestation-manifest", Want::Any), [0, 2]);
}

#[test]
fn exact_paths_resolve() {
    let resolution = find("deep//platform=linux/riscv64", Want::Any).unwrap();
    let exact = resolution.selector().to_string();
    assert!(exact.starts_with("pos=2//pos=1//pos=0,digest=sha256:"), "{exact}");
    assert_eq!(find(&exact, Want::Any).unwrap(), resolution);
    let stored = serde_json::to_string(&resolution).unwrap();
    assert_eq!(serde_json::from_str::<Resolution>(&stored).unwrap(), resolution);
    assert!(serde_json::from_str::<Resolution>("[]").is_err());
}

#[test]
fn digests_may_be_cut_short() {
    let digest = find("v2", Want::Any).unwrap().target().digest.to_string();
    assert_eq!(way(&format!("digest={digest}"), Want::Any), [1]);
    assert_eq!(way(&format!("digest={}", &digest[..16]), Want::Any), [1]);
    assert_eq!(way(&format!("digest={}", &digest[7..16]), Want::Any), [1]);
}

#[test]
fn the_same_object_at_several_places_is_one() {
    // amd64 is in v1, in deep, and has a tag of its own.
    let digest = find("again", Want::Any).unwrap().target().digest.clone();
    let (store, root) = store();
    let selector = format!("digest={digest}").parse().unwrap();
    let found = store.resolve_in(&root, &selector, Want::Any).unwrap();
    assert_eq!((found.hops().len(), found.describe(&store).places), (2, 3));
    // What the entry does not name, the config does.
    let found = store.resolve_in(&root, &"v2".parse().unwrap(), Want::Any).unwrap();
    assert_eq!(found.describe(&store).platform, Some("linux/amd64".parse().unwrap()));
}

#[test]
fn candidates_have_the_shortest_unique_selectors() {
    let error = find("v1", Want::Image).unwrap_err();
    let ResolveError::Ambiguous { candidates } = &error else { panic!("{error}") };
    let shown: Vec<String> = candidates.iter().map(|candidate| candidate.selector.to_string()).collect();
    assert_eq!(shown, ["v1//platform=linux/amd64", "platform=linux/arm64/v8"]);
    let text = error.to_string();
    assert!(text.contains("#platform=linux/arm64/v8  manifest  linux/arm64/v8  sha256:"), "{text}");
    for candidate in candidates {
        let again = find(&candidate.selector.to_string(), Want::Image).unwrap();
        assert_eq!(again.target().digest, candidate.descriptor.digest);
    }
}

#[test]
fn a_message_lists_some_of_many_objects() {
    let store = Repository::in_memory().unwrap();
    let entries: Vec<_> = (0..30).map(|salt| image(&store, "linux/amd64", salt)).collect();
    let error = store.resolve_in(&root(&store, &entries), &"type=manifest".parse().unwrap(), Want::Any);
    let text = error.unwrap_err().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (22, "ambiguous: 30 objects match; one of these means one alone:"));
    assert_eq!(lines[21], "  and 10 more");
}

#[test]
fn every_object_has_a_unique_selector() {
    let (store, root) = store();
    let places = super::Places::walk(&store, &root).unwrap();
    for place in places.ids() {
        let selector = super::shortest(&places, place, Want::Any);
        let found = store.resolve_in(&root, &selector, Want::Any).unwrap();
        assert_eq!(found.target().digest, places.get(place).descriptor.digest, "{selector}");
    }
    assert_eq!(places.ids().len(), 5 + 3 + 2 + 3 + 1);
}

#[test]
fn not_found_names_the_step_and_the_alternatives() {
    assert_eq!(
        message("v3", Want::Any),
        "nothing matches \"v3\" of #v3; there is #v1, #v2, #deep, #sparse, #again"
    );
    assert_eq!(
        message("v1//platform=windows/amd64", Want::Any),
        "nothing matches \"platform=windows/amd64\" of #v1//platform=windows/amd64; \
         there is platform=linux/amd64, platform=linux/arm64/v8, platform=unknown/unknown"
    );
    assert_eq!(
        message("v2//type=manifest", Want::Any),
        "nothing matches \"type=manifest\" of #v2//type=manifest\n\
         hint: `//` means below; the object itself is #tag=v2,type=manifest"
    );
    assert_eq!(
        message("sparse", Want::Image),
        format!(
            "nothing matches an image at or below #sparse; there is index {} (not in the store)",
            find("sparse", Want::Any).unwrap().target().digest
        )
    );
    assert_eq!(way("sparse", Want::Any), [3]);
    // Of the clauses of a step, the first that fails is named.
    assert_eq!(
        message("v1//type=manifest,platform=linux/arm64,type=index", Want::Any),
        "nothing matches \"type=index\" of #v1//type=manifest,platform=linux/arm64,type=index; there is type=manifest"
    );
}

#[test]
fn without_a_selector_there_must_be_one_image_or_a_latest() {
    assert!(message("", Want::Any).contains("there is #v1, #v2, #deep, #sparse, #again"));
    let one = Repository::in_memory().unwrap();
    let first = image(&one, "linux/amd64", 1);
    let only = root(&one, std::slice::from_ref(&first));
    assert_eq!(
        one.resolve_in(&only, &Selector::default(), Want::Image).unwrap().target().digest,
        first.digest
    );
    let other = image(&one, "linux/amd64", 2);
    let two = root(&one, &[tagged(other.clone(), "latest")]);
    assert_eq!(
        one.resolve_in(&two, &Selector::default(), Want::Image).unwrap().target().digest,
        other.digest
    );
    let many = Repository::in_memory().unwrap();
    let named = [tagged(first.clone(), "v1"), first.clone(), tagged(other, "no name"), tagged(first, "v1")];
    let error = many.resolve_in(&root(&many, &named), &Selector::default(), Want::Any).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a selector, since no image is tagged latest: there is #v1, #pos=1, #tag=no%20name"
    );
    let empty = Repository::in_memory().unwrap();
    assert!(empty.resolve_in(&root(&empty, &[]), &Selector::default(), Want::Any).is_err());
}

#[test]
fn os_versions_distinguish_images() {
    let store = Repository::in_memory().unwrap();
    let entry = |platform: &str, salt| with_platform(image(&store, "windows/amd64", salt), platform);
    let mut odd = entry("linux/amd64", 3);
    odd.platform.as_mut().unwrap().os = "li/nux".into();
    let root = root(&store, &[entry("windows(10.0.1)/amd64", 1), entry("windows(10.0.2)/amd64", 2), odd]);
    let find = |selector: &str| store.resolve_in(&root, &selector.parse().unwrap(), Want::Image);
    let ResolveError::Ambiguous { candidates } = find("type=manifest").unwrap_err() else { panic!() };
    let shown: Vec<String> = candidates.iter().map(|candidate| candidate.selector.to_string()).collect();
    // The last is for a platform that no selector can name.
    let [_, _, last] = &shown[..] else { panic!("{shown:?}") };
    assert!(last.starts_with("digest=sha256:"), "{last}");
    for (position, selector) in shown.iter().enumerate() {
        assert_eq!(find(selector).unwrap().hops()[0].position, position, "{selector}");
    }
    assert_eq!(find("platform=windows%2810.0.2%29/amd64").unwrap().hops()[0].position, 1);
    assert_eq!(
        find("platform=windows%2810.0.3%29/amd64").unwrap_err().to_string(),
        "nothing matches \"platform=windows%2810.0.3%29/amd64\" of #platform=windows%2810.0.3%29/amd64; \
         there is platform=windows%2810.0.1%29/amd64, platform=windows%2810.0.2%29/amd64, platform=li/nux/amd64"
    );
}

#[test]
fn depth_and_number_are_limited() {
    let (store, root) = store();
    let selector = "deep//platform=linux/riscv64".parse().unwrap();
    let tight = Limits { depth: 1, ..Limits::default() };
    let error = store.with_limits(tight).resolve_in(&root, &selector, Want::Any).unwrap_err();
    assert!(error.to_string().ends_with("more than the limit of 1 (depth)"), "{error}");
    let tight = Limits { descriptors: 5, ..Limits::default() };
    let error = store.with_limits(tight).list_in(&root, None).unwrap_err();
    assert_eq!(error.to_string(), "descriptors in the store: more than the limit of 5 (descriptors)");
}

/// Returns tag, kind and platform of each place.
fn shape(entries: &[ListEntry]) -> Vec<String> {
    entries
        .iter()
        .flat_map(|entry| {
            let tag = entry.tag.as_deref().unwrap_or("-");
            let platform = entry.platform.as_ref().map_or("-".into(), ToString::to_string);
            [vec![format!("{tag} {} {platform}", entry.kind)], shape(&entry.entries)].concat()
        })
        .collect()
}

#[test]
fn a_listing_shows_every_place() {
    let (store, root) = store();
    let listing = store.list_in(&root, None).unwrap();
    let shape = shape(&listing.entries);
    assert_eq!(
        shape[..7],
        [
            "v1 index -",
            "- manifest linux/amd64",
            "- manifest linux/arm64/v8",
            "- manifest unknown/unknown",
            "v2 manifest linux/amd64",
            "deep index -",
            "- index -",
        ]
    );
    assert!(listing.entries.iter().any(|entry| entry.problem.is_some()));
    let json: serde_json::Value = serde_json::to_value(&listing).unwrap();
    assert_eq!(json["entries"][2]["entries"][1]["entries"][0]["platform"]["architecture"], "riscv64");
}

#[test]
fn an_exact_path_selects_one_place_among_similar_ones() {
    let store = Repository::in_memory().unwrap();
    let outer = index(&store, &[image(&store, "linux/amd64", 1)]);
    // The same object again, at positions that end with the same two.
    let root = root(&store, &[outer.clone(), index(&store, &[outer])]);
    for selector in ["pos=0//pos=0", "pos=1//pos=0//pos=0"] {
        let found = store.resolve_in(&root, &selector.parse().unwrap(), Want::Image).unwrap();
        let exact = found.selector();
        let again = store.resolve_in(&root, &exact, Want::Any).unwrap();
        assert_eq!((again.describe(&store).places, again.selector()), (1, exact));
    }
}

#[test]
fn a_position_counts_in_the_index_the_step_before_found() {
    assert_eq!(
        message("deep//pos=2", Want::Any),
        "nothing matches \"pos=2\" of #deep//pos=2; there is pos=0, pos=1"
    );
    assert_eq!(way("deep//pos=0//pos=2", Want::Any), [2, 0, 2]);
}

#[test]
fn attestations_and_artifacts_are_not_images() {
    let store = Repository::in_memory().unwrap();
    let only = image(&store, "linux/amd64", 1);
    let proof = with_platform(image(&store, "linux/amd64", 2), "unknown/unknown");
    let signature = artifact(&store);
    let both = index(&store, &[proof, signature.clone(), only.clone()]);
    let root = root(&store, &[tagged(both, "v1")]);
    assert_eq!(
        store.resolve_in(&root, &Selector::default(), Want::Image).unwrap().target().digest,
        only.digest
    );
    let named = format!("digest={}", signature.digest).parse().unwrap();
    assert!(store.resolve_in(&root, &named, Want::Any).is_ok());
    assert!(store.resolve_in(&root, &named, Want::Image).is_err());
}

#[test]
fn a_damaged_index_fails_only_where_it_is_needed() {
    use std::io::Write as _;

    use super::super::testing::{image, index};
    use crate::{
        error::ErrorKind,
        spec::{MediaType, media_type::INDEX},
        store::{BlobWriter, Repository},
    };
    let store = Repository::in_memory().unwrap();
    let mut writer = BlobWriter::new(store.store(), MediaType::literal(INDEX)).unwrap();
    writer.write_all(b"no index").unwrap();
    let damaged = writer.finish().unwrap();
    let good = image(&store, "linux/amd64", 1);
    let both = index(&store, &[damaged.clone(), good.clone()]);
    let root =
        root(&store, &[tagged(damaged, "damaged"), tagged(both, "both"), tagged(good.clone(), "good")]);
    let find = |selector: &str| store.resolve_in(&root, &selector.parse().unwrap(), Want::Image);

    for selector in ["good", "both", "platform=linux/amd64", "type=manifest"] {
        assert_eq!(find(selector).unwrap().target().digest, good.digest, "{selector}");
    }
    for selector in ["damaged", "damaged//platform=linux/amd64", "both//platform=linux/arm64"] {
        let ResolveError::Other(error) = find(selector).unwrap_err() else { panic!("{selector}") };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{selector}");
    }
    assert!(matches!(find("missing").unwrap_err(), ResolveError::NotFound { .. }));
    let listing = serde_json::to_value(store.list_in(&root, None).unwrap()).unwrap();
    assert!(listing["entries"][0]["problem"].as_str().unwrap().starts_with("index sha256:"), "{listing}");
    assert_eq!(listing["entries"][1]["entries"][1]["kind"], "manifest");
}

#[test]
fn a_step_that_fits_the_object_above_is_named() {
    for (selector, instead) in [
        ("v2//platform=linux/amd64", Some("tag=v2,platform=linux/amd64")),
        ("v1//type=index", Some("tag=v1,type=index")),
        ("deep//type=index//type=index", None),
        ("deep//pos=2", None),
        ("v2//platform=linux/arm64", None),
        ("v1//platform=linux/riscv64", None),
    ] {
        let ResolveError::NotFound { instead: found, .. } = find(selector, Want::Any).unwrap_err() else {
            panic!("{selector}")
        };
        assert_eq!(found.map(|found| found.to_string()).as_deref(), instead, "{selector}");
        instead.map(|instead| find(instead, Want::Any).unwrap());
    }
}

#[test]
fn images_that_are_there_come_before_those_that_are_not() {
    use crate::{
        digest::Algorithm,
        hash::digest_of,
        spec::{Descriptor, MediaType, media_type::MANIFEST},
    };
    let store = Repository::in_memory().unwrap();
    let absent = |platform: &str| {
        let digest = digest_of(Algorithm::Sha256, platform.as_bytes());
        with_platform(Descriptor::new(MediaType::literal(MANIFEST), digest, 9), platform)
    };
    let there = with_platform(image(&store, "linux/arm64", 1), "linux/arm64");
    let sparse = index(&store, &[absent("linux/amd64"), there.clone(), absent("linux/s390x")]);
    let none = index(&store, &[absent("linux/amd64"), absent("linux/s390x")]);
    let root = root(&store, &[tagged(sparse, "sparse"), tagged(none, "none")]);
    let find = |selector: &str, want| store.resolve_in(&root, &selector.parse().unwrap(), want);
    assert_eq!(find("sparse", Want::Image).unwrap().target().digest, there.digest);
    assert_eq!(find("sparse//platform=linux/amd64", Want::Image).unwrap().hops()[1].position, 0);
    // Where anything may be meant, or none of them is there, all are listed.
    for (selector, want, marked) in [
        ("sparse//type=manifest", Want::Any, [true, false, true].as_slice()),
        ("none", Want::Image, &[true; 2]),
    ] {
        let error = find(selector, want).unwrap_err().to_string();
        let lines: Vec<bool> =
            error.lines().skip(1).map(|line| line.ends_with("  (not in the store)")).collect();
        assert_eq!(lines, marked, "{error}");
    }
}

#[test]
fn a_malformed_entry_hides_no_other() {
    use crate::{
        error::ErrorKind,
        spec::{Index, Raw},
    };
    let store = Repository::in_memory().unwrap();
    let good = image(&store, "linux/amd64", 1);
    let text = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{0}","digest":"sha256:../x","size":1,
        "annotations":{{"org.opencontainers.image.ref.name":"bad"}}}}, 7, {1}]}}"#,
        good.media_type,
        serde_json::to_string(&tagged(good.clone(), "good")).unwrap()
    );
    let root = Raw::<Index>::parse("index.json", text.into_bytes(), None).unwrap();
    let find = |selector: &str, want| store.resolve_in(&root, &selector.parse().unwrap(), want);
    assert_eq!(find("good", Want::Image).unwrap().target().digest, good.digest);
    assert_eq!(find("bad", Want::Any).unwrap().hops()[0].position, 0);
    let listing = store.list_in(&root, None).unwrap();
    let kinds: Vec<_> = listing.entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["malformed", "malformed", "manifest"]);
    let problem = |entry: usize| listing.entries[entry].problem.as_deref().unwrap();
    assert!(
        problem(0).contains("entry 0 is malformed: ") && problem(0).contains("sha256:../x"),
        "{}",
        problem(0)
    );
    assert!(problem(1).starts_with("entry 1 is malformed: invalid type"), "{}", problem(1));
    // Its content cannot be read, and it cannot be written again.
    let entry = root.view().manifests[0].clone();
    assert_eq!(store.blob(&entry).err().map(|error| error.kind()), Some(ErrorKind::Corrupt));
    assert!(Raw::new(Index::new(vec![entry])).is_err());
    // Edits keep its text.
    let pushed = root.push(&good).unwrap();
    assert!(pushed.bytes().starts_with(&root.bytes()[..root.bytes().len() - 3]));
    assert_eq!(root.remove(1).unwrap().remove(0).unwrap().view().manifests, [tagged(good, "good")]);
}
