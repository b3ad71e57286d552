//! Platforms: text, equal names, and what a selector asks for.

use crate::spec::Platform;

fn platform(text: &str) -> Platform {
    text.parse().expect(text)
}

#[test]
fn text_is_kept_unchanged() {
    for text in ["linux/amd64", "linux/arm/v7", "unknown/unknown", "linux/x86_64", "Linux/ARM64"] {
        assert_eq!(platform(text).to_string(), text);
    }
    let parsed = platform("linux/arm/v7");
    assert_eq!((parsed.os.as_str(), parsed.architecture.as_str()), ("linux", "arm"));
    assert_eq!(parsed.variant.as_deref(), Some("v7"));
}

#[test]
fn versions_and_features_follow_the_system() {
    for (text, version, features) in [
        ("windows(10.0.17763.1)/amd64", Some("10.0.17763.1"), &[][..]),
        ("windows(10.0.17763.1+win32k+x)/amd64", Some("10.0.17763.1"), &["win32k", "x"]),
        ("windows(+win32k)/arm/v7", None, &["win32k"]),
    ] {
        let parsed = platform(text);
        assert_eq!((parsed.os.as_str(), parsed.os_version.as_deref()), ("windows", version));
        assert_eq!(parsed.os_features, features);
        assert_eq!(parsed.to_string(), text);
    }
}

#[test]
fn other_text_is_refused() {
    for text in [
        "",
        "linux",
        "linux/",
        "/amd64",
        "linux//v8",
        "linux/arm/v7/x",
        "linux/am d64",
        "linux/arm/",
        "a,b/c",
        "windows()/amd64",
        "windows(10.0/amd64",
        "windows(10.0)x/amd64",
        "windows(10.0+)/amd64",
        "(10.0)/amd64",
        "windows/amd64(10.0)",
        "windows(1(2))/amd64",
    ] {
        let error = text.parse::<Platform>().expect_err(text);
        assert!(error.to_string().starts_with(&format!("invalid platform {text:?}: expected os/arch")));
    }
}

#[test]
fn platforms_are_normalized() {
    for (text, normal) in [
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v8.0", "linux/arm64"),
        ("linux/arm64/9", "linux/arm64/v9"),
        ("linux/arm64/v8.2", "linux/arm64/v8.2"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64/v1", "linux/amd64"),
        ("linux/amd64/V2", "linux/amd64/v2"),
        ("linux/i386", "linux/386"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("linux/arm/5", "linux/arm/v5"),
        ("linux/arm/8", "linux/arm/v8"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("macOS/ARM64", "darwin/arm64"),
        ("linux/riscv64", "linux/riscv64"),
    ] {
        let normalized = platform(text).normalized();
        assert_eq!(normalized.to_string(), normal, "{text}");
        assert_eq!(normalized.normalized(), normalized, "{text}");
    }
    let empty = Platform { variant: Some(String::new()), ..platform("linux/amd64") };
    assert_eq!(empty.normalized(), platform("linux/amd64"));
    assert_eq!(empty.to_string(), "linux/amd64");
}

#[test]
fn unset_fields_match_any_platform() {
    for (entry, wanted, matches) in [
        ("linux/arm64/v8", "linux/arm64", true),
        ("linux/arm64", "linux/arm64/v8", true),
        ("linux/arm64/v9", "linux/arm64", true),
        ("linux/arm64/v9", "linux/arm64/v8", false),
        ("linux/amd64/v3", "linux/amd64", true),
        ("linux/amd64/v3", "linux/amd64/v1", false),
        ("linux/amd64", "linux/amd64/v1", true),
        ("linux/arm/v6", "linux/arm", true),
        ("linux/arm/v6", "linux/arm/v7", false),
        ("linux/arm", "linux/arm/v7", true),
        ("linux/arm/v6", "linux/armhf", false),
        ("linux/arm/v6", "linux/armel", true),
        ("linux/amd64", "windows/amd64", false),
        ("linux/amd64", "linux/386", false),
    ] {
        assert_eq!(platform(entry).matches(&platform(wanted)), matches, "{entry} for {wanted}");
    }
    let server = Platform {
        os_version: Some("10.0.17763.1".into()),
        os_features: vec!["win32k".into()],
        ..platform("windows/amd64")
    };
    assert!(server.matches(&platform("windows/amd64")));
    assert!(server.matches(&server));
    assert!(!platform("windows/amd64").matches(&server));
    assert!(!server.matches(&Platform { os_features: vec!["other".into()], ..platform("windows/amd64") }));
    assert!(!server.matches(&Platform { os_version: Some("10.0".into()), ..platform("windows/amd64") }));
}
