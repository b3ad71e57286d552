//! An unpack that fails at any call leaves the bundle as it was, or whole.

use ocicle::{
    Repository, Selector,
    attrs::Attrs,
    bundle::{Bundle, CompareOptions, Format, UnpackOptions, unpack},
    fs::{Dir, DirWrite as _, mem::MemDir},
    graph::{Resolution, resolve::Want},
    image::{
        Image,
        edit::{append_layer, blank},
    },
    layer::{Change, ChangeSink as _, Entry, EntryKind, overlayfs::Namespace, writer::LayerWriter},
    limits::Limits,
    name::{EntryPath, Name},
    spec::{Compression, History},
    store::memory::MemoryStore,
};
use ocicle_tests::failing_dir::{Fail, FailingDir};

fn store() -> (Repository<MemoryStore>, Image, Resolution) {
    let (store, limits) = (Repository::in_memory().unwrap(), Limits::default());
    let blank = blank(&store, &"linux/amd64".parse().unwrap(), "2020-01-01T00:00:00Z").unwrap();
    let mut writer = LayerWriter::new(&store, Compression::None).unwrap();
    for (path, kind) in [
        ("d", EntryKind::Dir),
        ("d/f", EntryKind::File { size: 100 }),
        ("h", EntryKind::HardLink { to: EntryPath::clean(b"d/f", &limits).unwrap() }),
        ("l", EntryKind::Symlink { target: b"d/f"[..].into() }),
        ("p", EntryKind::Fifo),
    ] {
        let content = vec![b'x'; if matches!(kind, EntryKind::File { .. }) { 100 } else { 0 }];
        let attrs = Attrs { mode: 0o755, ..Attrs::default() };
        let path = EntryPath::clean(path.as_bytes(), &limits).unwrap();
        writer.put(&Change::Put(Entry { path, attrs, kind }), &mut &content[..]).unwrap();
    }
    let layer = writer.finish().unwrap();
    let image = Image::open(&store, &blank).unwrap();
    let image = append_layer(&store, &image, &layer, Some(&History::default())).unwrap();
    store.tag(&image.descriptor, &"t".parse().unwrap()).unwrap();
    let at = store.resolve(&Selector::default(), Want::Image).unwrap();
    (store, image, at)
}

fn names(dir: &MemDir) -> Vec<String> {
    dir.names().unwrap().iter().map(|name| name.as_name().to_string()).collect()
}

const FORMATS: [Format; 2] = [Format::Native, Format::Overlayfs(Namespace::Trusted)];

#[test]
fn a_failure_at_any_call_leaves_the_old_or_a_complete_bundle() {
    let native = ["config.json", "mine", "ocicle.json", "rootfs", "rootfs.mtree", "rootfs.stamps"];
    let overlay = ["config.json", "layers", "mine", "ocicle.json", "rootfs", "rootfs.mtree", "upper", "work"];
    for (format, whole) in FORMATS.into_iter().zip([&native[..], &overlay]) {
        fail_at_any_call(format, whole);
    }
}

fn fail_at_any_call(format: Format, whole: &[&str]) {
    let (store, image, at) = store();
    let limits = Limits::default();
    let options = UnpackOptions::default().format(format);
    for call in 0.. {
        let bundle = MemDir::new();
        bundle.create_file(Name::literal("mine")).unwrap();
        let failing = FailingDir::new(bundle.clone(), Fail::Only(call));
        let result = unpack(&store, &image, &at, &failing, &options);
        let found = names(&bundle);
        if !failing.failed() {
            assert!(result.is_ok());
            assert_eq!(found, whole);
            assert!(call > 50, "it makes more calls");
            return;
        }
        match result {
            Ok(_) => assert_eq!(found, whole, "call {call}"),
            Err(error) => {
                let left: Vec<_> = found.iter().filter(|name| *name != ".ocicle-unpack").collect();
                let clean = left == ["mine"] && found.len() == 1;
                // Where the last step is what failed, the bundle is there, and so is what could not be
                // removed.
                let last = left == whole && error.to_string().contains("remove .ocicle-unpack");
                assert!(clean || last, "call {call}: {error}: {found:?}");
                if last {
                    Bundle::open(&bundle, &limits).unwrap();
                }
            }
        }
    }
}

/// After a crash, an incomplete bundle must not be taken for a bundle, and must not be in the way of another
/// unpack.
#[test]
fn a_crash_at_any_call_leaves_no_partial_bundle() {
    FORMATS.into_iter().for_each(crash_at_any_call);
}

fn crash_at_any_call(format: Format) {
    let (store, image, at) = store();
    let limits = Limits::default();
    let options = UnpackOptions::default().format(format);
    for call in 0.. {
        let bundle = MemDir::new();
        let failing = FailingDir::new(bundle.clone(), Fail::From(call));
        let result = unpack(&store, &image, &at, &failing, &options);
        if !failing.failed() {
            return;
        }
        assert!(result.is_err(), "call {call}");
        // The state is moved last.
        let complete = bundle.metadata(Name::literal("ocicle.json")).is_ok();
        let again = unpack(&store, &image, &at, &bundle, &options);
        assert_eq!(again.is_err(), complete, "call {call}: {again:?}");
        assert!(!names(&bundle).contains(&".ocicle-unpack".into()), "call {call}");
        let opened = Bundle::open(&bundle, &limits).unwrap();
        let mut nothing = Nothing(0);
        opened.changes(&CompareOptions::default().verify(true), &mut nothing).unwrap();
        assert_eq!(nothing.0, 0, "call {call}");
    }
}

struct Nothing(usize);

impl ocicle::layer::ChangeSink for Nothing {
    fn put(&mut self, _: &Change, _: &mut dyn std::io::Read) -> ocicle::Result<()> {
        self.0 += 1;
        Ok(())
    }
}
