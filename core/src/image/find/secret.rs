//! Files that look like a secret: by well-known names, and by well-known shapes in the text.
//!
//! Sources: the manuals of the programs that read these files, and the providers' documentation of their
//! tokens.

use serde::Serialize;

use crate::name::EntryPath;

/// The number of leading bytes of a file that are examined.
pub(super) const HEAD: u64 = 256 << 10;

/// The kind of secret that a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Secret(&'static str);

impl Secret {
    /// Returns its name in a few words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0
    }
}

/// Returns the kind of secret that a file looks like, by its path and the beginning of its content. Binary
/// content is judged by its name alone.
#[must_use]
pub fn looks_like(path: &EntryPath, head: &[u8]) -> Option<Secret> {
    if head.is_empty() {
        return None;
    }
    let of_text = || if head.contains(&0) { None } else { in_text(head) };
    by_name(path.as_bytes(), head).or_else(of_text).map(Secret)
}

/// The end of the path, a text that the content must have, and the kind of secret.
const NAMES: &[(&str, &str, &str)] = &[
    (".aws/credentials", "aws_secret_access_key", "AWS credentials"),
    (".azure/msal_token_cache.json", "secret", "Azure token"),
    (".cargo/credentials", "token", "Cargo token"),
    (".cargo/credentials.toml", "token", "Cargo token"),
    (".config/gcloud/application_default_credentials.json", "", "Google Cloud credentials"),
    (".config/gcloud/credentials.db", "", "Google Cloud credentials"),
    (".config/gh/hosts.yml", "oauth_token", "GitHub token"),
    (".docker/config.json", "\"auth\"", "registry password"),
    (".gem/credentials", ":", "RubyGems token"),
    (".git-credentials", "://", "Git password"),
    (".kube/config", "client-key-data", "Kubernetes key"),
    (".kube/config", "token", "Kubernetes token"),
    (".m2/settings.xml", "<password>", "Maven password"),
    (".my.cnf", "password", "MySQL password"),
    (".netrc", "password", "netrc password"),
    (".npmrc", "_auth", "npm token"),
    (".pgpass", ":", "PostgreSQL password"),
    (".pypirc", "password", "PyPI password"),
    (".terraform.d/credentials.tfrc.json", "token", "Terraform token"),
    (".vault-token", "", "Vault token"),
    ("etc/shadow", ":$", "password hash"),
    ("run/secrets/kubernetes.io/serviceaccount/token", "", "Kubernetes token"),
];

/// The ends of the names of key stores.
const STORES: &[&str] = &[".jks", ".kdbx", ".keystore", ".p12", ".pfx", ".ppk"];

fn by_name(path: &[u8], head: &[u8]) -> Option<&'static str> {
    let ends = |end: &str| {
        path.strip_suffix(end.as_bytes()).is_some_and(|rest| rest.last().is_none_or(|&byte| byte == b'/'))
    };
    for (end, content, kind) in NAMES {
        if ends(end) && (content.is_empty() || contains(head, content.as_bytes())) {
            return Some(kind);
        }
    }
    STORES.iter().any(|end| path.ends_with(end.as_bytes())).then_some("key store")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// A token: its prefix, the number of characters that must follow, the characters allowed, and its kind.
struct Token(&'static str, usize, fn(u8) -> bool, &'static str);

