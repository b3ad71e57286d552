//! Passwords, certificates, and other names of registries.

use std::fs;

use ocicle_tests::{
    ocicle::text,
    registry::{Protection, Registry},
};

#[test]
fn a_password_is_asked_for_verified_and_forgotten() {
    let Some(registry) = Registry::start(Protection::Password) else { return };
    let layout = registry.layout();
    let (source, target) = (format!("{}#v1", text(&layout)), registry.at("team/app:v1"));
    let refused = registry.fails(1, ["copy", &source, &target]);
    assert!(refused.contains("(status 401)"), "{refused}");
    assert!(refused.contains("ocicle login"), "{refused}");
    let wrong = registry.log_in(&registry.host(), "falsch");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    assert!(!registry.path("auth.json").exists());
    let right = registry.log_in(&registry.host(), "geheim");
    assert!(right.status.success(), "{right:?}");
    registry.run(["copy", &source, &target]);
    registry.run(["resolve", &target]);
    registry.run(["logout", &registry.host()]);
    assert!(registry.fails(1, ["resolve", &target]).contains("(status 401)"));
}

#[test]
fn a_certificate_must_be_trusted() {
    let Some(registry) = Registry::start(Protection::Certificate) else { return };
    let layout = registry.layout();
    let (source, target) = (format!("{}#v1", text(&layout)), registry.at("app:v1"));
    let refused = registry.fails(1, ["copy", &source, &target]);
    assert!(refused.contains("unknown authority\nhint: put the certificate"), "{refused}");
    registry.run(["--tls-verify=false", "copy", &source, &target]);
    let trusted = registry.path(&format!(".config/containers/certs.d/{}", registry.host()));
    fs::create_dir_all(&trusted).unwrap();
    fs::copy(registry.path("ca.crt"), trusted.join("ca.crt")).unwrap();
    registry.run(["resolve", &target]);
}

#[test]
fn registries_conf_says_where_an_image_is() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.layout();
    registry.run(["copy", &format!("{}#v1", text(&layout)), &registry.at("mirror/app:v1")]);
    let conf = registry.path("registries.conf");
    let host = registry.host();
    fs::write(
        &conf,
        format!(
            "[[registry]]\nprefix = \"example.com/team\"\nlocation = \"{host}/mirror\"\n\
             [[registry]]\nprefix = \"blocked.example\"\nblocked = true\n"
        ),
    )
    .unwrap();
    let with_conf = |args: &[&str]| {
        registry.command().env("CONTAINERS_REGISTRIES_CONF", &conf).args(args).output().unwrap()
    };
    let there = with_conf(&["resolve", "docker://example.com/team/app:v1"]);
    assert!(there.status.success(), "{there:?}");
    let blocked = with_conf(&["stat", "docker://blocked.example/app:v1"]);
    assert!(String::from_utf8(blocked.stderr).unwrap().contains("registries.conf blocks"));
}

