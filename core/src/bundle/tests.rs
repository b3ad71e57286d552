#![allow(clippy::unwrap_used, reason = "tests may")]

mod mount_points;
mod system_xattrs;

use std::io::{Read as _, Write as _};

use super::{
    files::{MTREE, ROOTFS, STAMPS, STATE},
    unpack::STAGING,
    *,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fs::{Dir, DirWrite as _, FileType, mem::MemDir},
    graph::{Resolution, rewrite::Destination},
    image::{
        Image,
        testing::{find, image, overwrite, tag},
    },
    layer::Change,
    limits::Limits,
    name::Name,
    spec::{Compression, History},
    store::{Repository, RootIndex as _, memory::MemoryStore},
    tree::testing::{Record, dir, file, link, path, remove, symlink},
};

/// Stores an image of two layers, tagged `t`.
fn store() -> (Repository<MemoryStore>, Image, Resolution) {
    let store = Repository::in_memory().unwrap();
    let base = [dir("etc"), file("etc/hosts", "here"), file("gone", "x"), symlink("l", "etc/hosts")];
    let top = [remove("gone"), file("big", &"b".repeat(5000)), link("same", "big")];
    let image = image(&store, &[&base, &top]);
    let at = tag(&store, "t", &image.descriptor);
    (store, image, at)
}

fn unpacked(store: &Repository<MemoryStore>, image: &Image, at: &Resolution) -> MemDir {
    let bundle = MemDir::new();
    unpack(store, image, at, &bundle, &UnpackOptions::default()).unwrap();
    bundle
}

/// Lists everything in a directory: path, type and content, a line each.
fn listing(dir: &MemDir) -> Vec<String> {
    let mut lines = Vec::new();
    for name in dir.names().unwrap() {
        let name = name.as_name();
        match dir.metadata(name).unwrap().file_type {
            FileType::Dir => {
                lines.push(format!("{name}/"));
                let below = listing(&dir.open_dir(name).unwrap());
                lines.extend(below.into_iter().map(|line| format!("{name}/{line}")));
            }
            FileType::Symlink => lines.push(format!("{name} -> {:?}", dir.read_link(name).unwrap())),
            _ => lines.push(format!("{name} {}", read(dir, name))),
        }
    }
    lines
}