const TOKENS: &[Token] = &[
    Token("AKIA", 16, is_upper, "AWS access key"),
    Token("ASIA", 16, is_upper, "AWS access key"),
    Token("AIza", 35, is_word, "Google API key"),
    Token("AGE-SECRET-KEY-1", 58, is_upper, "age key"),
    Token("ghp_", 36, is_word, "GitHub token"),
    Token("gho_", 36, is_word, "GitHub token"),
    Token("ghu_", 36, is_word, "GitHub token"),
    Token("ghs_", 36, is_word, "GitHub token"),
    Token("ghr_", 36, is_word, "GitHub token"),
    Token("github_pat_", 82, is_word, "GitHub token"),
    Token("glpat-", 20, is_word, "GitLab token"),
    Token("npm_", 36, is_word, "npm token"),
    Token("pypi-AgEIcHlwaS5vcmc", 50, is_word, "PyPI token"),
    Token("sk_live_", 24, is_word, "Stripe key"),
    Token("xoxb-", 40, is_word, "Slack token"),
    Token("xoxp-", 40, is_word, "Slack token"),
];

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn in_text(text: &[u8]) -> Option<&'static str> {
    let mut starts = [false; 256];
    for Token(start, ..) in TOKENS {
        for byte in start.bytes().take(1) {
            starts[usize::from(byte)] = true;
        }
    }
    let mut before = b'\n';
    for (at, &byte) in text.iter().enumerate() {
        let rest = text.get(at..).unwrap_or_default();
        if before == b'\n' && byte == b'-' && is_private_key(rest) {
            return Some("private key");
        }
        if starts[usize::from(byte)] && !is_word(before) {
            let token = TOKENS.iter().find(|Token(start, count, is_part, _)| {
                let of_token = rest.strip_prefix(start.as_bytes()).unwrap_or_default();
                of_token.iter().take_while(|&&byte| is_part(byte)).count() >= *count
            });
            if let Some(Token(.., kind)) = token {
                return Some(kind);
            }
        }
        before = byte;
    }
    None
}

/// Returns whether a text has a PEM header (RFC 7468, section 2) with something below it. Programs and their
/// documentation have the header alone.
fn is_private_key(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"-----BEGIN ") else { return false };
    let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { return false };
    let (label, below) = rest.split_at(end);
    let label = label.strip_suffix(b"\r").unwrap_or(label);
    let of_key =
        [&b"PRIVATE KEY-----"[..], b"PRIVATE KEY BLOCK-----"].iter().any(|tail| label.ends_with(tail));
    let is_content = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    of_key && below.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(is_content)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::looks_like;
    use crate::{limits::Limits, name::EntryPath};

    fn kind(path: &str, content: &str) -> Option<&'static str> {
        let path = EntryPath::clean(path.as_bytes(), &Limits::default()).unwrap();
        Some(looks_like(&path, content.as_bytes())?.name())
    }

    #[test]
    fn keys_need_a_header_and_content() {
        for label in [
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ] {
            let key = format!("a comment\n-----BEGIN {label}-----\nMIIE\n-----END {label}-----\n");
            assert_eq!(kind("x", &key), Some("private key"), "{label}");
            assert_eq!(kind("x", &key.replace('\n', "\r\n")), Some("private key"), "{label}");
        }
        for text in [
            "-----BEGIN PUBLIC KEY-----\nMIIE\n",
            "-----BEGIN CERTIFICATE-----\nMIIE\n",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
            "printf '-----BEGIN PRIVATE KEY-----\nMIIE'",
            "\0\n-----BEGIN PRIVATE KEY-----\nMIIE\n",
        ] {
            assert_eq!(kind("x", text), None, "{text}");
        }
    }

    #[test]
    fn tokens_have_their_length_and_stand_alone() {
        let token = format!("ghp_{}", "a1".repeat(18));
        assert_eq!(kind("x", &format!("export GITHUB_TOKEN={token}\n")), Some("GitHub token"));
        assert_eq!(kind("x", &token[..39]), None);
        assert_eq!(kind("x", &format!("x{token}")), None);
        assert_eq!(kind("x", &format!("key: \"AKIA{}\"", "Z9".repeat(8))), Some("AWS access key"));
        assert_eq!(kind("x", &format!("AKIA{}", "z9".repeat(8))), None);
    }

    #[test]
    fn names_count_only_with_matching_content() {
        assert_eq!(
            kind("root/.docker/config.json", r#"{"auths":{"r":{"auth":"eDp5"}}}"#),
            Some("registry password")
        );
        assert_eq!(kind("root/.docker/config.json", r#"{"auths":{}}"#), None);
        assert_eq!(kind("etc/shadow", "root:*:19000:0:99999:7:::\n"), None);
        assert_eq!(kind("etc/shadow", "root:$y$j9T$x:19000:0:99999:7:::\n"), Some("password hash"));
        assert_eq!(kind("usr/share/etc/shadow-", "root:$y$"), None);
        assert_eq!(kind("xetc/shadow", "root:$y$"), None);
        assert_eq!(kind("app/release.keystore", "\0\0"), Some("key store"));
        assert_eq!(kind("app/release.keystore", ""), None);
    }
}