#[test]
fn mirrors_are_read_and_never_written() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let v1 = format!("{}#v1", text(&registry.layout()));
    registry.run(["copy", &v1, &registry.at("mirror/app:v1")]);
    registry.run(["copy", &v1, &registry.at("main/app:v2")]);
    let (conf, host) = (registry.path("registries.conf"), registry.host());
    let run = |mirror: &str, args: &[&str]| {
        let mirrors =
            format!("[[registry.mirror]]\nlocation = \"localhost:1/gone\"\n[[registry.mirror]]\n{mirror}");
        let text = format!("[[registry]]\nprefix = \"example.com\"\nlocation = \"{host}/main\"\n{mirrors}");
        fs::write(&conf, text).unwrap();
        let output = registry.command().env("CONTAINERS_REGISTRIES_CONF", &conf).args(args).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let all = format!("location = \"{host}/mirror\"");
    let digests = format!("{all}\npull-from-mirror = \"digest-only\"");
    let digest = registry.digest(&v1);
    let (v1, v2) = ("docker://example.com/app:v1", "docker://example.com/app:v2");
    let by_digest = format!("docker://example.com/app@{digest}//platform=linux/amd64");
    for (mirror, reference, code) in
        [(&all, v1, 0), (&all, v2, 0), (&digests, v1, 3), (&digests, v2, 0), (&digests, &by_digest, 0)]
    {
        let (found, said) = run(mirror, &["resolve", reference]);
        assert_eq!(found, Some(code), "{mirror} {reference}: {said}");
    }
    let layer = run(&all, &["stat", "--json", &format!("{v1}//platform=linux/amd64")]);
    assert_eq!(layer.0, Some(0), "{}", layer.1);
    // The main registry has no such tag to edit, and a copy to it makes one.
    assert_eq!(run(&all, &["annotate", v1, "a=b"]).0, Some(3));
    let there = registry.at("mirror/app:v1");
    let (code, said) = run(&all, &["copy", "--no-clobber", &there, v1]);
    assert!(code == Some(0) && !said.contains("skipping"), "{said}");
    assert_eq!(registry.digest(&registry.at("main/app:v1")), digest);
    let (code, said) = run(&all, &["annotate", v1, "a=b"]);
    assert_eq!(code, Some(0), "{said}");
    assert_ne!(registry.digest(&registry.at("main/app:v1")), digest);
    assert_eq!(registry.digest(&there), digest);

    // A mirror that has a part does not hide the rest, and what it dropped is read from the registry.
    let (code, said) = run(&all, &["ls", "docker://example.com/app"]);
    assert!(code == Some(0) && said.contains("v2"), "{said}");
    // Edits and copies to a registry take nothing from a mirror, which is behind by now.
    let main = registry.digest(&registry.at("main/app:v1"));
    let (code, said) = run(&all, &["copy", v1, "docker://example.com/app:v9"]);
    assert!(code == Some(0) && said.contains(&main), "{said}");
    let (code, said) = run(&all, &["tag", "--only", v1, "v10", "--dry-run"]);
    assert_eq!((code, said.contains(&main)), (Some(0), true), "{said}");
    registry.run(["copy", &there, &registry.at("mirror/app:only")]);
    assert_eq!(run(&all, &["resolve", "docker://example.com/app:only"]).0, Some(0));
    assert_eq!(run(&all, &["rm", "docker://example.com/app:only"]).0, Some(3), "the mirror has it");
    let (code, said) = run(&all, &["rm", "docker://example.com/app:v9"]);
    // As without a mirror: this version of the registry knows only the removal of manifests.
    assert!(code == Some(1) && said.contains("with all their tags"), "{said}");
}

/// A mirror that fetches what is asked for may drop it later.
#[test]
fn what_a_mirror_dropped_is_read_from_the_registry() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let (layout, file) = (registry.path("images"), registry.path("file"));
    let image = format!("{}#v1", text(&layout));
    fs::write(&file, vec![7; 3_000_000]).unwrap();
    registry.run(["init", text(&layout)]);
    registry.run(["new", &image]);
    registry.run(["insert", "--compress", "none", &image, text(&file), "/file"]);
    for place in ["mirror/app:v1", "main/app:v1"] {
        registry.run(["copy", &image, &registry.at(place)]);
    }
    let manifest: serde_json::Value =
        serde_json::from_str(&registry.run(["raw", "manifest", &image])).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().replace(':', "/");
    let links = "data/docker/registry/v2/repositories/mirror/app/_layers";
    fs::remove_dir_all(registry.path(&format!("{links}/{layer}"))).unwrap();
    let (conf, host) = (registry.path("registries.conf"), registry.host());
    let mirror = format!("[[registry.mirror]]\nlocation = \"{host}/mirror\"");
    let text_of = format!("[[registry]]\nprefix = \"example.com\"\nlocation = \"{host}/main\"\n{mirror}");
    fs::write(&conf, text_of).unwrap();
    let output = registry
        .command()
        .env("CONTAINERS_REGISTRIES_CONF", &conf)
        .args(["cat", "docker://example.com/app:v1", "/file"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 3_000_000);
}
