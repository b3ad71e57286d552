//! Entries that a runtime makes in a bundle to mount something over them.

use super::*;
use crate::layer::on_disk::OnDisk;

/// Returns a bundle of an ordinary user, whose `config.json` mounts `/proc`, `/dev` and others, the host's
/// `/etc/resolv.conf`, and a volume behind a link.
fn bundle(items: &[crate::tree::testing::Item], format: Format) -> MemDir {
    let store = Repository::in_memory().unwrap();
    let image = image(&store, &[items]);
    let at = tag(&store, "t", &image.descriptor);
    let bundle = MemDir::new();
    let extract = ExtractOptions::default().on_disk(OnDisk::rootless(0, 0));
    let options = UnpackOptions::default().format(format).extract(extract).resolv_conf(true);
    unpack(&store, &image, &at, &bundle, &options).unwrap();
    bundle
}

fn changes(bundle: &MemDir) -> Vec<String> {
    let mut record = Record::default();
    let options = CompareOptions::default().verify(true);
    Bundle::open(bundle, &Limits::default()).unwrap().changes(&options, &mut record).unwrap();
    let shown = record.0.iter().map(|item| match &item.0 {
        Change::Put(entry) => format!("+{}", entry.path),
        other => format!("{other:?}"),
    });
    shown.collect()
}

fn make_dir(dir: &MemDir, name: &'static str) -> MemDir {
    dir.create_dir(Name::literal(name)).unwrap();
    dir.open_dir(Name::literal(name)).unwrap()
}

#[test]
fn empty_ones_that_the_image_does_not_have_are_left_out() {
    for format in [Format::Native, Format::Umoci] {
        let bundle = bundle(&[dir("etc"), file("etc/hosts", "x")], format);
        let root = rootfs(&bundle);
        for name in ["proc", "sys"] {
            make_dir(&root, name);
        }
        make_dir(&make_dir(&root, "dev"), "shm");
        write(&root.open_dir(Name::literal("etc")).unwrap(), "resolv.conf", "");
        assert_eq!(changes(&bundle), [""; 0], "{format:?}");
    }
}

#[test]
fn directories_made_for_them_are_left_out() {
    let bundle = bundle(&[file("f", "x")], Format::Native);
    write(&make_dir(&rootfs(&bundle), "etc"), "resolv.conf", "");
    assert_eq!(changes(&bundle), [""; 0]);
}

#[test]
fn what_has_content_and_its_neighbours_are_sent() {
    let bundle = bundle(&[dir("etc"), dir("sys")], Format::Native);
    let root = rootfs(&bundle);
    let etc = root.open_dir(Name::literal("etc")).unwrap();
    write(&etc, "resolv.conf", "nameserver ::1\n");
    write(&make_dir(&root, "proc"), "mine", "x");
    make_dir(&root, "new");
    root.remove_dir(Name::literal("sys")).unwrap();
    let gone = format!("{:?}", Change::Remove(path("sys")));
    assert_eq!(changes(&bundle), ["+", &*gone, "+etc", "+etc/resolv.conf", "+new", "+proc", "+proc/mine"]);
}

#[test]
fn beside_a_new_file_the_mount_point_alone_is_left_out() {
    let bundle = bundle(&[file("f", "x")], Format::Native);
    let etc = make_dir(&rootfs(&bundle), "etc");
    write(&etc, "resolv.conf", "");
    write(&etc, "motd", "hello");
    assert_eq!(changes(&bundle), ["+", "+etc", "+etc/motd"]);
}

#[test]
fn links_of_the_image_are_followed() {
    let bundle = bundle(&[dir("run"), dir("run/etc"), symlink("etc", "run/etc")], Format::Native);
    let run = rootfs(&bundle).open_dir(Name::literal("run")).unwrap();
    write(&run.open_dir(Name::literal("etc")).unwrap(), "resolv.conf", "");
    assert_eq!(changes(&bundle), [""; 0]);
}

#[test]
fn a_config_that_cannot_be_read_masks_nothing() {
    let bundle = bundle(&[file("f", "x")], Format::Native);
    bundle.remove_file(Name::literal("config.json")).unwrap();
    write(&bundle, "config.json", "{");
    make_dir(&rootfs(&bundle), "proc");
    assert_eq!(changes(&bundle), ["+", "+proc"]);
}
