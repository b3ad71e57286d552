#![allow(clippy::unwrap_used, reason = "tests may")]

use super::*;

fn conf(texts: &[&str]) -> Result<RegistriesConf> {
    let dir = std::env::temp_dir().join(format!("ocicle-conf-{}-{:p}", std::process::id(), texts));
    fs::create_dir_all(dir.join("containers/registries.conf.d")).unwrap();
    fs::write(dir.join("containers/registries.conf"), texts[0]).unwrap();
    for (at, text) in texts.iter().enumerate().skip(1) {
        fs::write(dir.join(format!("containers/registries.conf.d/{at}.conf")), text).unwrap();
    }
    fs::write(dir.join("containers/registries.conf.d/not-one"), "=").unwrap();
    let conf = RegistriesConf::read(&Environment::of(&[], &dir));
    fs::remove_dir_all(dir).unwrap();
    conf
}

fn place(conf: &RegistriesConf, name: &str) -> String {
    conf.lookup(name).map_or_else(|error| error.to_string(), |found| found.name)
}

#[test]
fn the_longest_prefix_wins() {
    let conf = conf(&[r#"
        unqualified-search-registries = ["docker.io"]
        short-name-mode = "enforcing"
        [[registry]]
        location = "a.com"
        insecure = true
        [[registry]]
        prefix = "a.com/team"
        location = "b.com/x"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "m.com:5000/y/"
        insecure = true
        pull-from-mirror = "all"
        [[registry.mirror]]
        location = "n.com"
        [[registry]]
        prefix = "a.com/team/blocked"
        blocked = true
        [[registry]]
        prefix = "*.w.com"
        location = "w.net"
        [[registry]]
        prefix = "special.w.com"
        location = "s.net"
        [[registry]]
        prefix = "*.deep.w.com"
        insecure = true
        "#])
    .unwrap();
    for (name, found) in [
        ("a.com/x", "a.com/x"),
        ("a.com:5000/x", "a.com:5000/x"),
        ("a.community/x", "a.community/x"),
        ("a.com/team/x", "b.com/x/x"),
        ("a.com/team", "b.com/x"),
        ("a.com/teams", "a.com/teams"),
        ("x.w.com/a", "w.net/a"),
        ("x.y.w.com/a", "w.net/a"),
        ("x.w.com:5000/a", "w.net:5000/a"),
        ("w.com/a", "w.com/a"),
        (".w.com/a", ".w.com/a"),
        ("special.w.com/a", "s.net/a"),
        ("x.deep.w.com/a", "x.deep.w.com/a"),
        ("a.com/team/blocked/x", "a.com/team/blocked/x: registries.conf blocks a.com/team/blocked"),
    ] {
        assert_eq!(place(&conf, name), found, "{name}");
    }
    assert_eq!(conf.lookup("a.com/x").unwrap().security, Security::Insecure);
    assert_eq!(conf.lookup("other.com/x").unwrap().security, Security::Required);
    let mirrors = conf.lookup("a.com/team/x").unwrap().mirrors;
    let mirrors: Vec<_> = mirrors.iter().map(|at| (at.name.as_str(), at.security, at.pull)).collect();
    // `mirror-by-digest-only` is about all of them.
    let expected = [
        ("m.com:5000/y/x", Security::Insecure, Pull::Digests),
        ("n.com/x", Security::Required, Pull::Digests),
    ];
    assert_eq!(mirrors, expected);
}

#[test]
fn later_files_replace_entries() {
    let conf = conf(&[
        "[[registry]]\nlocation = 'a.com'\nblocked = true",
        "[[registry]]\nlocation = 'a.com'\n[[registry]]\nprefix = 'b.com'\nlocation = 'c.com'",
        "[[registry]]\nprefix = 'b.com'\nlocation = 'd.com'",
    ])
    .unwrap();
    assert_eq!(place(&conf, "a.com/x"), "a.com/x");
    assert_eq!(place(&conf, "b.com/x"), "d.com/x");
}

#[test]
fn malformed_files_are_named() {
    for (text, reason) in [
        ("[[registry", "registries.conf"),
        ("[[registry]]\ninsecure = true", "neither `prefix` nor `location`"),
        ("[[registry]]\nlocation = 1", "registries.conf"),
        ("[[registry]]\nlocation = 'a.com'\n[[registry.mirror]]\n", "a mirror has no `location`"),
    ] {
        let error = conf(&[text]).unwrap_err().to_string();
        assert!(error.contains("registries.conf: ") && error.contains(reason), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    assert!(conf(&[""]).unwrap().entries.is_empty());
}
