//! A registry that wants tokens, and the token server, which alone gets the password.

use ocicle_tests::{
    ocicle::{at, ocicle, text},
    recorder::Recorder,
    registry::Registry,
    token_server::TokenServer,
};

/// `ann:geheim` in base64.
const PASSWORD: &str = "YW5uOmdlaGVpbQ";

#[test]
fn a_password_goes_to_the_token_server_alone() {
    let Some(tokens) = TokenServer::start() else { return };
    let Some(registry) = Registry::start_with_tokens(&tokens) else { return };
    let recorder = Recorder::before(registry.port());
    let (layout, host) = (registry.layout(), recorder.host());
    let remote = |name: &str| format!("docker://{host}/{name}");
    let anonymous = registry.fails(1, ["copy", &at(&layout, "v1"), &remote("team/app:v1")]);
    assert!(anonymous.contains("(status 401)") && anonymous.contains("ocicle login"), "{anonymous}");
    let wrong = registry.log_in(&host, "falsch");
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("wrong user name or password"), "{wrong:?}");
    assert!(!registry.path("auth.json").exists());
    assert!(tokens.asked().iter().all(|asked| !asked.by_password));
    let right = registry.log_in(&host, "geheim");
    assert!(right.status.success(), "{right:?}");
    let login = tokens.asked();
    assert!(matches!(&login[..], [asked] if asked.by_password && asked.scopes.is_empty()), "{login:?}");

    registry.run(["copy", &at(&layout, "v1"), &remote("team/app:v1")]);
    registry.run(["copy", &at(&layout, "docker"), &remote("team/app:docker")]);
    let back = registry.path("back");
    registry.run(["copy", &remote("team/app:v1"), &format!("oci:{}", text(&back))]);
    ocicle(["check", text(&back)]);
    assert_eq!(registry.digest(&at(&back, "v1")), registry.digest(&at(&layout, "v1")));
    let listed = registry.run(["ls", &remote("team/app"), "--tags", "v*"]);
    assert!(listed.contains("v1") && !listed.contains("docker"), "{listed}");
    // Each token is asked for once in a run, with no more rights than are needed.
    assert!(tokens.asked().iter().all(|asked| asked.by_password && asked.scopes.len() == 1));

    let mount = ["-v", "copy", &remote("team/app:v1"), &remote("team/other:v1")];
    let mounted = registry.command().args(mount).output().unwrap();
    let said = String::from_utf8_lossy(&mounted.stderr);
    assert!(mounted.status.success() && said.contains("mounted"), "{said}");
    let asked = tokens.asked();
    let both = ["repository:team/other:pull,push", "repository:team/app:pull"];
    assert!(asked.iter().any(|asked| asked.scopes == both), "{asked:?}");
    registry.run(["resolve", &remote("team/other:v1")]);

    let requests = recorder.requests();
    assert!(requests.iter().any(|request| request.contains("authorization: Bearer ")));
    for request in requests {
        let head = request.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("Basic"), "{head}");
        assert!(!request.contains("geheim") && !request.contains(PASSWORD), "{head}");
    }
}

#[test]
fn a_token_for_everybody_is_enough_to_read() {
    let Some(tokens) = TokenServer::start() else { return };
    let Some(registry) = Registry::start_with_tokens(&tokens) else { return };
    let layout = registry.layout();
    let (public, private) = (registry.at("public/app:v1"), registry.at("team/app:v1"));
    assert!(registry.log_in(&registry.host(), "geheim").status.success());
    for target in [&public, &private] {
        registry.run(["copy", &at(&layout, "v1"), target]);
    }
    registry.run(["logout", &registry.host()]);
    drop(tokens.asked());
    let back = registry.path("back");
    registry.run(["copy", &public, &format!("oci:{}", text(&back))]);
    ocicle(["check", text(&back)]);
    registry.run(["ls", &registry.at("public/app")]);
    assert!(registry.fails(1, ["copy", &at(&layout, "docker"), &public]).contains("(status 401)"));
    assert!(registry.fails(1, ["resolve", &private]).contains("(status 401)"));
    assert!(tokens.asked().iter().all(|asked| !asked.by_password));
}
