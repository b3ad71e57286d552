//! Docker's image names.

/// Returns whether Docker accepts a text as the name of an image with its tag: `[HOST[:PORT]/]PATH:TAG`. Many
/// ref names of OCI are not accepted, such as a bare `v1`.
///
/// Source: the grammar in the documentation of the package `reference` of distribution.
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
    use super::is_tag;

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
