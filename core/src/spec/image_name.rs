//! Docker's image names, as containerd records them in full: `docker.io/library/app:1` is `app:1` for people.
//!
//! Source: the grammar in the documentation of the package `reference` of distribution, and what it calls
//! normalized and familiar names.

/// The domain that a name without one has, and the path of names without a slash.
const DOMAIN: &str = "docker.io/";
const LIBRARY: &str = "library/";

/// Returns whether Docker accepts a text as the name of an image with its tag: `[HOST[:PORT]/]PATH:TAG`. Many
/// ref names of OCI are not accepted, such as a bare `v1`.
///
/// ```
/// use ocicle::image::docker_archive::is_tag;
///
/// assert!(is_tag("example/app:1"));
/// assert!(!is_tag("v1"));
/// assert!(!is_tag("localhost:5000/app"));
/// ```
#[must_use]
pub fn is_tag(text: &str) -> bool {
    // The last colon may be that of a port.
    let Some((name, tag)) = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) else { return false };
    let path = match name.split_once('/') {
        Some((host, path)) if is_host(host) => path,
        _ => name,
    };
    name.len() <= 255 && path.split('/').all(is_component) && is_tag_part(tag)
}

/// Returns a name as Docker shows it: without the domain and path that it adds.
pub(super) fn familiar(name: &str) -> &str {
    let Some(rest) = name.strip_prefix(DOMAIN) else { return name };
    match (rest.strip_prefix(LIBRARY), rest.split_once('/')) {
        (Some(path), _) if !path.contains('/') => path,
        (_, Some((first, _))) if is_host(first) => name,
        _ => rest,
    }
}

/// Returns the full name of an entry that had the full name `old` and gets a tag: that of the tag, if it has
/// a name in it (`app:2`), or else `old` with the new tag; `None` if that is not a name.
pub(crate) fn retagged(old: &str, tag: &str) -> Option<String> {
    if is_tag(tag) {
        return Some(match tag.split_once('/') {
            Some((host, _)) if is_host(host) => tag.into(),
            Some(_) => format!("{DOMAIN}{tag}"),
            None => format!("{DOMAIN}{LIBRARY}{tag}"),
        });
    }
    let (name, _) = old.rsplit_once(':').filter(|_| is_tag(old) && is_tag_part(tag))?;
    Some(format!("{name}:{tag}"))
}

fn is_tag_part(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || b".-".contains(&byte))
}

/// Returns whether a first component is a host, and not a path below the default host.
fn is_host(text: &str) -> bool {
    let looks_like_one = text == "localhost"
        || text.contains(['.', ':'])
        || text.bytes().any(|byte| byte.is_ascii_uppercase());
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "0"));
    let is_label = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    looks_like_one
        && host.split('.').all(is_label)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a text is words of small letters and digits, with `.`, `_`, `__` or any number of `-`
/// between them.
fn is_component(text: &str) -> bool {
    let is_word = |byte: char| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text;
    loop {
        let after = rest.trim_start_matches(is_word);
        if after.len() == rest.len() {
            return false;
        }
        if after.is_empty() {
            return true;
        }
        let next = after.trim_start_matches(|byte| !is_word(byte));
        let separator = &after[..after.len() - next.len()];
        if !matches!(separator, "." | "_" | "__") && separator.bytes().any(|byte| byte != b'-') {
            return false;
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::{familiar, is_tag, retagged};

    #[test]
    fn names_are_shortened_as_docker_does() {
        for (full, short) in [
            ("docker.io/library/a:1", "a:1"),
            ("docker.io/example/a:1", "example/a:1"),
            ("docker.io/library/a/b:1", "library/a/b:1"),
            ("docker.io/localhost/a:1", "docker.io/localhost/a:1"),
            ("reg.example/library/a:1", "reg.example/library/a:1"),
            ("a", "a"),
        ] {
            assert_eq!(familiar(full), short);
        }
    }

    #[test]
    fn a_new_tag_renames_or_drops_the_name() {
        let old = "docker.io/library/a:latest";
        for (old, tag, new) in [
            (old, "v2", Some("docker.io/library/a:v2")),
            (old, "b:1", Some("docker.io/library/b:1")),
            (old, "example/b:1", Some("docker.io/example/b:1")),
            (old, "reg.example/b:1", Some("reg.example/b:1")),
            (old, "a/b", None),
            (old, "v+1", None),
            ("a@sha256:00", "v2", None),
        ] {
            assert_eq!(retagged(old, tag).as_deref(), new, "{old} {tag}");
        }
    }

    #[test]
    fn tags_follow_the_grammar_of_docker() {
        let long = "t".repeat(128);
        for good in [
            "a:1",
            "example/app:latest",
            "reg.example:5000/a/b_c__d---e.f:V1.2-x_",
            "localhost/a:1",
            "localhost:5000/a:1",
            "Example/a:1",
            &format!("a:{long}"),
        ] {
            assert!(is_tag(good), "{good}");
        }
        for bad in [
            "",
            "v1",
            ":1",
            "a:",
            "localhost:5000/app",
            "a/B:1",
            "A:1",
            "a..b:1",
            "a___b:1",
            "a-:1",
            "-a:1",
            "/a:1",
            "a//b:1",
            "a:-x",
            "a:b:c",
            "a@b:1",
            "host.:x/a:1",
            "ä:1",
            &format!("a:{long}t"),
            &format!("{}:1", "a".repeat(256)),
        ] {
            assert!(!is_tag(bad), "{bad}");
        }
    }
}
