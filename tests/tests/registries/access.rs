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
    assert!(refused.contains("certificate"), "{refused}");
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
