#![allow(clippy::unwrap_used, reason = "tests may")]

use std::thread;

use super::*;

/// A directory for one test, removed on drop.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ocicle-login-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn login(user: &str) -> Login {
    Login { user: user.into(), password: "p:w".into() }
}

#[test]
fn everything_else_in_the_file_is_kept() {
    let dir = Dir::new("kept");
    let path = dir.0.join("auth.json");
    let old = "{\n\t\"z\": 1.0,\n\t\"auths\": {\n\t\t\"b.com\": {\"auth\": \"eA==\", \"email\": \"x\"}\n\t},\n\t\"a\": []\n}\n";
    fs::write(&path, old).unwrap();
    store(&path, "a.com/team", &login("ann")).unwrap();
    let new = fs::read_to_string(&path).unwrap();
    assert_eq!(
        new,
        "{\n\t\"z\": 1.0,\n\t\"auths\": {\n\t\t\"b.com\": {\"auth\": \"eA==\", \"email\": \"x\"},\n\t\t\
         \"a.com/team\": {\"auth\":\"YW5uOnA6dw==\"}\n\t},\n\t\"a\": []\n}\n"
    );
    assert!(forget(&path, "a.com/team").unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), old);
    assert!(!forget(&path, "a.com/team").unwrap());
    assert!(!forget(&path, "a.com").unwrap());
    forget_all(&path).unwrap();
    assert!(!fs::read_to_string(&path).unwrap().contains("b.com"));
}

#[test]
fn logout_removes_every_spelling_of_a_host() {
    let dir = Dir::new("spellings");
    let path = dir.0.join("config.json");
    store(&path, HUB, &login("ann")).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(HUB_SERVER));
    store(&path, "a.com", &login("ann")).unwrap();
    store(&path, "a.com/team", &login("ann")).unwrap();
    assert!(forget(&path, HUB).unwrap());
    assert!(forget(&path, "a.com").unwrap());
    let left = AuthFile::read(&path).unwrap().unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), ["a.com/team"]);
}

#[test]
fn parallel_logins_lose_nothing() {
    let dir = Dir::new("parallel");
    let path = dir.0.join("containers/auth.json");
    thread::scope(|scope| {
        for number in 0..16 {
            let path = &path;
            scope.spawn(move || store(path, &format!("r{number}.com"), &login("ann")).unwrap());
        }
    });
    assert_eq!(AuthFile::read(&path).unwrap().unwrap().keys().count(), 16);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn links_are_followed() {
    let dir = Dir::new("links");
    fs::create_dir(dir.0.join("real")).unwrap();
    link(&dir.0.join("real/file.json"), &dir.0.join("auth.json"));
    store(&dir.0.join("auth.json"), "a.com", &login("ann")).unwrap();
    assert!(dir.0.join("auth.json").is_symlink());
    assert!(dir.0.join("real/file.json").is_file());
}

fn link(target: &Path, at: &Path) {
    rustix::fs::symlink(target, at).unwrap();
}

#[test]
fn hosts() {
    for (given, key) in [
        ("a.com", Some("a.com")),
        ("https://a.com/", Some("a.com")),
        ("a.com:5000/b/c", Some("a.com:5000/b/c")),
        ("index.docker.io", Some(HUB)),
        ("https://index.docker.io/v1/", Some(HUB)),
        ("[::1]:5000", Some("[::1]:5000")),
        ("", None),
        ("a b", None),
        ("user@a.com", None),
        ("a.com?x", None),
        ("a.com:x", None),
        ("a.com\n", None),
    ] {
        assert_eq!(checked(given).ok().as_deref(), key, "{given:?}");
    }
}
