//! Passwords and tokens that must not arrive where they do not belong.

use super::*;

#[test]
fn a_password_goes_to_the_token_server_alone() {
    let registry = Arc::new(FakeRegistry { secured: true, ..Default::default() });
    local("v1").copy(What::Everything, None, &open(&registry, "v1")).unwrap();
    let log = registry.log();
    let with_password: Vec<_> = log.iter().filter(|line| line.contains("Basic")).collect();
    assert!(!with_password.is_empty());
    for line in with_password {
        assert!(line.starts_with("GET https://auth.example/token?"), "{line}");
    }
    assert!(!log[0].contains("Bearer"), "the registry is asked first");
}

#[test]
fn hostile_realms_get_nothing() {
    for realm in [
        "http://auth.example/token",
        "https://10.0.0.1/token",
        "https://8.8.8.8/token",
        "https://u@auth.example/",
        "https://localhost/token",
        "ftp://auth.example/",
        "https://[::1]/",
        "http://reg.example/token",
    ] {
        let challenge = format!("Bearer realm=\"{realm}\"");
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |_, _| {
                Some(Ok(response(401, &[("www-authenticate", &challenge)], b"")))
            })),
            ..Default::default()
        });
        let error = client(&registry, "reg.example/app").tags().unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{realm}: {error}");
        assert_eq!(registry.log(), ["GET https://reg.example/v2/"], "{realm}");
    }
}

/// Answers requests for blobs by a redirect.
fn redirecting(to: &'static str) -> Arc<FakeRegistry> {
    let registry = FakeRegistry { secured: true, ..Default::default() };
    registry.state.lock().unwrap().blobs.insert(format!("app/{}", blob(&bytes(9)).digest), bytes(9));
    Arc::new(FakeRegistry {
        fault: Some(Box::new(move |request, _| {
            let path = request.url.path_and_query();
            (request.url.host() == "reg.example" && path.contains("/blobs/"))
                .then(|| Ok(response(307, &[("location", to)], b"")))
        })),
        ..registry
    })
}

#[test]
fn redirects_lose_the_token_where_they_leave_the_registry() {
    let registry = redirecting("https://cdn.example/x?sig=secret");
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    let error = read(&store, &blob(&bytes(9))).unwrap_err();
    assert!(
        error.to_string().contains("cdn.example/x?…") && !error.to_string().contains("secret"),
        "{error}"
    );
    let log = registry.log();
    let elsewhere: Vec<_> = log.iter().filter(|line| line.contains("cdn.example")).collect();
    assert_eq!(elsewhere, ["GET https://cdn.example/x?sig=secret"]);
}

#[test]
fn redirects_into_private_networks_or_the_open_are_refused() {
    for to in
        ["http://cdn.example/x", "https://127.0.0.1/x", "https://169.254.169.254/x", "https://localhost/x"]
    {
        let registry = redirecting(to);
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        let error = read(&store, &blob(&bytes(9))).unwrap_err();
        assert!(error.to_string().contains("redirect"), "{to}: {error}");
        let host = to.split('/').nth(2).unwrap();
        assert!(!registry.log().iter().any(|line| line.contains(host)), "{to}");
    }
}

#[test]
fn a_redirect_in_a_circle_ends() {
    let registry = redirecting("/v2/app/blobs/x");
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    assert!(read(&store, &blob(&bytes(9))).unwrap_err().to_string().contains("redirects"));
    assert!(registry.log().len() < 20);
}

#[test]
fn uploads_elsewhere_get_no_token() {
    let registry = Arc::new(FakeRegistry {
        secured: true,
        fault: Some(Box::new(|request, _| match (request.method, request.url.host()) {
            (Method::Post, "reg.example") => {
                Some(Ok(response(202, &[("location", "https://store.example/up?sig=1")], b"")))
            }
            (Method::Put, "store.example") => Some(Ok(response(201, &[], b""))),
            _ => None,
        })),
        ..Default::default()
    });
    let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
    write(&store, b"abc").unwrap();
    let log = registry.log();
    let elsewhere = log.iter().find(|line| line.contains("store.example")).unwrap();
    assert!(!elsewhere.contains("Bearer") && elsewhere.contains("sig=1&digest=sha256%3A"), "{elsewhere}");
    for location in ["http://store.example/up", "https://127.0.0.1/up", "https://u@store.example/"] {
        let registry = Arc::new(FakeRegistry {
            fault: Some(Box::new(move |request, _| {
                (request.method == Method::Post).then(|| Ok(response(202, &[("location", location)], b"")))
            })),
            ..Default::default()
        });
        let store = RegistryStore::new(client(&registry, "reg.example/app"), Listed::All);
        assert!(write(&store, b"abc").is_err(), "{location}");
        assert!(!registry.log().iter().any(|line| line.starts_with("PUT")), "{location}");
    }
}

