//! Files that commands write: whole or not at all, whatever else is in the directory.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
};

use ocicle_tests::{
    ocicle::{at, command, ocicle, text},
    temp::{TempDir, names},
};

/// The number of times that a race is tried.
const ROUNDS: usize = 20;

/// Returns a layout with two images, `a` and `b`, of which `b` is larger.
fn images() -> (TempDir, PathBuf) {
    let temp = TempDir::new().unwrap();
    let layout = temp.path().join("images");
    ocicle(["init", text(&layout)]);
    ocicle(["new", &at(&layout, "t"), "--platform", "linux/amd64"]);
    for (tag, size) in [("a", 400_000), ("b", 900_000)] {
        let file = temp.path().join("file");
        fs::write(&file, tag.repeat(size)).unwrap();
        ocicle(["insert", &at(&layout, "t"), text(&file), "/file", "--tag", tag]);
        fs::remove_file(file).unwrap();
    }
    (temp, layout)
}

#[test]
fn concurrent_exports_to_one_file_leave_one_of_them() {
    let (temp, layout) = images();
    let dir = temp.path().join("out");
    fs::create_dir(&dir).unwrap();
    let file = dir.join("file.tar");
    let whole = ["a", "b"].map(|tag| command().args(["export", &at(&layout, tag)]).output().unwrap().stdout);
    for round in 0..ROUNDS {
        let start = |tag| command().args(["export", &at(&layout, tag), text(&file)]).spawn().unwrap();
        for mut running in ["a", "b", "a", "b"].map(start) {
            assert!(running.wait().unwrap().success());
        }
        assert!(whole.contains(&fs::read(&file).unwrap()), "round {round}");
        assert_eq!(names(&dir), ["file.tar"], "round {round}");
    }
}

#[test]
fn links_are_followed_to_the_file_and_nowhere_else() {
    let (temp, layout) = images();
    let dir = temp.path().join("out");
    fs::create_dir(&dir).unwrap();
    let (precious, file) = (dir.join("precious"), dir.join("file.tar"));
    fs::write(&precious, "precious").unwrap();
    // The temporary names of earlier versions.
    for name in ["file.tar.ocicle-new", ".ocicle-0", ".ocicle-new"] {
        symlink("precious", dir.join(name)).unwrap();
    }
    fs::write(dir.join("real"), "old").unwrap();
    fs::set_permissions(dir.join("real"), Permissions::from_mode(0o600)).unwrap();
    symlink("real", &file).unwrap();
    ocicle(["export", &at(&layout, "a"), "-o", text(&file)]);
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    assert_eq!(fs::read_link(&file).unwrap(), PathBuf::from("real"));
    assert!(fs::metadata(&file).unwrap().len() > 400_000);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // A link to a name that does not exist yet.
    symlink("later", dir.join("dangling")).unwrap();
    ocicle(["export", &at(&layout, "a"), text(&dir.join("dangling"))]);
    assert!(fs::symlink_metadata(dir.join("later")).unwrap().is_file());
}

#[test]
fn files_of_interrupted_writers_are_removed_and_others_kept() {
    let (temp, layout) = images();
    let dir = temp.path().join("out");
    fs::create_dir(&dir).unwrap();
    let (dead, alive) = (dir.join(".ocicle-new-0123456789abcdef"), dir.join(".ocicle-new-fedcba9876543210"));
    fs::write(&dead, "half").unwrap();
    let lock = File::create(&alive).unwrap();
    lock.lock().unwrap();
    fs::write(dir.join(".ocicle-new-mine"), "mine").unwrap();
    ocicle(["export", &at(&layout, "a"), text(&dir.join("file.tar"))]);
    assert_eq!(names(&dir), [".ocicle-new-fedcba9876543210", ".ocicle-new-mine", "file.tar"]);
}
