//! Mounts for the volumes of an image.

use super::*;
use crate::{fs::AttrChange, layer::on_disk::IdMap};

/// Returns an image config with these volumes.
fn image_of(paths: &[&str]) -> ImageConfig {
    let volumes: Vec<String> = paths.iter().map(|path| format!("{path:?}:{{}}")).collect();
    image(&format!(r#""Volumes":{{{}}}"#, volumes.join(",")))
}

/// Returns the mounts after the default ones, as destination and options after the usual ones, and the
/// volumes that are not mounted.
fn mounts(config: &ImageConfig, volumes: &Volumes, how: &OnDisk) -> (Vec<(String, String)>, Vec<String>) {
    let options = RuntimeOptions::default().on_disk(how.clone());
    let made = runtime_config(config, &Users::default(), volumes, &options).unwrap();
    let spec: Value = serde_json::from_slice(&made.text).unwrap();
    let volumes = spec["mounts"].as_array().unwrap().iter().filter(|mount| {
        mount["type"] == "tmpfs" && !["/dev", "/dev/shm"].map(Value::from).contains(&mount["destination"])
    });
    let usual = ["rw", "nosuid", "nodev", "relatime"];
    let shown = volumes.map(|mount| {
        let options = mount["options"].as_array().unwrap();
        assert_eq!((&options[..4], &mount["source"]), (&usual.map(Value::from)[..], &json!("tmpfs")));
        let more: Vec<_> = options[4..].iter().map(|option| option.as_str().unwrap()).collect();
        (mount["destination"].as_str().unwrap().to_owned(), more.join(","))
    });
    (shown.collect(), made.unmounted.iter().map(ToString::to_string).collect())
}

/// Returns a root with `/data` of user 1000, which is empty, `/full` with a file in it, and links to them.
fn root_with_volumes() -> MemDir {
    let root = root_with(&[("full/file", "x")]);
    for (name, owner, mode) in [("data", (1000, 1001), 0o1777), ("full", (0, 7), 0o750)] {
        let name = Name::new(name.as_bytes()).unwrap();
        let _ = root.create_dir(name); // one is there
        root.set_attrs(name, &AttrChange::default().owner(owner.0, owner.1).mode(mode)).unwrap();
    }
    root.symlink(Name::literal("link"), b"/data").unwrap();
    root.symlink(Name::literal("dangling"), b"nowhere").unwrap();
    root
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(path, options)| ((*path).to_owned(), (*options).to_owned())).collect()
}

#[test]
fn they_have_owner_mode_and_content_of_the_directory() {
    let config = image_of(&["/data", "/full", "/link", "/dangling", "/missing"]);
    let expected = pairs(&[
        ("/dangling", "uid=0,gid=0,mode=0755"),
        ("/data", "uid=1000,gid=1001,mode=1777"),
        ("/full", "tmpcopyup,uid=0,gid=7,mode=0750"),
        ("/link", "uid=1000,gid=1001,mode=1777"),
        ("/missing", "uid=0,gid=0,mode=0755"),
    ]);
    let root = root_with_volumes();
    let how = OnDisk::default();
    assert_eq!(mounts(&config, &volumes(&config, &root).unwrap(), &how), (expected.clone(), vec![]));
    // The tree of an unpack says the same.
    let tree = crate::tree::scan::scan(&root, &Limits::default()).unwrap();
    let in_tree = Volumes::in_tree(&config, &tree, &how, &Limits::default()).unwrap();
    assert_eq!(mounts(&config, &in_tree, &how), (expected, vec![]));
}

#[test]
fn paths_are_cleaned_and_parents_come_first() {
    let config = image_of(&["/data/sub/", "//data", "/data/", "/full/../data", "data", "b/./c"]);
    let expected = pairs(&[("/b/c", "tmpcopyup"), ("/data", "tmpcopyup"), ("/data/sub", "tmpcopyup")]);
    let unknown = Volumes::unknown(&config).unwrap();
    assert_eq!(mounts(&config, &unknown, &OnDisk::default()), (expected, vec![]));
}

#[test]
fn nothing_is_mounted_on_a_file_or_the_root() {
    let config = image_of(&["/full/file", "/", "/a/..", "/full"]);
    let volumes = volumes(&config, &root_with_volumes()).unwrap();
    let (mounted, unmounted) = mounts(&config, &volumes, &OnDisk::default());
    assert_eq!(mounted, pairs(&[("/full", "tmpcopyup,uid=0,gid=7,mode=0750")]));
    assert_eq!(unmounted, ["", "full/file"]);
}

#[test]
fn owners_are_those_of_the_container() {
    let config = image_of(&["/data"]);
    let root = root_with_volumes();
    let map = |range: &str| IdMap(vec![range.parse().unwrap()]);
    let how = OnDisk { uids: map("5:1000:10"), gids: map("6:1001:10"), ..OnDisk::default() };
    let read = Volumes::read(&config, &root, &how, &Limits::default()).unwrap();
    assert_eq!(mounts(&config, &read, &how).0, pairs(&[("/data", "uid=5,gid=6,mode=1777")]));
    // An ordinary user has one id: the owner that is recorded does not exist in the container.
    root.set_attrs(
        Name::literal("data"),
        &AttrChange::default().owner(77, 77).xattrs(&crate::attrs::Xattrs::from([(
            b"user.rootlesscontainers"[..].into(),
            b"\x08\xe8\x07\x10\xe9\x07"[..].into(),
        )])),
    )
    .unwrap();
    let how = OnDisk::rootless(77, 77);
    let read = Volumes::read(&config, &root, &how, &Limits::default()).unwrap();
    assert_eq!(mounts(&config, &read, &how).0, pairs(&[("/data", "mode=1777")]));
}