fn read(dir: &MemDir, name: Name<'_>) -> String {
    let mut text = String::new();
    dir.open_file(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn write(dir: &MemDir, name: &'static str, content: &str) {
    let name = Name::literal(name);
    let _ = dir.remove_file(name);
    dir.create_file(name).unwrap().write_all(content.as_bytes()).unwrap();
}

fn rootfs(bundle: &MemDir) -> MemDir {
    bundle.open_dir(Name::literal(ROOTFS)).unwrap()
}

fn repack(
    bundle: &MemDir,
    store: &Repository<MemoryStore>,
    at: &Resolution,
    to: &Destination,
) -> Result<Repacked> {
    let limits = Limits::default();
    let image = Image::open(store, at.target())?;
    Bundle::open(bundle, &limits)?.repack(store, &image, at, to, &RepackOptions::default())
}

#[test]
fn an_image_becomes_a_bundle() {
    let (store, image, at) = store();
    let bundle = unpacked(&store, &image, &at);
    let names: Vec<String> = bundle.names().unwrap().iter().map(|name| name.as_name().to_string()).collect();
    assert_eq!(names, ["config.json", "ocicle.json", "rootfs", "rootfs.mtree", "rootfs.stamps"]);
    let big = "b".repeat(5000);
    assert_eq!(
        listing(&rootfs(&bundle)),
        [
            format!("big {big}"),
            "etc/".into(),
            "etc/hosts here".into(),
            format!("l -> {:?}", b"etc/hosts"),
            format!("same {big}")
        ]
    );
    let limits = Limits::default();
    assert_eq!(Bundle::open(&bundle, &limits).unwrap().resolution(&store).unwrap(), at);
}

#[test]
fn an_untouched_bundle_makes_no_layer() {
    let (store, image, at) = store();
    let bundle = unpacked(&store, &image, &at);
    let before = store.store().load().unwrap();
    let repacked = repack(&bundle, &store, &at, &Destination::in_place()).unwrap();
    assert_eq!((repacked.layer, repacked.summary.changes), (None, 0));
    assert_eq!(repacked.resolution.target().digest, image.descriptor.digest);
    assert_eq!(store.store().load().unwrap().bytes(), before.bytes());

    let to = Destination::tag("other".parse().unwrap());
    repack(&bundle, &store, &at, &to).unwrap();
    assert_eq!(find(&store, "other").target().digest, image.descriptor.digest);
    assert_eq!(find(&store, "t").target().digest, image.descriptor.digest);
    // Even if every file is read.
    let mut record = Record::default();
    let options = CompareOptions::default().verify(true);
    Bundle::open(&bundle, &Limits::default()).unwrap().changes(&options, &mut record).unwrap();
    assert_eq!(record.0.len(), 0);
}

#[test]
fn a_changed_bundle_makes_one_layer_with_the_changes() {
    let (store, image, at) = store();
    let bundle = unpacked(&store, &image, &at);
    let root = rootfs(&bundle);
    write(&root.open_dir(Name::literal("etc")).unwrap(), "hosts", "elsewhere");
    root.remove_file(Name::literal("l")).unwrap();
    write(&root, "new", "new");
    let limits = Limits::default();
    let opened = Bundle::open(&bundle, &limits).unwrap();
    let history = Some(History { created: Some("2021-01-01T00:00:00Z".into()), ..History::default() });
    let options = RepackOptions::default().compression(Compression::Zstd).history(history);
    let repacked = opened.repack(&store, &image, &at, &Destination::in_place(), &options).unwrap();

    let now = Image::open(&store, find(&store, "t").target()).unwrap();
    assert_eq!(now.descriptor.digest, repacked.resolution.target().digest);
    let layers = &now.manifest.view().layers;
    assert_eq!((layers.len(), &layers[..2]), (3, &image.manifest.view().layers[..]));
    assert_eq!(layers[2].digest, repacked.layer.unwrap().descriptor.digest);
    assert_eq!(layers[2].media_type.as_str(), "application/vnd.oci.image.layer.v1.tar+zstd");
    assert_eq!(now.config.view().created.as_deref(), Some("2021-01-01T00:00:00Z"));

    let mut record = Record::default();
    opened.changes(&CompareOptions::default(), &mut record).unwrap();
    let sent: Vec<_> = record
        .0
        .iter()
        .map(|item| match &item.0 {
            Change::Put(entry) => format!("+{} {}", entry.path, String::from_utf8_lossy(&item.1)),
            other => format!("{other:?}"),
        })
        .collect();
    let gone = format!("{:?}", Change::Remove(path("l")));
    // The new time of the root is sent, too.
    assert_eq!(sent, ["+ ", gone.as_str(), "+etc ", "+etc/hosts elsewhere", "+new new"]);

    let again = unpacked(&store, &now, &find(&store, "t"));
    assert_eq!(listing(&rootfs(&again)), listing(&root));
}

#[test]
fn a_failing_layer_leaves_the_bundle_unchanged() {
    let (store, image, at) = store();
    let bundle = MemDir::new();
    write(&bundle, "notes", "mine");
    let before = listing(&bundle);
    // The second layer: by then the first is on disk.
    overwrite(&store, &image.manifest.view().layers[1].digest, b"corrupt");
    let error = unpack(&store, &image, &at, &bundle, &UnpackOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(listing(&bundle), before);
}

#[test]
fn other_files_are_kept() {
    let (store, image, at) = store();
    let bundle = MemDir::new();
    write(&bundle, "notes", "mine");
    unpack(&store, &image, &at, &bundle, &UnpackOptions::default()).unwrap();
    assert_eq!(read(&bundle, Name::literal("notes")), "mine");
    assert_eq!(bundle.names().unwrap().len(), 6);
}

#[test]
fn existing_files_are_left_alone() {
    let (store, image, at) = store();
    let message = |name| format!("{name} already exists\nhint: remove it, or unpack into another directory");
    for name in [ROOTFS, "config.json", MTREE, STAMPS, STATE] {
        let bundle = MemDir::new();
        bundle.create_dir(Name::literal(name)).unwrap();
        write(&bundle.open_dir(Name::literal(name)).unwrap(), "precious", "1");
        let error = unpack(&store, &image, &at, &bundle, &UnpackOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Exists, message(name)));
        assert_eq!(listing(&bundle), [format!("{name}/"), format!("{name}/precious 1")]);
    }
}

#[test]
fn two_processes_do_not_unpack_into_one_bundle() {
    let (store, image, at) = store();
    let bundle = MemDir::new();
    bundle.create_dir(Name::literal(STAGING)).unwrap();
    let other = bundle.open_dir(Name::literal(STAGING)).unwrap();
    write(&other, "file", "in the making");
    let lock = other.lock().unwrap();
    let error = unpack(&store, &image, &at, &bundle, &UnpackOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    assert_eq!(listing(&bundle), [format!("{STAGING}/"), format!("{STAGING}/file in the making")]);
    // Its lock ends with a process.
    drop(lock);
    unpack(&store, &image, &at, &bundle, &UnpackOptions::default()).unwrap();
    assert!(bundle.metadata(Name::literal(STAGING)).is_err());
}

#[test]
fn images_that_cannot_run_are_refused_before_writing() {
    let (store, mut image, at) = store();
    let mut config = image.config.view().clone();
    config.os = "windows".into();
    image.config = crate::spec::Raw::new(config).unwrap();
    let bundle = MemDir::new();
    let error = unpack(&store, &image, &at, &bundle, &UnpackOptions::default()).unwrap_err();
    assert_eq!((error.kind(), listing(&bundle).len()), (ErrorKind::Unsupported, 0));
}

fn open_error(bundle: &MemDir) -> Error {
    Bundle::open(bundle, &Limits::default()).unwrap_err()
}

#[test]
fn a_manifest_that_was_changed_is_refused() {
    let (store, image, at) = store();
    let bundle = unpacked(&store, &image, &at);
    let text = read(&bundle, Name::literal(MTREE));
    let changed = text.replacen("mode=0755", "mode=0750", 1);
    assert_ne!(text, changed);
    write(&bundle, MTREE, &changed);
    let error = open_error(&bundle);
    assert!(matches!(&error, Error::Mismatch { subject, .. } if subject == MTREE), "{error}");
}

#[test]
fn stamps_of_another_tree_are_refused() {
    let (store, image, at) = store();
    let bundle = unpacked(&store, &image, &at);
    let text = read(&bundle, Name::literal(STAMPS));
    let (first, rest) = text.split_once('\n').unwrap();
    let extra = format!("{text}{first}\n");
    let fields = format!("{first} 1\n{rest}");
    for wrong in [rest, &extra, &fields, &text.replacen(first, "x 0 0", 1), ""] {
        write(&bundle, STAMPS, wrong);
        let error = open_error(&bundle);
        assert_eq!(error.to_string(), "rootfs.stamps: does not belong to rootfs.mtree", "{wrong}");
    }
    write(&bundle, STAMPS, &text);
    Bundle::open(&bundle, &Limits::default()).unwrap();
}

#[test]
fn another_directory_is_not_opened() {
    let (store, image, at) = store();
    for name in [STATE, MTREE, STAMPS] {
        let bundle = unpacked(&store, &image, &at);
        bundle.remove_file(Name::literal(name)).unwrap();
        let expected = format!("{name} not found: not a bundle that ocicle or umoci unpacked");
        assert_eq!(open_error(&bundle).to_string(), expected);
    }
    let bundle = unpacked(&store, &image, &at);
    let state = read(&bundle, Name::literal(STATE));
    write(&bundle, STATE, &state.replacen("\"schemaVersion\": 1", "\"schemaVersion\": 2", 1));
    assert!(open_error(&bundle).to_string().contains("schemaVersion 2 is not 1"));
    write(&bundle, STATE, "{}");
    assert_eq!(open_error(&bundle).kind(), ErrorKind::Corrupt);
}

#[test]
fn a_repack_in_place_of_a_changed_tag_conflicts() {
    let (store, image, at) = store();
    let bundle = unpacked(&store, &image, &at);
    let first = unpacked(&store, &image, &at);
    write(&rootfs(&first), "new", "first");
    repack(&first, &store, &at, &Destination::in_place()).unwrap();
    write(&rootfs(&bundle), "new", "second");
    let before = store.store().load().unwrap();
    let error = repack(&bundle, &store, &at, &Destination::in_place()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(store.store().load().unwrap().bytes(), before.bytes());
}

#[test]
fn an_image_that_is_not_at_the_place_is_refused() {
    let (store, first, at) = store();
    let other = image(&store, &[&[file("a", "1")]]);
    let bundle = MemDir::new();
    let limits = Limits::default();
    let error = unpack(&store, &other, &at, &bundle, &UnpackOptions::default()).unwrap_err();
    assert_eq!((error.kind(), listing(&bundle).len()), (ErrorKind::Misuse, 0), "{error}");
    unpack(&store, &first, &at, &bundle, &UnpackOptions::default()).unwrap();
    let opened = Bundle::open(&bundle, &limits).unwrap();
    let to = Destination::in_place();
    let error = opened.repack(&store, &other, &at, &to, &RepackOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
}

#[test]
fn modules_use_only_those_before() {
    let sources = [
        ("files", include_str!("files.rs")),
        ("options", include_str!("options.rs")),
        ("replace", include_str!("replace.rs")),
        ("runtime", concat!(include_str!("runtime.rs"), include_str!("runtime/users.rs"))),
        ("record", include_str!("record.rs")),
        ("layers", include_str!("layers.rs")),
        ("format", include_str!("format.rs")),
        ("format", include_str!("format/native.rs")),
        ("format", include_str!("format/overlayfs.rs")),
        ("format", include_str!("format/rootfs.rs")),
        ("format", include_str!("format/umoci.rs")),
        ("extract", include_str!("extract.rs")),
        ("unpack", include_str!("unpack.rs")),
        ("open", include_str!("open.rs")),
        ("restore", include_str!("restore.rs")),
        ("refresh", include_str!("refresh.rs")),
        ("repack", include_str!("repack.rs")),
    ];
    for (at, (module, source)) in sources.iter().enumerate() {
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = code.flat_map(|line| [line, "\n"]).collect();
        for later in sources[at..].iter().map(|(name, _)| name).filter(|name| *name != module) {
            for form in ["super::", "bundle::"] {
                for (start, _) in code.match_indices(form) {
                    let used = code[start + form.len()..].split(';').next().unwrap_or_default();
                    let mut words = used.split(|c: char| !c.is_alphanumeric() && c != '_');
                    let names_it = match used.starts_with('{') {
                        true => words.any(|word| word == *later),
                        false => words.next() == Some(*later),
                    };
                    assert!(!names_it, "{module} uses {later}, which comes after it");
                }
            }
        }
    }
}
