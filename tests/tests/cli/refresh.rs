//! A bundle that records the image it was repacked into.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{fs, io::Write as _};

use ocicle::{
    Repository, Selector,
    bundle::{Bundle, Format, RepackOptions, UnpackOptions, unpack},
    fs::{Dir as _, DirWrite as _, mem::MemDir},
    graph::{Resolution, resolve::Want, rewrite::Destination},
    image::{Image, edit::blank},
    limits::Limits,
    name::Name,
    store::memory::MemoryStore,
};
use ocicle_tests::{
    failing_dir::{Fail, FailingDir},
    fixtures::{ODD, copy_of},
    ocicle::{at, command, layers, ocicle, text},
    rootfs::assert_same,
    temp::TempDir,
    tools::{have, root, run},
};

/// Everything that can change: content, attributes, types, names, links; with names that come back as
/// something else.
const CHANGES: [&str; 5] = [
    "echo new >new && mkdir -p dir/sub && echo a >dir/sub/a && ln dir/sub/a dir/b && rm replaced",
    "rm new && mkdir new && echo x >new/x && chmod 700 dir && echo more >>dir/b",
    "rm -r new && ln -s dir new && rm dir/b && setfattr -n user.x -v y dir/sub/a && chown 3:4 .",
    "mv dir other && rm new && mkfifo new && touch -d @1 other/sub",
    "rm -r other && ln hard-a fourth && echo z >etc/z",
];

#[test]
fn the_next_repack_starts_from_the_new_image() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() || !have(&["mtree", "getfattr", "setfattr"]) {
        return;
    }
    for rest in [&[][..], &["--verify"]] {
        let temp = TempDir::new().unwrap();
        let layout = copy_of(&fixture, temp.path());
        let bundle = temp.path().join("bundle");
        ocicle(["unpack", &at(&layout, "odd"), text(&bundle)]);
        let before = layers(&at(&layout, "odd")).len();
        let repack = |more: &[&str]| {
            let args = ["repack", "--refresh-bundle", text(&bundle), text(&layout)];
            ocicle(args.iter().chain(rest).chain(more))
        };
        for (number, change) in CHANGES.into_iter().enumerate() {
            run("sh", ["-ec", &format!("cd \"$1\" && {change}"), "sh", text(&bundle.join("rootfs"))]);
            let digest = repack(&[]);
            assert_eq!(layers(&at(&layout, "odd")).len(), before + number + 1, "{change}");
            assert_eq!(repack(&[]), digest, "nothing has changed since: {change}");
            assert_eq!(ocicle(["repack", "-n", "--verify", text(&bundle), text(&layout)]), "", "{change}");
            let manifest = bundle.join("rootfs.mtree");
            assert_eq!(
                ocicle(["mtree", "check", text(&manifest), text(&bundle.join("rootfs"))]),
                "",
                "{change}"
            );
        }
        let again = temp.path().join("again");
        ocicle(["unpack", &at(&layout, "odd"), text(&again)]);
        assert_same(&again.join("rootfs"), &bundle.join("rootfs"));
        let names: Vec<_> = fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 5, "{names:?}");
        assert!(ocicle(["check", text(&layout)]).ends_with("nothing wrong\n"));
    }
}

#[test]
fn masked_paths_and_clamped_times_are_not_part_of_the_image() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let bundle = temp.path().join("bundle");
    ocicle(["unpack", &at(&layout, "odd"), text(&bundle)]);
    fs::write(bundle.join("rootfs/etc/masked"), "masked").unwrap();
    fs::write(bundle.join("rootfs/etc/late"), "late").unwrap();
    let args =
        ["repack", "--refresh-bundle", "--mask-path", "/etc/masked", text(&bundle), &at(&layout, "new")];
    assert!(command().env("SOURCE_DATE_EPOCH", "1000000000").args(args).output().unwrap().status.success());
    assert!(
        ocicle(["mtree", &at(&layout, "new")])
            .contains("late type=file mode=0644 uid=0 gid=0 nlink=1 size=4")
    );
    // The time in the layer differs from the one on disk, and nothing has changed all the same.
    assert_eq!(ocicle(["repack", "-n", "--verify", text(&bundle), text(&layout)]), "put /etc/masked\n");
    // The tag is the one that was made, not the one the bundle came from.
    ocicle(["repack", text(&bundle), text(&layout)]);
    assert!(ocicle(["mtree", &at(&layout, "new")]).contains("masked type=file"));
    assert!(!ocicle(["mtree", &at(&layout, "odd")]).contains("masked"));
}