/// Returns a registry that wants this.
fn wanting(challenge: &'static str, accepted: &'static str) -> Arc<FakeRegistry> {
    Arc::new(FakeRegistry {
        fault: Some(Box::new(move |request, _| {
            let is_own = request.url.host() == "reg.example";
            let is_known =
                request.headers.iter().any(|(name, value)| (*name, &**value) == ("authorization", accepted));
            let refused = || response(401, &[("www-authenticate", challenge)], b"");
            (is_own && !is_known).then(|| Ok(refused()))
        })),
        ..Default::default()
    })
}

/// The credentials of a test.
struct Given(Secret);

impl Credentials for Given {
    fn find(&self, _: &str, _: &str) -> crate::Result<Option<Secret>> {
        Ok(Some(self.0.clone()))
    }
}

#[test]
fn every_kind_of_credentials() {
    const TOKEN: &str = "Bearer realm=\"https://auth.example/token\",service=\"reg\"";
    let password = Secret::Password { user: "u".into(), password: "canary".into() };
    for (challenge, accepted, secret, asked) in [
        ("Basic realm=\"x\"", "Basic dTpjYW5hcnk=", password.clone(), ""),
        (TOKEN, "Bearer t0k3n", password, "GET https://auth.example/token?service=reg&scope="),
        (TOKEN, "Bearer t0k3n", Secret::Identity("refresh".into()), "POST https://auth.example/token"),
        (TOKEN, "Bearer as-it-is", Secret::Bearer("as-it-is".into()), ""),
    ] {
        let registry = wanting(challenge, accepted);
        let name = "reg.example/app".parse().unwrap();
        let client = Client::new(name, Arc::clone(&registry), Given(secret.clone()), &Limits::default());
        assert_eq!(client.tags().unwrap(), Vec::<String>::new());
        client.check_login().unwrap();
        let log = registry.log();
        let to_token_server: Vec<_> = log.iter().filter(|line| line.contains("auth.example")).collect();
        // Once for the repository, and once for the login, which asks for no rights.
        assert_eq!(to_token_server.len(), if asked.is_empty() { 0 } else { 2 }, "{secret:?}: {log:#?}");
        assert!(to_token_server.iter().all(|line| line.starts_with(asked.split("&scope").next().unwrap())));
    }
}

#[test]
fn more_is_asked_for_where_a_token_is_not_enough() {
    let registry = Arc::new(FakeRegistry {
        secured: true,
        fault: Some(Box::new(|request, number| {
            let challenge = "Bearer realm=\"https://auth.example/token\",scope=\"repository:app:everything\"";
            let refuses = number == 2 && request.url.host() == "reg.example";
            refuses.then(|| Ok(response(401, &[("www-authenticate", challenge)], b"")))
        })),
        ..Default::default()
    });
    client(&registry, "reg.example/app").tags().unwrap();
    let log = registry.log();
    assert!(log[3].contains("scope=repository%3Aapp%3Aeverything"), "{log:#?}");
    assert!(log[4].contains("tags/list") && log.len() == 5, "{log:#?}");
}

#[test]
fn a_token_is_used_until_it_expires() {
    let registry = Arc::new(FakeRegistry { secured: true, ..Default::default() });
    let client = client(&registry, "reg.example/app");
    let tokens = |log: &[String]| log.iter().filter(|line| line.contains("auth.example")).count();
    for _ in 0..3 {
        client.tags().unwrap();
    }
    assert_eq!(tokens(&registry.log()), 1);
    registry.state.lock().unwrap().later = std::time::Duration::from_secs(295);
    client.tags().unwrap();
    assert_eq!(tokens(&registry.log()), 1, "five seconds before its end");
}
