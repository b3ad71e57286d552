#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{fs, path::Path};

use super::*;

/// A directory for one test, removed on drop.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ocicle-credentials-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn write(&self, path: &str, content: &str) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn password(user: &str, password: &str) -> Option<Secret> {
    Some(Secret::Password { user: user.into(), password: password.into() })
}

fn find(file: &Path, host: &str, repository: &str) -> Result<Option<Secret>> {
    let environment = Environment::of(&[("REGISTRY_AUTH_FILE", file.to_str().unwrap())], Path::new("/"));
    FileCredentials::with(&environment).find(host, repository)
}

#[test]
fn entries() {
    let dir = Dir::new("entries");
    // YTpi: a:b, YTpiOmM6: a:b:c:, dTo=: u:
    let file = dir.write(
        "auth.json",
        r#"{"other": 1, "auths": {
            "plain.com": {"auth": "YTpi", "email": "x"},
            "colons.com": {"auth": "YTpiOmM6"},
            "nul.com": {"auth": "YTpiAAA="},
            "fields.com": {"username": "u", "password": "p"},
            "identity.com": {"auth": "dTo=", "identitytoken": "t"},
            "bearer.com": {"registrytoken": "t"},
            "empty.com": {}, "null.com": null, "blank.com": {"auth": ""},
            "parts.com": {"auth": "YTpi"},
            "parts.com/one": {"username": "one", "password": "1"},
            "parts.com/one/two": {"username": "two", "password": "2"},
            "only.com/one": {"auth": "YTpi"},
            "https://urls.com/v1/": {"auth": "YTpi"},
            "http://plain-url.com": {"auth": "YTpi"},
            "https://port.com:5000/v2/": {"auth": "YTpi"},
            "https://index.docker.io/v1/": {"username": "hub", "password": "h"},
            "bad.com": {"auth": "*"}, "no-colon.com": {"auth": "YQ=="}
        }}"#,
    );
    for (host, repository, secret) in [
        ("plain.com", "", password("a", "b")),
        ("plain.com", "x/y", password("a", "b")),
        ("plain.com:5000", "", None),
        ("sub.plain.com", "", None),
        ("colons.com", "", password("a", "b:c:")),
        ("nul.com", "", password("a", "b")),
        ("fields.com", "", password("u", "p")),
        ("identity.com", "", Some(Secret::Identity("t".into()))),
        ("bearer.com", "", Some(Secret::Bearer("t".into()))),
        ("empty.com", "", None),
        ("null.com", "", None),
        ("blank.com", "", None),
        ("parts.com", "", password("a", "b")),
        ("parts.com", "other", password("a", "b")),
        ("parts.com", "onex", password("a", "b")),
        ("parts.com", "one", password("one", "1")),
        ("parts.com", "one/x/y", password("one", "1")),
        ("parts.com", "one/two/three", password("two", "2")),
        ("only.com", "one/a", password("a", "b")),
        ("only.com", "two", None),
        ("only.com", "", None),
        ("urls.com", "a", password("a", "b")),
        ("plain-url.com", "a", password("a", "b")),
        ("port.com:5000", "a", password("a", "b")),
        ("port.com", "a", None),
        ("docker.io", "library/debian", password("hub", "h")),
    ] {
        assert!(find(&file, host, repository).unwrap() == secret, "{host} {repository}");
    }
    for host in ["bad.com", "no-colon.com"] {
        let error = find(&file, host, "").unwrap_err().to_string();
        assert!(error.contains("auth.json: ") && error.contains(host), "{error}");
    }
}

#[test]
fn the_first_file_with_an_entry_wins() {
    let dir = Dir::new("order");
    let entry = |host: &str, user: &str| {
        format!(r#"{{"auths": {{"{host}": {{"username": "{user}", "password": "p"}}}}}}"#)
    };
    dir.write("run/containers/auth.json", &entry("a.com", "run"));
    dir.write("home/.config/containers/auth.json", &entry("b.com", "config"));
    dir.write("home/.docker/config.json", &entry("c.com", "docker"));
    dir.write("docker/config.json", &entry("c.com", "other"));
    let at = |path: &str| dir.0.join(path).to_str().unwrap().to_owned();
    let (run, home, docker) = (at("run"), at("home"), at("docker"));
    let mut variables = vec![("HOME", home.as_str()), ("XDG_RUNTIME_DIR", &run)];
    let user = |variables: &[(&str, &str)], host: &str| {
        let found =
            FileCredentials::with(&Environment::of(variables, Path::new("/"))).find(host, "").unwrap();
        found.map(|secret| match secret {
            Secret::Password { user, .. } => user,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(user(&variables, "a.com").as_deref(), Some("run"));
    assert_eq!(user(&variables, "b.com").as_deref(), Some("config"));
    assert_eq!(user(&variables, "c.com").as_deref(), Some("docker"));
    assert_eq!(user(&variables, "d.com"), None);
    variables.push(("DOCKER_CONFIG", &docker));
    assert_eq!(user(&variables, "c.com").as_deref(), Some("other"));
    let missing = at("missing.json");
    variables.push(("REGISTRY_AUTH_FILE", &missing));
    assert_eq!(user(&variables, "a.com"), None);
    dir.write("home/.config/containers/auth.json", &entry("a.com", "config"));
    variables.pop();
    assert_eq!(user(&variables, "a.com").as_deref(), Some("run"));
}

#[test]
fn files_that_cannot_be_read_are_errors_without_secrets() {
    let dir = Dir::new("malformed");
    for content in [
        r#"{"auths": {"a.com": "geheim"}}"#,
        r#"{"auths": {"a.com": {"auth": geheim}}}"#,
        r#"{"auths": "geheim""#,
        r#"{"auths": {"a.com": {"identitytoken": ["geheim"]}}}"#,
        r#"{"credHelpers": {"a.com": "../geheim/../../bin/sh"}}"#,
        r#"{"credsStore": "a b"}"#,
    ] {
        let file = dir.write("bad.json", content);
        let error = find(&file, "a.com", "").unwrap_err().to_string();
        assert!(error.contains("bad.json: "), "{error}");
        assert!(!error.contains("geheim") || content.contains("credHelpers"), "{error}");
    }
    let file = dir.write("large.json", &" ".repeat((1 << 20) + 1));
    assert!(find(&file, "a.com", "").unwrap_err().to_string().contains("more than 1048576 bytes"));
    for content in ["", "\n", "{}", r#"{"auths": null}"#] {
        assert!(find(&dir.write("none.json", content), "a.com", "").unwrap().is_none(), "{content:?}");
    }
    assert!(find(&dir.0, "a.com", "").is_err(), "a directory");
}