#[test]
fn bundles_of_umoci_keep_their_format() {
    let Some(fixture) = ODD.layout() else { return };
    if !root() || !have(&["umoci", "mtree", "getfattr"]) {
        return;
    }
    let temp = TempDir::new().unwrap();
    let layout = copy_of(&fixture, temp.path());
    let bundle = temp.path().join("bundle");
    let image = format!("{}:odd", layout.display());
    run("umoci", ["unpack", "--image", &image, text(&bundle)]);
    let before = layers(&at(&layout, "odd")).len();
    let change = |name: &str| {
        fs::write(bundle.join("rootfs/etc").join(name), name).unwrap();
        let (file, etc) = (bundle.join("rootfs/etc").join(name), bundle.join("rootfs/etc"));
        run("touch", ["-d", "@1700000000", text(&file), text(&etc)]);
    };
    for name in ["one", "two"] {
        change(name);
        ocicle(["repack", "--refresh-bundle", text(&bundle), text(&layout)]);
        assert_eq!(ocicle(["repack", "-n", text(&bundle), text(&layout)]), "");
    }
    assert_eq!(layers(&at(&layout, "odd")).len(), before + 2);
    // umoci continues from there.
    change("three");
    run("umoci", ["repack", "--refresh-bundle", "--image", &image, text(&bundle)]);
    assert_eq!(layers(&at(&layout, "odd")).len(), before + 3);
    let manifest = ocicle(["mtree", &at(&layout, "odd")]);
    assert!(
        ["one", "two", "three"].iter().all(|name| manifest.contains(&format!("{name} type=file"))),
        "{manifest}"
    );
    let mut names: Vec<_> = fs::read_dir(&bundle).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!((names.len(), names[0].to_str()), (4, Some("config.json")), "{names:?}");
}

fn image(store: &Repository<MemoryStore>) -> (Image, Resolution) {
    let blank = blank(store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    store.tag(&blank, &"t".parse().unwrap()).unwrap();
    let image = Image::open(store, &blank).unwrap();
    (image, store.resolve(&Selector::default(), Want::Image).unwrap())
}

/// Whether the process ends or one call fails: the bundle records the old image or the new one, and fits it.
#[test]
fn an_interruption_leaves_the_old_or_the_new() {
    let limits = Limits::default();
    for format in [Format::Native, Format::Umoci] {
        for fail in [Fail::Only, Fail::From] {
            let (mut old, mut new) = (0, 0);
            for call in 0.. {
                let store = Repository::in_memory().unwrap();
                let (image, at) = image(&store);
                let bundle = MemDir::new();
                let options = UnpackOptions::default().format(format);
                unpack(&store, &image, &at, &bundle, &options).unwrap();
                let rootfs = bundle.open_dir(Name::literal("rootfs")).unwrap();
                rootfs.create_file(Name::literal("f")).unwrap().write_all(b"content").unwrap();

                let failing = FailingDir::new(bundle.clone(), fail(call));
                let options = RepackOptions::default().refresh(true);
                let result = Bundle::open(&failing, &limits).and_then(|opened| {
                    opened.repack(&store, &image, &at, &Destination::in_place(), &options)
                });
                if !failing.failed() {
                    assert!(result.unwrap().not_refreshed.is_none());
                    assert!(old > 10 && new > 1, "{old} old, {new} new");
                    break;
                }
                let opened = Bundle::open(&bundle, &limits)
                    .unwrap_or_else(|error| panic!("{format:?}, call {call}: {error}"));
                let is_new = opened.image().digest != image.descriptor.digest;
                if let Ok(done) = &result {
                    assert_eq!(done.not_refreshed.is_none(), is_new, "{format:?}, call {call}: {result:?}");
                }
                let at = store.resolve(&Selector::default(), Want::Image).unwrap();
                let image = Image::open(&store, at.target()).unwrap();
                let again = opened.repack(&store, &image, &at, &Destination::in_place(), &options).unwrap();
                assert_eq!(again.layer.is_none(), is_new, "{format:?}, call {call}");
                assert!(again.not_refreshed.is_none(), "{format:?}, call {call}: {again:?}");
                let names: Vec<_> = bundle.names().unwrap();
                assert!(!names.iter().any(|name| name.as_name().as_bytes()[0] == b'.'), "{names:?}");
                *(if is_new { &mut new } else { &mut old }) += 1;
            }
        }
    }
}
