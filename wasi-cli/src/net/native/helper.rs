//! Credential helpers: programs `docker-credential-NAME` that keep passwords for others, with the protocol of
//! docker-credential-helpers.

use std::{
    io::{self, Read as _, Write as _},
    process::{Command, Stdio},
};

use ocicle::remote::Secret;
use serde::{Deserialize, Serialize};

/// The prefix of the names of the programs.
const PREFIX: &str = "docker-credential-";
/// The answer of a helper that has nothing for a server.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The user name of an identity token.
const TOKEN_USER: &str = "<token>";
/// The largest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// A program that keeps credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Helper {
    program: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stored<'a> {
    #[serde(rename = "ServerURL")]
    server: &'a str,
    username: &'a str,
    secret: &'a str,
}

/// The result of a call of a helper.
struct Outcome {
    output: Vec<u8>,
    success: Result<(), String>,
}

impl Helper {
    /// Returns the helper of a name, which comes from a file: it must not lead to other programs.
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(valid) {
            let reason = format!("not the name of a credential helper: {name:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(Self { program: format!("{PREFIX}{name}") })
    }

    /// Returns the credentials for a server, if the helper has some.
    pub(super) fn get(&self, server: &str) -> io::Result<Option<Secret>> {
        let Outcome { output, success } = self.run("get", server.as_bytes())?;
        if let Err(status) = success {
            return if is_not_found(&output) { Ok(None) } else { Err(self.failed("get", &status)) };
        }
        // Neither the answer nor what the parser says about it is shown: it has the password.
        let answer = serde_json::from_slice::<Answer>(&output);
        let Answer { username, secret } = answer.map_err(|_| self.failed("get", "malformed answer"))?;
        Ok(match (username.as_str(), secret.as_str()) {
            ("", "") => None,
            (TOKEN_USER, _) => Some(Secret::Identity(secret)),
            _ => Some(Secret::Password { user: username, password: secret }),
        })
    }

    /// Keeps credentials for a server.
    pub(super) fn store(&self, server: &str, user: &str, password: &str) -> io::Result<()> {
        let stored = serde_json::to_vec(&Stored { server, username: user, secret: password })?;
        let Outcome { success, .. } = self.run("store", &stored)?;
        success.map_err(|status| self.failed("store", &status))
    }

    /// Removes the credentials for a server, if the helper has some.
    pub(super) fn erase(&self, server: &str) -> io::Result<()> {
        let Outcome { output, success } = self.run("erase", server.as_bytes())?;
        match success {
            Err(status) if !is_not_found(&output) => Err(self.failed("erase", &status)),
            _ => Ok(()),
        }
    }

    fn run(&self, action: &str, input: &[u8]) -> io::Result<Outcome> {
        let mut child = Command::new(&self.program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("run {}: {error}", self.program)))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read its input says why with its status.
            let _ = stdin.write_all(input);
        }
        let mut output = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_ANSWER).read_to_end(&mut output)?;
        }
        let status = child.wait()?;
        Ok(Outcome { output, success: if status.success() { Ok(()) } else { Err(status.to_string()) } })
    }

    fn failed(&self, action: &str, reason: &str) -> io::Error {
        io::Error::other(format!("{} {action}: {reason}", self.program))
    }
}

fn is_not_found(output: &[u8]) -> bool {
    output.trim_ascii() == NOT_FOUND.as_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use super::*;

    #[test]
    fn names_lead_to_no_other_program() {
        for name in ["", "../../bin/sh", "a/b", "/bin/sh", "a b", "a\0b", "a\nb", "ä"] {
            assert!(Helper::new(name).is_err(), "{name:?}");
        }
        for name in ["pass", "secretservice", "gcr", "ecr-login", "osxkeychain", "my_own.sh"] {
            assert_eq!(Helper::new(name).unwrap().program, format!("docker-credential-{name}"));
        }
    }

    #[test]
    fn a_missing_helper_is_named() {
        let error = Helper::new("does-not-exist").unwrap().get("example.com").unwrap_err();
        assert!(error.to_string().starts_with("run docker-credential-does-not-exist: "), "{error}");
    }
}
